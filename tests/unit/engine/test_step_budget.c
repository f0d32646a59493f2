/* What a step may take: rows, time, and the floor that keeps prompts moving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/step_budget.h"

/* 10 ms and 1 ms per row; attention costs nothing. */
static gol_step_cost learned(void)
{
    gol_step_cost cost;
    gol_step_cost_init(&cost);
    for (int round = 0; round < 60; round++) {
        for (int32_t n = 1; n <= 512; n += 1 + n / 4) {
            const gol_step_load load = {.n_rows = n};
            const gol_step_time time = {.step_ns = 10000000 + 1000000 * (uint64_t)n};
            gol_step_cost_observe(&cost, &load, &time);
        }
    }
    return cost;
}

static void take(gol_step_budget *b, int32_t first, int32_t n, bool is_decode)
{
    gol_step_budget_take(b, &(gol_slice){.first = first, .n = n, .is_decode = is_decode});
}

static int32_t grant(const gol_step_budget *b, int32_t first, int32_t n)
{
    return gol_step_budget_grant(b, &(gol_slice){.first = first, .n = n});
}

static void without_a_limit_only_rows_count(void **state)
{
    (void)state;
    gol_step_budget b;
    gol_step_budget_init(&b, NULL, 100);
    gol_step_budget_set_limit(&b, 1.0); /* without a cost there is no time */
    take(&b, 7, 1, true);
    assert_int_equal(grant(&b, 0, 1000), 99);
    assert_int_equal(grant(&b, 0, 5), 5);
    take(&b, 0, 99, false);
    assert_int_equal(grant(&b, 0, 1), 0);
}

static void rows_fill_the_step_up_to_its_limit(void **state)
{
    (void)state;
    const gol_step_cost cost = learned();
    gol_step_budget b;
    gol_step_budget_init(&b, &cost, 512);
    for (int i = 0; i < 4; i++)
        take(&b, 100, 1, true);
    gol_step_budget_set_limit(&b, 110e6);
    assert_in_range(grant(&b, 0, 512), 93, 99);
}

static void what_was_given_back_can_be_taken_again(void **state)
{
    (void)state;
    const gol_step_cost cost = learned();
    gol_step_budget b;
    gol_step_budget_init(&b, &cost, 512);
    gol_step_budget_set_limit(&b, 110e6);
    const int32_t n = grant(&b, 30, 512);
    const gol_slice slice = {.first = 30, .n = 40};
    gol_step_budget_take(&b, &slice);
    assert_true(grant(&b, 30, 512) < n);
    gol_step_budget_give_back(&b, &slice);
    assert_int_equal(grant(&b, 30, 512), n);
    assert_int_equal(b.n_rows_left, 512);
}

static void prompts_move_even_when_decodes_fill_the_step(void **state)
{
    (void)state;
    const gol_step_cost cost = learned();
    gol_step_budget b;
    gol_step_budget_init(&b, &cost, 512);
    for (int i = 0; i < 200; i++)
        take(&b, 100, 1, true);
    gol_step_budget_set_limit(&b, 110e6);
    assert_int_equal(grant(&b, 0, 512), GOL_STEP_PROMPT_ROWS_MIN);
    take(&b, 0, GOL_STEP_PROMPT_ROWS_MIN, false);
    assert_int_equal(grant(&b, 0, 512), 0);
}

static void scored_rows_take_more_of_the_time_and_give_it_back(void **state)
{
    (void)state;
    gol_step_cost cost = learned();
    cost.scored_row_ns = 1000000;
    gol_step_budget b;
    gol_step_budget_init(&b, &cost, 512);
    gol_step_budget_set_limit(&b, 110e6);
    const gol_slice scored = {.n = 512, .scores_end = 511};
    assert_in_range(gol_step_budget_grant(&b, &scored), 48, 51); /* of 100 */
    const gol_slice slice = {.n = 30, .scores_end = 511};
    gol_step_budget_take(&b, &slice);
    assert_int_equal(b.load.n_scored_rows, 30);
    assert_in_range(grant(&b, 0, 512), 37, 41);
    gol_step_budget_give_back(&b, &slice);
    assert_int_equal(b.load.n_scored_rows, 0);
    assert_in_range(gol_step_budget_grant(&b, &scored), 48, 51);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_only_rows_count),
        cmocka_unit_test(rows_fill_the_step_up_to_its_limit),
        cmocka_unit_test(what_was_given_back_can_be_taken_again),
        cmocka_unit_test(prompts_move_even_when_decodes_fill_the_step),
        cmocka_unit_test(scored_rows_take_more_of_the_time_and_give_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
