/* What the limit of time does to the slices of prompts, with a cost that is known instead of learned: no clock is read. */
#include "unit/engine/scheduler_test.h"

enum { MAX_BATCH = 512, MAX_LEN = 1024, LIMIT_NS = 5000 };

static gol_block_hasher hasher;

static int set_up_hasher(void **state)
{
    (void)state;
    gol_block_hasher_init(&hasher);
    return 0;
}

/* The cost is zero, so that a step takes what it can, until the test sets a price. */
static void set_up(bench *b, gol_step_cost *cost)
{
    gol_step_cost_init(cost);
    const bench_opts opts = {
        .n_blocks = 2 * MAX_LEN / 16,
        .block_size = 16,
        .max_model_len = MAX_LEN,
        .hasher = &hasher,
        .sched = {.max_seqs = SEQS_MAX,
                  .max_batch_tokens = MAX_BATCH,
                  .max_itl_ns = LIMIT_NS,
                  .max_step_ns = LIMIT_NS,
                  .cost = cost},
    };
    bench_init(b, &opts);
}

/* A prompt of n tokens that begins with others for each `first`. */
static gol_seq *add(bench *b, int32_t first, int32_t n)
{
    int32_t prompt[MAX_LEN];
    for (int32_t i = 0; i < n; i++)
        prompt[i] = (first + i) % VOCAB;
    return submit(b, seqs_create_from(next_id(b), prompt, n, 8, 0, 0, &b->limits));
}

/* The same, with scores wanted of its tokens. */
static gol_seq *add_scored(bench *b, int32_t n, gol_prompt_scores *scores)
{
    gol_seq *seq = add(b, 50, n);
    scores->n_scored = 1;
    seq->scores = scores;
    return seq;
}

/* A row of the question looks at 800 positions and more, so that its few rows could take the whole step. */
static void the_first_prompt_has_its_half_however_long_the_rows_of_shorter_ones_take(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    gol_seq *before = add(&b, 0, 800);
    while (before->n_tokens == before->n_prompt)
        step(&b);
    finish(&b, before);

    cost.prefill_pair_ns = 1.0;
    gol_seq *book = add(&b, 1, 400);
    gol_seq *question = add(&b, 0, 840);
    step(&b);
    assert_int_equal(question->n_cached, 800);
    assert_in_range(book->n_computed, 50, 99); /* alone it had 99 * 100 / 2 = 4950 pairs */
    assert_in_range(question->n_computed, 801, 804);
    tear_down(&b);
}

/* Rows cost nothing and scores 100 ns each: 50 rows fill a step of 5 us. The last row of a prompt says nothing about it. */
static void a_step_takes_as_many_scored_rows_as_fit_its_time(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    cost.scored_row_ns = 100.0;
    gol_prompt_scores scores = {0};
    gol_seq *seq = add_scored(&b, 201, &scores);
    for (int32_t i = 1; i <= 4; i++) {
        assert_int_equal(step(&b), i < 4 ? 50 : 51);
        assert_int_equal(scores.n_scored, 50 * i + 1);
    }
    assert_int_equal(seq->n_tokens, 202);
    tear_down(&b);
}

static void beside_a_scored_prompt_others_have_what_time_is_left(void **state)
{
    (void)state;
    gol_step_cost cost;
    bench b;
    set_up(&b, &cost);
    cost.scored_row_ns = 100.0;
    gol_seq *decode = add(&b, 7, 1);
    step(&b);
    gol_prompt_scores scores = {0};
    gol_seq *seq = add_scored(&b, 30, &scores); /* 29 rows of 100 ns */
    gol_prompt_scores more = {0};
    gol_seq *other = add(&b, 9, 400);
    other->scores = &more;
    step(&b);
    assert_int_equal(decode->n_computed, 2);
    assert_int_equal(seq->n_computed, 30);
    assert_int_equal(other->n_computed, 21);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_prompt_has_its_half_however_long_the_rows_of_shorter_ones_take),
        cmocka_unit_test(a_step_takes_as_many_scored_rows_as_fit_its_time),
        cmocka_unit_test(beside_a_scored_prompt_others_have_what_time_is_left),
    };
    return cmocka_run_group_tests(tests, set_up_hasher, NULL);
}
