/*
 * One client's TCP connection and the request on it, if any: inside of http/ only.
 *
 *   idle --request line--> headers --> body --> answering (--stream: read, suspend, read …) --> idle
 *
 * Owned by libmicrohttpd's thread; the engine's thread (wake) and the hang-up watch touch only what `lock` guards. While the
 * connection is in the slow lane the request belongs to the lane's thread, and the connection stays suspended whoever wakes it.
 */
#ifndef GOL_HTTP_CONNECTION_H
#define GOL_HTTP_CONNECTION_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "base/buf.h"
#include "http/hangup_watch.h"
#include "http/header_check.h"
#include "http/slow_lane.h"

typedef struct gol_connection gol_connection;
typedef struct gol_connections gol_connections;

typedef struct gol_connection_env {
    gol_api *api;
    gol_hangup_watch *watch;
    gol_connections *connections;
    gol_slow_lane *lane;
    size_t body_max;
    int idle_ms;             /* from one request's end to the next one's request line */
    const char *cors_origin; /* NULL: none */
} gol_connection_env;

typedef enum gol_connection_phase {
    GOL_CONNECTION_IDLE, /* no request line yet */
    GOL_CONNECTION_HEADERS,
    GOL_CONNECTION_BODY,
    GOL_CONNECTION_ANSWERING, /* the request is in: nothing of it can be late any more */
} gol_connection_phase;

struct gol_connection {
    const gol_connection_env *env;
    struct MHD_Connection *mhd;
    uint64_t key;
    int fd;
    bool is_watched; /* for hanging up */

    /* The request. */
    bool is_begun;   /* headers were seen */
    bool drops_body; /* it is read, but what is refused is not kept */
    bool is_too_large;
    gol_http_refusal target_refusal;
    uint64_t n_received; /* bytes of the body */
    uint64_t body_begin_ns;
    gol_buf body;
    gol_api_request request; /* as the api was asked; views */
    char *slow_head; /* what `request` views besides the body, when another thread shall read it */
    gol_slow_job slow_job;
    gol_api_call *call;

    pthread_mutex_t lock;
    gol_connection_phase phase;
    uint64_t deadline_ns; /* the phase ends by then, or the connection does */
    bool is_suspended;
    bool is_in_lane;     /* its job waits or runs; suspended until that is over */
    bool is_woken;       /* since the last look at the call */
    bool is_half_closed; /* the client will send no more, and probably is not there any more */
    bool is_gone;        /* nothing is read or written any more */
};

/* ---- connection.c ---- */

gol_connection *gol_connection_create(const gol_connection_env *env, struct MHD_Connection *mhd);
void gol_connection_destroy(gol_connection **connection);

/* Any thread. */
void gol_connection_wake(void *connection);     /* a gol_api_wake */
void gol_connection_leave(gol_connection *c);   /* the server closes */
void gol_connection_hang_up(gol_connection *c); /* the client has closed its side */
void gol_connection_drop_if_late(gol_connection *c, uint64_t now_ns);

/* libmicrohttpd's thread. */
void gol_connection_enter(gol_connection *c, gol_connection_phase phase, uint64_t deadline_ns);
bool gol_connection_is_gone(gol_connection *c);
/* From here on the answer is written: false when it is too late for one. */
bool gol_connection_begin_answer(gol_connection *c);
/* To be called before a look at the call whose outcome may be "nothing yet". */
void gol_connection_before_look(gol_connection *c);
/* Suspends unless somebody woke us since before_look(); false: look again. */
bool gol_connection_try_suspend(gol_connection *c);
/* Suspends, and has `run` called with the connection in the slow lane's thread; false: the lane is full, or nobody is left to
 * wait for the outcome. run() ends with let_go(). */
bool gol_connection_try_enter_lane(gol_connection *c, gol_slow_run *run);

/* The slow lane's thread, at the end of run(): libmicrohttpd's thread goes on with the connection, which is touched no more. */
void gol_connection_let_go(gol_connection *c);

/* ---- http_request.c: the callbacks that libmicrohttpd is given; cls is the gol_connection_env ---- */

void gol_http_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);
void *gol_http_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result gol_http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                    const char *method, const char *version,
                                    const char *upload_data, size_t *upload_data_size,
                                    void **con_cls);
void gol_http_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                           enum MHD_RequestTerminationCode code);

#endif
