/*
 * gollum detokenize: see cmd_tokenize.h. Ids are separated by white space or commas.
 */
#include "cli/cmd_tokenize.h"

#include <getopt.h>

#include "cli/tokenizer_input.h"

typedef struct detokenize_options {
    const char *model;
    bool skip_special;
} detokenize_options;

enum {
    OPT_SKIP_SPECIAL = 256,
    OPT_NO_SKIP_SPECIAL,
    INPUT_MAX = 256 << 20,
};

static const struct option long_options[] = {
    {"model", required_argument, NULL, 'm'},
    {"skip-special", no_argument, NULL, OPT_SKIP_SPECIAL},
    {"no-skip-special", no_argument, NULL, OPT_NO_SKIP_SPECIAL},
    {NULL, 0, NULL, 0},
};

static int parse_options(detokenize_options *options, int argc, char **argv, gol_err *err)
{
    optind = 1;
    opterr = 0;
    for (int c = getopt_long(argc, argv, "m:", long_options, NULL); c != -1;
         c = getopt_long(argc, argv, "m:", long_options, NULL)) {
        switch (c) {
        case 'm':
            options->model = optarg;
            break;
        case OPT_SKIP_SPECIAL:
            options->skip_special = true;
            break;
        case OPT_NO_SKIP_SPECIAL:
            options->skip_special = false;
            break;
        default:
            return gol_fail(err, GOL_EUSAGE,
                            "%s: -m FILE and --skip-special are accepted (ids are read from stdin)",
                            argv[optind - 1]);
        }
    }
    if (optind < argc)
        return gol_fail(err, GOL_EUSAGE, "'%s': no argument is accepted, ids are read from stdin",
                        argv[optind]);
    return 0;
}

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

static int parse_ids(gol_ids *ids, gol_str text, gol_err *err)
{
    size_t pos = 0;
    for (;;) {
        while (pos < text.len && is_separator(text.data[pos]))
            pos++;
        if (pos == text.len)
            return 0;
        const size_t start = pos;
        int64_t id = 0;
        while (pos < text.len && text.data[pos] >= '0' && text.data[pos] <= '9' && id <= INT32_MAX)
            id = id * 10 + (text.data[pos++] - '0');
        if (pos == start || id > INT32_MAX || (pos < text.len && !is_separator(text.data[pos]))) {
            char quoted[32];
            const size_t len = text.len - start < 16 ? text.len - start : 16;
            return gol_fail(err, GOL_EINVAL, "stdin: byte %zu: '%s', token ids are accepted", start,
                            gol_quote(quoted, sizeof quoted, (gol_str){text.data + start, len}));
        }
        const int rc = gol_ids_push(ids, (int32_t)id);
        if (rc != 0)
            return gol_fail(err, rc, "stdin: out of memory for %zu ids", ids->n);
    }
}

int gol_cmd_detokenize(int argc, char **argv)
{
    gol_err err = {0};
    detokenize_options options = {0};
    gol_tokenizer *tok = NULL;
    gol_ids ids = {0};
    gol_buf input, text;
    gol_buf_init(&input, INPUT_MAX);
    gol_buf_init(&text, SIZE_MAX / 2);
    int rc = parse_options(&options, argc, argv, &err);
    if (rc == 0)
        rc = gol_cli_load_tokenizer(&tok, options.model, &err);
    if (rc == 0)
        rc = gol_cli_read_stdin(&input, &err);
    if (rc == 0)
        rc = parse_ids(&ids, gol_buf_view(&input), &err);
    if (rc == 0)
        rc = gol_tokenizer_decode(tok, &text, ids.data, ids.n, options.skip_special, &err);
    if (rc == 0)
        rc = gol_cli_write_stdout(gol_buf_view(&text), &err);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    gol_buf_deinit(&input);
    gol_tokenizer_destroy(&tok);
    return rc == 0 ? 0 : gol_cli_report("detokenize", &err);
}
