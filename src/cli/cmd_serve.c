/*
 * gollum serve: the model behind HTTP. Start-up in order, then sleep until a signal, then drain: refuse new work, let running
 * requests end within --shutdown-timeout, close. A second signal ends the process at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/log.h"
#include "cli/chat_prompt.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/memory_report.h"
#include "http/server.h"
#include "lib/sampling_defaults.h"

enum { API_KEY_MAX = 1024, DRAIN_POLL_US = 10000, FLUSH_MS = 5000 };

typedef struct service {
    gol_instance instance;
    gol_chat_template *chat;
    gol_api *api;
    gol_listener listener; /* the server's as soon as there is one */
    gol_http_server *server;
    int signals; /* a pipe: the number of each that came */
    char model_id[256];
    char api_key[API_KEY_MAX];
} service;

/* "models/tiny-q8_0.gguf" -> "tiny-q8_0" */
/* A file's name without its ending; a folder's whole: "Qwen3-0.6B" ends in nothing. */
static void name_from_path(char *out, size_t size, const char *path)
{
    static const char *const ends[] = {".gguf", ".safetensors"};
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t begin = n;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t n_end = strlen(ends[i]);
        if (n - begin > n_end && memcmp(path + n - n_end, ends[i], n_end) == 0)
            n -= n_end;
    }
    snprintf(out, size, "%.*s", (int)(n - begin), path + begin);
}

static int read_api_key(service *s, const gol_settings *settings, gol_err *err)
{
    if (settings->api_key != NULL && settings->api_key[0] == '\0')
        return gol_fail(
            err, GOL_ECONFIG,
            "--api-key: empty, which would ask for none; leave it out if that is meant");
    if (settings->api_key != NULL) {
        if (strlen(settings->api_key) >= sizeof s->api_key)
            return gol_fail(err, GOL_ECONFIG, "--api-key: longer than %zu bytes",
                            sizeof s->api_key - 1);
        snprintf(s->api_key, sizeof s->api_key, "%s", settings->api_key);
        return 0;
    }
    if (settings->api_key_file == NULL)
        return 0;
    FILE *file = fopen(settings->api_key_file, "r");
    if (file == NULL)
        return gol_fail(err, GOL_ECONFIG, "--api-key-file: %s: %s", settings->api_key_file,
                        strerror(errno));
    const bool got_line = fgets(s->api_key, sizeof s->api_key, file) != NULL;
    fclose(file);
    s->api_key[strcspn(s->api_key, "\r\n")] = '\0';
    if (!got_line || s->api_key[0] == '\0')
        return gol_fail(err, GOL_ECONFIG, "--api-key-file: %s: its first line is empty",
                        settings->api_key_file);
    return 0;
}

static int open_instance(service *s, const gol_settings *settings, const char *path, gol_err *err)
{
    const gol_instance_opts opts = gol_cli_instance_opts(settings, path);
    const int rc = gol_instance_prepare(&s->instance, &opts, err);
    if (rc != 0)
        return rc;
    gol_memory_report_log(&s->instance.limits, &s->instance.memory);
    return gol_instance_load(&s->instance, &opts, err);
}

/* The model with its way to write conversations; --chat-template's file is read first, before the minute that loading may take. */
static int open_model(service *s, const gol_settings *settings, const char *path, gol_err *err)
{
    gol_chat_choice choice;
    gol_buf source;
    gol_buf_init(&source, GOL_TEMPLATE_SOURCE_MAX);
    int rc = gol_cli_chat_choice(&choice, &source, settings, err);
    if (rc == 0)
        rc = open_instance(s, settings, path, err);
    if (rc == 0)
        rc = gol_chat_template_load(&s->chat, s->instance.file, s->instance.tok, &choice, err);
    gol_buf_deinit(&source);
    if (rc == 0)
        gol_log_info("serve", "chat template: %s", gol_chat_template_name(s->chat));
    return rc;
}

static void log_limits(const service *s)
{
    const gol_engine_limits *limits = gol_engine_get_limits(s->instance.engine);
    gol_log_info(
        "serve",
        "context of %d tokens, %d sequences at once, %d tokens per step, prefix caching %s, %d "
        "threads, processor level %s",
        limits->max_model_len, limits->max_seqs, limits->max_batch_tokens,
        limits->has_prefix_caching ? "on" : "off", gol_backend_cpu_n_threads(s->instance.backend),
        gol_cpu_level_name(gol_cpu_get()));
}

/* The write end of a pipe on which the main thread waits; -1 until the server is up. */
static volatile sig_atomic_t signal_fd = -1;
static volatile sig_atomic_t n_signals;

/* The first signal wakes the main thread; the second ends the process. */
static void on_signal(int number)
{
    if (n_signals++ > 0)
        _exit(128 + number);
    const int saved_errno = errno;
    const char byte = (char)number;
    (void)!write(signal_fd, &byte, 1);
    errno = saved_errno;
}

/* *signals is then the other end. */
static int install_handlers(int *signals, gol_err *err)
{
    int fds[2];
    if (pipe(fds) != 0)
        return gol_fail(err, GOL_EIO, "pipe: %s", strerror(errno));
    *signals = fds[0];
    signal_fd = fds[1];
    gol_cli_catch_ending(on_signal, 0);
    return 0;
}

/* Until the model is loaded a signal simply ends the process; from then on it can be read from s->signals. */
static int start(service *s, const gol_settings *settings, gol_err *err)
{
    char path[GOL_PATH_MAX];
    int rc = gol_cli_find_model(settings, path, err);
    if (rc == 0)
        rc = read_api_key(s, settings, err);
    if (rc == 0) /* before the model: a taken port should not cost a minute of loading */
        rc = gol_listener_open(&s->listener, settings->host,
                               settings->port == 0 ? -1 : (int)settings->port, err);
    if (rc != 0)
        return rc;
    if (settings->served_model_name != NULL && settings->served_model_name[0] == '\0')
        return gol_fail(err, GOL_ECONFIG, "--served-model-name: empty");
    if (settings->model != NULL && access(settings->model, F_OK) != 0)
        snprintf(s->model_id, sizeof s->model_id, "%s", settings->model); /* its name in a cache */
    else
        name_from_path(s->model_id, sizeof s->model_id, path);
    const uint64_t begin_ns = gol_clock_ns();
    rc = open_model(s, settings, path, err);
    if (rc != 0)
        return rc;
    gol_log_info("serve", "%s loaded in %.2f s", path, (double)(gol_clock_ns() - begin_ns) / 1e9);
    log_limits(s);

    gol_sampling_params sampling = GOL_SAMPLING_DEFAULT;
    if (strcmp(settings->generation_config, "auto") == 0 &&
        gol_sampling_defaults_read(&sampling, s->instance.file) > 0)
        gol_log_info("serve",
                     "the model's sampling: temperature %g, top_k %d, top_p %g, min_p %g, "
                     "repetition_penalty %g, where a request does not say (--generation-config)",
                     (double)sampling.temperature, sampling.top_k, (double)sampling.top_p,
                     (double)sampling.min_p, (double)sampling.repetition_penalty);
    const gol_api_opts api_opts = {
        .sampling = &sampling,
        .model_id = settings->served_model_name != NULL ? settings->served_model_name : s->model_id,
        .model_path = path,
        .engine = s->instance.engine,
        .tok = s->instance.tok,
        .chat = s->chat,
        .trusts_chat_templates = settings->trust_request_chat_template,
        .api_key = s->api_key[0] != '\0' ? s->api_key : NULL,
        .is_strict = settings->strict,
        .ping_ms = (int32_t)settings->sse_ping_interval * 1000,
    };
    rc = gol_api_create(&s->api, &api_opts, err);
    if (rc != 0)
        return rc;
    const gol_http_opts http_opts = {
        .listener = &s->listener,
        .body_max = settings->max_body,
        .max_connections = (int)settings->max_connections,
        .max_connections_per_ip = (int)settings->max_connections_per_ip,
        .idle_timeout_s = (int)settings->timeout,
        .cors_origin = settings->cors_origin,
    };
    /* Before the first client can know that there is a server: its operator may end it at once. */
    rc = install_handlers(&s->signals, err);
    return rc != 0 ? rc : gol_http_server_start(&s->server, s->api, &http_opts, err);
}

static void stop(service *s)
{
    gol_http_server_stop(&s->server);
    gol_listener_close(&s->listener);
    gol_api_destroy(&s->api);
    gol_chat_template_destroy(&s->chat);
    gol_instance_close(&s->instance);
}

static int wait_for_signal(int signals)
{
    char byte = 0;
    ssize_t n;
    do {
        n = read(signals, &byte, 1);
    } while (n < 0 && errno == EINTR);
    return byte;
}

static void drain(service *s, const gol_settings *settings, int signal_number)
{
    gol_log_info("serve", "%s: draining, at most %lld s", strsignal(signal_number),
                 (long long)settings->shutdown_timeout);
    const uint64_t begin_ns = gol_clock_ns();
    gol_api_set_draining(s->api, true);
    const bool drained = gol_engine_drain(s->instance.engine, settings->shutdown_timeout * 1000);
    if (!drained)
        gol_log_info("serve", "time is over, ending the requests that still run");
    gol_http_server_stop_listening(s->server);
    gol_engine_stop(s->instance.engine); /* what still runs ends with "abort" */
    /* The last answers are on their way. A client that reads slowly has the rest of the time for it, and at least a little. */
    uint64_t end_ns = gol_clock_ns() + (uint64_t)FLUSH_MS * 1000000u;
    const uint64_t timeout_ns = begin_ns + (uint64_t)settings->shutdown_timeout * 1000000000u;
    end_ns = timeout_ns > end_ns ? timeout_ns : end_ns;
    while (gol_http_server_n_requests(s->server) > 0 && gol_clock_ns() < end_ns)
        usleep(DRAIN_POLL_US);
    if (drained)
        gol_log_info("serve", "drained");
}

int gol_cmd_serve(const gol_settings *settings)
{
    service s = {.listener = {.fd = -1}, .signals = -1};
    gol_err err = {0};
    signal(SIGPIPE, SIG_IGN);
    const int rc = start(&s, settings, &err);
    if (rc == 0) {
        const char *host = settings->host;
        const bool is_ipv6 = strchr(host, ':') != NULL;
        gol_log_info("serve", "%s on http://%s%s%s:%d", s.model_id, is_ipv6 ? "[" : "", host,
                     is_ipv6 ? "]" : "", gol_http_server_port(s.server));
        drain(&s, settings, wait_for_signal(s.signals));
    }
    stop(&s);
    return rc != 0 ? gol_cli_fail(&err) : 0;
}
