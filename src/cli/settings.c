/*
 * Defaults, config file, environment, arguments: the four sources of a setting, in rising order. A later one overwrites an
 * earlier one, and `sources` remembers who was last.
 */
#include "cli/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/option_table.h"

enum {
    CONFIG_MAX = 1 << 20, /* bytes of a config file */
    OPERANDS_MAX = 3      /* free arguments of a command */
};

static int set(gol_settings *settings, int i, gol_setting_source source, const char *shown,
               const char *text, gol_err *err)
{
    const int rc = gol_option_set(settings, &gol_option_table[i], shown, text, err);
    if (rc == 0)
        settings->sources[i] = source;
    return rc;
}

static void set_defaults(gol_settings *settings)
{
    assert(gol_n_options <= GOL_OPTIONS_MAX);
    *settings = (gol_settings){0};
    for (int i = 0; i < gol_n_options; i++) {
        const char *text = gol_option_table[i].default_text;
        gol_err err = {0};
        const int rc = text != NULL ? set(settings, i, GOL_SOURCE_DEFAULT, "default", text, &err)
                                    : 0;
        assert(rc == 0); /* every default is in its range */
        (void)rc;
    }
}

static int from_environment(gol_settings *settings, const gol_command *command, gol_err *err)
{
    for (int i = 0; i < gol_n_options; i++) {
        char name[64];
        gol_option_env_name(&gol_option_table[i], name, sizeof name);
        const char *text = getenv(name);
        const bool applies = (gol_option_table[i].commands & command->mask) != 0;
        if (text == NULL || text[0] == '\0' || !applies)
            continue;
        if (set(settings, i, GOL_SOURCE_ENVIRONMENT, name, text, err) != 0)
            return err->code = GOL_ECONFIG;
    }
    return 0;
}

/* The option's place in the table by its bare name in a config file: this command's, or else any command's; -1: none. */
static int find_bare(gol_str name, unsigned command_mask)
{
    char dashed[80];
    snprintf(dashed, sizeof dashed, "--%.*s", GOL_STR_ARG(name));
    const int i = gol_option_find(dashed, strlen(dashed), command_mask);
    return i >= 0 ? i : gol_option_find(dashed, strlen(dashed), GOL_CMD_ALL);
}

static char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    char *end = text + strlen(text);
    while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        *--end = '\0';
    return text;
}

static int config_line(gol_settings *settings, const gol_command *command, const char *path,
                       int line_number, char *line, gol_err *err)
{
    char *text = trim(line);
    if (text[0] == '\0' || text[0] == '#' || text[0] == ';' || text[0] == '[')
        return 0;
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return gol_fail(err, GOL_ECONFIG, "%s:%d: '%s', a line is `name = value`", path,
                        line_number, text);
    *equals = '\0';
    const char *name = trim(text);
    const int i = find_bare(gol_str_from(name), command->mask);
    if (i < 0)
        return gol_fail(err, GOL_ECONFIG, "%s:%d: there is no option '%s'", path, line_number,
                        name);
    if ((gol_option_table[i].commands & command->mask) == 0)
        return 0; /* one file may serve several commands */
    char shown[512];
    snprintf(shown, sizeof shown, "%s:%d: %s", path, line_number, name);
    if (set(settings, i, GOL_SOURCE_CONFIG, shown, trim(equals + 1), err) != 0)
        return err->code = GOL_ECONFIG;
    return 0;
}

/* Reads a whole small file; the caller frees. */
static int read_config(const char *path, char **out, gol_err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return gol_fail(err, GOL_ECONFIG, "%s: %s", path, strerror(errno));
    char *text = gol_xalloc(CONFIG_MAX + 1);
    const size_t n = fread(text, 1, CONFIG_MAX + 1, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || n > CONFIG_MAX) {
        gol_free(text);
        return gol_fail(err, GOL_ECONFIG, failed ? "%s: cannot be read" : "%s: larger than 1 MiB",
                        path);
    }
    text[n] = '\0';
    *out = text;
    return 0;
}

static int from_config(gol_settings *settings, const gol_command *command, const char *path,
                       gol_err *err)
{
    char *text = NULL;
    int rc = read_config(path, &text, err);
    if (rc != 0)
        return rc;
    settings->owned[settings->n_owned++] = text; /* values are views into it */
    int line_number = 1;
    for (char *line = text; rc == 0 && line != NULL; line_number++) {
        char *next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        rc = config_line(settings, command, path, line_number, line, err);
        line = next;
    }
    return rc;
}

/* One argument, and its value in the next one if it needs it: returns how many were used, or < 0. */
static int take_argument(gol_settings *settings, const gol_command *command, char **argv,
                         int n_left, gol_err *err)
{
    const char *arg = argv[0];
    const size_t name_len = strcspn(arg, "=");
    const char *value = arg[name_len] == '=' ? arg + name_len + 1 : NULL;
    int i = gol_option_find(arg, name_len, command->mask);
    if (i < 0 && strncmp(arg, "--no-", 5) == 0 && value == NULL) {
        char positive[80];
        snprintf(positive, sizeof positive, "--%s", arg + 5);
        i = gol_option_find(positive, strlen(positive), command->mask);
        if (i >= 0 && gol_option_table[i].kind == GOL_OPTION_SWITCH)
            return set(settings, i, GOL_SOURCE_FLAG, arg, "off", err) == 0 ? 1 : err->code;
        i = -1;
    }
    if (i < 0)
        return gol_fail(err, GOL_EUSAGE,
                        "%s: no such option of `gollum %s`, see `gollum %s --help`", arg,
                        command->name, command->name);
    const bool is_switch = gol_option_table[i].kind == GOL_OPTION_SWITCH;
    if (is_switch && value == NULL)
        value = "on";
    const bool takes_next = value == NULL;
    if (takes_next && n_left < 2)
        return gol_fail(err, GOL_EUSAGE, "%s: a value must follow", arg);
    char shown[80];
    snprintf(shown, sizeof shown, "%.*s", (int)name_len, arg);
    const int rc = set(settings, i, GOL_SOURCE_FLAG, shown, takes_next ? argv[1] : value, err);
    return rc != 0 ? rc : 1 + takes_next;
}

static int n_operands_of(const gol_command *command)
{
    if (command->mask == GOL_CMD_QUANTIZE)
        return OPERANDS_MAX;
    return command->mask == GOL_CMD_CONVERT ? 2 : 1;
}

/* The option that the next free argument sets: the first of the command's that no flag has set; -1: none is left. */
static int find_operand(const gol_settings *settings, const gol_command *command)
{
    static const char *const operands[OPERANDS_MAX] = {"--model", "--output", "--type"};
    for (int k = 0; k < n_operands_of(command); k++) {
        const int i = gol_option_find(operands[k], strlen(operands[k]), command->mask);
        if (i >= 0 && settings->sources[i] != GOL_SOURCE_FLAG)
            return i;
    }
    return -1;
}

static int fail_operand(const gol_command *command, const char *arg, gol_err *err)
{
    static const char *const takes[OPERANDS_MAX] = {
        "one model",
        "a model and an output file; --type names a type",
        "a model, an output file and a type",
    };
    return gol_fail(err, GOL_EUSAGE, "'%s': `gollum %s` takes %s", arg, command->name,
                    takes[n_operands_of(command) - 1]);
}

/* Free arguments come last, whatever their place: an option that a flag has set is none that they set. */
static int from_operands(gol_settings *settings, const gol_command *command, char **args, int n,
                         gol_err *err)
{
    for (int k = 0; k < n; k++) {
        const int i = find_operand(settings, command);
        if (i < 0)
            return fail_operand(command, args[k], err);
        (void)set(settings, i, GOL_SOURCE_FLAG, args[k], args[k], err);
    }
    return 0;
}

static int from_arguments(gol_settings *settings, const gol_command *command, int argc, char **argv,
                          gol_err *err)
{
    char *operands[OPERANDS_MAX + 1]; /* one more than any command takes */
    int n_operands = 0;
    bool options_over = false;
    for (int at = 1; at < argc;) {
        const bool is_option = argv[at][0] == '-' && argv[at][1] != '\0' && !options_over;
        if (is_option && strcmp(argv[at], "--") == 0) {
            options_over = true;
            at++;
        } else if (is_option) {
            const int n_used = take_argument(settings, command, argv + at, argc - at, err);
            if (n_used < 0)
                return n_used;
            at += n_used;
        } else if (n_operands <= OPERANDS_MAX) {
            operands[n_operands++] = argv[at++];
        } else {
            at++; /* the ones before are too many already */
        }
    }
    return from_operands(settings, command, operands, n_operands, err);
}

/* --config must be known before the file can be read, and flags must win over it: arguments are read twice. */
int gol_settings_parse(gol_settings *settings, const gol_command *command, int argc, char **argv,
                       gol_err *err)
{
    set_defaults(settings);
    int rc = from_environment(settings, command, err);
    if (rc == 0)
        rc = from_arguments(settings, command, argc, argv, err);
    if (rc != 0 || settings->config == NULL || settings->help)
        return rc;
    const char *path = settings->config;
    set_defaults(settings);
    rc = from_config(settings, command, path, err);
    if (rc == 0)
        rc = from_environment(settings, command, err);
    if (rc == 0)
        rc = from_arguments(settings, command, argc, argv, err);
    return rc;
}

void gol_settings_deinit(gol_settings *settings)
{
    for (int i = 0; i < settings->n_owned; i++)
        gol_free(settings->owned[i]);
    settings->n_owned = 0;
}
