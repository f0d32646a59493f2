/* See common.h. */
#include "cli/common.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sysmem.h"
#include "cli/option_table.h"

enum { READ_CHUNK = 64 << 10 };

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

int gol_cli_fail_line(const gollum_error *error, const char *array, size_t first_line)
{
    const char *message = error->message;
    size_t n_before = 0;
    const size_t n = strlen(array);
    if (strncmp(message, array, n) == 0 && message[n] == '[') {
        char *end = NULL;
        const unsigned long long number = strtoull(message + n + 1, &end, 10);
        if (end != message + n + 1 && strncmp(end, "]: ", 3) == 0) {
            n_before = (size_t)number;
            message = end + 3;
        }
    }
    /* Other errors are the model's or the machine's, not the line's. */
    if (first_line > 0 && (error->code == GOLLUM_EINVAL || error->code == GOLLUM_ECONTEXT))
        fprintf(stderr, "gollum: line %zu: %s\n", first_line + n_before, message);
    else
        fprintf(stderr, "gollum: %s\n", message);
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

int gol_cli_load_tokenizer(gol_tokenizer **out, const gol_settings *settings, gol_err *err)
{
    *out = NULL;
    char path[GOL_PATH_MAX];
    gol_model_file *file;
    int rc = gol_cli_find_model(settings, path, err);
    if (rc == 0)
        rc = gol_model_file_open(&file, path, err);
    if (rc != 0)
        return rc;
    rc = gol_tokenizer_load(out, file, err);
    gol_model_file_close(&file);
    return rc;
}

int gol_cli_read_stdin(gol_buf *out, gol_err *err)
{
    char chunk[READ_CHUNK];
    for (size_t n = fread(chunk, 1, sizeof chunk, stdin); n > 0;
         n = fread(chunk, 1, sizeof chunk, stdin)) {
        if (n > out->len_max - out->len)
            return gol_fail(err, GOL_ETOOLARGE, "stdin: more than %zu bytes", out->len_max);
        gol_buf_put(out, chunk, n);
        if (out->failed)
            return gol_fail(err, GOL_ENOMEM, "stdin: out of memory after %zu bytes", out->len);
    }
    return ferror(stdin) ? gol_fail(err, GOL_EIO, "stdin: %s", strerror(errno)) : 0;
}

gol_str gol_cli_take_line(gol_str *input)
{
    const char *end = input->len > 0 ? memchr(input->data, '\n', input->len) : NULL;
    const size_t len = end != NULL ? (size_t)(end - input->data) : input->len;
    const size_t n_taken = len + (end != NULL);
    const gol_str line = {input->data, len > 0 && input->data[len - 1] == '\r' ? len - 1 : len};
    *input = (gol_str){input->data + n_taken, input->len - n_taken};
    return line;
}

int gol_cli_write_stdout(gol_str text, gol_err *err)
{
    const size_t n = text.len > 0 ? fwrite(text.data, 1, text.len, stdout) : 0;
    if (n != text.len || fflush(stdout) != 0)
        return gol_fail(err, GOL_EIO, "stdout: %s", strerror(errno));
    return 0;
}

void gol_cli_catch_ending(void (*handler)(int number), int flags)
{
    const struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

static bool is_separator(char c)
{
    return c == ' ' || c == ',' || (c >= '\t' && c <= '\r');
}

int gol_cli_parse_ids(gol_ids *ids, gol_str text, const char *source, gol_err *err)
{
    for (size_t pos = 0;;) {
        while (pos < text.len && is_separator(text.data[pos]))
            pos++;
        if (pos == text.len)
            return 0;
        const size_t start = pos;
        int64_t id = 0;
        while (pos < text.len && text.data[pos] >= '0' && text.data[pos] <= '9' && id <= INT32_MAX)
            id = id * 10 + (text.data[pos++] - '0');
        if (pos == start || id > INT32_MAX || (pos < text.len && !is_separator(text.data[pos]))) {
            char quoted[64];
            const size_t len = text.len - start < 16 ? text.len - start : 16;
            return gol_fail(err, GOL_EUSAGE, "%s: byte %zu: '%s', token ids are accepted", source,
                            start,
                            gol_quote(quoted, sizeof quoted, (gol_str){text.data + start, len}));
        }
        if (gol_ids_push(ids, (int32_t)id) != 0)
            return gol_fail(err, GOL_ENOMEM, "%s: out of memory for %zu ids", source, ids->n);
    }
}

/* One "15043+1"; its end is after the last character that belongs to it. */
static bool parse_bias(gollum_logit_bias *out, const char *text, const char **end)
{
    const char *p = text;
    int64_t id = 0;
    while (*p >= '0' && *p <= '9' && id <= INT32_MAX)
        id = id * 10 + (*p++ - '0');
    if (p == text || id > INT32_MAX || (*p != '+' && *p != '-') || is_separator(p[1]))
        return false;
    char *number_end;
    const double bias = strtod(p, &number_end);
    if (number_end == p || !(bias >= -100 && bias <= 100))
        return false;
    *out = (gollum_logit_bias){(int32_t)id, (float)bias};
    *end = number_end;
    return true;
}

int gol_cli_parse_biases(gollum_logit_bias biases[static GOL_CLI_BIASES_MAX], const char *text,
                         const char *source, gol_err *err)
{
    int n = 0;
    for (const char *p = text;;) {
        while (is_separator(*p))
            p++;
        if (*p == '\0')
            return n;
        const char *end;
        if (n == GOL_CLI_BIASES_MAX)
            return gol_fail(err, GOL_EUSAGE, "%s: more than %d biases", source, GOL_CLI_BIASES_MAX);
        if (!parse_bias(&biases[n++], p, &end) || (*end != '\0' && !is_separator(*end))) {
            char quoted[64];
            return gol_fail(err, GOL_EUSAGE,
                            "%s: '%s', token ids with a sign and a number up to 100 are accepted, "
                            "like 15043+1.5",
                            source, gol_quote(quoted, sizeof quoted, (gol_str){p, strnlen(p, 16)}));
        }
        p = end;
    }
}

gol_kv_type gol_cli_kv_type(const gol_settings *settings, gol_kv_type otherwise)
{
    gol_kv_type type = otherwise; /* auto */
    if (settings->kv_cache_dtype != NULL)
        gol_kv_type_parse(settings->kv_cache_dtype, &type);
    return type;
}

/* --memory in bytes, 0: not given. */
static uint64_t memory_bytes(const gol_settings *settings, uint64_t available)
{
    const gol_memory_amount *m = &settings->memory;
    return m->share > 0 ? (uint64_t)((double)available * m->share) : m->bytes;
}

static bool is_priority(const gol_settings *settings)
{
    return settings->scheduling_policy && strcmp(settings->scheduling_policy, "priority") == 0;
}

gol_instance_opts gol_cli_instance_opts(const gol_settings *settings, const char *path)
{
    const uint64_t available = gol_sysmem_available();
    return (gol_instance_opts){
        .model_path = path,
        .n_threads = (int)settings->threads,
        .load = {.progress = gol_cli_wants_progress(settings) ? gol_cli_progress : NULL},
        .engine = {.max_seqs = (int32_t)settings->max_num_seqs,
                   .max_batch_tokens = (int32_t)settings->max_num_batched_tokens,
                   .max_model_len = (int32_t)settings->ctx_size,
                   .block_size = (int32_t)settings->block_size,
                   .memory = memory_bytes(settings, available),
                   .mem_available = available,
                   .kv_bytes = settings->kv_cache_memory,
                   .kv_type = gol_cli_kv_type(settings, GOL_KV_F16),
                   .max_queued_reqs = (int32_t)settings->max_num_queued_reqs,
                   .max_queued_tokens = (int32_t)settings->max_num_queued_tokens,
                   .max_itl_ms = (int32_t)settings->max_itl_ms,
                   .policy = is_priority(settings) ? GOL_SCHED_PRIORITY : GOL_SCHED_FCFS,
                   .no_prefix_caching = !settings->prefix_caching,
                   .max_snapshots = (int32_t)settings->max_state_snapshots,
                   .exact_cache_bytes = settings->exact_cache_memory > 0
                                            ? (int64_t)settings->exact_cache_memory
                                            : -1},
    };
}

void gol_cli_fill_options(gollum_options *options, const gol_settings *settings, const char *path)
{
    gollum_options_init(options);
    options->model_path = path;
    options->n_threads = (int32_t)settings->threads;
    options->max_model_len = (int32_t)settings->ctx_size;
    options->max_seqs = 1;
    options->max_batch_tokens = (int32_t)settings->max_num_batched_tokens;
    options->memory = memory_bytes(settings, gol_sysmem_available());
    options->kv_bytes = settings->kv_cache_memory;
    /* the public numbers are the backend's, src/lib/gollum.c pins them */
    options->kv_type = (gollum_kv_type)gol_cli_kv_type(settings, GOL_KV_F16);
    options->progress = gol_cli_wants_progress(settings) ? gol_cli_progress : NULL;
}

static void fill_extras(gollum_request *request, const gol_settings *settings)
{
    request->repeat_last_n = (int32_t)settings->repeat_last_n;
    request->typical_p = (float)settings->typical_p;
    request->top_n_sigma = settings->top_n_sigma > 0 ? (float)settings->top_n_sigma : 0.0f;
    request->xtc_probability = (float)settings->xtc_probability;
    request->xtc_threshold = (float)settings->xtc_threshold;
    request->dynatemp_range = (float)settings->dynatemp_range;
    request->dynatemp_exponent = (float)settings->dynatemp_exponent;
    request->mirostat = (int32_t)settings->mirostat;
    request->mirostat_tau = (float)settings->mirostat_tau;
    request->mirostat_eta = (float)settings->mirostat_eta;
    request->dry_multiplier = (float)settings->dry_multiplier;
    request->dry_base = (float)settings->dry_base;
    request->dry_allowed_length = (int32_t)settings->dry_allowed_length;
    request->dry_penalty_last_n = (int32_t)settings->dry_penalty_last_n;
    request->temperature_last = settings->temperature_last;
}

static bool is_default(const gol_settings *settings, const char *option)
{
    const int i = gol_option_find(option, strlen(option), GOL_CMD_GENERATE);
    return settings->sources[i] == GOL_SOURCE_DEFAULT;
}

void gol_cli_use_model_sampling(gollum_request *request, const gol_settings *settings,
                                const gollum *g)
{
    gollum_request model = *request;
    if (strcmp(settings->generation_config, "auto") != 0)
        return;
    gollum_request_use_model_sampling(g, &model);
    if (is_default(settings, "--temperature"))
        request->temperature = model.temperature;
    if (is_default(settings, "--top-k"))
        request->top_k = model.top_k;
    if (is_default(settings, "--top-p"))
        request->top_p = model.top_p;
    if (is_default(settings, "--min-p"))
        request->min_p = model.min_p;
    if (is_default(settings, "--repetition-penalty"))
        request->repetition_penalty = model.repetition_penalty;
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
    fill_extras(request, settings);
    request->has_seed = settings->seed >= 0;
    request->seed = (uint64_t)settings->seed;
}
