/*
 * The life of requests: ends of all kinds, limits, draining and shutting down. With a real tiny model; where a moment matters,
 * the engine's thread is held inside a callback. Aborts: test_engine_abort.c; sameness of answers: test_engine_same.c.
 */
#include <math.h>
#include <sched.h>

#include "base/mem.h"
#include "unit/engine/engine_test.h"

/* ---- ends ---- */

static void a_request_ends_with_length_after_max_tokens(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector c;
    collector_init(&c);
    const gol_request request = request_of(&c, 5);
    const uint64_t id = submit(engine, &request);
    assert_true(collector_wait_end(&c));
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_int_equal(c.n_events, 5);
    assert_int_equal(c.last.finish, GOL_FINISH_LENGTH);
    assert_int_equal(c.last.request_id, id);
    assert_int_equal(c.last.n_prompt, N_PROMPT);
    assert_int_equal(c.last.n_cached, 0);
    assert_int_equal(c.last.n_generated, 5);
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_prompt_tokens, N_PROMPT);
    assert_int_equal(stats.n_generated_tokens, 5);
    assert_int_equal(stats.n_finished[GOL_FINISH_LENGTH], 1);
    assert_int_equal(stats.n_steps, 5);
    assert_true(stats.last_step_ns > 0);
    assert_all_free(engine);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

static void a_request_ends_with_length_where_the_context_ends(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_model_len = 20});
    collector c;
    collector_init(&c);
    const gol_request request = request_of(&c, INT32_MAX);
    submit(engine, &request);
    assert_true(collector_wait_end(&c));
    assert_int_equal(c.n_tokens, 20 - N_PROMPT);
    assert_int_equal(c.last.finish, GOL_FINISH_LENGTH);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

static void a_stop_id_ends_a_request_but_not_before_min_tokens(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector free_run;
    collector_init(&free_run);
    gol_request request = request_of(&free_run, 30);
    request.sampling.temperature = 0.0f;
    submit(engine, &request);
    assert_true(collector_wait_end(&free_run));
    const int32_t stop = free_run.tokens[4];
    int32_t first = 0;
    while (free_run.tokens[first] != stop)
        first++;

    collector stopped;
    collector_init(&stopped);
    request.user = &stopped;
    request.stop_ids = &stop;
    request.min_tokens = 0;
    submit(engine, &request);
    assert_true(collector_wait_end(&stopped));
    assert_int_equal(stopped.last.finish, GOL_FINISH_STOP);
    assert_int_equal(stopped.last.token, stop);
    assert_int_equal(stopped.n_tokens, first + 1);

    collector late;
    collector_init(&late);
    request.user = &late;
    request.min_tokens = first + 2;
    submit(engine, &request);
    assert_true(collector_wait_end(&late));
    assert_true(late.n_tokens > first + 1);
    for (int32_t i = 0; i < first + 2; i++)
        assert_int_not_equal(late.tokens[i], stop);
    gol_engine_destroy(&engine);
    collector_deinit(&free_run);
    collector_deinit(&stopped);
    collector_deinit(&late);
}

/* Pairs of equal tokens among the first n and the prompt. */
static int count_repetitions(const collector *c, int32_t n)
{
    int32_t seen[TINY_VOCAB] = {0};
    int n_repeated = 0;
    for (int32_t i = 0; i < N_PROMPT; i++)
        seen[prompt_ids[i]] = 1;
    for (int32_t i = 0; i < n; i++)
        n_repeated += seen[c->tokens[i]]++ > 0;
    return n_repeated;
}

static void penalties_count_the_prompt_and_every_token_drawn(void **state)
{
    (void)state;
    enum { N = 10 };
    gol_engine *engine = create(&(gol_engine_opts){0});
    const struct {
        float repetition;
        float frequency;
        bool has_repetitions;
    } cases[] = {{1.0f, 0.0f, true}, {1e6f, 0.0f, false}, {1e6f, 2.0f, false}, {1.0f, -2.0f, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        collector c;
        collector_init(&c);
        gol_request request = request_of(&c, N);
        request.sampling.temperature = 0.0f;
        request.sampling.repetition_penalty = cases[i].repetition;
        request.sampling.frequency_penalty = cases[i].frequency;
        submit(engine, &request);
        assert_true(collector_wait_end(&c));
        assert_int_equal(count_repetitions(&c, N) > 0, cases[i].has_repetitions);
        collector_deinit(&c);
    }
    gol_engine_destroy(&engine);
}

static void logits_that_are_not_finite_end_their_request_alone(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector alone;
    collector bad;
    collector beside;
    collector_init(&alone);
    collector_init(&bad);
    collector_init(&beside);
    gol_request request = request_of(&alone, 20);
    request.n_logprobs = 2;
    submit(engine, &request);
    assert_true(collector_wait_end(&alone));

    request.user = &beside;
    beside.is_held = true;
    submit(engine, &request);
    gol_request poisoned = request_of(&bad, 20);
    const int32_t prompt[] = {1, POISON_TOKEN, 2};
    poisoned.prompt = prompt;
    poisoned.n_prompt = 3;
    submit(engine, &poisoned);
    collector_release(&beside);
    assert_true(collector_wait_end(&bad));
    assert_true(collector_wait_end(&beside));
    assert_int_equal(bad.n_events, 1);
    assert_int_equal(bad.last.finish, GOL_FINISH_ERROR);
    assert_int_equal(bad.last.token, -1);
    assert_int_equal(beside.last.finish, GOL_FINISH_LENGTH);
    assert_memory_equal(beside.tokens, alone.tokens, sizeof alone.tokens);
    assert_memory_equal(beside.logprobs, alone.logprobs, sizeof alone.logprobs);
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_all_free(engine);
    gol_engine_destroy(&engine);
    collector_deinit(&alone);
    collector_deinit(&bad);
    collector_deinit(&beside);
}

/* ---- limits ---- */

static void more_than_max_queued_reqs_are_refused(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 1, .max_queued_reqs = 2});
    collector c[4];
    for (int i = 0; i < 4; i++)
        collector_init(&c[i]);
    c[0].is_held = true;
    gol_request request = request_of(&c[0], 3);
    submit(engine, &request);
    assert_true(collector_wait(&c[0], 1)); /* runs: it waits no more */
    for (int i = 1; i <= 2; i++) {
        request.user = &c[i];
        submit(engine, &request);
    }
    gol_err err;
    uint64_t id = 77;
    request.user = &c[3];
    assert_int_equal(gol_engine_submit(engine, &request, &id, &err), GOL_EBUSY);
    assert_non_null(strstr(err.message, "max_queued_reqs"));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_running, 1);
    assert_int_equal(stats.n_waiting, 2);
    collector_release(&c[0]);
    for (int i = 0; i < 3; i++)
        assert_true(collector_wait_end(&c[i]));
    submit(engine, &request);
    assert_true(collector_wait_end(&c[3]));
    assert_int_equal(c[3].n_last_events, 1);
    gol_engine_destroy(&engine);
    for (int i = 0; i < 4; i++)
        collector_deinit(&c[i]);
}

static void the_policy_decides_who_starts_first(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const gol_sched_policy policy = i == 0 ? GOL_SCHED_FCFS : GOL_SCHED_PRIORITY;
        gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 1, .policy = policy});
        collector running;
        collector low;
        collector high;
        collector_init(&running);
        collector_init(&low);
        collector_init(&high);
        running.is_held = true;
        low.is_held = true;
        high.is_held = true;
        gol_request request = request_of(&running, 2);
        submit(engine, &request);
        assert_true(collector_wait(&running, 1));
        request.user = &low;
        request.priority = 5;
        submit(engine, &request);
        request.user = &high;
        request.priority = -5;
        submit(engine, &request);
        collector_release(&running);
        /* Whoever starts first is held in its first event, while the other has none. */
        collector *first = policy == GOL_SCHED_FCFS ? &low : &high;
        collector *second = policy == GOL_SCHED_FCFS ? &high : &low;
        assert_true(collector_wait(first, 1));
        assert_int_equal(second->n_events, 0);
        collector_release(first);
        collector_release(second);
        assert_true(gol_engine_drain(engine, PATIENCE_MS));
        gol_engine_destroy(&engine);
        assert_int_equal(low.n_tokens + high.n_tokens, 4);
        collector_deinit(&running);
        collector_deinit(&low);
        collector_deinit(&high);
    }
}

static void a_request_that_cannot_be_carried_out_is_refused_with_the_field(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    static const int32_t outside[] = {0, TINY_VOCAB};
    static const int32_t negative[] = {-1};
    collector c;
    collector_init(&c);
    const gol_request ok = request_of(&c, 4);
    gol_request bad[24];
    const char *field[24];
    int n = 0;
#define BAD(name, ...)                                                                             \
    bad[n] = ok;                                                                                   \
    bad[n].__VA_ARGS__;                                                                            \
    field[n++] = name
    BAD("n_prompt", n_prompt = 0);
    BAD("n_prompt", n_prompt = -3);
    BAD("prompt", prompt = NULL);
    BAD("prompt[0]", prompt = negative);
    BAD("max_tokens", max_tokens = -1);
    BAD("min_tokens", min_tokens = -1);
    BAD("min_tokens", min_tokens = 5);
    BAD("n_stop_ids", n_stop_ids = GOL_STOP_IDS_MAX + 1);
    BAD("stop_ids", stop_ids = NULL);
    BAD("stop_ids[0]", stop_ids = negative);
    BAD("n_logprobs", n_logprobs = -2);
    BAD("n_logprobs", n_logprobs = GOL_LOGPROBS_MAX + 1);
    BAD("temperature", sampling.temperature = -0.1f);
    BAD("temperature", sampling.temperature = NAN);
    BAD("top_p", sampling.top_p = 0.0f);
    BAD("top_p", sampling.top_p = 1.1f);
    BAD("min_p", sampling.min_p = 1.1f);
    BAD("top_k", sampling.top_k = -1);
    BAD("repetition_penalty", sampling.repetition_penalty = 0.0f);
    BAD("presence_penalty", sampling.presence_penalty = 2.1f);
    BAD("frequency_penalty", sampling.frequency_penalty = -INFINITY);
    BAD("on_output", on_output = NULL);
    BAD("prompt[1]", prompt = outside);
#undef BAD
    bad[n - 1].n_prompt = 2;
    gol_err err;
    uint64_t id;
    for (int i = 0; i < n; i++) {
        assert_int_equal(gol_engine_submit(engine, &bad[i], &id, &err), GOL_EINVAL);
        if (!strstr(err.message, field[i]))
            fail_msg("'%s' does not name %s", err.message, field[i]);
    }
    int32_t vocabulary[TINY_VOCAB];
    for (int32_t i = 0; i < TINY_VOCAB; i++)
        vocabulary[i] = i;
    gol_request never_ends = ok;
    never_ends.stop_ids = vocabulary;
    never_ends.n_stop_ids = TINY_VOCAB;
    assert_int_equal(gol_engine_submit(engine, &never_ends, &id, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "whole vocabulary"));
    assert_int_equal(c.n_events, 0);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

static void a_prompt_that_leaves_no_room_is_refused_with_both_numbers(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_model_len = 16});
    static const int32_t ids[16];
    collector c;
    collector_init(&c);
    gol_request request = request_of(&c, 4);
    request.prompt = ids;
    request.n_prompt = 16;
    gol_err err;
    uint64_t id;
    assert_int_equal(gol_engine_submit(engine, &request, &id, &err), GOL_ECONTEXT);
    assert_non_null(strstr(err.message, "17"));
    assert_non_null(strstr(err.message, "16"));
    request.n_prompt = INT32_MAX; /* and is not read: there are only 16 */
    assert_int_equal(gol_engine_submit(engine, &request, &id, &err), GOL_ECONTEXT);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

static void a_request_at_every_limit_is_carried_out(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_model_len = 16});
    static const int32_t ids[15];
    static const int32_t stop_ids[GOL_STOP_IDS_MAX];
    collector c;
    collector_init(&c);
    gol_request request = request_of(&c, 4);
    request.prompt = ids;
    request.n_prompt = 15;
    request.stop_ids = stop_ids;
    request.n_stop_ids = GOL_STOP_IDS_MAX;
    request.n_logprobs = GOL_LOGPROBS_MAX;
    submit(engine, &request);
    assert_true(collector_wait_end(&c));
    assert_int_equal(c.n_tokens, 1);
    assert_int_equal(c.n_last_events, 1);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

/* ---- drain and destroy ---- */

static void drain_refuses_new_requests_and_waits_for_the_others(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 2});
    collector c[4];
    gol_request request = request_of(&c[0], 40);
    for (int i = 0; i < 4; i++) {
        collector_init(&c[i]);
        c[i].is_held = i == 0;
        request.user = &c[i];
        submit(engine, &request);
    }
    assert_false(gol_engine_drain(engine, 0));
    assert_false(gol_engine_drain(engine, 30));
    gol_err err;
    uint64_t id;
    assert_int_equal(gol_engine_submit(engine, &request, &id, &err), GOL_ECLOSED);
    collector_release(&c[0]);
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(c[i].last.finish, GOL_FINISH_LENGTH);
        assert_int_equal(c[i].n_last_events, 1);
    }
    assert_true(gol_engine_drain(engine, 0)); /* again: still empty */
    gol_engine_destroy(&engine);
    assert_null(engine);
    gol_engine_destroy(&engine);
    for (int i = 0; i < 4; i++)
        collector_deinit(&c[i]);
}

typedef struct releaser {
    gol_engine *engine;
    collector *held;
} releaser;

/* The queue is full, so what submit answers tells when destroy() has begun: the engine's thread goes on only then. */
static void *release_when_closed(void *arg)
{
    const releaser *r = arg;
    collector unused;
    collector_init(&unused);
    const gol_request request = request_of(&unused, 1);
    uint64_t id;
    while (gol_engine_submit(r->engine, &request, &id, NULL) == GOL_EBUSY)
        sched_yield();
    collector_release(r->held);
    collector_deinit(&unused);
    return NULL;
}

static void destroy_aborts_whatever_is_there(void **state)
{
    (void)state;
    enum { N = 6 };
    collector c[N];
    gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 1, .max_queued_reqs = N - 1});
    gol_request request = request_of(&c[0], 100);
    for (int i = 0; i < N; i++) {
        collector_init(&c[i]);
        c[i].is_held = i == 0;
        request.user = &c[i];
        submit(engine, &request);
        assert_true(i > 0 || collector_wait(&c[0], 1));
    }
    releaser r = {.engine = engine, .held = &c[0]};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, release_when_closed, &r), 0);
    gol_engine_destroy(&engine);
    assert_null(engine);
    pthread_join(thread, NULL);
    for (int i = 0; i < N; i++) {
        assert_int_equal(c[i].n_last_events, 1);
        assert_int_equal(c[i].last.finish, GOL_FINISH_ABORT);
        assert_int_equal(c[i].n_tokens, i == 0 ? 1 : 0);
        collector_deinit(&c[i]);
    }
}

/* ---- callbacks ---- */

typedef struct request_chain {
    gol_engine *engine;
    collector c;
    int n_left;
    int n_failed;
} request_chain;

/* Submits the next request from the last event of the one before, and aborts it from its own first event. */
static void go_on(void *user, const gol_output *output)
{
    request_chain *chain = user;
    if (output->finish == GOL_FINISH_NONE) {
        gol_engine_abort(chain->engine, output->request_id);
        return;
    }
    chain->n_left--;
    gol_request request = request_of(&chain->c, 50);
    uint64_t id;
    if (chain->n_left > 0) {
        request.on_output = go_on;
        request.user = chain;
    }
    chain->n_failed += gol_engine_submit(chain->engine, &request, &id, NULL) != 0;
}

static void callbacks_may_submit_and_abort(void **state)
{
    (void)state;
    request_chain chain = {.engine = create(&(gol_engine_opts){0}), .n_left = 10};
    collector_init(&chain.c);
    gol_request request = request_of(&chain.c, 50);
    request.on_output = go_on;
    request.user = &chain;
    submit(chain.engine, &request);
    assert_true(collector_wait_end(&chain.c));
    gol_engine_stats stats;
    assert_true(gol_engine_drain(chain.engine, PATIENCE_MS));
    gol_engine_get_stats(chain.engine, &stats);
    assert_int_equal(chain.n_failed, 0);
    assert_int_equal(stats.n_finished[GOL_FINISH_ABORT], 10);
    assert_int_equal(stats.n_finished[GOL_FINISH_LENGTH], 1);
    gol_engine_destroy(&chain.engine);
    collector_deinit(&chain.c);
}

/* ---- memory ---- */

static void creating_survives_running_out_of_memory(void **state)
{
    (void)state;
    const gol_engine_opts opts = {.max_seqs = 2, .max_batch_tokens = 16};
    int n_failures = 0;
    for (uint64_t n = 1;; n++) {
        gol_engine *engine;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        const int rc = gol_engine_create(&engine, tiny.model, &opts, &err);
        gol_mem_fail_nth(0, false);
        if (rc == 0) {
            gol_engine_destroy(&engine);
            break;
        }
        assert_int_equal(rc, GOL_ENOMEM);
        assert_null(engine);
        assert_true(err.message[0] != '\0');
        n_failures++;
    }
    assert_true(n_failures > 15);
}

static void submitting_survives_running_out_of_memory(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector c;
    collector_init(&c);
    gol_request request = request_of(&c, 4);
    request.sampling.repetition_penalty = 1.1f;
    int n_failures = 0;
    for (uint64_t n = 1;; n++) {
        gol_err err = {0};
        uint64_t id;
        gol_mem_fail_nth(n, false);
        const int rc = gol_engine_submit(engine, &request, &id, &err);
        gol_mem_fail_nth(0, false);
        if (rc == 0)
            break;
        assert_int_equal(rc, GOL_ENOMEM);
        n_failures++;
    }
    assert_int_equal(n_failures, 7); /* the sequence, its four arrays, the counts' two */
    assert_true(collector_wait_end(&c));
    assert_int_equal(c.n_tokens, 4);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_ends_with_length_after_max_tokens),
        cmocka_unit_test(a_request_ends_with_length_where_the_context_ends),
        cmocka_unit_test(a_stop_id_ends_a_request_but_not_before_min_tokens),
        cmocka_unit_test(penalties_count_the_prompt_and_every_token_drawn),
        cmocka_unit_test(logits_that_are_not_finite_end_their_request_alone),
        cmocka_unit_test(more_than_max_queued_reqs_are_refused),
        cmocka_unit_test(the_policy_decides_who_starts_first),
        cmocka_unit_test(a_request_that_cannot_be_carried_out_is_refused_with_the_field),
        cmocka_unit_test(a_prompt_that_leaves_no_room_is_refused_with_both_numbers),
        cmocka_unit_test(a_request_at_every_limit_is_carried_out),
        cmocka_unit_test(drain_refuses_new_requests_and_waits_for_the_others),
        cmocka_unit_test(destroy_aborts_whatever_is_there),
        cmocka_unit_test(callbacks_may_submit_and_abort),
        cmocka_unit_test(creating_survives_running_out_of_memory),
        cmocka_unit_test(submitting_survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
