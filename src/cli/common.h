/* What several commands need: which model, progress on the terminal, reading stdin, failing. */
#ifndef GOL_CLI_COMMON_H
#define GOL_CLI_COMMON_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/settings.h"
#include "gollum.h"
#include "lib/instance.h"
#include "text/tokenizer.h"

enum { GOL_PATH_MAX = 4096 };

/* Prints "gollum: message" on stderr and returns the error's exit code. */
int gol_cli_fail(const gol_err *err);
int gol_cli_fail_public(const gollum_error *error);

/* The model that settings name, or else what find_model.h says; a line on stderr tells which, where the user did not, unless
 * --quiet. Errors: as there. */
int gol_cli_find_model(const gol_settings *settings, char path[GOL_PATH_MAX], gol_err *err);

/* A gol_load_progress: one line that is rewritten, on a terminal only. Ends the line itself. */
void gol_cli_progress(void *user, uint64_t n_done, uint64_t n_total);
bool gol_cli_wants_progress(const gol_settings *settings);

/* The tokenizer of the model that settings name; the weights are not touched. */
int gol_cli_load_tokenizer(gol_tokenizer **out, const gol_settings *settings, gol_err *err);

/* All of stdin. Errors: GOL_EIO, GOL_ETOOLARGE (more than out->len_max), GOL_ENOMEM. */
int gol_cli_read_stdin(gol_buf *out, gol_err *err);

/* The next line of a text without its end (CR LF too), and what is left of the text. */
gol_str gol_cli_take_line(gol_str *input);

/* Prints an error of gollum_embed() or gollum_rerank() and returns its exit code. "texts[3]: ..." of the library (array: "texts") counts
 * from 0, the group's first; what is printed is the line of stdin. first_line: where the group begins, from 1; 0: it is from no line. */
int gol_cli_fail_line(const gollum_error *error, const char *array, size_t first_line);

/* Writes text to stdout and flushes it: GOL_EIO when that fails. */
int gol_cli_write_stdout(gol_str text, gol_err *err);

/* What ends a program goes to the handler: SIGINT, SIGTERM, and SIGHUP unless it is ignored (under nohup). flags: of sigaction(). */
void gol_cli_catch_ending(void (*handler)(int number), int flags);

/* "1 2 3", commas allowed too. Errors: GOL_EUSAGE names `source` and the first word that is no token id. */
int gol_cli_parse_ids(gol_ids *ids, gol_str text, const char *source, gol_err *err);

/* --kv-cache-dtype, or what holds when it is not given. */
gol_kv_type gol_cli_kv_type(const gol_settings *settings, gol_kv_type otherwise);

/* Everything that the settings say about a model and its engine; path must outlive it. A share of the available memory becomes
 * bytes here. */
gol_instance_opts gol_cli_instance_opts(const gol_settings *settings, const char *path);

/* gollum_options from the settings, ready for gollum_open(); path must outlive them. */
void gol_cli_fill_options(gollum_options *options, const gol_settings *settings, const char *path);
void gol_cli_fill_request(gollum_request *request, const gol_settings *settings);
/* What the user has not set of sampling becomes what the model's authors use, unless --generation-config says otherwise. */
void gol_cli_use_model_sampling(gollum_request *request, const gol_settings *settings,
                                const gollum *g);

enum { GOL_CLI_BIASES_MAX = 1024 };
/* "15043+1,29871-2.5": returns how many, or GOL_EUSAGE with source ("--logit-bias") and the place. */
int gol_cli_parse_biases(gollum_logit_bias biases[static GOL_CLI_BIASES_MAX], const char *text,
                         const char *source, gol_err *err);

#endif
