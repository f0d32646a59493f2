/*
 * Tells when a peer hangs up, also on a socket that nobody reads: a suspended connection waits for the engine, and libmicrohttpd
 * does not look at it. One thread; epoll on Linux, elsewhere a look at every socket each quarter of a second.
 *
 * A peer that shuts down its sending side only counts as gone, as with nginx and most proxies.
 */
#ifndef GOL_HTTP_HANGUP_WATCH_H
#define GOL_HTTP_HANGUP_WATCH_H

#include <stdint.h>

#include "base/error.h"

typedef struct gol_hangup_watch gol_hangup_watch;

enum { GOL_HANGUP_TICK_MS = 250 };

/* Both are called by the watch's thread and may not call back into the watch. A hang-up may be reported for a key that was
 * removed a moment ago: the receiver looks its keys up. */
typedef struct gol_hangup_watch_events {
    void (*on_hangup)(void *user, uint64_t key);
    void (*on_tick)(void *user); /* about every GOL_HANGUP_TICK_MS */
    void *user;
} gol_hangup_watch_events;

int gol_hangup_watch_create(gol_hangup_watch **out, const gol_hangup_watch_events *events,
                            gol_err *err);
void gol_hangup_watch_destroy(gol_hangup_watch **watch); /* joins; NULL is fine */

/* fd must stay open until remove(). A failed add costs early detection only and is reported as GOL_EIO / GOL_ENOMEM. */
int gol_hangup_watch_add(gol_hangup_watch *watch, int fd, uint64_t key);
void gol_hangup_watch_remove(gol_hangup_watch *watch, int fd);

#endif
