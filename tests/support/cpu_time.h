/*
 * Time for tests that bound how much is computed: of this thread on a processor, so that a machine which is busy with something else
 * changes little.
 */
#ifndef TESTS_SUPPORT_CPU_TIME_H
#define TESTS_SUPPORT_CPU_TIME_H

#include <time.h>

static inline double cpu_seconds_of_thread(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
