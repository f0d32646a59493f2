/* gollum tokenize: by default the plain encoding, no special token is added and none is read from the text. */
#include "cli/commands.h"
#include "cli/common.h"

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

int gol_cmd_tokenize(const gol_settings *settings)
{
    const unsigned flags = (settings->special ? (unsigned)GOL_ENCODE_PARSE_SPECIAL : 0u) |
                           (settings->add_special ? (unsigned)GOL_ENCODE_ADD_SPECIAL : 0u);
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    gol_ids ids = {0};
    gol_buf text;
    gol_buf_init(&text, GOL_ENCODE_TEXT_MAX);
    int rc = gol_cli_load_tokenizer(&tok, settings, &err);
    if (rc == 0)
        rc = gol_cli_read_stdin(&text, &err);
    if (rc == 0)
        rc = gol_tokenizer_encode(tok, &ids, gol_buf_view(&text), flags, &err);
    if (rc == 0)
        rc = print_ids(&ids, &err);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    gol_tokenizer_destroy(&tok);
    return rc == 0 ? 0 : gol_cli_fail(&err);
}
