/*
 * One HTTP request on its way through libmicrohttpd: inside of http/ only.
 *
 *   receiving --body whole--> calling --ready--> replying (--stream: read, suspend, read …) --> completed
 *
 * Owned by libmicrohttpd's thread; the engine's thread (wake) and the hang-up watch touch only what `lock` guards.
 */
#ifndef GOL_HTTP_CONNECTION_H
#define GOL_HTTP_CONNECTION_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api.h"
#include "base/buf.h"
#include "http/hangup_watch.h"

typedef struct gol_connection gol_connection;

enum { GOL_CONNECTION_SLOTS_MAX = 1 << 20 };

/* Every live request of a server, found by key; a key is never used twice. */
typedef struct gol_connections {
    pthread_mutex_t lock; /* taken before a connection's own lock */
    gol_connection **slots;
    int32_t n_slots;
    int32_t n_live;
    uint32_t next_serial;
    bool is_closing; /* every request ends as soon as it can */
} gol_connections;

typedef struct gol_connection_env {
    gol_api *api;
    gol_hangup_watch *watch;
    gol_connections *connections;
    size_t body_max;
    const char *cors_origin; /* NULL: none */
} gol_connection_env;

struct gol_connection {
    const gol_connection_env *env;
    struct MHD_Connection *mhd;
    uint64_t key;
    int fd;
    bool is_begun; /* headers were seen */
    bool is_watched;
    bool is_too_large; /* body: the rest is read and dropped, then 413 */
    gol_buf body;
    gol_api_call *call;
    _Atomic uint64_t deadline_ns; /* the request must be in by then; 0: it is */

    pthread_mutex_t lock;
    bool is_suspended;
    bool is_woken; /* since the last look at the call */
    bool is_gone;  /* the client hung up, or the server closes */
};

int gol_connections_init(gol_connections *cs, int32_t n_slots, gol_err *err);
void gol_connections_deinit(gol_connections *cs); /* none may be live */
void gol_connections_close_all(gol_connections *cs);
void gol_connections_hang_up(gol_connections *cs, uint64_t key);
/* Drops requests that arrive too slowly and wakes every waiting stream, so that it can send its ping. */
void gol_connections_tick(gol_connections *cs, bool wake_all);

/* The callbacks that libmicrohttpd is given; cls is the gol_connection_env. */
void *gol_connection_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result gol_connection_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                          const char *method, const char *version,
                                          const char *upload_data, size_t *upload_data_size,
                                          void **con_cls);
void gol_connection_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                                 enum MHD_RequestTerminationCode code);

#endif
