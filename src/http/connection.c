/*
 * One request's way through libmicrohttpd. A request that waits for the engine is suspended; wake() may come at any moment
 * from the engine's thread, so going to sleep is a two-step affair: clear is_woken, look at the call, and suspend only if
 * nobody woke us meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/connection.h"
#include "http/connection_state.h"

enum {
    HEADERS_MS = 10000, /* from the request line to the last header */
    BODY_MS = 5000,     /* of grace, then a body must come at this rate or faster: */
    BODY_BYTES_PER_S = 1024,
    STREAM_BLOCK = 16 << 10, /* bytes asked of a stream at once */
};

static uint64_t deadline_in_ms(uint64_t ms)
{
    return gol_clock_ns() + ms * 1000000u;
}

void *gol_connection_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    (void)uri;
    const gol_connection_env *env = cls;
    gol_connection *c = gol_try_calloc(1, sizeof *c);
    if (c == NULL)
        return NULL; /* on_request refuses */
    c->env = env;
    c->mhd = mhd;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info != NULL ? info->connect_fd : -1;
    gol_buf_init(&c->body, env->body_max);
    pthread_mutex_init(&c->lock, NULL);
    atomic_store(&c->deadline_ns, deadline_in_ms(HEADERS_MS));
    if (!gol_connections_insert(env->connections, c)) {
        pthread_mutex_destroy(&c->lock);
        gol_free(c);
        return NULL;
    }
    return c;
}

void gol_connection_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                                 enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)mhd;
    (void)code;
    gol_connection *c = *con_cls;
    *con_cls = NULL;
    if (c == NULL)
        return;
    gol_connections_remove(c->env->connections, c); /* hang_up() and tick() cannot find it now */
    if (c->is_watched)
        gol_hangup_watch_remove(c->env->watch, c->fd);
    gol_api_call_end(&c->call); /* and wake() does not come any more */
    gol_buf_deinit(&c->body);
    pthread_mutex_destroy(&c->lock);
    gol_free(c);
}

void gol_connection_wake(void *connection)
{
    gol_connection *c = connection;
    pthread_mutex_lock(&c->lock);
    c->is_woken = true;
    if (c->is_suspended) {
        c->is_suspended = false;
        MHD_resume_connection(c->mhd);
    }
    pthread_mutex_unlock(&c->lock);
}

void gol_connection_leave(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_gone = true;
    pthread_mutex_unlock(&c->lock);
    gol_connection_wake(c);
}

static bool is_gone(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    const bool gone = c->is_gone;
    pthread_mutex_unlock(&c->lock);
    return gone;
}

/* To be called before a look at the call whose outcome may be "nothing yet". */
static void before_look(gol_connection *c)
{
    pthread_mutex_lock(&c->lock);
    c->is_woken = false;
    pthread_mutex_unlock(&c->lock);
}

/* Suspends unless somebody woke us since before_look(); false: look again. */
static bool try_suspend(gol_connection *c)
{
    if (!c->is_watched && c->fd >= 0)
        c->is_watched = gol_hangup_watch_add(c->env->watch, c->fd, c->key) == 0;
    pthread_mutex_lock(&c->lock);
    const bool suspend = !c->is_woken && !c->is_gone;
    if (suspend) {
        c->is_suspended = true;
        MHD_suspend_connection(c->mhd);
    }
    pthread_mutex_unlock(&c->lock);
    return suspend;
}

/* MHD_ContentReaderCallback: the next bytes of a stream. */
static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
    (void)pos;
    gol_connection *c = cls;
    for (;;) {
        before_look(c);
        if (is_gone(c))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        const ptrdiff_t n = gol_api_call_read(c->call, buf, max);
        if (n > 0)
            return (ssize_t)n;
        if (n == GOL_API_END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (try_suspend(c))
            return 0;
    }
}

static void add_cors_headers(struct MHD_Response *response, const char *origin)
{
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    MHD_add_response_header(response, "Access-Control-Allow-Headers",
                            "Authorization, Content-Type, X-Request-Id");
    MHD_add_response_header(response, "Access-Control-Expose-Headers", "X-Request-Id");
    MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
}

static enum MHD_Result queue_and_drop(gol_connection *c, int status, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    if (c->env->cors_origin != NULL)
        add_cors_headers(response, c->env->cors_origin);
    const enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result queue_reply(gol_connection *c)
{
    const gol_api_reply *reply = gol_api_call_reply(c->call);
    /* The body stays where it is: the call outlives the response. libmicrohttpd wants a mutable pointer, but only reads. */
    struct MHD_Response *response = reply->is_stream
                                        ? MHD_create_response_from_callback(
                                              MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, c, NULL)
                                        : MHD_create_response_from_buffer(
                                              reply->body.len, (void *)(uintptr_t)reply->body.data,
                                              MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    for (int i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    return queue_and_drop(c, reply->status, response);
}

/* Replies when the call is ready, else sleeps until it is. */
static enum MHD_Result reply_or_suspend(gol_connection *c)
{
    for (;;) {
        before_look(c);
        if (is_gone(c))
            return MHD_NO;
        if (gol_api_call_is_ready(c->call))
            return queue_reply(c);
        if (try_suspend(c))
            return MHD_YES;
    }
}

static enum MHD_Result reply_error(gol_connection *c, int status, const char *code,
                                   const char *message)
{
    atomic_store(&c->deadline_ns, 0);
    c->call = gol_api_begin_error(c->env->api, status, code, message);
    return queue_reply(c);
}

static gol_str header(gol_connection *c, const char *name)
{
    return gol_str_from(MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name));
}

static enum MHD_Result reply_too_large(gol_connection *c)
{
    char message[128];
    snprintf(message, sizeof message, "The request body is larger than %zu bytes.",
             c->env->body_max);
    return reply_error(c, 413, "request_too_large", message);
}

/* The headers are in, the body is not: what can be refused now is refused now. */
static enum MHD_Result begin(gol_connection *c, gol_str method, gol_str path)
{
    c->is_begun = true;
    if (gol_str_is(method, "OPTIONS") && c->env->cors_origin != NULL) {
        atomic_store(&c->deadline_ns, 0);
        return queue_and_drop(
            c, 204,
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
    }
    const int refusal = gol_api_route_status(c->env->api, method, path);
    const gol_str length = header(c, "Content-Length");
    uint64_t n_body = 0;
    if (length.len > 0)
        n_body = strtoull(length.data, NULL, 10); /* libmicrohttpd has checked its form */
    if (n_body > c->env->body_max)
        return reply_too_large(c);
    if (refusal != 0 && n_body > 0) {
        /* Answered without reading the body; libmicrohttpd then closes the connection. */
        const gol_api_request request = {.method = method, .path = path};
        c->call = gol_api_begin(c->env->api, &request, gol_connection_wake, c);
        atomic_store(&c->deadline_ns, 0);
        return reply_or_suspend(c);
    }
    atomic_store(&c->deadline_ns, deadline_in_ms(BODY_MS + n_body * 1000u / BODY_BYTES_PER_S));
    return MHD_YES;
}

static enum MHD_Result take_body(gol_connection *c, const char *data, size_t *size)
{
    if (!c->is_too_large)
        gol_buf_put(&c->body, data, *size);
    if (c->body.failed && !c->is_too_large) {
        c->is_too_large = true; /* a reply can be queued only once the body is through */
        gol_buf_deinit(&c->body);
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result call_api(gol_connection *c, gol_str method, gol_str path)
{
    atomic_store(&c->deadline_ns, 0);
    const gol_api_request request = {
        .method = method,
        .path = path,
        .content_type = header(c, "Content-Type"),
        .authorization = header(c, "Authorization"),
        .origin = header(c, "Origin"),
        .request_id = header(c, "X-Request-Id"),
        .body = gol_buf_view(&c->body),
    };
    c->call = gol_api_begin(c->env->api, &request, gol_connection_wake, c);
    gol_buf_deinit(&c->body); /* viewed during begin only */
    return reply_or_suspend(c);
}

/* Called once with the headers, then for each piece of the body, then with none left, and again after each resume. */
enum MHD_Result gol_connection_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                          const char *method, const char *version,
                                          const char *upload_data, size_t *upload_data_size,
                                          void **con_cls)
{
    (void)cls;
    (void)mhd;
    (void)version;
    gol_connection *c = *con_cls;
    if (c == NULL || is_gone(c))
        return MHD_NO;
    const gol_str method_str = gol_str_from(method);
    const gol_str path = gol_str_from(url);
    if (!c->is_begun)
        return begin(c, method_str, path);
    if (*upload_data_size > 0)
        return take_body(c, upload_data, upload_data_size);
    if (c->call != NULL)
        return reply_or_suspend(c);
    if (c->is_too_large)
        return reply_too_large(c);
    return call_api(c, method_str, path);
}
