/* The cost model against machines whose cost is known: what it learns, how fast, and that it never contradicts itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/step_cost.h"

/* A machine that reads its weights in 50 ms, multiplies a row in 3 ms, and pays for attention by the pair. */
static uint64_t attention_of(const gol_step_load *l)
{
    return (uint64_t)(l->n_decode_pairs * 900 + l->n_prefill_pairs * 150);
}

static uint64_t rows_of(const gol_step_load *l)
{
    const double read = 50e6;
    const double multiply = 3e6 * (double)l->n_rows;
    return (uint64_t)(read > multiply ? read : multiply);
}

static void observe(gol_step_cost *cost, const gol_step_load *l)
{
    const uint64_t attention_ns = attention_of(l);
    gol_step_cost_observe(cost, l, rows_of(l) + attention_ns, attention_ns);
}

static gol_step_load decodes(int32_t n, int32_t context)
{
    gol_step_load sum = {0};
    for (int32_t i = 0; i < n; i++) {
        const gol_step_load one = gol_step_load_of(context, 1, true);
        gol_step_load_add(&sum, &one);
    }
    return sum;
}

static gol_step_load mixed(int32_t n_decodes, int32_t context, int32_t first, int32_t n)
{
    gol_step_load sum = decodes(n_decodes, context);
    const gol_step_load slice = gol_step_load_of(first, n, false);
    gol_step_load_add(&sum, &slice);
    return sum;
}

static void nothing_is_predicted_before_anything_was_seen(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = mixed(4, 100, 0, 500);
    assert_true(gol_step_cost_predict(&cost, &load) == 0.0);
    assert_int_equal(gol_step_cost_rows_within(&cost, &load, 0, 512, 1.0), 512);
}

static void pairs_are_counted_as_rows_see_positions(void **state)
{
    (void)state;
    const gol_step_load load = gol_step_load_of(10, 3, false); /* 11 + 12 + 13 */
    assert_int_equal(load.n_rows, 3);
    assert_int_equal(load.n_prefill_pairs, 36);
    assert_int_equal(load.n_decode_pairs, 0);
    assert_int_equal(gol_step_load_of(10, 1, true).n_decode_pairs, 11);
}

static void the_first_guess_from_decodes_is_cautious(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = decodes(4, 100);
    observe(&cost, &load);
    const int32_t n = gol_step_cost_rows_within(&cost, &load, 0, 512, 200e6);
    const gol_step_load with = mixed(4, 100, 0, n);
    assert_true(rows_of(&with) <= 200000000);
    assert_true(n >= 8);
}

static void it_learns_how_many_rows_fill_a_step(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    gol_step_load load = decodes(4, 100);
    observe(&cost, &load);
    int32_t first = 0;
    for (int i = 0; i < 10; i++) {
        const gol_step_load base = decodes(4, 100);
        const int32_t n = gol_step_cost_rows_within(&cost, &base, first, 512, 200e6);
        load = mixed(4, 100, first, n);
        observe(&cost, &load);
        first += n;
    }
    const gol_step_load base = decodes(4, 100);
    const int32_t n = gol_step_cost_rows_within(&cost, &base, 0, 512, 200e6);
    assert_in_range(n, 58, 66); /* (200 ms - attention) / 3 ms - 4 = 62 */
}

static void a_long_context_shortens_the_slice(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (int i = 0; i < 20; i++) {
        const gol_step_load decode = decodes(4, 100);
        observe(&cost, &decode);
        const gol_step_load load = mixed(4, 100, 1000 + 40 * i, 20 + 2 * i);
        observe(&cost, &load);
    }
    const gol_step_load base = decodes(4, 100);
    const int32_t near = gol_step_cost_rows_within(&cost, &base, 0, 512, 200e6);
    const int32_t far = gol_step_cost_rows_within(&cost, &base, 16000, 512, 200e6);
    const gol_step_load with = mixed(4, 100, 16000, far);
    const double true_ns = (double)(rows_of(&with) + attention_of(&with));
    assert_true(far < near);
    assert_true(true_ns > 160e6 && true_ns < 210e6);
}

static void one_disturbed_step_changes_little_and_a_lasting_change_is_learned(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = decodes(8, 50);
    for (int i = 0; i < 10; i++)
        observe(&cost, &load);
    const double before = gol_step_cost_predict(&cost, &load);
    const uint64_t attention_ns = attention_of(&load);
    gol_step_cost_observe(&cost, &load, 100 * rows_of(&load), attention_ns);
    assert_true(gol_step_cost_predict(&cost, &load) < 1.6 * before);
    for (int i = 0; i < 12; i++)
        gol_step_cost_observe(&cost, &load, 2 * rows_of(&load) + attention_ns, attention_ns);
    const double after = gol_step_cost_predict(&cost, &load);
    assert_true(fabs(after - 2.0 * (double)rows_of(&load)) < 0.05 * after + (double)attention_ns);
}

static void more_work_is_never_predicted_to_be_shorter(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (uint64_t i = 0; i < 2000; i++) {
        const int32_t n = 1 + (int32_t)(gol_rng_u64(7, 3 * i) % 600);
        const gol_step_load load = gol_step_load_of((int32_t)(gol_rng_u64(7, 3 * i + 1) % 5000), n,
                                                    n == 1);
        const uint64_t attention_ns = gol_rng_u64(7, 3 * i + 2) % 50000000;
        gol_step_cost_observe(&cost, &load, attention_ns + gol_rng_u64(9, i) % 2000000000 + 1,
                              attention_ns);
        double last = 0.0;
        for (int32_t rows = 1; rows < 70000; rows += 1 + rows / 3) {
            const gol_step_load l = {.n_rows = rows};
            const double ns = gol_step_cost_predict(&cost, &l);
            assert_true(ns >= last * (1 - 1e-12) && isfinite(ns)); /* but for rounding */
            last = ns;
        }
    }
}

static void rows_within_is_the_most_that_fits(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (int i = 0; i < 40; i++) {
        const gol_step_load load = mixed(2, 300, 20 * i, 1 + 13 * i);
        observe(&cost, &load);
    }
    const gol_step_load base = decodes(2, 300);
    for (double limit = 40e6; limit < 2e9; limit *= 1.3) {
        const int32_t n = gol_step_cost_rows_within(&cost, &base, 700, 512, limit);
        const gol_step_load with = mixed(2, 300, 700, n);
        const gol_step_load over = mixed(2, 300, 700, n + 1);
        assert_true(n == 0 || gol_step_cost_predict(&cost, &with) <= limit);
        assert_true(n == 512 || gol_step_cost_predict(&cost, &over) > limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_predicted_before_anything_was_seen),
        cmocka_unit_test(pairs_are_counted_as_rows_see_positions),
        cmocka_unit_test(the_first_guess_from_decodes_is_cautious),
        cmocka_unit_test(it_learns_how_many_rows_fill_a_step),
        cmocka_unit_test(a_long_context_shortens_the_slice),
        cmocka_unit_test(one_disturbed_step_changes_little_and_a_lasting_change_is_learned),
        cmocka_unit_test(more_work_is_never_predicted_to_be_shorter),
        cmocka_unit_test(rows_within_is_the_most_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
