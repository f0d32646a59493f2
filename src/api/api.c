/*
 * The routes, and a call from its first byte to its end. Everything about a request's content is in the endpoints' files.
 */
#include "api/api.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/request_json.h"
#include "api/route.h"
#include "api/stream.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"

enum { MAX_N_DEFAULT = 128, PING_MS_DEFAULT = 15000 };

static const gol_route routes[] = {
    {"POST", "/v1/completions", false, gol_completions_run},
    {"POST", "/v1/chat/completions", false, gol_chat_run},
    {"GET", "/v1/models", false, gol_models_list},
    {"GET", "/v1/models/", false, gol_models_show},
    {"POST", "/tokenize", false, gol_tokenize_run},
    {"POST", "/detokenize", false, gol_detokenize_run},
    {"GET", "/health", true, gol_health_run},
    {"GET", "/livez", true, gol_livez_run},
    {"GET", "/readyz", true, gol_readyz_run},
    {"GET", "/metrics", true, gol_metrics_run},
    {"GET", "/version", false, gol_version_run},
};

/* ---- the api ---- */

/* FNV-1a, 64 bits: a name, not a protection. */
static uint64_t add_to_hash(uint64_t hash, const char *s)
{
    for (; *s != '\0'; s++)
        hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x100000001b3);
}

/* What an answer depends on besides the request: the program, the model, and the CPU level its kernels were chosen by. */
static void make_fingerprint(gol_api *api)
{
    const gol_model *model = gol_engine_model(api->engine);
    const gol_engine_limits *limits = gol_engine_get_limits(api->engine);
    char sizes[96];
    snprintf(sizes, sizeof sizes, "%llu %llu %d %d", (unsigned long long)gol_model_n_params(model),
             (unsigned long long)gol_model_n_bytes(model), limits->block_size,
             (int)limits->kv_type);
    const char *const parts[] = {
        GOL_VERSION,
        api->model_id,
        gol_model_config(model)->arch,
        sizes,
        gol_cpu_level_name(gol_cpu_get()),
    };
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = add_to_hash(hash, parts[i]);
    snprintf(api->fingerprint, sizeof api->fingerprint, "fp_%016llx", (unsigned long long)hash);
}

static bool copy_string(char **out, const char *s)
{
    if (!s)
        return true;
    *out = gol_try_strndup(gol_str_from(s));
    return *out != NULL;
}

static void init_no_memory(gol_api_call *call)
{
    call->reply = (gol_api_reply){
        .status = 503,
        .body = GOL_STR(GOL_API_NO_MEMORY_JSON),
        .n_headers = 2,
        .headers = {{"Content-Type", "application/json"}, {"Retry-After", "1"}},
    };
    call->has_reply = true;
}

static int check_opts(const gol_api_opts *opts, gol_err *err)
{
    if (!opts->model_id || opts->model_id[0] == '\0' || !opts->engine || !opts->tok)
        return gol_fail(err, GOL_EINVAL, "api: model_id, engine and tok are needed");
    if (opts->max_n < 0 || opts->max_n > GOL_PARAM_N_MAX)
        return gol_fail(err, GOL_EINVAL, "api: max_n is %d; accepted: 0 to %d", opts->max_n,
                        GOL_PARAM_N_MAX);
    if (opts->ping_ms < 0)
        return gol_fail(err, GOL_EINVAL, "api: ping_ms is %d; accepted: 0 and more", opts->ping_ms);
    return 0;
}

int gol_api_create(gol_api **out, const gol_api_opts *opts, gol_err *err)
{
    *out = NULL;
    const int rc = check_opts(opts, err);
    if (rc != 0)
        return rc;
    gol_api *api = gol_try_calloc(1, sizeof *api);
    if (!api)
        return gol_fail(err, GOL_ENOMEM, "api: out of memory");
    if (pthread_mutex_init(&api->lock, NULL) != 0)
        goto fail_lock;
    if (pthread_cond_init(&api->has_dead, NULL) != 0)
        goto fail_cond;
    if (!copy_string(&api->model_id, opts->model_id) ||
        !copy_string(&api->model_path, opts->model_path) ||
        !copy_string(&api->api_key, opts->api_key)) {
        gol_api_destroy(&api);
        return gol_fail(err, GOL_ENOMEM, "api: out of memory");
    }
    api->engine = opts->engine;
    api->tok = opts->tok;
    api->chat = (gol_chat_setup){opts->chat, opts->tok, opts->trusts_chat_templates};
    const int32_t n_tok = gol_tokenizer_n_vocab(opts->tok);
    const int32_t n_model = gol_model_config(gol_engine_model(opts->engine))->n_vocab;
    api->n_vocab = n_tok < n_model ? n_tok : n_model;
    api->is_strict = opts->is_strict;
    api->sampling = GOL_SAMPLING_DEFAULT;
    if (opts->sampling) {
        api->sampling = *opts->sampling;
        api->sampling.seed = 0;
        api->sampling.extras = NULL;
    }
    api->max_n = opts->max_n == 0 ? MAX_N_DEFAULT : opts->max_n;
    api->ping_ns = (uint64_t)(opts->ping_ms == 0 ? PING_MS_DEFAULT : opts->ping_ms) * 1000000;
    api->created = gol_clock_unix_s();
    make_fingerprint(api);
    init_no_memory(&api->no_memory);
    *out = api;
    return 0;

fail_cond:
    pthread_mutex_destroy(&api->lock);
fail_lock:
    gol_free(api);
    return gol_fail(err, GOL_ENOMEM, "api: out of memory for a lock");
}

void gol_api_destroy(gol_api **api_ptr)
{
    gol_api *api = *api_ptr;
    if (!api)
        return;
    *api_ptr = NULL;
    pthread_mutex_lock(&api->lock);
    while (api->n_calls > 0) {
        while (!api->dead)
            pthread_cond_wait(&api->has_dead, &api->lock);
        pthread_mutex_unlock(&api->lock);
        gol_call_reap(api);
        pthread_mutex_lock(&api->lock);
    }
    pthread_mutex_unlock(&api->lock);
    pthread_cond_destroy(&api->has_dead);
    pthread_mutex_destroy(&api->lock);
    gol_free(api->model_id);
    gol_free(api->model_path);
    gol_free(api->api_key);
    gol_free(api);
}

void gol_api_set_draining(gol_api *api, bool draining)
{
    atomic_store(&api->is_draining, draining);
}

/* ---- routing ---- */

static bool is_path_of(const gol_route *route, gol_str path)
{
    const size_t len = strlen(route->path);
    if (route->path[len - 1] == '/')
        return path.len > len && memcmp(path.data, route->path, len) == 0;
    return gol_str_is(path, route->path);
}

static bool is_method_of(const gol_route *route, gol_str method)
{
    const bool is_get = strcmp(route->method, "GET") == 0;
    return gol_str_is(method, route->method) || (is_get && gol_str_is(method, "HEAD"));
}

/* A path has one route. */
static const gol_route *find_route(gol_str path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (is_path_of(&routes[i], path))
            return &routes[i];
    return NULL;
}

int gol_api_route_status(const gol_api *api, gol_str method, gol_str path)
{
    (void)api;
    const gol_route *route = find_route(path);
    if (!route)
        return 404;
    return is_method_of(route, method) ? 0 : 405;
}

static int refuse_route(gol_api_call *call, const gol_route *route, const gol_api_request *request,
                        gol_api_error *error)
{
    char path[120];
    char method[32];
    gol_quote(path, sizeof path, request->path);
    gol_quote(method, sizeof method, request->method);
    if (!route)
        return gol_api_refuse(error, 404, "not_found", NULL, "Nothing is found at %s", path);
    const char *allow = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method;
    gol_call_add_header(call, "Allow", allow);
    return gol_api_refuse(error, 405, "method_not_allowed", NULL,
                          "%s does not take %s; it takes %s", path, method, allow);
}

/* ---- checks that all requests pass ---- */

/* Time depends on the lengths alone, not on where the first difference is. */
static bool is_equal_secret(gol_str given, gol_str secret)
{
    unsigned char diff = given.len != secret.len;
    for (size_t i = 0; i < given.len; i++) {
        const char expected = secret.len > 0 ? secret.data[i % secret.len] : '\0';
        diff |= (unsigned char)(given.data[i] ^ expected);
    }
    return diff == 0;
}

static bool has_prefix_ignoring_case(gol_str s, const char *prefix)
{
    const size_t len = strlen(prefix);
    return s.len >= len && strncasecmp(s.data, prefix, len) == 0;
}

static int check_key(const gol_api *api, gol_str authorization, gol_api_error *error)
{
    static const char scheme[] = "Bearer ";
    const size_t n_scheme = sizeof scheme - 1;
    if (!api->api_key)
        return 0;
    if (has_prefix_ignoring_case(authorization, scheme)) {
        const gol_str given = {authorization.data + n_scheme, authorization.len - n_scheme};
        if (is_equal_secret(given, gol_str_from(api->api_key)))
            return 0;
    }
    return gol_api_refuse(error, 401, "invalid_api_key", NULL,
                          authorization.len == 0 ? "An API key is needed: Authorization: Bearer KEY"
                                                 : "The API key is not valid");
}

/* Without asking us first, a browser lets any web page send what an HTML form could: with a body that does not claim to be JSON,
 * and with the page's Origin. Others (curl -d) may call their JSON what they like. */
static int check_content_type(const gol_api_request *request, gol_api_error *error)
{
    const gol_str type = request->content_type;
    if (request->origin.len == 0 || has_prefix_ignoring_case(type, "application/json"))
        return 0;
    char found[80];
    gol_quote(found, sizeof found, type);
    return gol_api_refuse(error, 415, "unsupported_media_type", NULL,
                          "Content-Type is '%s'; accepted from web pages: application/json", found);
}

static int run_route(gol_api_call *call, const gol_api_request *request, gol_api_error *error)
{
    const gol_route *route = find_route(request->path);
    if (!route || !is_method_of(route, request->method))
        return refuse_route(call, route, request, error);
    int rc = route->is_open ? 0 : check_key(call->api, request->authorization, error);
    if (rc != 0)
        return rc;
    const size_t n_path = strlen(route->path);
    call->rest = (gol_str){request->path.data + n_path, request->path.len - n_path};
    if (strcmp(route->method, "POST") != 0)
        return route->run(call, NULL, error);

    json_t *root;
    rc = check_content_type(request, error);
    if (rc == 0)
        rc = gol_request_json_parse(&root, request->body, error);
    if (rc != 0)
        return rc;
    rc = route->run(call, root, error);
    json_decref(root);
    return rc;
}

/* The client's id if it is fit for a header, bytes that are not become '_'; otherwise a new one. */
static void set_request_id(gol_api_call *call, gol_str given)
{
    size_t n = given.len < GOL_REQUEST_ID_MAX ? given.len : GOL_REQUEST_ID_MAX;
    if (n == 0) {
        gol_random_id(call->request_id);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char c = given.data[i];
        call->request_id[i] = c > ' ' && c < 0x7f ? c : '_';
    }
    call->request_id[n] = '\0';
}

/* ---- calls ---- */

gol_api_call *gol_api_begin(gol_api *api, const gol_api_request *request, gol_api_wake *wake,
                            void *user)
{
    gol_call_reap(api);
    gol_api_call *call = gol_call_create(api, wake, user);
    if (!call)
        return &api->no_memory;
    set_request_id(call, request->request_id);
    gol_api_error error = {0};
    if (run_route(call, request, &error) != 0)
        gol_call_reply_error(call, &error);
    return call;
}

gol_api_call *gol_api_begin_error(gol_api *api, int status, const char *code, const char *message)
{
    gol_api_call *call = gol_call_create(api, NULL, NULL);
    if (!call)
        return &api->no_memory;
    set_request_id(call, GOL_STR(""));
    gol_api_error error = {0};
    gol_api_refuse(&error, status, code, NULL, "%s", message);
    gol_call_reply_error(call, &error);
    return call;
}

bool gol_api_call_is_ready(gol_api_call *call)
{
    if (!call->has_reply)
        gol_stream_collect(call);
    return call->has_reply;
}

const gol_api_reply *gol_api_call_reply(gol_api_call *call)
{
    assert(call->has_reply);
    return &call->reply;
}

ptrdiff_t gol_api_call_read(gol_api_call *call, char *buf, size_t size)
{
    if (!call->reply.is_stream)
        return GOL_API_END;
    return gol_stream_read(call, buf, size);
}

void gol_api_call_end(gol_api_call **call_ptr)
{
    gol_api_call *call = *call_ptr;
    *call_ptr = NULL;
    if (!call || !call->api) /* the call for no memory belongs to the api */
        return;
    gol_api *api = call->api;
    pthread_mutex_lock(&call->lock);
    call->wake = NULL;
    pthread_mutex_unlock(&call->lock);
    gol_stream_cut_all(call);
    gol_call_unref(call);
    gol_call_reap(api);
}
