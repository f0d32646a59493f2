/*
 * Hang-up watch on Linux. The watched sockets also sit in libmicrohttpd's own epoll set; the two do not disturb each other.
 * EPOLLONESHOT: one report per add.
 */
#ifdef __linux__

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/hangup_watch.h"

struct gol_hangup_watch {
    gol_hangup_watch_events events;
    int epoll_fd;
    atomic_bool stopping;
    pthread_t thread;
};

enum { REPORTS_MAX = 64 };

static void *watch_main(void *arg)
{
    gol_hangup_watch *watch = arg;
    struct epoll_event reports[REPORTS_MAX];
    uint64_t last_tick_ns = gol_clock_ns();

    while (!atomic_load(&watch->stopping)) {
        const int n = epoll_wait(watch->epoll_fd, reports, REPORTS_MAX, GOL_HANGUP_TICK_MS);
        for (int i = 0; i < n; i++)
            watch->events.on_hangup(watch->events.user, reports[i].data.u64);
        const uint64_t now_ns = gol_clock_ns();
        if (now_ns - last_tick_ns >= (uint64_t)GOL_HANGUP_TICK_MS * 1000000u) {
            last_tick_ns = now_ns;
            watch->events.on_tick(watch->events.user);
        }
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
    watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (watch->epoll_fd < 0) {
        const int rc = gol_fail(err, GOL_EIO, "http: epoll: %s", strerror(errno));
        gol_free(watch);
        return rc;
    }
    const int error = pthread_create(&watch->thread, NULL, watch_main, watch);
    if (error != 0) {
        close(watch->epoll_fd);
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
    atomic_store(&(*watch)->stopping, true);
    pthread_join((*watch)->thread, NULL); /* at most one tick away */
    close((*watch)->epoll_fd);
    gol_free(*watch);
    *watch = NULL;
}

int gol_hangup_watch_add(gol_hangup_watch *watch, int fd, uint64_t key)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.u64 = key};
    if (epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    return errno == ENOMEM || errno == ENOSPC ? GOL_ENOMEM : GOL_EIO;
}

void gol_hangup_watch_remove(gol_hangup_watch *watch, int fd)
{
    (void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* ENOENT: add had failed */
}

#endif
