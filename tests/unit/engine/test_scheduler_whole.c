/* Prompts of encoders: all rows in one step or none, and whoever is first gets them, however long the step is then. */
#include "unit/engine/scheduler_test.h"

#include "base/rng.h"

enum { MAX_BATCH = 100, MAX_LEN = 128, LIMIT_NS = 5000 };

static void set_up(bench *b, gol_step_cost *cost)
{
    gol_step_cost_init(cost);
    const bench_opts opts = {
        .n_blocks = SEQS_MAX * MAX_LEN / 16,
        .block_size = 16,
        .max_model_len = MAX_LEN,
        .sched = {.max_seqs = SEQS_MAX,
                  .max_batch_tokens = MAX_BATCH,
                  .max_itl_ns = LIMIT_NS,
                  .max_step_ns = LIMIT_NS,
                  .cost = cost},
    };
    bench_init(b, &opts);
}

static gol_seq *add(bench *b, int32_t n)
{
    int32_t prompt[MAX_LEN];
    for (int32_t i = 0; i < n; i++)
        prompt[i] = i % VOCAB;
    gol_seq *seq = seqs_create_from(next_id(b), prompt, n, 0, 0, 0, &b->limits);
    seq->is_whole = true;
    return submit(b, seq);
}

/* One step; those that were computed end. Returns how many. */
static int32_t step_whole(bench *b)
{
    const gol_plan *plan = gol_scheduler_schedule(&b->sched);
    gol_seq *done[SEQS_MAX];
    const int32_t n = plan->n_seqs;
    for (int32_t i = 0; i < n; i++) {
        done[i] = plan->seqs[i];
        assert_int_equal(done[i]->n_scheduled, done[i]->n_prompt);
    }
    gol_scheduler_update(&b->sched);
    for (int32_t i = 0; i < n; i++) {
        assert_int_equal(gol_seq_n_pending(done[i]), 0);
        finish(b, done[i]);
    }
    return n;
}

static void what_does_not_fit_waits_as_a_whole(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    gol_seq *first = add(&b, 60);
    gol_seq *second = add(&b, 60);
    gol_seq *third = add(&b, 40);
    assert_int_equal(step_whole(&b), 2);
    assert_int_equal(first->status, GOL_SEQ_FINISHED);
    assert_int_equal(second->n_computed, 0);
    assert_int_equal(third->status, GOL_SEQ_FINISHED); /* shorter, and there was room */
    assert_int_equal(step_whole(&b), 1);
    assert_int_equal(second->status, GOL_SEQ_FINISHED);
    tear_down(&b);
}

static void a_single_token_is_computed_once(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    add(&b, 1);
    assert_int_equal(step_whole(&b), 1);
    add(&b, 1);
    add(&b, 1);
    assert_int_equal(step_whole(&b), 2);
    tear_down(&b);
}

static void a_prompt_as_long_as_a_step_is_computed(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    add(&b, 1);
    gol_seq *longest = add(&b, MAX_BATCH);
    int n_steps = 0;
    while (longest->status != GOL_SEQ_FINISHED && n_steps < 3) {
        step_whole(&b);
        n_steps++;
    }
    assert_int_equal(n_steps, 2);
    tear_down(&b);
}

/* Each row costs more than the whole step may last. */
static void the_oldest_is_in_every_step_whatever_it_costs(void **state)
{
    (void)state;
    gol_rng rng = {.key = 1};
    for (int round = 0; round < 300; round++) {
        gol_step_cost cost;
        bench b;
        set_up(&b, &cost);
        if (round % 2 == 0)
            cost.prefill_pair_ns = 2.0 * LIMIT_NS;
        for (int i = 0; i < SEQS_MAX; i++) {
            const bool is_short = gol_rng_below(&rng, 3) == 0;
            add(&b, 1 + (int32_t)gol_rng_below(&rng, is_short ? 2 : MAX_BATCH));
            if (gol_rng_below(&rng, 2) == 0)
                step_whole(&b);
        }
        for (int i = 0; i < b.n_seqs; i++) {
            if (b.seqs[i]->status == GOL_SEQ_FINISHED)
                continue;
            assert_true(step_whole(&b) > 0);
            assert_int_equal(b.seqs[i]->status, GOL_SEQ_FINISHED);
        }
        tear_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_waits_as_a_whole),
        cmocka_unit_test(a_single_token_is_computed_once),
        cmocka_unit_test(a_prompt_as_long_as_a_step_is_computed),
        cmocka_unit_test(the_oldest_is_in_every_step_whatever_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
