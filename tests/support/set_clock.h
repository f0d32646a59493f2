/*
 * A clock that the test sets, in place of the one in base/clock.c: nothing in the program becomes late because the machine is
 * busy, and what a deadline does needs no waiting. Included once per test program.
 */
#ifndef TESTS_SUPPORT_SET_CLOCK_H
#define TESTS_SUPPORT_SET_CLOCK_H

#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

static _Atomic uint64_t set_clock_ns = (uint64_t)1000000 * 1000000000; /* running for some days */

uint64_t gol_clock_ns(void)
{
    return atomic_load(&set_clock_ns);
}

int64_t gol_clock_unix_s(void)
{
    return (int64_t)time(NULL);
}

int64_t gol_clock_unix_ms(void)
{
    return gol_clock_unix_s() * 1000;
}

static inline void set_clock_advance(uint64_t ms)
{
    atomic_fetch_add(&set_clock_ns, ms * 1000000);
}

#endif
