/*
 * Birth, reply and death of a call. What a call says is decided elsewhere; here is how it is kept and let go.
 */
#include "api/call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    CALL_ARENA_MAX =
        64
        << 20, /* stop strings, echoed prompts: less than the request's own size, which http limits */
    CALL_BODY_MAX = 1 << 30,
};

void gol_random_id(char out[static GOL_API_ID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[GOL_API_ID_LEN / 2];
    gol_rng_entropy(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[GOL_API_ID_LEN] = '\0';
}

gol_api_call *gol_call_create(gol_api *api, gol_api_wake *wake, void *user)
{
    gol_api_call *call = gol_try_calloc(1, sizeof *call);
    if (!call)
        return NULL;
    if (pthread_mutex_init(&call->lock, NULL) != 0) {
        gol_free(call);
        return NULL;
    }
    call->api = api;
    atomic_init(&call->n_refs, 1);
    gol_arena_init(&call->arena, CALL_ARENA_MAX);
    gol_buf_init(&call->body, CALL_BODY_MAX);
    call->wake = wake;
    call->wake_user = user;

    pthread_mutex_lock(&api->lock);
    api->n_calls++;
    pthread_mutex_unlock(&api->lock);
    return call;
}

static void destroy(gol_api_call *call)
{
    for (int32_t i = 0; i < call->n_choices; i++)
        gol_choice_deinit(&call->choices[i]);
    gol_free(call->choices);
    gol_buf_deinit(&call->body);
    gol_arena_deinit(&call->arena);
    pthread_mutex_destroy(&call->lock);
    gol_free(call);
}

void gol_call_unref(gol_api_call *call)
{
    if (atomic_fetch_sub(&call->n_refs, 1) != 1)
        return;
    gol_api *api = call->api;
    pthread_mutex_lock(&api->lock);
    call->next_dead = api->dead;
    api->dead = call;
    pthread_cond_signal(&api->has_dead);
    pthread_mutex_unlock(&api->lock);
}

void gol_call_reap(gol_api *api)
{
    pthread_mutex_lock(&api->lock);
    gol_api_call *call = api->dead;
    api->dead = NULL;
    for (const gol_api_call *c = call; c; c = c->next_dead)
        api->n_calls--;
    pthread_mutex_unlock(&api->lock);
    while (call) {
        gol_api_call *next = call->next_dead;
        destroy(call);
        call = next;
    }
}

void gol_call_add_header(gol_api_call *call, const char *name, const char *value)
{
    gol_api_reply *reply = &call->reply;
    assert(reply->n_headers < GOL_API_HEADERS_MAX);
    reply->headers[reply->n_headers++] = (gol_api_header){name, value};
}

/* Headers that were added before this are those of the route's own; Content-Type goes in front of them. */
static void set_reply(gol_api_call *call, int status, const char *content_type)
{
    gol_api_reply *reply = &call->reply;
    assert(!call->has_reply && reply->n_headers < GOL_API_HEADERS_MAX);
    memmove(reply->headers + 1, reply->headers, (size_t)reply->n_headers * sizeof *reply->headers);
    reply->headers[0] = (gol_api_header){"Content-Type", content_type};
    reply->n_headers++;
    if (call->request_id[0] != '\0')
        gol_call_add_header(call, "X-Request-Id", call->request_id);
    if (call->params.ignored[0] != '\0')
        gol_call_add_header(call, "X-Gollum-Ignored-Params", call->params.ignored);
    reply->status = status;
    call->has_reply = true;
}

void gol_call_reply_text(gol_api_call *call, int status, const char *content_type)
{
    if (call->body.failed) {
        status = 503;
        content_type = "application/json";
        call->reply.body = GOL_STR(GOL_API_NO_MEMORY_JSON);
        gol_call_add_header(call, "Retry-After", "1");
    } else {
        call->reply.body = gol_buf_view(&call->body);
    }
    set_reply(call, status, content_type);
}

void gol_call_reply_json(gol_api_call *call, int status)
{
    gol_call_reply_text(call, status, "application/json");
}

void gol_call_reply_stream(gol_api_call *call)
{
    call->reply.is_stream = true;
    gol_call_add_header(call, "Cache-Control", "no-cache");
    gol_call_add_header(call, "X-Accel-Buffering",
                        "no"); /* nginx in front passes chunks on at once */
    set_reply(call, 200, "text/event-stream; charset=utf-8");
}

void gol_call_reply_error(gol_api_call *call, const gol_api_error *error)
{
    gol_buf_clear(&call->body);
    gol_api_error_put(&call->body, error);
    if (!call->body.failed && (error->status == 429 || error->status == 503))
        gol_call_add_header(call, "Retry-After", "1");
    if (error->status == 401)
        gol_call_add_header(call, "WWW-Authenticate", "Bearer");
    gol_call_reply_json(call, error->status);
}
