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
    const uint64_t scores_ns = (uint64_t)l->n_scored_rows * 2000000;
    const gol_step_time time = {rows_of(l) + attention_ns + scores_ns, attention_ns, scores_ns};
    gol_step_cost_observe(cost, l, &time);
}

static void observe_as(gol_step_cost *cost, const gol_step_load *l, uint64_t step_ns,
                       uint64_t attention_ns)
{
    const gol_step_time time = {.step_ns = step_ns, .attention_ns = attention_ns};
    gol_step_cost_observe(cost, l, &time);
}

static gol_step_load load_of(int32_t first, int32_t n, bool is_decode)
{
    return gol_step_load_of(&(gol_slice){.first = first, .n = n, .is_decode = is_decode});
}

static int32_t rows_within(const gol_step_cost *cost, const gol_step_load *load, int32_t first,
                           int32_t n, double limit_ns)
{
    return gol_step_cost_rows_within(cost, load, &(gol_slice){.first = first, .n = n}, limit_ns);
}

static gol_step_load decodes(int32_t n, int32_t context)
{
    gol_step_load sum = {0};
    for (int32_t i = 0; i < n; i++) {
        const gol_step_load one = load_of(context, 1, true);
        gol_step_load_add(&sum, &one);
    }
    return sum;
}

static gol_step_load mixed(int32_t n_decodes, int32_t context, int32_t first, int32_t n)
{
    gol_step_load sum = decodes(n_decodes, context);
    const gol_step_load slice = load_of(first, n, false);
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
    assert_int_equal(rows_within(&cost, &load, 0, 512, 1.0), 512);
}

static void pairs_are_counted_as_rows_see_positions(void **state)
{
    (void)state;
    const gol_step_load load = load_of(10, 3, false); /* 11 + 12 + 13 */
    assert_int_equal(load.n_rows, 3);
    assert_int_equal(load.n_prefill_pairs, 36);
    assert_int_equal(load.n_decode_pairs, 0);
    assert_int_equal(load_of(10, 1, true).n_decode_pairs, 11);
}

static void the_first_guess_from_decodes_is_cautious(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = decodes(4, 100);
    observe(&cost, &load);
    const int32_t n = rows_within(&cost, &load, 0, 512, 200e6);
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
        const int32_t n = rows_within(&cost, &base, first, 512, 200e6);
        load = mixed(4, 100, first, n);
        observe(&cost, &load);
        first += n;
    }
    const gol_step_load base = decodes(4, 100);
    const int32_t n = rows_within(&cost, &base, 0, 512, 200e6);
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
    const int32_t near = rows_within(&cost, &base, 0, 512, 200e6);
    const int32_t far = rows_within(&cost, &base, 16000, 512, 200e6);
    const gol_step_load with = mixed(4, 100, 16000, far);
    const double true_ns = (double)(rows_of(&with) + attention_of(&with));
    assert_true(far < near);
    assert_true(true_ns > 160e6 && true_ns < 210e6);
}

static void disturbed_steps_change_nothing_and_a_lasting_change_is_learned(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = decodes(8, 50);
    for (int i = 0; i < 10; i++)
        observe(&cost, &load);
    const double before = gol_step_cost_predict(&cost, &load);
    const uint64_t attention_ns = attention_of(&load);
    for (int i = 0; i < 100; i++) { /* every fifth, in the product or in attention */
        observe_as(&cost, &load, 100 * rows_of(&load), attention_ns);
        for (int k = 0; k < 4; k++)
            observe(&cost, &load);
        observe_as(&cost, &load, rows_of(&load) + 50 * attention_ns, 50 * attention_ns);
        for (int k = 0; k < 4; k++)
            observe(&cost, &load);
    }
    assert_true(fabs(gol_step_cost_predict(&cost, &load) - before) < 0.01 * before);
    for (int i = 0; i < 12; i++)
        observe_as(&cost, &load, 2 * rows_of(&load) + attention_ns, attention_ns);
    const double after = gol_step_cost_predict(&cost, &load);
    assert_true(fabs(after - 2.0 * (double)rows_of(&load)) < 0.05 * after + (double)attention_ns);
}

static gol_step_load rows_only(int32_t n)
{
    return (gol_step_load){.n_rows = n};
}

/* Two steps of that many rows are all that was seen; a row takes a millisecond. */
static void see_two_sizes(gol_step_cost *cost, int32_t few, int32_t many)
{
    gol_step_cost_init(cost);
    const gol_step_load a = rows_only(few);
    const gol_step_load b = rows_only(many);
    observe_as(cost, &a, (uint64_t)few * 1000000, 0);
    observe_as(cost, &b, (uint64_t)many * 1000000, 0);
}

static void a_size_between_two_known_ones_is_not_learned_from_one_slow_step(void **state)
{
    (void)state;
    gol_step_cost cost;
    see_two_sizes(&cost, 16, 256);
    const gol_step_load between = rows_only(64);
    assert_true(fabs(gol_step_cost_predict(&cost, &between) - 64e6) < 1e6);
    observe_as(&cost, &between, 114000000, 0);
    assert_true(fabs(gol_step_cost_predict(&cost, &between) - 64e6) < 1e6);
    observe_as(&cost, &between, 114000000, 0); /* so it is slow */
    assert_true(gol_step_cost_predict(&cost, &between) > 72e6);
}

static void a_size_between_two_known_ones_is_learned_from_one_quick_step(void **state)
{
    (void)state;
    gol_step_cost cost;
    see_two_sizes(&cost, 16, 256);
    const gol_step_load between = rows_only(64);
    observe_as(&cost, &between, 40000000, 0);
    assert_true(fabs(gol_step_cost_predict(&cost, &between) - 40e6) < 1e6);
}

static void a_size_beyond_the_known_ones_is_learned_from_its_first_step(void **state)
{
    (void)state;
    gol_step_cost cost;
    see_two_sizes(&cost, 16, 64);
    const gol_step_load beyond = rows_only(256);
    const gol_step_load below = rows_only(4);
    observe_as(&cost, &beyond, 500000000, 0);
    observe_as(&cost, &below, 9000000, 0);
    assert_true(fabs(gol_step_cost_predict(&cost, &beyond) - 500e6) < 1e6);
    assert_true(fabs(gol_step_cost_predict(&cost, &below) - 9e6) < 1e6);
}

static void half_of_what_a_step_was_shorter_is_believed_at_once(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_step_load load = mixed(4, 100, 500, 64);
    observe(&cost, &load);
    const double before = gol_step_cost_predict(&cost, &load);
    const uint64_t attention_ns = attention_of(&load);
    observe_as(&cost, &load, (rows_of(&load) + attention_ns) / 2, attention_ns / 2);
    const double after = gol_step_cost_predict(&cost, &load);
    assert_true(after < 0.80 * before && after > 0.70 * before);
    observe(&cost, &load); /* longer again, once */
    assert_true(fabs(gol_step_cost_predict(&cost, &load) - after) < 0.01 * after);
}

static void more_work_is_never_predicted_to_be_shorter(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (uint64_t i = 0; i < 2000; i++) {
        const int32_t n = 1 + (int32_t)(gol_rng_u64(7, 3 * i) % 600);
        const gol_step_load load = load_of((int32_t)(gol_rng_u64(7, 3 * i + 1) % 5000), n, n == 1);
        const uint64_t attention_ns = gol_rng_u64(7, 3 * i + 2) % 50000000;
        observe_as(&cost, &load, attention_ns + gol_rng_u64(9, i) % 2000000000 + 1, attention_ns);
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
        const int32_t n = rows_within(&cost, &base, 700, 512, limit);
        const gol_step_load with = mixed(2, 300, 700, n);
        const gol_step_load over = mixed(2, 300, 700, n + 1);
        assert_true(n == 0 || gol_step_cost_predict(&cost, &with) <= limit);
        assert_true(n == 512 || gol_step_cost_predict(&cost, &over) > limit);
    }
}

/* A prompt from its beginning on, whose rows are scored from position `from` on. */
static gol_slice scored(int32_t n, int32_t from)
{
    return (gol_slice){.n = n, .scores_begin = from, .scores_end = 1000};
}

static void scored_rows_are_those_that_slice_and_wish_have_in_common(void **state)
{
    (void)state;
    const int32_t cases[][5] = {
        /* first, n, begin, end: rows */
        {0, 10, 0, 0, 0},   {0, 10, 0, 99, 10}, {5, 10, 0, 99, 10}, {5, 10, 8, 99, 7},
        {5, 10, 15, 99, 0}, {5, 10, 14, 99, 1}, {5, 10, 0, 5, 0},   {5, 10, 0, 6, 1},
        {5, 10, 7, 9, 2},   {5, 10, 20, 3, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t *c = cases[i];
        const gol_slice slice = {
            .first = c[0], .n = c[1], .scores_begin = c[2], .scores_end = c[3]};
        assert_int_equal(gol_step_load_of(&slice).n_scored_rows, c[4]);
    }
}

static void what_scores_cost_is_learned_beside_the_rows(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (int32_t i = 0; i < 200; i++) {
        const int32_t n = 1 + 7 * i % 80;
        const gol_slice slice = scored(n, i % 3 * n / 2); /* all are scored, half of them, none */
        gol_step_load load = decodes(4, 100);
        const gol_step_load more = gol_step_load_of(&slice);
        gol_step_load_add(&load, &more);
        observe(&cost, &load);
    }
    /* 3 ms a row and 2 ms more when it is scored, (200 - 4 * 3) / 5 = 37; and those that are not scored cost what they did. */
    const gol_step_load base = decodes(4, 100);
    const gol_slice all = scored(512, 0);
    assert_in_range(gol_step_cost_rows_within(&cost, &base, &all, 200e6), 34, 39);
    assert_in_range(rows_within(&cost, &base, 0, 512, 200e6), 57, 66);
    /* 40 rows at 3 ms, then some at 5: (200 - 44 * 3) / 5 = 13 */
    const gol_slice end = scored(512, 40);
    assert_in_range(gol_step_cost_rows_within(&cost, &base, &end, 200e6), 50, 55);
}

static void before_a_scored_row_was_seen_it_counts_as_two(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (int i = 0; i < 20; i++) {
        const gol_step_load load = mixed(0, 0, 0, 20 * (i + 1));
        observe(&cost, &load);
    }
    cost.prefill_pair_ns = 0.0;
    const gol_step_load none = {0};
    const gol_slice all = scored(512, 0);
    const int32_t n = rows_within(&cost, &none, 0, 512, 300e6);
    const int32_t n_scored = gol_step_cost_rows_within(&cost, &none, &all, 300e6);
    assert_in_range(n, 80, 120);
    assert_int_equal(n_scored, n / 2);
}

static void the_logits_of_few_rows_change_a_known_price_little(void **state)
{
    (void)state;
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    const gol_slice many = scored(32, 0);
    const gol_step_load load = gol_step_load_of(&many);
    for (int i = 0; i < 20; i++)
        observe(&cost, &load);
    const gol_slice one = scored(1, 0);
    const gol_step_load few = gol_step_load_of(&one);
    const double before = gol_step_cost_predict(&cost, &load);
    const gol_step_time time = {.step_ns = 80000000, .scores_ns = 30000000}; /* not 2 ms */
    gol_step_cost_observe(&cost, &few, &time);
    assert_true(gol_step_cost_predict(&cost, &load) < 1.05 * before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_predicted_before_anything_was_seen),
        cmocka_unit_test(pairs_are_counted_as_rows_see_positions),
        cmocka_unit_test(the_first_guess_from_decodes_is_cautious),
        cmocka_unit_test(it_learns_how_many_rows_fill_a_step),
        cmocka_unit_test(a_long_context_shortens_the_slice),
        cmocka_unit_test(disturbed_steps_change_nothing_and_a_lasting_change_is_learned),
        cmocka_unit_test(a_size_between_two_known_ones_is_not_learned_from_one_slow_step),
        cmocka_unit_test(a_size_between_two_known_ones_is_learned_from_one_quick_step),
        cmocka_unit_test(a_size_beyond_the_known_ones_is_learned_from_its_first_step),
        cmocka_unit_test(half_of_what_a_step_was_shorter_is_believed_at_once),
        cmocka_unit_test(more_work_is_never_predicted_to_be_shorter),
        cmocka_unit_test(rows_within_is_the_most_that_fits),
        cmocka_unit_test(scored_rows_are_those_that_slice_and_wish_have_in_common),
        cmocka_unit_test(what_scores_cost_is_learned_beside_the_rows),
        cmocka_unit_test(before_a_scored_row_was_seen_it_counts_as_two),
        cmocka_unit_test(the_logits_of_few_rows_change_a_known_price_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
