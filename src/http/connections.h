/* Every open connection of a server, found by key; a key is never used twice. */
#ifndef GOL_HTTP_CONNECTIONS_H
#define GOL_HTTP_CONNECTIONS_H

#include "base/error.h"
#include "http/connection.h"

struct gol_connections {
    pthread_mutex_t lock; /* taken before a connection's own lock */
    gol_connection **slots;
    int32_t n_slots;
    int32_t n_open;
    int32_t n_requests; /* received, from the request line on, and not yet fully answered */
    uint32_t next_serial;
    bool is_closing; /* every connection ends as soon as it can */
};

int gol_connections_init(gol_connections *cs, int32_t n_slots, gol_err *err);
void gol_connections_deinit(gol_connections *cs); /* none may be open */

bool gol_connections_insert(gol_connections *cs, gol_connection *c); /* false: full */
void gol_connections_remove(gol_connections *cs, const gol_connection *c);
void gol_connections_count_requests(gol_connections *cs, int by);
int gol_connections_n_requests(gol_connections *cs);

void gol_connections_close_all(gol_connections *cs);
void gol_connections_hang_up(gol_connections *cs, uint64_t key);
/* Drops clients that are too slow and, on demand, wakes every waiting stream, so that it can send its ping. */
void gol_connections_tick(gol_connections *cs, bool wake_all);

#endif
