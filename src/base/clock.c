/* The two clocks. Both calls cannot fail on the systems we build for (POSIX requires both clocks there). */
#include "base/clock.h"

#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return t;
}

uint64_t gol_clock_ns(void)
{
    const struct timespec t = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t gol_clock_unix_s(void)
{
    return (int64_t)read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t gol_clock_unix_ms(void)
{
    const struct timespec t = read_clock(CLOCK_REALTIME);
    return (int64_t)t.tv_sec * 1000 + (int64_t)(t.tv_nsec / 1000000);
}
