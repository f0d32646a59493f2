/*
 * The api and its calls, seen from inside.
 *
 * A call has two sides. Its thread (the one that drives begin ... end) owns everything but what is marked "lock". The engine's
 * thread appends tokens to the choices and wakes, under the lock, and nothing else: detokenizing, JSON and memory are the
 * call thread's work.
 *
 * n_refs counts the call's owner, until end(), and each submitted sequence, until its last event. Whoever takes the last one
 * puts the call on the api's list of dead calls; they are freed by the next begin() or end(), so that the engine's thread
 * never frees.
 */
#ifndef GOL_API_CALL_H
#define GOL_API_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "api/api_error.h"
#include "api/choice.h"
#include "api/messages.h"
#include "api/params.h"
#include "text/stop_match.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/json_out.h"

enum {
    GOL_REQUEST_ID_MAX = 128,
    GOL_API_ID_LEN = 24, /* hex digits of a random id */
};

/* How an endpoint writes what the model said. */
typedef struct gol_shape {
    const char *id_prefix;
    const char *object;
    const char *chunk_object;
    bool has_opening; /* the first chunk of a stream's choice comes at once, without text */
    /* One element of "choices": of a whole answer, and of a stream's chunk. */
    void (*put_choice)(gol_json *j, const gol_choice *c, const gol_piece *piece);
    void (*put_piece)(gol_json *j, const gol_choice *c, const gol_piece *piece);
    /* Members of a whole answer behind "choices"; NULL: none. */
    void (*put_tail)(gol_json *j, const gol_api_call *call);
} gol_shape;

struct gol_api_call {
    gol_api *api;
    gol_api_call *next_dead;
    _Atomic int32_t n_refs;
    gol_arena arena;
    gol_str rest; /* of the path, behind a route that ends in "/"; during begin() only */

    char request_id[GOL_REQUEST_ID_MAX + 1];
    bool has_reply;
    gol_api_reply reply;
    gol_buf body;       /* the whole body, or a stream's frames that read() has not taken */
    size_t n_read;      /* of body */
    gol_str last_words; /* goes out after body: a literal, for when there is no memory for more */
    bool is_closed;     /* nothing will be added to the stream */
    uint64_t last_frame_ns;

    /* A generation; shape is NULL for every other call. */
    const gol_shape *shape;
    gol_params params;
    gol_stop_set stops;
    int n_own_stops; /* of stops: the client's; those behind are the chat format's */
    bool trims_space;
    gol_choice *choices; /* [n_choices] */
    int32_t n_choices;
    int32_t next_choice; /* whose turn it is in the stream */
    bool has_failed;     /* out of memory in the middle */
    char id[16 + GOL_API_ID_LEN];
    int64_t created;

    pthread_mutex_t lock;
    gol_api_wake *wake; /* lock; NULL after end() */
    void *wake_user;    /* lock */
    bool is_awake;      /* lock: woken since it last looked */
    bool wants_tokens;  /* woken for each token; otherwise when all is over */
    int32_t n_running;  /* lock: sequences whose last event has not come */
};

struct gol_api {
    char *model_id;
    char *model_path; /* NULL: not told */
    char *api_key;    /* NULL: none */
    gol_engine *engine;
    const gol_tokenizer *tok;
    gol_chat_setup chat;
    int32_t n_vocab; /* ids that both the tokenizer and the model know */
    int32_t max_n;
    uint64_t ping_ns;
    int64_t created;
    char fingerprint[3 + 16 + 1];
    bool is_strict;
    gol_sampling_params sampling; /* what requests do not say */
    _Atomic bool is_draining;
    _Atomic uint64_t busy_since_ns; /* the last submit to an engine that had nothing to do */

    gol_api_call no_memory; /* stands for every call that could not be allocated */

    pthread_mutex_t lock;
    pthread_cond_t has_dead;
    gol_api_call *dead; /* lock */
    size_t n_calls;     /* lock: created and not freed */
};

gol_api_call *gol_call_create(gol_api *api, gol_api_wake *wake, void *user); /* NULL: no memory */
void gol_call_unref(gol_api_call *call);                                     /* any thread */
void gol_call_reap(gol_api *api);                                            /* frees the dead */

/* Makes the call ready. The body is in call->body; a failed body becomes an out-of-memory error. */
void gol_call_reply_json(gol_api_call *call, int status);
void gol_call_reply_text(gol_api_call *call, int status, const char *content_type);
void gol_call_reply_stream(gol_api_call *call);
void gol_call_reply_error(gol_api_call *call, const gol_api_error *error);
void gol_call_add_header(gol_api_call *call, const char *name, const char *value);

void gol_random_id(char out[static GOL_API_ID_LEN + 1]);

#endif
