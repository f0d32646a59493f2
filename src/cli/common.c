/* See common.h. */
#include "cli/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { STDIN_MAX = 64 << 20 };

int gol_cli_fail(const gol_err *err)
{
    fprintf(stderr, "gollum: %s\n", err->message);
    return gol_error_exit_code(err->code);
}

int gol_cli_fail_public(const gollum_error *error)
{
    fprintf(stderr, "gollum: %s\n", error->message);
    return error->exit_code;
}

bool gol_cli_wants_progress(const gol_settings *settings)
{
    return !settings->quiet && isatty(STDERR_FILENO);
}

void gol_cli_progress(void *user, uint64_t n_done, uint64_t n_total)
{
    (void)user;
    const int percent = n_total > 0 ? (int)((double)n_done * 100.0 / (double)n_total) : 100;
    fprintf(stderr, "\rloading %3d%%%s", percent, n_done >= n_total ? "\r            \r" : "");
}

int gol_cli_read_stdin(gol_buf *out, gol_err *err)
{
    char chunk[1 << 16];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        if (out->len + n > STDIN_MAX)
            return gol_fail(err, GOL_ETOOLARGE, "stdin: more than 64 MiB");
        gol_buf_put(out, chunk, n);
    }
    if (ferror(stdin))
        return gol_fail(err, GOL_EIO, "stdin: %s", strerror(errno));
    if (out->failed)
        return gol_fail(err, GOL_ENOMEM, "stdin: no memory for %zu bytes", out->len);
    return 0;
}

int gol_cli_parse_ids(gol_ids *ids, const char *text, gol_err *err)
{
    static const char separators[] = " \t\r\n,";
    for (const char *at = text + strspn(text, separators); *at != '\0';) {
        char *end;
        errno = 0;
        const long id = strtol(at, &end, 10);
        const size_t n_word = strcspn(at, separators);
        if (end != at + n_word || errno != 0 || id < 0 || id > INT32_MAX) {
            char shown[64];
            return gol_fail(err, GOL_EUSAGE, "'%s' is no token id",
                            gol_quote(shown, sizeof shown, (gol_str){at, n_word}));
        }
        if (gol_ids_push(ids, (int32_t)id) != 0)
            return gol_fail(err, GOL_ENOMEM, "no memory for %zu token ids", ids->n);
        at = end + strspn(end, separators);
    }
    return 0;
}

static void log_to_stderr(void *user, const char *level, const char *message)
{
    (void)user;
    gol_log_level parsed = GOL_LOG_INFO;
    (void)gol_log_level_parse(level, &parsed);
    gol_log(parsed, "model", "%s", message);
}

void gol_cli_fill_options(gollum_options *options, const gol_settings *settings, const char *path)
{
    gollum_options_init(options);
    options->model_path = path;
    options->n_threads = (int32_t)settings->threads;
    options->max_context = (int32_t)settings->ctx_size;
    options->max_seqs = 1;
    options->max_batch_tokens = (int32_t)settings->max_num_batched_tokens;
    options->kv_bytes = settings->kv_cache_memory;
    const bool is_f32 = settings->kv_cache_dtype != NULL &&
                        strcmp(settings->kv_cache_dtype, "f32") == 0;
    options->kv_type = is_f32 ? GOLLUM_KV_F32 : GOLLUM_KV_F16;
    options->log = log_to_stderr;
    options->progress = gol_cli_wants_progress(settings) ? gol_cli_progress : NULL;
}

void gol_cli_fill_request(gollum_request *request, const gol_settings *settings)
{
    gollum_request_init(request);
    request->max_tokens = (int32_t)settings->n_predict;
    request->ignore_eos = settings->ignore_eos;
    request->parse_special = settings->special;
    request->temperature = (float)settings->temperature;
    request->top_p = (float)settings->top_p;
    request->min_p = (float)settings->min_p;
    request->top_k = (int32_t)settings->top_k;
    request->repetition_penalty = (float)settings->repetition_penalty;
    request->presence_penalty = (float)settings->presence_penalty;
    request->frequency_penalty = (float)settings->frequency_penalty;
    request->has_seed = settings->seed >= 0;
    request->seed = (uint64_t)settings->seed;
}
