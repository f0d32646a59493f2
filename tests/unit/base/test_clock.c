/* The clocks against each other and against sleeping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = gol_clock_ns();
    for (int i = 0; i < 100000; i++) {
        const uint64_t now = gol_clock_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void a_sleep_takes_its_nanoseconds(void **state)
{
    (void)state;
    const uint64_t begin = gol_clock_ns();
    const struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    assert_true(gol_clock_ns() - begin >= 20000000);
}

static void the_wall_clocks_agree_with_time(void **state)
{
    (void)state;
    const int64_t before = (int64_t)time(NULL);
    const int64_t s = gol_clock_unix_s();
    const int64_t ms = gol_clock_unix_ms();
    const int64_t after = (int64_t)time(NULL);
    /* time() may run a tick behind clock_gettime(). */
    assert_in_range(s, before, after + 1);
    assert_in_range(ms / 1000, before, after + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(a_sleep_takes_its_nanoseconds),
        cmocka_unit_test(the_wall_clocks_agree_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
