/*
 * Hang-up watch for systems without epoll: every tick, one non-blocking peek at each socket. End of file or a reset means that
 * the peer is gone; bytes or "would block" mean that it is there.
 */
#ifndef __linux__

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "http/hangup_watch.h"

typedef struct watched {
    int fd;
    bool is_reported;
    uint64_t key;
} watched;

struct gol_hangup_watch {
    gol_hangup_watch_events events;
    pthread_mutex_t lock; /* over all below */
    watched *list;
    size_t n;
    size_t cap;
    bool stopping;
    pthread_t thread;
};

static bool peer_is_gone(int fd)
{
    char byte;
    const ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* The next socket from *at on whose peer is gone; false: none left. One per lock, since on_hangup runs without it. */
static bool find_gone(gol_hangup_watch *watch, size_t *at, uint64_t *key)
{
    bool found = false;
    pthread_mutex_lock(&watch->lock);
    for (; !found && *at < watch->n; (*at)++) {
        watched *w = &watch->list[*at];
        if (!w->is_reported && peer_is_gone(w->fd)) {
            w->is_reported = true;
            *key = w->key;
            found = true;
        }
    }
    pthread_mutex_unlock(&watch->lock);
    return found;
}

static bool is_stopping(gol_hangup_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    const bool stopping = watch->stopping;
    pthread_mutex_unlock(&watch->lock);
    return stopping;
}

static void *watch_main(void *arg)
{
    gol_hangup_watch *watch = arg;
    const struct timespec tick = {.tv_nsec = GOL_HANGUP_TICK_MS * 1000000L};

    while (!is_stopping(watch)) {
        nanosleep(&tick, NULL);
        uint64_t key;
        for (size_t at = 0; find_gone(watch, &at, &key);)
            watch->events.on_hangup(watch->events.user, key);
        watch->events.on_tick(watch->events.user);
    }
    return NULL;
}

int gol_hangup_watch_create(gol_hangup_watch **out, const gol_hangup_watch_events *events,
                            gol_err *err)
{
    *out = NULL;
    gol_hangup_watch *watch = gol_try_calloc(1, sizeof *watch);
    if (watch == NULL)
        return gol_fail(err, GOL_ENOMEM, "http: out of memory for the connection watch");
    watch->events = *events;
    pthread_mutex_init(&watch->lock, NULL);
    const int error = pthread_create(&watch->thread, NULL, watch_main, watch);
    if (error != 0) {
        pthread_mutex_destroy(&watch->lock);
        gol_free(watch);
        return gol_fail(err, GOL_ENOMEM, "http: cannot start the watch thread: %s",
                        strerror(error));
    }
    *out = watch;
    return 0;
}

void gol_hangup_watch_destroy(gol_hangup_watch **watch)
{
    if (*watch == NULL)
        return;
    pthread_mutex_lock(&(*watch)->lock);
    (*watch)->stopping = true;
    pthread_mutex_unlock(&(*watch)->lock);
    pthread_join((*watch)->thread, NULL);
    pthread_mutex_destroy(&(*watch)->lock);
    gol_free((*watch)->list);
    gol_free(*watch);
    *watch = NULL;
}

int gol_hangup_watch_add(gol_hangup_watch *watch, int fd, uint64_t key)
{
    int rc = 0;
    pthread_mutex_lock(&watch->lock);
    if (watch->n == watch->cap) {
        const size_t cap = watch->cap ? watch->cap * 2 : 64;
        watched *list = gol_try_realloc(watch->list, cap, sizeof *list);
        if (list == NULL) {
            rc = GOL_ENOMEM;
        } else {
            watch->list = list;
            watch->cap = cap;
        }
    }
    if (rc == 0)
        watch->list[watch->n++] = (watched){.fd = fd, .key = key};
    pthread_mutex_unlock(&watch->lock);
    return rc;
}

void gol_hangup_watch_remove(gol_hangup_watch *watch, int fd)
{
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < watch->n; i++) {
        if (watch->list[i].fd == fd) {
            watch->list[i] = watch->list[--watch->n];
            break;
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

#endif
