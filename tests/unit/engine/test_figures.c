/* What the engine counts about requests whose course is known. */
#include "unit/engine/engine_test.h"

static gol_histogram_view view_of(const gol_engine *engine, gol_engine_histogram which)
{
    gol_histogram_view view;
    gol_engine_get_histogram(engine, which, &view);
    return view;
}

static void every_request_token_and_step_is_counted_once(void **state)
{
    (void)state;
    enum { N_REQUESTS = 3, N_ANSWER = 5 };
    gol_engine *engine = create(&(gol_engine_opts){.no_prefix_caching = true});
    for (int i = 0; i < N_REQUESTS; i++) {
        collector c;
        collector_init(&c);
        const gol_request request = request_of(&c, N_ANSWER);
        submit(engine, &request);
        assert_true(collector_wait_end(&c));
        collector_deinit(&c);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));

    assert_int_equal(view_of(engine, GOL_HISTOGRAM_QUEUE_TIME).n, N_REQUESTS);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_FIRST_TOKEN_TIME).n, N_REQUESTS);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_TOKEN_TIME).n, N_REQUESTS * (N_ANSWER - 1));
    const gol_histogram_view whole = view_of(engine, GOL_HISTOGRAM_REQUEST_TIME);
    const gol_histogram_view first = view_of(engine, GOL_HISTOGRAM_FIRST_TOKEN_TIME);
    const gol_histogram_view queue = view_of(engine, GOL_HISTOGRAM_QUEUE_TIME);
    assert_int_equal(whole.n, N_REQUESTS);
    assert_true(queue.sum >= 0 && queue.sum < first.sum && first.sum < whole.sum);
    assert_true(view_of(engine, GOL_HISTOGRAM_PROMPT_TOKENS).sum == N_REQUESTS * N_PROMPT);
    assert_true(view_of(engine, GOL_HISTOGRAM_ANSWER_TOKENS).sum == N_REQUESTS * N_ANSWER);

    /* One after the other: a step for the prompt, and one for each token but the last. */
    const gol_histogram_view tokens = view_of(engine, GOL_HISTOGRAM_STEP_TOKENS);
    assert_int_equal(tokens.n, N_REQUESTS * N_ANSWER);
    assert_true(tokens.sum == N_REQUESTS * (N_PROMPT + N_ANSWER - 1));
    assert_true(view_of(engine, GOL_HISTOGRAM_STEP_SEQUENCES).sum == N_REQUESTS * N_ANSWER);
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_STEP_TIME).n, stats.n_steps);
    gol_engine_destroy(&engine);
}

static void an_exact_repeat_has_a_first_token_and_one_step_without_a_forward_pass(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    for (int i = 0; i < 2; i++) {
        collector c;
        collector_init(&c);
        const gol_request request = request_of(&c, 1);
        submit(engine, &request);
        assert_true(collector_wait_end(&c));
        assert_int_equal(c.last.n_cached, i == 0 ? 0 : N_PROMPT);
        collector_deinit(&c);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_QUEUE_TIME).n, 2);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_FIRST_TOKEN_TIME).n, 2);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_STEP_TOKENS).n, 1);
    assert_int_equal(view_of(engine, GOL_HISTOGRAM_STEP_TIME).n, 2);
    gol_engine_destroy(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_token_and_step_is_counted_once),
        cmocka_unit_test(an_exact_repeat_has_a_first_token_and_one_step_without_a_forward_pass),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
