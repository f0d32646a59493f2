/* See step_budget.h. */
#include "engine/step_budget.h"

#include <assert.h>

#include "base/minmax.h"

void gol_step_budget_init(gol_step_budget *b, const gol_step_cost *cost, int32_t n_rows)
{
    *b = (gol_step_budget){.cost = cost, .n_rows_left = n_rows};
}

void gol_step_budget_set_limit(gol_step_budget *b, double limit_ns)
{
    b->limit_ns = b->cost ? limit_ns : 0.0;
}

int32_t gol_step_budget_grant(const gol_step_budget *b, const gol_slice *slice)
{
    gol_slice most = *slice;
    most.n = gol_min_i32(slice->n, b->n_rows_left);
    if (b->limit_ns <= 0.0)
        return most.n;
    const int32_t n_in_time = gol_step_cost_rows_within(b->cost, &b->load, &most, b->limit_ns);
    const int32_t n_floor = gol_max_i32(0, GOL_STEP_PROMPT_ROWS_MIN - b->n_prompt_rows);
    return gol_max_i32(n_in_time, gol_min_i32(most.n, n_floor));
}

void gol_step_budget_take(gol_step_budget *b, const gol_slice *slice)
{
    assert(slice->n <= b->n_rows_left);
    const gol_step_load load = gol_step_load_of(slice);
    gol_step_load_add(&b->load, &load);
    b->n_rows_left -= slice->n;
    b->n_prompt_rows += slice->is_decode ? 0 : slice->n;
}

void gol_step_budget_give_back(gol_step_budget *b, const gol_slice *slice)
{
    const gol_step_load load = gol_step_load_of(slice);
    b->load.n_rows -= load.n_rows;
    b->load.n_decode_pairs -= load.n_decode_pairs;
    b->load.n_prefill_pairs -= load.n_prefill_pairs;
    b->load.n_scored_rows -= load.n_scored_rows;
    b->n_rows_left += slice->n;
    b->n_prompt_rows -= slice->is_decode ? 0 : slice->n;
}
