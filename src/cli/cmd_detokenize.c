/* gollum detokenize: ids on stdin, separated by white space or commas, as text on stdout, with nothing added. */
#include "cli/commands.h"
#include "cli/common.h"

enum { INPUT_MAX = 256 << 20 };

int gol_cmd_detokenize(const gol_settings *settings)
{
    gol_err err = {0};
    gol_tokenizer *tok = NULL;
    gol_ids ids = {0};
    gol_buf input;
    gol_buf text;
    gol_buf_init(&input, INPUT_MAX);
    gol_buf_init(&text, SIZE_MAX / 2);
    int rc = gol_cli_load_tokenizer(&tok, settings, &err);
    if (rc == 0)
        rc = gol_cli_read_stdin(&input, &err);
    if (rc == 0)
        rc = gol_cli_parse_ids(&ids, gol_buf_view(&input), "stdin", &err);
    if (rc == 0)
        rc = gol_tokenizer_decode(tok, &text, ids.data, ids.n, settings->skip_special, &err);
    if (rc == 0)
        rc = gol_cli_write_stdout(gol_buf_view(&text), &err);
    gol_ids_deinit(&ids);
    gol_buf_deinit(&text);
    gol_buf_deinit(&input);
    gol_tokenizer_destroy(&tok);
    return rc == 0 ? 0 : gol_cli_fail(&err);
}
