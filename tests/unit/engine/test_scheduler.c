/* Single decisions of the scheduler, each in the smallest case that shows it. Whole lives are simulated in tests/sim. */
#include "unit/engine/scheduler_test.h"

static void set_up(bench *b, int32_t n_blocks, int32_t max_seqs, int32_t max_batch_tokens,
                   gol_sched_policy policy)
{
    const bench_opts opts = {
        .n_blocks = n_blocks,
        .block_size = 4,
        .max_model_len = 64,
        .sched = {.policy = policy, .max_seqs = max_seqs, .max_batch_tokens = max_batch_tokens},
    };
    bench_init(b, &opts);
}

static gol_seq *add(bench *b, int32_t n_prompt, int32_t max_tokens, int32_t priority)
{
    return submit(b, seqs_create(next_id(b), n_prompt, max_tokens, priority, &b->limits));
}

static void a_prompt_is_computed_in_slices_of_the_budget(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 16, 4, 8, GOL_SCHED_FCFS);
    gol_seq *seq = add(&b, 19, 4, 0);
    const int32_t expected[] = {8, 8, 3, 1, 1};
    for (int i = 0; i < 5; i++)
        assert_int_equal(step(&b), expected[i]);
    assert_int_equal(seq->n_computed, 21);
    assert_int_equal(seq->n_tokens, 22);
    tear_down(&b);
}

static void decodes_come_before_a_prompt_of_higher_rank(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 16, 4, 4, GOL_SCHED_PRIORITY);
    gol_seq *decode = add(&b, 1, 4, 5);
    step(&b);
    gol_seq *prompt = add(&b, 20, 4, 0);
    for (int i = 1; i <= 3; i++) {
        step(&b);
        assert_int_equal(decode->n_computed, 1 + i);
        assert_int_equal(prompt->n_computed, 3 * i);
    }
    assert_ptr_equal(b.sched.running.head, prompt);
    tear_down(&b);
}

static void one_step_mixes_decodes_and_new_prompts(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 16, 4, 8, GOL_SCHED_FCFS);
    gol_seq *first = add(&b, 3, 8, 0);
    step(&b);
    gol_seq *second = add(&b, 5, 8, 0);
    gol_seq *third = add(&b, 5, 8, 0);
    const gol_plan *plan = gol_scheduler_schedule(&b.sched);
    assert_int_equal(plan->n_tokens, 8);
    assert_int_equal(first->n_scheduled, 1);
    assert_int_equal(second->n_scheduled, 5);
    assert_int_equal(third->n_scheduled, 2);
    assert_ptr_equal(plan->seqs[0], first);
    assert_ptr_equal(plan->seqs[2], third);
    gol_scheduler_update(&b.sched);
    tear_down(&b);
}

static void a_short_prompt_does_not_wait_for_a_long_one(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 32, 4, 8, GOL_SCHED_FCFS);
    gol_seq *book = add(&b, 50, 4, 0);
    step(&b);
    gol_seq *question = add(&b, 4, 4, 0);
    step(&b);
    assert_int_equal(question->n_computed, 4); /* half of the step */
    assert_int_equal(book->n_computed, 8 + 4);
    step(&b); /* and the other one has the rest again */
    assert_int_equal(question->n_computed, 5);
    assert_int_equal(book->n_computed, 12 + 7);
    tear_down(&b);
}

static void of_short_prompts_the_shortest_comes_first(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 40, 8, 8, GOL_SCHED_FCFS);
    add(&b, 60, 2, 0);
    step(&b);
    gol_seq *longer = add(&b, 40, 2, 0);
    gol_seq *shorter = add(&b, 3, 2, 0);
    step(&b);
    assert_int_equal(shorter->n_computed, 3);
    assert_int_equal(longer->n_computed, 1);
    tear_down(&b);
}

static void a_longer_prompt_waits_for_the_first(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 40, 4, 8, GOL_SCHED_FCFS);
    gol_seq *first = add(&b, 20, 2, 0);
    step(&b);
    gol_seq *second = add(&b, 40, 2, 0);
    step(&b);
    assert_int_equal(first->n_computed, 16);
    assert_int_equal(second->n_computed, 0);
    tear_down(&b);
}

static void a_less_important_prompt_overtakes_nobody(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 32, 4, 8, GOL_SCHED_PRIORITY);
    gol_seq *book = add(&b, 50, 4, 1);
    step(&b);
    gol_seq *less = add(&b, 2, 4, 2);
    gol_seq *equal = add(&b, 3, 4, 1);
    step(&b);
    assert_int_equal(less->n_computed, 0);
    assert_int_equal(equal->n_computed, 3);
    assert_int_equal(book->n_computed, 8 + 5);
    tear_down(&b);
}

static void nobody_overtakes_one_that_lacks_blocks(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 16, 4, 8, GOL_SCHED_FCFS);
    gol_seq *running = add(&b, 40, 4, 0); /* 10 of 16 blocks */
    step(&b);
    gol_seq *blocked = add(&b, 36, 4, 0); /* 9 */
    gol_seq *small = add(&b, 2, 2, 0);
    for (int i = 0; i < 3; i++)
        step(&b);
    assert_int_equal(running->n_computed, 32);
    assert_int_equal(blocked->n_computed, 0);
    assert_int_equal(small->n_computed, 0);
    tear_down(&b);
}

static void no_more_than_max_seqs_run(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 16, 2, 8, GOL_SCHED_FCFS);
    gol_seq *first = add(&b, 1, 4, 0);
    add(&b, 1, 4, 0);
    gol_seq *third = add(&b, 1, 4, 0);
    step(&b);
    assert_int_equal(b.sched.running.n, 2);
    assert_int_equal(third->status, GOL_SEQ_WAITING);
    gol_scheduler_finish(&b.sched, first);
    step(&b);
    assert_int_equal(third->status, GOL_SEQ_RUNNING);
    tear_down(&b);
}

static void the_newest_gives_way_and_keeps_its_tokens(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 4, 4, 16, GOL_SCHED_FCFS);
    gol_seq *old = add(&b, 4, 12, 0);
    gol_seq *young = add(&b, 3, 12, 0);
    step(&b);
    step(&b); /* the old one is in its second block */
    assert_int_equal(young->status, GOL_SEQ_RUNNING);
    while (young->status == GOL_SEQ_RUNNING)
        step(&b);
    assert_int_equal(young->status, GOL_SEQ_PREEMPTED);
    assert_int_equal(young->n_computed, 0);
    assert_int_equal(young->n_blocks, 0);
    assert_in_range(young->n_tokens, 8, 15);
    assert_ptr_equal(b.sched.waiting.head, young);
    assert_int_equal(b.sched.n_preemptions, 1);
    assert_int_equal(old->status, GOL_SEQ_RUNNING);

    const int32_t n_tokens = young->n_tokens;
    gol_scheduler_finish(&b.sched, old);
    assert_int_equal(step(&b), n_tokens); /* prompt and output at once */
    assert_int_equal(young->n_computed, n_tokens);
    assert_int_equal(young->n_tokens, n_tokens + 1);
    tear_down(&b);
}

static void a_preempted_sequence_comes_back_before_those_that_never_ran(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 4, 2, 16, GOL_SCHED_FCFS);
    gol_seq *old = add(&b, 4, 12, 0);
    gol_seq *young = add(&b, 4, 12, 0);
    gol_seq *newcomer = add(&b, 1, 1, 0);
    while (young->status != GOL_SEQ_PREEMPTED)
        step(&b);
    assert_ptr_equal(b.sched.waiting.head, young);
    assert_ptr_equal(b.sched.waiting.tail, newcomer);
    assert_int_equal(newcomer->status, GOL_SEQ_WAITING); /* although one block would do */
    assert_int_equal(old->status, GOL_SEQ_RUNNING);
    tear_down(&b);
}

static void a_sequence_starts_only_when_running_ones_keep_a_spare_block(void **state)
{
    (void)state;
    for (int32_t n_blocks = 7; n_blocks <= 8; n_blocks++) {
        bench b;
        set_up(&b, n_blocks, 4, 32, GOL_SCHED_FCFS);
        add(&b, 24, 4, 0); /* 6 blocks */
        gol_seq *small = add(&b, 4, 4, 0);
        step(&b);
        assert_int_equal(small->status, n_blocks == 8 ? GOL_SEQ_RUNNING : GOL_SEQ_WAITING);
        tear_down(&b);
    }
}

static void a_long_prompt_starts_only_when_all_of_it_fits(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 8, 4, 8, GOL_SCHED_FCFS);
    gol_seq *first = add(&b, 4, 12, 0);
    gol_seq *big = add(&b, 28, 4, 0); /* 7 blocks; a first slice of 4 tokens would fit */
    step(&b);
    assert_int_equal(big->status, GOL_SEQ_WAITING);
    gol_scheduler_finish(&b.sched, first);
    step(&b);
    assert_int_equal(big->status, GOL_SEQ_RUNNING);
    assert_int_equal(big->n_computed, 8);
    tear_down(&b);
}

static void priority_decides_who_starts_and_who_gives_way(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 8, 2, 16, GOL_SCHED_PRIORITY);
    gol_seq *low = add(&b, 4, 20, 9);
    gol_seq *mid = add(&b, 4, 20, 5);
    gol_seq *high = add(&b, 4, 20, -1);
    step(&b);
    assert_int_equal(high->status, GOL_SEQ_RUNNING);
    assert_int_equal(mid->status, GOL_SEQ_RUNNING);
    assert_int_equal(low->status, GOL_SEQ_WAITING);
    assert_ptr_equal(b.sched.running.head, high);
    while (mid->status == GOL_SEQ_RUNNING)
        step(&b);
    assert_int_equal(mid->status, GOL_SEQ_PREEMPTED);
    assert_int_equal(high->status, GOL_SEQ_RUNNING);
    assert_ptr_equal(b.sched.waiting.head, mid); /* before low, which arrived earlier */
    tear_down(&b);
}

static void fcfs_ignores_priority(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 8, 1, 16, GOL_SCHED_FCFS);
    gol_seq *low = add(&b, 4, 4, 9);
    gol_seq *high = add(&b, 4, 4, -9);
    step(&b);
    assert_int_equal(low->status, GOL_SEQ_RUNNING);
    assert_int_equal(high->status, GOL_SEQ_WAITING);
    tear_down(&b);
}

static void a_sequence_that_fills_the_pool_runs_to_its_end_alone(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 5, 2, 4, GOL_SCHED_FCFS);
    gol_seq *full = add(&b, 10, 10, 0);
    gol_seq *other = add(&b, 11, 4, 0);
    int n_steps = 0;
    while (full->n_tokens < full->n_tokens_max) {
        step(&b);
        assert_true(++n_steps < 100);
    }
    gol_scheduler_finish(&b.sched, full);
    while (other->n_tokens < other->n_tokens_max) {
        step(&b);
        assert_true(++n_steps < 100);
    }
    tear_down(&b);
}

static void finishing_a_waiting_sequence_takes_it_out_of_the_queue(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 8, 1, 8, GOL_SCHED_FCFS);
    add(&b, 4, 4, 0);
    gol_seq *second = add(&b, 4, 4, 0);
    gol_seq *third = add(&b, 4, 4, 0);
    step(&b);
    gol_scheduler_finish(&b.sched, second);
    assert_int_equal(b.sched.waiting.n, 1);
    assert_ptr_equal(b.sched.waiting.head, third);
    assert_int_equal(second->status, GOL_SEQ_FINISHED);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_is_computed_in_slices_of_the_budget),
        cmocka_unit_test(decodes_come_before_a_prompt_of_higher_rank),
        cmocka_unit_test(one_step_mixes_decodes_and_new_prompts),
        cmocka_unit_test(a_short_prompt_does_not_wait_for_a_long_one),
        cmocka_unit_test(of_short_prompts_the_shortest_comes_first),
        cmocka_unit_test(a_longer_prompt_waits_for_the_first),
        cmocka_unit_test(a_less_important_prompt_overtakes_nobody),
        cmocka_unit_test(nobody_overtakes_one_that_lacks_blocks),
        cmocka_unit_test(no_more_than_max_seqs_run),
        cmocka_unit_test(the_newest_gives_way_and_keeps_its_tokens),
        cmocka_unit_test(a_preempted_sequence_comes_back_before_those_that_never_ran),
        cmocka_unit_test(a_sequence_starts_only_when_running_ones_keep_a_spare_block),
        cmocka_unit_test(a_long_prompt_starts_only_when_all_of_it_fits),
        cmocka_unit_test(priority_decides_who_starts_and_who_gives_way),
        cmocka_unit_test(fcfs_ignores_priority),
        cmocka_unit_test(a_sequence_that_fills_the_pool_runs_to_its_end_alone),
        cmocka_unit_test(finishing_a_waiting_sequence_takes_it_out_of_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
