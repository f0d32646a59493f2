/*
 * Aborts at every stage of a request's life, from one thread at known moments and from many at random ones. Each request gets
 * exactly one last event, and its blocks are free when it comes.
 */
#include "base/rng.h"
#include "unit/engine/engine_test.h"

static void an_abort_ends_a_running_request_and_frees_its_blocks_at_once(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector c;
    collector_init(&c);
    c.is_held = true;
    c.engine = engine;
    const gol_request request = request_of(&c, 100);
    const uint64_t id = submit(engine, &request);
    assert_true(collector_wait(&c, 1));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_running, 1);
    assert_true(stats.n_blocks_free < stats.n_blocks);
    gol_engine_abort(engine, id);
    gol_engine_abort(engine, id); /* twice is once */
    collector_release(&c);
    assert_true(collector_wait_end(&c));
    assert_int_equal(c.n_events, 2); /* before the next step: no further token */
    assert_int_equal(c.last.finish, GOL_FINISH_ABORT);
    assert_int_equal(c.last.token, -1);
    assert_int_equal(c.last.n_generated, 1);
    assert_int_equal(c.stats_at_end.n_blocks_free, c.stats_at_end.n_blocks);
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_all_free(engine);
    gol_engine_destroy(&engine);
    collector_deinit(&c);
}

static void an_aborted_request_in_the_queue_never_starts(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 1});
    collector first;
    collector in_inbox;
    collector waiting;
    collector_init(&first);
    collector_init(&in_inbox);
    collector_init(&waiting);
    first.is_held = true;
    in_inbox.is_held = true;
    gol_request request = request_of(&first, 100);
    submit(engine, &request);
    assert_true(collector_wait(&first, 1));
    request.user = &in_inbox;
    gol_engine_abort(engine, submit(engine, &request)); /* the engine has not seen it yet */
    request.user = &waiting;
    const uint64_t id = submit(engine, &request);
    collector_release(&first);
    assert_true(collector_wait_end(&in_inbox));
    gol_engine_abort(engine, id); /* by now it stands in the scheduler's queue */
    collector_release(&in_inbox);
    assert_true(collector_wait_end(&waiting));
    assert_int_equal(in_inbox.n_events, 1);
    assert_int_equal(in_inbox.last.finish, GOL_FINISH_ABORT);
    assert_int_equal(in_inbox.last.n_generated, 0);
    assert_int_equal(waiting.n_events, 1);
    assert_int_equal(waiting.last.finish, GOL_FINISH_ABORT);
    assert_true(collector_wait_end(&first));
    assert_int_equal(first.n_tokens, 100);
    gol_engine_destroy(&engine);
    collector_deinit(&first);
    collector_deinit(&in_inbox);
    collector_deinit(&waiting);
}

static void aborting_unknown_and_finished_ids_does_nothing(void **state)
{
    (void)state;
    gol_engine *engine = create(&(gol_engine_opts){0});
    collector first;
    collector second;
    collector_init(&first);
    collector_init(&second);
    gol_request request = request_of(&first, 2);
    const uint64_t id = submit(engine, &request);
    assert_true(collector_wait_end(&first));
    while (true) { /* the id dies right after its last event */
        gol_engine_stats stats;
        gol_engine_get_stats(engine, &stats);
        if (stats.n_running + stats.n_waiting == 0)
            break;
    }
    gol_engine_abort(engine, 0);
    gol_engine_abort(engine, UINT64_MAX);
    gol_engine_abort(engine, id);
    request = request_of(&second, 10);
    const uint64_t next = submit(engine, &request); /* sits in the same slot */
    gol_engine_abort(engine, id);
    assert_true(next > id);
    assert_true(collector_wait_end(&second));
    assert_int_equal(second.last.finish, GOL_FINISH_LENGTH);
    assert_int_equal(first.n_events, 2);
    gol_engine_destroy(&engine);
    collector_deinit(&first);
    collector_deinit(&second);
}

static void aborts_that_race_with_the_end_give_one_last_event(void **state)
{
    (void)state;
    enum { N = 200 };
    static collector c[N];
    gol_engine *engine = create(&(gol_engine_opts){.max_seqs = 4, .max_queued_reqs = N});
    for (int i = 0; i < N; i++) {
        collector_init(&c[i]);
        const gol_request request = request_of(&c[i], 1 + i % 4);
        const uint64_t id = submit(engine, &request);
        if (i % 3 == 0)
            collector_wait(&c[i], 1);
        gol_engine_abort(engine, id);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_all_free(engine);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N; i++) {
        assert_int_equal(c[i].n_last_events, 1);
        collector_deinit(&c[i]);
    }
}

typedef struct storm {
    gol_engine *engine;
    uint64_t seed;
    int n_wrong;
} storm;

/* A client that submits, aborts its own and others' requests at random, and looks at the figures all the while. */
static void *rage(void *arg)
{
    enum { N = 40 };
    storm *s = arg;
    collector *c = calloc(N, sizeof *c);
    uint64_t ids[N];
    gol_rng rng = {.key = s->seed};
    for (int i = 0; i < N; i++) {
        collector_init(&c[i]);
        const gol_request request = request_of(&c[i], 1 + (int32_t)gol_rng_below(&rng, 30));
        s->n_wrong += gol_engine_submit(s->engine, &request, &ids[i], NULL) != 0;
        gol_engine_abort(s->engine, ids[gol_rng_below(&rng, (uint64_t)i + 1)]);
        gol_engine_abort(s->engine, ids[i] + 1 + gol_rng_below(&rng, 4));
        gol_engine_stats stats;
        gol_engine_get_stats(s->engine, &stats);
        s->n_wrong += stats.n_running > 3 || stats.n_blocks_free > stats.n_blocks;
    }
    for (int i = 0; i < N; i++) {
        s->n_wrong += !collector_wait_end(&c[i]) || c[i].n_last_events != 1;
        s->n_wrong += c[i].last.finish == GOL_FINISH_ERROR;
        collector_deinit(&c[i]);
    }
    free(c);
    return NULL;
}

static void many_clients_at_once_each_get_one_last_event_per_request(void **state)
{
    (void)state;
    enum { N_CLIENTS = 4 };
    const gol_engine_opts opts = {
        .max_seqs = 3,
        .max_batch_tokens = 16,
        .block_size = 4,
        .kv_bytes = loaded_kv_bytes(&tiny, 16, 4), /* small: preemption goes on beside it all */
        .policy = GOL_SCHED_PRIORITY,
    };
    gol_engine *engine = create(&opts);
    pthread_t threads[N_CLIENTS];
    storm storms[N_CLIENTS];
    for (int i = 0; i < N_CLIENTS; i++) {
        storms[i] = (storm){.engine = engine, .seed = (uint64_t)i};
        assert_int_equal(pthread_create(&threads[i], NULL, rage, &storms[i]), 0);
    }
    for (int i = 0; i < N_CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(storms[i].n_wrong, 0);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_all_free(engine);
    gol_engine_destroy(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_abort_ends_a_running_request_and_frees_its_blocks_at_once),
        cmocka_unit_test(an_aborted_request_in_the_queue_never_starts),
        cmocka_unit_test(aborting_unknown_and_finished_ids_does_nothing),
        cmocka_unit_test(aborts_that_race_with_the_end_give_one_last_event),
        cmocka_unit_test(many_clients_at_once_each_get_one_last_event_per_request),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
