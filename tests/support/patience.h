/*
 * How long a test waits for what must come. It promises nothing about the program: it is more than a machine needs that is slow,
 * busy, stopped for a while, or runs sanitized code. Who waits for ever is told here where, before CTest's timeout ends the test.
 */
#ifndef TESTS_SUPPORT_PATIENCE_H
#define TESTS_SUPPORT_PATIENCE_H

#include <stdbool.h>
#include <time.h>

enum { PATIENCE_S = 240, PATIENCE_MS = 1000 * PATIENCE_S };

/* Of the test's own pauses, so that time in which the whole process stands still does not count. */
typedef struct patience {
    int n_ms_left;
} patience;

static inline patience patience_begin(void)
{
    return (patience){PATIENCE_MS};
}

/* Sleeps a millisecond; false when it has been long enough. */
static inline bool patience_lasts(patience *p)
{
    const struct timespec ms = {.tv_nsec = 1000000};
    (void)nanosleep(&ms, NULL);
    return p->n_ms_left-- > 0;
}

#endif
