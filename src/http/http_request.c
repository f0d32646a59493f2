/*
 * One request's way through libmicrohttpd: headers checked, body in, the api called, its reply or stream out. A request that
 * waits, for the engine or in the slow lane, is suspended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/connection.h"
#include "http/connections.h"
#include "http/header_check.h"

enum {
    HEADERS_MS = 10000, /* from the request line to the last header */
    REFUSED_MS = 1000,  /* the same, when the request line is refused anyway */
    BODY_MS = 5000,     /* of grace, then a body must come at this rate or faster: */
    BODY_BYTES_PER_S = 1024,
    STREAM_BLOCK = 16 << 10, /* bytes asked of a stream at once */
    SLOW_BODY = 32 << 10,    /* a larger one is begun in the slow lane; others take a few ms */
};

/* A refused body up to here is read and dropped: most clients look at a reply only when they have sent everything. */
static const uint64_t dropped_body_max = 64u << 20;

/* ---- begin and end ---- */

/* Of a connection without a request: nothing. */
static void end_request(gol_connection *c)
{
    if (c->phase == GOL_CONNECTION_IDLE)
        return;
    gol_api_call_end(&c->call); /* and wake() does not come any more */
    gol_buf_deinit(&c->body);
    gol_free(c->slow_head);
    c->slow_head = NULL;
    c->is_begun = false;
    c->drops_body = false;
    c->is_too_large = false;
    c->n_received = 0;
    gol_connection_enter(c, GOL_CONNECTION_IDLE,
                         gol_clock_ns() + (uint64_t)c->env->idle_ms * 1000000u);
    gol_connections_count_requests(c->env->connections, -1);
}

void gol_http_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    gol_connection *c = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = gol_connection_create(cls, mhd); /* NULL: requests are refused */
    } else if (c != NULL) {
        /* A connection that breaks in the middle of its headers is sometimes closed without on_completed(). */
        end_request(c);
        gol_connection_destroy(&c);
    }
}

void *gol_http_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    (void)cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    gol_connection *c = info != NULL ? info->socket_context : NULL;
    if (c == NULL)
        return NULL;
    end_request(c);
    gol_connections_count_requests(c->env->connections, 1);
    c->target_refusal = gol_http_check_target(uri);
    /* With more parameters than it has memory for libmicrohttpd never comes back with the headers. */
    const uint64_t ms = c->target_refusal.status == 0 ? HEADERS_MS : REFUSED_MS;
    gol_connection_enter(c, GOL_CONNECTION_HEADERS, gol_clock_ns() + ms * 1000000u);
    return c;
}

void gol_http_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                           enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)mhd;
    (void)code;
    gol_connection *c = *con_cls;
    *con_cls = NULL;
    if (c != NULL)
        end_request(c);
}

/* ---- out ---- */

/* MHD_ContentReaderCallback: the next bytes of a stream. */
static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
    (void)pos;
    gol_connection *c = cls;
    for (;;) {
        gol_connection_before_look(c);
        if (gol_connection_is_gone(c))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        const ptrdiff_t n = gol_api_call_read(c->call, buf, max);
        if (n > 0)
            return (ssize_t)n;
        if (n == GOL_API_END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (gol_connection_try_suspend(c))
            return 0;
    }
}

static void add_cors_headers(struct MHD_Response *response, const char *origin)
{
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    MHD_add_response_header(response, "Access-Control-Allow-Headers",
                            "Authorization, *"); /* OpenAI's client adds a dozen of its own */
    MHD_add_response_header(response, "Access-Control-Expose-Headers",
                            "X-Request-Id, X-Gollum-Ignored-Params, Retry-After");
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

static enum MHD_Result queue_reply(gol_connection *c, bool closes)
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
    if (closes)
        MHD_add_response_header(response, "Connection", "close");
    return queue_and_drop(c, reply->status, response);
}

/* Replies when the call is ready, else sleeps until it is. */
static enum MHD_Result reply_or_suspend(gol_connection *c)
{
    for (;;) {
        gol_connection_before_look(c);
        if (gol_connection_is_gone(c))
            return MHD_NO;
        if (gol_api_call_is_ready(c->call))
            return queue_reply(c, false);
        if (gol_connection_try_suspend(c))
            return MHD_YES;
    }
}

/* After a request that could not be understood nobody knows where the next one begins. */
static enum MHD_Result refuse(gol_connection *c, const gol_http_refusal *refusal, bool closes)
{
    if (!gol_connection_begin_answer(c))
        return MHD_NO;
    c->call = gol_api_begin_error(c->env->api, refusal->status, refusal->code, refusal->message);
    return queue_reply(c, closes);
}

static enum MHD_Result refuse_size(gol_connection *c)
{
    char message[128];
    snprintf(message, sizeof message, "The request body is larger than %zu bytes.",
             c->env->body_max);
    return refuse(c, &(gol_http_refusal){413, "request_too_large", message}, false);
}

static enum MHD_Result reply_to_preflight(gol_connection *c)
{
    if (!gol_connection_begin_answer(c))
        return MHD_NO;
    return queue_and_drop(
        c, 204, MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
}

/* ---- in ---- */

static gol_str header(gol_connection *c, const char *name)
{
    return gol_str_from(MHD_lookup_connection_value(c->mhd, MHD_HEADER_KIND, name));
}

/* "http://host/path", as proxies write it, is "/path". */
static gol_str path_of(const char *url)
{
    if (strncasecmp(url, "http://", 7) == 0) {
        const char *slash = strchr(url + 7, '/');
        return slash != NULL ? gol_str_from(slash) : GOL_STR("/");
    }
    return gol_str_from(url);
}

static void begin_call(gol_connection *c)
{
    c->call = gol_api_begin(c->env->api, &c->request, gol_connection_wake, c);
    gol_buf_deinit(&c->body); /* viewed during begin only */
}

/* A gol_slow_run. For a client that left, or a server that stops, nothing is begun. */
static void begin_call_in_lane(void *connection)
{
    gol_connection *c = connection;
    if (!gol_connection_is_gone(c))
        begin_call(c);
    gol_connection_let_go(c);
}

/* One block of ours for what `request` views besides the body: libmicrohttpd promises its strings to its own thread only. */
static bool own_head(gol_connection *c)
{
    gol_api_request *r = &c->request;
    gol_str *const parts[] = {&r->method,        &r->path,   &r->content_type,
                              &r->authorization, &r->origin, &r->request_id};
    const size_t n_parts = sizeof parts / sizeof *parts;
    size_t len = 0; /* all of it came within the limit on headers */
    for (size_t i = 0; i < n_parts; i++)
        len += parts[i]->len;
    c->slow_head = gol_try_alloc(len);
    if (c->slow_head == NULL)
        return false;
    char *at = c->slow_head;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i]->len > 0)
            memcpy(at, parts[i]->data, parts[i]->len);
        parts[i]->data = at;
        at += parts[i]->len;
    }
    return true;
}

/* A full lane refuses at once: letting more wait would hold body after body with no end in sight. */
static enum MHD_Result call_api_in_lane(gol_connection *c)
{
    const bool has_head = own_head(c);
    if (has_head && gol_connection_try_enter_lane(c, begin_call_in_lane))
        return MHD_YES;
    gol_buf_deinit(&c->body);
    if (!has_head)
        return refuse(c, &(gol_http_refusal){503, "out_of_memory", "There is no memory left."},
                      false);
    return refuse(c,
                  &(gol_http_refusal){503, "too_many_large_requests",
                                      "Too many large requests are waiting to be read."},
                  false);
}

static enum MHD_Result call_api(gol_connection *c, gol_str method, gol_str path)
{
    if (!gol_connection_begin_answer(c))
        return MHD_NO;
    c->request = (gol_api_request){
        .method = method,
        .path = path,
        .content_type = header(c, "Content-Type"),
        .authorization = header(c, "Authorization"),
        .origin = header(c, "Origin"),
        .request_id = header(c, "X-Request-Id"),
        .body = gol_buf_view(&c->body),
    };
    if (c->request.body.len > SLOW_BODY)
        return call_api_in_lane(c);
    begin_call(c);
    return reply_or_suspend(c);
}

static void expect_body(gol_connection *c)
{
    const uint64_t ms = BODY_MS + c->n_received * 1000u / BODY_BYTES_PER_S;
    gol_connection_enter(c, GOL_CONNECTION_BODY, c->body_begin_ns + ms * 1000000u);
}

/* The headers are in, the body is not. What is refused now is answered now if the client waits for that (Expect) or has too
 * much to say; otherwise when its body is through. */
static enum MHD_Result begin(gol_connection *c, gol_str method, gol_str path, const char *version)
{
    c->is_begun = true;
    if (c->target_refusal.status != 0)
        return refuse(c, &c->target_refusal, true);
    const gol_http_refusal refusal = gol_http_check_headers(c->mhd, version);
    if (refusal.status != 0)
        return refuse(c, &refusal, true);
    if (gol_str_is(method, "OPTIONS") && c->env->cors_origin != NULL)
        return reply_to_preflight(c);

    const gol_str length = header(c, "Content-Length");
    /* libmicrohttpd has checked its form */
    const uint64_t n_body = length.len > 0 ? strtoull(length.data, NULL, 10) : 0;
    c->is_too_large = n_body > c->env->body_max;
    c->drops_body = c->is_too_large || gol_api_route_status(c->env->api, method, path) != 0;
    const bool is_early = n_body > dropped_body_max || header(c, "Expect").len > 0;
    if (is_early && c->is_too_large)
        return refuse_size(c);
    if (is_early && c->drops_body)
        return call_api(c, method, path); /* 404 or 405 */
    c->body_begin_ns = gol_clock_ns();
    expect_body(c);
    return MHD_YES;
}

static enum MHD_Result take_body(gol_connection *c, const char *data, size_t *size)
{
    c->n_received += *size;
    if (!c->drops_body)
        gol_buf_put(&c->body, data, *size);
    if (c->body.failed) {
        gol_buf_deinit(&c->body);
        c->is_too_large = true; /* a reply can be queued only once the body is through */
        c->drops_body = true;
    }
    *size = 0;
    if (c->n_received > dropped_body_max && c->drops_body)
        return MHD_NO;
    expect_body(c);
    return MHD_YES;
}

/* Called once with the headers, then for each piece of the body, then with none left, and again after each resume. */
enum MHD_Result gol_http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_data_size,
                                    void **con_cls)
{
    (void)cls;
    (void)mhd;
    gol_connection *c = *con_cls;
    if (c == NULL || gol_connection_is_gone(c))
        return MHD_NO;
    const gol_str method_str = gol_str_from(method);
    const gol_str path = path_of(url);
    if (!c->is_begun)
        return begin(c, method_str, path, version);
    if (*upload_data_size > 0)
        return take_body(c, upload_data, upload_data_size);
    if (c->call != NULL)
        return reply_or_suspend(c);
    if (c->is_too_large)
        return refuse_size(c);
    return call_api(c, method_str, path);
}
