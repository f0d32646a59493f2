/* What the commands tokenize and detokenize share: a model's tokenizer, and stdin. */
#ifndef GOL_CLI_TOKENIZER_INPUT_H
#define GOL_CLI_TOKENIZER_INPUT_H

#include "base/buf.h"
#include "text/tokenizer.h"

/* path NULL: GOL_EUSAGE. The weights are not touched. */
int gol_cli_load_tokenizer(gol_tokenizer **out, const char *path, gol_err *err);

/* All of stdin. Errors: GOL_EIO, GOL_ETOOLARGE (more than out->len_max), GOL_ENOMEM. */
int gol_cli_read_stdin(gol_buf *out, gol_err *err);

/* Writes text to stdout and flushes it: GOL_EIO when that fails. */
int gol_cli_write_stdout(gol_str text, gol_err *err);

/* "gollum NAME: message" on stderr; returns the exit code. */
int gol_cli_report(const char *command, const gol_err *err);

#endif
