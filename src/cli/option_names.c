/* Looking options up by name, and showing them: help and --print-config. */
#include <ctype.h>
#include <string.h>

#include "cli/option_table.h"

/* The next name of "--a -b", from *at; false: none left. */
static bool next_name(const char **at, gol_str *name)
{
    while (**at == ' ')
        (*at)++;
    *name = (gol_str){*at, strcspn(*at, " ")};
    *at += name->len;
    return name->len > 0;
}

int gol_option_find(const char *name, size_t name_len, unsigned command_mask)
{
    for (int i = 0; i < gol_n_options; i++) {
        const gol_option *option = &gol_option_table[i];
        const char *at = option->names;
        gol_str candidate;
        while ((option->commands & command_mask) != 0 && next_name(&at, &candidate)) {
            if (gol_str_eq(candidate, (gol_str){name, name_len}))
                return i;
        }
    }
    return -1;
}

/* As a config file has it: ctx-size for "--ctx-size". */
static void bare_name(const gol_option *option, char *buf, size_t size)
{
    snprintf(buf, size, "%.*s", (int)strcspn(option->names + 2, " "), option->names + 2);
}

void gol_option_env_name(const gol_option *option, char *buf, size_t size)
{
    const int n = snprintf(buf, size, "GOLLUM_%.*s", (int)strcspn(option->names + 2, " "),
                           option->names + 2);
    for (int i = 0; i < n && (size_t)i < size; i++)
        buf[i] = buf[i] == '-' ? '_' : (char)toupper((unsigned char)buf[i]);
}

enum { HELP_COLUMN = 34, HELP_WIDTH = 110 };

/* Text from column HELP_COLUMN on, broken between words; `column` is where the cursor is. */
static void print_wrapped(FILE *out, const char *text, int column)
{
    if (column >= HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    column = HELP_COLUMN;
    while (*text != '\0') {
        const int n = (int)strcspn(text, " ");
        if (column + n > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        fprintf(out, "%.*s", n, text);
        text += n;
        column += n + 1;
        if (*text == ' ') {
            fputc(' ', out);
            text++;
        }
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const gol_option *option)
{
    char help[512];
    int column = fprintf(out, "  ");
    const char *at = option->names;
    gol_str name;
    for (int i = 0; next_name(&at, &name); i++)
        column += fprintf(out, "%s%.*s", i > 0 ? ", " : "", GOL_STR_ARG(name));
    if (option->arg != NULL)
        column += fprintf(out, " %s", option->arg);
    const bool show_default = option->default_text != NULL &&
                              strcmp(option->default_text, "0") != 0 &&
                              strcmp(option->default_text, "-1") != 0;
    snprintf(help, sizeof help, show_default ? "%s [%s]" : "%s", option->help,
             show_default ? option->default_text : "");
    print_wrapped(out, help, column);
}

void gol_option_print_help(FILE *out, const gol_command *command)
{
    fprintf(out, "usage: %s\n\n%s\n\n", command->usage, command->summary);
    for (int i = 0; i < gol_n_options; i++) {
        if ((gol_option_table[i].commands & command->mask) != 0)
            print_option(out, &gol_option_table[i]);
    }
    fprintf(out, "\nEach option is also read from the environment (--ctx-size: GOLLUM_CTX_SIZE) "
                 "and from the file\n"
                 "that --config names. A flag wins over the environment, that over the file, that "
                 "over the default.\n");
}

void gol_option_print_config(FILE *out, const gol_settings *settings, const gol_command *command)
{
    static const char *const sources[] = {"default", "config file", "environment", "flag"};
    for (int i = 0; i < gol_n_options; i++) {
        const gol_option *option = &gol_option_table[i];
        if ((option->commands & command->mask) == 0 || strncmp(option->names, "--help", 6) == 0 ||
            strncmp(option->names, "--print-config", 14) == 0)
            continue;
        char name[64];
        char value[1024];
        bare_name(option, name, sizeof name);
        gol_option_print(settings, option, value, sizeof value);
        if (strcmp(name, "api-key") == 0 && value[0] != '\0')
            snprintf(value, sizeof value, "(set)");
        fprintf(out, "%s = %s  # %s\n", name, value, sources[settings->sources[i]]);
    }
}
