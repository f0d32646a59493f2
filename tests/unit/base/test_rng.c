/* Philox against the known answers of its authors' library, and the properties of what is drawn from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/rng.h"

/* Random123, tests/kat_vectors, rows "philox4x32 10". */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        gol_rng_philox(out, rows[i].counter, rows[i].key);
        assert_memory_equal(out, rows[i].out, sizeof out);
        uint32_t in_place[4];
        memcpy(in_place, rows[i].counter, sizeof in_place);
        gol_rng_philox(in_place, in_place, rows[i].key);
        assert_memory_equal(in_place, rows[i].out, sizeof out);
    }
}

static void u64_is_the_first_half_of_the_block(void **state)
{
    (void)state;
    assert_true(gol_rng_u64(0, 0) == 0xe169c58d6627e8d5u);
    const uint32_t counter[4] = {0x243f6a88, 0x85a308d3, 0, 0};
    const uint32_t key[2] = {0xa4093822, 0x299f31d0};
    uint32_t out[4];
    gol_rng_philox(out, counter, key);
    assert_true(gol_rng_u64(0x299f31d0a4093822u, 0x85a308d3243f6a88u) ==
                ((uint64_t)out[1] << 32 | out[0]));
}

static void a_stream_is_its_counters_in_order(void **state)
{
    (void)state;
    gol_rng rng = {.key = 7, .counter = UINT64_MAX - 2};
    for (uint64_t i = 0; i < 5; i++) /* over the wrap */
        assert_true(gol_rng_next(&rng) == gol_rng_u64(7, UINT64_MAX - 2 + i));
    rng.counter = 10;
    assert_true(gol_rng_next_unit(&rng) == gol_rng_unit(7, 10));
}

static void units_are_below_one_and_spread_evenly(void **state)
{
    (void)state;
    enum { N = 100000, N_BINS = 20 };
    int bins[N_BINS] = {0};
    double sum = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double u = gol_rng_unit(1, i);
        assert_true(u >= 0.0 && u < 1.0);
        bins[(int)(u * N_BINS)]++;
        sum += u;
    }
    /* 5 sigma: sqrt(1/12 / N) for the mean, sqrt(N p (1 - p)) for a bin. */
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    for (int b = 0; b < N_BINS; b++)
        assert_true(fabs(bins[b] - (double)N / N_BINS) < 5 * sqrt(N * 0.05 * 0.95));
}

static void below_stays_below_and_reaches_everything(void **state)
{
    (void)state;
    gol_rng rng = {.key = 3};
    for (int i = 0; i < 100; i++)
        assert_true(gol_rng_below(&rng, 1) == 0);
    for (uint64_t n = 2; n <= 17; n++) {
        uint64_t counts[17] = {0};
        for (uint64_t i = 0; i < 1000 * n; i++) {
            const uint64_t value = gol_rng_below(&rng, n);
            assert_true(value < n);
            counts[value]++;
        }
        for (uint64_t v = 0; v < n; v++)
            assert_true(fabs((double)counts[v] - 1000.0) < 5 * sqrt(1000.0));
    }
    for (int i = 0; i < 100; i++)
        assert_true(gol_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

/* With n = 3 * 2^62 plain modulo would give the lowest third twice as often. */
static void below_is_not_biased_towards_small_numbers(void **state)
{
    (void)state;
    enum { N = 30000 };
    gol_rng rng = {.key = 4};
    const uint64_t n = (uint64_t)3 << 62;
    int n_low = 0;
    for (int i = 0; i < N; i++)
        n_low += gol_rng_below(&rng, n) < (uint64_t)1 << 62;
    assert_true(fabs(n_low - N / 3.0) < 5 * sqrt(N * 2.0 / 9));
}

static void normals_have_mean_zero_and_variance_one(void **state)
{
    (void)state;
    enum { N = 100000 };
    gol_rng rng = {.key = 5};
    double sum = 0, sum2 = 0, sum4 = 0;
    for (int i = 0; i < N; i++) {
        const double x = gol_rng_next_normal(&rng);
        assert_true(isfinite(x));
        sum += x;
        sum2 += x * x;
        sum4 += x * x * x * x;
    }
    assert_true(rng.counter == 2 * N);
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(sum2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(sum4 / N - 3) < 5 * sqrt(96.0 / N));
}

static void entropy_fills_every_length_and_never_repeats(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 255, 256, 257, 1000};
    for (size_t i = 0; i < 6; i++) {
        unsigned char bytes[1001];
        memset(bytes, 0xa5, sizeof bytes);
        gol_rng_entropy(bytes, lengths[i]);
        assert_int_equal(bytes[lengths[i]], 0xa5);
        /* The chance that 64 random bytes are all untouched is 2^-512. */
        for (size_t at = 0; at + 64 <= lengths[i]; at += 64) {
            size_t n_same = 0;
            for (size_t k = at; k < at + 64; k++)
                n_same += bytes[k] == 0xa5;
            assert_true(n_same < 64);
        }
    }
    uint64_t a[2], b[2];
    gol_rng_entropy(a, sizeof a);
    gol_rng_entropy(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(u64_is_the_first_half_of_the_block),
        cmocka_unit_test(a_stream_is_its_counters_in_order),
        cmocka_unit_test(units_are_below_one_and_spread_evenly),
        cmocka_unit_test(below_stays_below_and_reaches_everything),
        cmocka_unit_test(below_is_not_biased_towards_small_numbers),
        cmocka_unit_test(normals_have_mean_zero_and_variance_one),
        cmocka_unit_test(entropy_fills_every_length_and_never_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
