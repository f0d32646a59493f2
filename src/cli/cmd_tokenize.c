/*
 * gollum tokenize: see the header. By default the plain encoding: no special token is added, none is read from the text.
 */
#include "cli/cmd_tokenize.h"

#include <getopt.h>

#include "cli/tokenizer_input.h"

typedef struct tokenize_options {
    const char *model;
    unsigned flags;
} tokenize_options;

enum { OPT_SPECIAL = 256, OPT_NO_SPECIAL, OPT_ADD_SPECIAL, OPT_NO_ADD_SPECIAL };

static const struct option long_options[] = {
    {"model", required_argument, NULL, 'm'},
    {"special", no_argument, NULL, OPT_SPECIAL},
    {"no-special", no_argument, NULL, OPT_NO_SPECIAL},
    {"add-special", no_argument, NULL, OPT_ADD_SPECIAL},
    {"no-add-special", no_argument, NULL, OPT_NO_ADD_SPECIAL},
    {NULL, 0, NULL, 0},
};

static int parse_options(tokenize_options *options, int argc, char **argv, gol_err *err)
{
    optind = 1;
    opterr = 0;
    for (int c = getopt_long(argc, argv, "m:", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "m:", long_options, NULL)) {
        switch (c) {
        case 'm':
            options->model = optarg;
            break;
        case OPT_SPECIAL:
            options->flags |= GOL_ENCODE_PARSE_SPECIAL;
            break;
        case OPT_NO_SPECIAL:
            options->flags &= ~(unsigned)GOL_ENCODE_PARSE_SPECIAL;
            break;
        case OPT_ADD_SPECIAL:
            options->flags |= GOL_ENCODE_ADD_SPECIAL;
            break;
        case OPT_NO_ADD_SPECIAL:
            options->flags &= ~(unsigned)GOL_ENCODE_ADD_SPECIAL;
            break;
        default:
            return gol_fail(
                err, GOL_EUSAGE,
                "%s: -m FILE, --special and --add-special are accepted (text is read from stdin)",
                argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gol_fail(err, GOL_EUSAGE, "'%s': no argument is accepted, text is read from stdin",
                        argv[optind]);
    return 0;
}

/* Ids of at most ten digits, a space or newline behind each. */
static int print_ids(const gol_ids *ids, gol_err *err)
{
    gol_buf line;
    gol_buf_init(&line, ids->n * 11 + 1);
    for (size_t i = 0; i < ids->n; i++)
        gol_buf_printf(&line, i == 0 ? "%d" : " %d", ids->data[i]);
    gol_buf_putc(&line, '\n');
    const int rc = line.failed ? gol_fail(err, GOL_ENOMEM, "out of memory for %zu ids", ids->n)
                               : gol_cli_write_stdout(gol_buf_view(&line), err);
    gol_buf_deinit(&line);
    return rc;
}

int gol_cmd_tokenize(int argc, char **argv)
{
    gol_err err = {0};
    tokenize_options options = {0};
    gol_tokenizer *tok = NULL;
    gol_ids ids = {0};
    gol_buf text;
    gol_buf_init(&text, GOL_ENCODE_TEXT_MAX);
    int rc = parse_options(&options, argc, argv, &err);
    if (rc == 0)
        rc = gol_cli_load_tokenizer(&tok, options.model, &err);
    if (rc == 0)
        rc = gol_cli_read_stdin(&text, &err);
    if (rc == 0)
        rc = gol_tokenizer_encode(tok, &ids, gol_buf_view(&text), options.flags, &err);
    if (rc == 0)
        rc = print_ids(&ids, &err);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    gol_tokenizer_destroy(&tok);
    return rc == 0 ? 0 : gol_cli_report("tokenize", &err);
}
