/*
 * The OpenAI-shaped API without sockets: a whole HTTP request in, a reply out, at once or as it comes. The http layer drives
 * calls; tests drive them directly.
 *
 *     gol_api_call *call = gol_api_begin(api, &request, wake, connection);
 *     while (!gol_api_call_is_ready(call))
 *         ...sleep until wake(connection)...
 *     const gol_api_reply *reply = gol_api_call_reply(call);      // status, headers, and body or is_stream
 *     if (reply->is_stream)
 *         while ((n = gol_api_call_read(call, buf, sizeof buf)) >= 0)
 *             n == 0 ? sleep until wake : send(buf, n);           // GOL_API_END: the stream is over
 *     gol_api_call_end(&call);                                    // also at any earlier moment: the client is gone
 *
 * Threads: begin, is_ready, reply, read and end of one call are made by one thread at a time; different calls are independent.
 * wake() comes from the engine's thread (or from within these functions), must not block and must not call back into the
 * call; it may come once too often. After end() returns it is never called again for that call.
 *
 * end() on an unfinished call aborts its sequences: their blocks are free again before the next step.
 */
#ifndef GOL_API_API_H
#define GOL_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "engine/engine.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

typedef struct gol_api gol_api;
typedef struct gol_api_call gol_api_call;

typedef struct gol_api_opts {
    const char *model_id;     /* name that clients use and /v1/models shows */
    const char *model_path;   /* for /v1/models' root; may be NULL */
    gol_engine *engine;       /* must outlive the api */
    const gol_tokenizer *tok; /* likewise */
    /* How conversations are written; must outlive the api. NULL: in the plain format. */
    const gol_chat_template *chat;
    bool trusts_chat_templates; /* requests may bring a chat_template of their own */
    /* What of sampling a request does not say; NULL: GOL_SAMPLING_DEFAULT. Its seed and extras are not looked at. Copied. */
    const gol_sampling_params *sampling;
    const char *api_key; /* NULL: none asked for. Compared in constant time */
    int32_t max_n;       /* choices per request (n, and prompts times n); 0: 128 */
    bool is_strict;      /* requests with fields that nobody knows are refused */
    int32_t ping_ms;     /* a stream silent for so long gets a comment line; 0: 15000 */
} gol_api_opts;

int gol_api_create(gol_api **out, const gol_api_opts *opts, gol_err *err);
void gol_api_destroy(gol_api **api); /* after every call has ended; waits for their last events */

/* /health answers 503 from now on (draining); calls in flight go on. */
void gol_api_set_draining(gol_api *api, bool draining);

typedef struct gol_api_request {
    gol_str method;       /* "GET" */
    gol_str path;         /* "/v1/models", without query, percent-decoded */
    gol_str content_type; /* headers; len 0: absent */
    gol_str authorization;
    gol_str origin;     /* a web page's: "https://example.org" */
    gol_str request_id; /* X-Request-Id */
    gol_str body;       /* viewed during begin() only */
} gol_api_request;

typedef struct gol_api_header {
    const char *name;
    const char *value;
} gol_api_header;

enum { GOL_API_HEADERS_MAX = 8 };

typedef struct gol_api_reply {
    int status;
    bool is_stream; /* body comes by read() */
    gol_str body;
    int n_headers; /* Content-Type first */
    gol_api_header headers[GOL_API_HEADERS_MAX];
} gol_api_reply;

typedef void gol_api_wake(void *user);

enum { GOL_API_END = -1 };

/* Whether a path takes this method, before the body has arrived: 0, or the status to refuse with (404, 405). Lets the http layer
 * answer early. */
int gol_api_route_status(const gol_api *api, gol_str method, gol_str path);

/* An error that the http layer found (413, 431, 408, …) in the API's error shape; the call is ready at once. */
gol_api_call *gol_api_begin_error(gol_api *api, int status, const char *code, const char *message);

/* Never NULL: every failure, out of memory too, is a call that is ready with an error reply. */
gol_api_call *gol_api_begin(gol_api *api, const gol_api_request *request, gol_api_wake *wake,
                            void *user);
bool gol_api_call_is_ready(gol_api_call *call);
const gol_api_reply *gol_api_call_reply(gol_api_call *call); /* ready only; lives until end() */

/* Next bytes of a stream: their number, 0: none now (wake() will come), GOL_API_END. size >= 1. */
ptrdiff_t gol_api_call_read(gol_api_call *call, char *buf, size_t size);
void gol_api_call_end(gol_api_call **call); /* NULL is fine */

#endif
