/* Counts what the program holds, by the bytes it asked for: a table from address to size, fed by gol_mem_watch(). Include after
 * cmocka.h. Memory of the table itself comes from malloc() and is not counted. */
#ifndef TESTS_SUPPORT_WATCHED_MEMORY_H
#define TESTS_SUPPORT_WATCHED_MEMORY_H

#include <pthread.h>
#include <stdint.h>

#include "base/mem.h"

enum { WATCHED_SLOTS = 1 << 18 }; /* at least four times the blocks that live at once */

static struct {
    void *p; /* NULL: never used */
    size_t n_bytes;
} watched[WATCHED_SLOTS];
static pthread_mutex_t watched_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t watched_now;
static uint64_t watched_peak;
static size_t n_watched;

static inline size_t watched_find(const void *p)
{
    size_t i = (size_t)((uintptr_t)p * 0x9e3779b97f4a7c15u >> 40) % WATCHED_SLOTS;
    while (watched[i].p && watched[i].p != p)
        i = (i + 1) % WATCHED_SLOTS;
    return i;
}

static inline void watched_note(void *p, size_t n_bytes)
{
    pthread_mutex_lock(&watched_mutex);
    const size_t i = watched_find(p);
    if (!watched[i].p) {
        assert_true(++n_watched < WATCHED_SLOTS / 2);
        watched[i].p = p;
    }
    watched_now += n_bytes;
    watched_now -= watched[i].n_bytes; /* 0 where it was released, or is older than the watch */
    watched[i].n_bytes = n_bytes;
    if (watched_now > watched_peak)
        watched_peak = watched_now;
    pthread_mutex_unlock(&watched_mutex);
}

static inline void watch_memory(void)
{
    watched_now = 0;
    watched_peak = 0;
    n_watched = 0;
    memset(watched, 0, sizeof watched);
    gol_mem_watch(watched_note);
}

static inline void unwatch_memory(void)
{
    gol_mem_watch(NULL);
}

#endif
