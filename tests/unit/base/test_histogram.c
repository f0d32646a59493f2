/* Ranges, bounds and sums of histograms, and reading one while it is written. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static const double bounds[] = {0.5, 1.0, 10.0};

static void values_fall_into_the_first_range_that_holds_them(void **state)
{
    (void)state;
    gol_histogram h;
    gol_histogram_init(&h, bounds, 3);
    const double values[] = {0.0, 0.5, 0.50001, 1.0, 9.0, 10.0, 10.1, INFINITY};
    for (size_t i = 0; i < 7; i++)
        gol_histogram_observe(&h, values[i]);
    gol_histogram_view view;
    gol_histogram_read(&h, &view);
    assert_int_equal(view.n, 7);
    assert_int_equal(view.counts[0], 2);
    assert_int_equal(view.counts[1], 2);
    assert_int_equal(view.counts[2], 2);
    assert_int_equal(view.counts[3], 1);
    assert_true(fabs(view.sum - 31.10001) < 1e-9);
}

static void what_is_no_number_is_counted_above_and_not_summed(void **state)
{
    (void)state;
    gol_histogram h;
    gol_histogram_init(&h, bounds, 3);
    gol_histogram_observe(&h, NAN);
    gol_histogram_observe(&h, 2.0);
    gol_histogram_view view;
    gol_histogram_read(&h, &view);
    assert_int_equal(view.counts[3], 1);
    assert_int_equal(view.n, 2);
    assert_true(view.sum == 2.0);
}

enum { N_OBSERVED = 200000 };

static void *observe_many(void *arg)
{
    for (int i = 0; i < N_OBSERVED; i++)
        gol_histogram_observe(arg, (double)(i % 12));
    return NULL;
}

static void readers_never_see_counts_fall(void **state)
{
    (void)state;
    gol_histogram h;
    gol_histogram_init(&h, bounds, 3);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, observe_many, &h), 0);
    uint64_t last = 0;
    while (last < N_OBSERVED) {
        gol_histogram_view view;
        gol_histogram_read(&h, &view);
        assert_true(view.n >= last);
        last = view.n;
    }
    pthread_join(writer, NULL);
    assert_int_equal(last, N_OBSERVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_the_first_range_that_holds_them),
        cmocka_unit_test(what_is_no_number_is_counted_above_and_not_summed),
        cmocka_unit_test(readers_never_see_counts_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
