/*
 * The first promise for models with recurrent layers: a hybrid and a pure one give the same tokens and log-probabilities, to the bit,
 * from their states' snapshots, in slices, behind preemption, beside others, on two threads. And where snapshots are: what is found of a
 * prompt says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "support/loaded_engine.h"
#include "support/loaded_model.h"
#include "support/same_answer.h"

enum { N_KINDS = 2, N_REQUESTS = 6, BLOCK_SIZE = 8, N_ANSWER = 20, N_BRANCH = 27 };

static const tiny_model kinds[N_KINDS] = {
    {.arch = "granitehybrid", .type = GOL_TYPE_F32, .seed = 3},
    {.arch = "mamba2", .type = GOL_TYPE_F32, .seed = 4},
};

static loaded_model models[N_KINDS][2]; /* on one thread, on two */
static int32_t tokens[TINY_CTX];
static int32_t branches[2][TINY_CTX]; /* begin with N_BRANCH of these tokens */
static gol_request requests[N_REQUESTS];
static collector computed[N_KINDS][N_REQUESTS]; /* alone, without the cache */

static gol_request request_of(const int32_t *prompt, int32_t n_prompt, uint64_t seed)
{
    gol_request r = {
        .prompt = prompt,
        .n_prompt = n_prompt,
        .max_tokens = N_ANSWER,
        .min_tokens = N_ANSWER,
        .n_logprobs = 3,
        .sampling = GOL_SAMPLING_DEFAULT,
        .on_output = collector_take,
    };
    r.sampling.seed = seed;
    return r;
}

static void make_requests(void)
{
    static const int32_t n_prompts[] = {1, BLOCK_SIZE, 3 * BLOCK_SIZE, 61};
    gol_rng rng = {.key = 9};
    for (int32_t i = 0; i < TINY_CTX; i++)
        tokens[i] = (int32_t)gol_rng_below(&rng, TINY_VOCAB);
    for (int32_t i = 0; i < 2 * TINY_CTX; i++) {
        const int32_t p = i % TINY_CTX;
        branches[i / TINY_CTX][p] = p < N_BRANCH ? tokens[p]
                                                 : (int32_t)gol_rng_below(&rng, TINY_VOCAB);
    }
    for (int i = 0; i < 4; i++)
        requests[i] = request_of(tokens, n_prompts[i], 40 + (uint64_t)i);
    requests[4] = request_of(branches[0], 50, 44);
    requests[5] = request_of(branches[1], 57, 45);
}

static int set_up(void **state)
{
    (void)state;
    make_requests();
    for (int kind = 0; kind < N_KINDS; kind++) {
        for (int n = 0; n < 2; n++)
            loaded_model_create_of(&models[kind][n], &kinds[kind], false, n + 1);
        gol_engine *engine = loaded_engine_create(
            &models[kind][0], &(gol_engine_opts){.no_prefix_caching = true, .max_seqs = 4});
        for (int i = 0; i < N_REQUESTS; i++) {
            collector_init(&computed[kind][i]);
            loaded_engine_submit(engine, &requests[i], &computed[kind][i]);
            assert_true(collector_wait_end(&computed[kind][i]));
            assert_int_equal(computed[kind][i].n_tokens, N_ANSWER);
        }
        gol_engine_stats stats;
        gol_engine_get_stats(engine, &stats);
        assert_int_equal(stats.n_states, 4); /* none to keep */
        gol_engine_destroy(&engine);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        for (int i = 0; i < N_REQUESTS; i++)
            collector_deinit(&computed[kind][i]);
        for (int n = 0; n < 2; n++)
            loaded_model_destroy(&models[kind][n]);
    }
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

static gol_engine_opts opts_of(const loaded_model *m, int32_t block_size, int32_t n_tokens)
{
    return (gol_engine_opts){
        .max_seqs = 8,
        .max_model_len = TINY_CTX,
        .block_size = block_size,
        .kv_bytes = loaded_kv_bytes(m, n_tokens / block_size, block_size),
    };
}

static void assert_nothing_is_held(const gol_engine *engine)
{
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    assert_int_equal(stats.n_states_free, stats.n_states);
}

/* One alone; returns how much of its prompt was found. */
static int32_t run(gol_engine *engine, int kind, int i)
{
    collector c;
    collector_init(&c);
    loaded_engine_submit(engine, &requests[i], &c);
    assert_true(collector_wait_end(&c));
    assert_same_answer(&c, &computed[kind][i]);
    const int32_t n_cached = c.last.n_cached;
    collector_deinit(&c);
    return n_cached;
}

static void what_snapshots_give_has_the_bits_of_what_is_computed(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 2, 8, 16, 64};
    for (int k = 0; k < 4 * 5; k++) {
        const int kind = k % 2;
        const loaded_model *m = &models[kind][k / 2 % 2];
        gol_engine_opts opts = opts_of(m, block_sizes[k / 4], 8 * TINY_CTX);
        opts.max_batch_tokens = k % 3 ? 2048 : 16;
        gol_engine *engine = loaded_engine_create(m, &opts);
        for (int i = N_REQUESTS - 1; i >= 0; i--)
            run(engine, kind, i);
        for (int i = 0; i < N_REQUESTS; i++)
            run(engine, kind, i);
        assert_true(gol_engine_drain(engine, PATIENCE_MS));
        assert_nothing_is_held(engine);
        gol_engine_destroy(&engine);
    }
}

static void the_same_prompt_goes_on_from_its_last_border(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        const gol_engine_opts opts = opts_of(&models[kind][0], BLOCK_SIZE, 8 * TINY_CTX);
        gol_engine *engine = loaded_engine_create(&models[kind][0], &opts);
        assert_int_equal(run(engine, kind, 3), 0);
        assert_int_equal(run(engine, kind, 3), 56); /* of 61 */
        assert_int_equal(run(engine, kind, 1), 0);  /* all but one is less than a block */
        /* of 24 tokens 16 could be found, but nobody has left a state there: now somebody does */
        assert_int_equal(run(engine, kind, 2), 0);
        assert_int_equal(run(engine, kind, 2), 16);
        gol_engine_destroy(&engine);
    }
}

static void prompts_that_part_share_what_they_have_in_common_from_the_third_on(void **state)
{
    (void)state;
    enum { COMMON = N_BRANCH / BLOCK_SIZE * BLOCK_SIZE };
    for (int kind = 0; kind < N_KINDS; kind++) {
        const gol_engine_opts opts = opts_of(&models[kind][0], BLOCK_SIZE, 8 * TINY_CTX);
        gol_engine *engine = loaded_engine_create(&models[kind][0], &opts);
        assert_int_equal(run(engine, kind, 3), 0);
        assert_int_equal(run(engine, kind, 4), 0);
        assert_int_equal(run(engine, kind, 5), COMMON);
        gol_engine_destroy(&engine);
    }
}

static void a_conversation_goes_on_at_the_end_of_the_answer(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        const gol_engine_opts opts = opts_of(&models[kind][0], BLOCK_SIZE, 8 * TINY_CTX);
        int32_t next[TINY_CTX];
        enum { N_PROMPT = 61, N_NEXT = N_PROMPT + N_ANSWER + 10 };
        memcpy(next, tokens, N_PROMPT * sizeof *next);
        memcpy(next + N_PROMPT, computed[kind][3].tokens, N_ANSWER * sizeof *next);
        memcpy(next + N_PROMPT + N_ANSWER, branches[0] + 60, 10 * sizeof *next);
        const gol_request request = request_of(next, N_NEXT, 50);
        collector answers[2];
        for (int warm = 0; warm < 2; warm++) {
            gol_engine *engine = loaded_engine_create(&models[kind][0], &opts);
            collector_init(&answers[warm]);
            if (warm)
                run(engine, kind, 3);
            loaded_engine_submit(engine, &request, &answers[warm]);
            assert_true(collector_wait_end(&answers[warm]));
            /* the answer's last token is not computed: 80 of 81 are */
            assert_int_equal(answers[warm].last.n_cached, warm ? 80 : 0);
            gol_engine_destroy(&engine);
        }
        assert_same_answer(&answers[1], &answers[0]);
        collector_deinit(&answers[0]);
        collector_deinit(&answers[1]);
    }
}

/* All requests at once, each `n_copies` times; all answers compared. */
static gol_engine_stats run_together(const loaded_model *m, int kind, const gol_engine_opts *opts,
                                     int n_copies)
{
    enum { COPIES_MAX = 4 };
    collector got[COPIES_MAX * N_REQUESTS];
    gol_engine *engine = loaded_engine_create(m, opts);
    const int n = n_copies * N_REQUESTS;
    assert_true(n_copies <= COPIES_MAX);
    for (int i = 0; i < n; i++) {
        collector_init(&got[i]);
        /* The first holds the engine in its first event until all are there, so that they do run together. */
        got[i].is_held = i == 0;
        loaded_engine_submit(engine, &requests[i % N_REQUESTS], &got[i]);
    }
    collector_release(&got[0]);
    for (int i = 0; i < n; i++) {
        assert_true(collector_wait_end(&got[i]));
        assert_same_answer(&got[i], &computed[kind][i % N_REQUESTS]);
        collector_deinit(&got[i]);
    }
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    assert_nothing_is_held(engine);
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    gol_engine_destroy(&engine);
    return stats;
}

static void neighbours_threads_and_slices_change_no_bit(void **state)
{
    (void)state;
    for (int k = 0; k < 16; k++) {
        const int kind = k % 2;
        const loaded_model *m = &models[kind][k / 2 % 2];
        gol_engine_opts opts = opts_of(m, k & 4 ? 16 : 4, 32 * TINY_CTX);
        opts.max_batch_tokens = k & 8 ? 16 : 2048;
        opts.max_snapshots = k & 2 ? 1 : 0;
        run_together(m, kind, &opts, 1 + k % 4);
    }
}

/* A hybrid has keys and values for which there is too little room. */
static void preemption_changes_no_bit(void **state)
{
    (void)state;
    uint64_t n_preemptions = 0;
    for (int k = 0; k < 8; k++) {
        const loaded_model *m = &models[0][k % 2];
        gol_engine_opts opts = opts_of(m, 4, TINY_CTX + 8 * k);
        opts.no_prefix_caching = k >= 6;
        opts.max_snapshots = k % 3;
        n_preemptions += run_together(m, 0, &opts, 4).n_preemptions;
    }
    assert_true(n_preemptions > 0);
}

/* As n samples of one prompt are asked for: who comes later waits for the one that computes it. */
static void samples_of_a_prompt_share_its_computation(void **state)
{
    (void)state;
    enum { N_SAMPLES = 4 };
    for (int kind = 0; kind < N_KINDS; kind++) {
        const gol_engine_opts opts = opts_of(&models[kind][0], BLOCK_SIZE, 16 * TINY_CTX);
        gol_engine *engine = loaded_engine_create(&models[kind][0], &opts);
        collector blocker;
        collector got[N_SAMPLES];
        collector_init(&blocker);
        blocker.is_held = true; /* until all are there */
        loaded_engine_submit(engine, &requests[0], &blocker);
        for (int i = 0; i < N_SAMPLES; i++) {
            collector_init(&got[i]);
            loaded_engine_submit(engine, &requests[3], &got[i]);
        }
        collector_release(&blocker);
        assert_true(collector_wait_end(&blocker));
        collector_deinit(&blocker);
        int n_found = 0;
        for (int i = 0; i < N_SAMPLES; i++) {
            assert_true(collector_wait_end(&got[i]));
            assert_same_answer(&got[i], &computed[kind][3]);
            n_found += got[i].last.n_cached == 56;
            collector_deinit(&got[i]);
        }
        assert_int_equal(n_found, N_SAMPLES - 1);
        gol_engine_destroy(&engine);
    }
}

static void aborts_free_slots(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        const gol_engine_opts opts = opts_of(&models[kind][1], BLOCK_SIZE, 16 * TINY_CTX);
        gol_engine *engine = loaded_engine_create(&models[kind][1], &opts);
        enum { N = 40 };
        static collector got[N];
        for (int i = 0; i < N; i++) {
            collector_init(&got[i]);
            const uint64_t id = loaded_engine_submit(engine, &requests[i % N_REQUESTS], &got[i]);
            if (i % 3 != 2)
                gol_engine_abort(engine, id);
        }
        for (int i = 0; i < N; i++) {
            assert_true(collector_wait_end(&got[i]));
            if (got[i].last.finish != GOL_FINISH_ABORT)
                assert_same_answer(&got[i], &computed[kind][i % N_REQUESTS]);
            collector_deinit(&got[i]);
        }
        assert_true(gol_engine_drain(engine, PATIENCE_MS));
        assert_nothing_is_held(engine);
        gol_engine_destroy(&engine);
    }
}

static void a_model_without_attention_needs_no_bytes_for_keys(void **state)
{
    (void)state;
    gol_engine *engine = loaded_engine_create(&models[1][0], &(gol_engine_opts){.max_seqs = 2});
    const gol_memory_plan *plan = gol_engine_get_memory(engine);
    const gol_engine_limits *limits = gol_engine_get_limits(engine);
    assert_int_equal(limits->kv_bytes, 0);
    assert_int_equal(limits->max_model_len, TINY_CTX);
    assert_int_equal(limits->n_states, 4);
    assert_true(plan->bytes[GOL_MEMORY_STATES] > 0);
    gol_engine_destroy(&engine);
}

static void states_are_counted_and_must_fit(void **state)
{
    (void)state;
    const gol_config *config = gol_model_config(models[0][0].model);
    const uint64_t slot = gol_config_state_bytes(config, models[0][0].be, 1);
    gol_engine_opts opts = {.max_seqs = 2, .max_model_len = 64, .max_snapshots = 5};
    gol_engine *engine = loaded_engine_create(&models[0][0], &opts);
    const gol_memory_plan plan = *gol_engine_get_memory(engine);
    gol_engine_destroy(&engine);
    assert_true(plan.bytes[GOL_MEMORY_STATES] >= 7 * slot);
    assert_true(plan.bytes[GOL_MEMORY_STATES] < 8 * slot);
    opts.max_snapshots = 100000;
    opts.memory = plan.total;
    gol_err err = {0};
    assert_int_equal(gol_engine_create(&engine, models[0][0].model, &opts, &err), GOL_ENOMEM);
    assert_non_null(strstr(err.message, "100002 recurrent states"));
    opts.max_snapshots = -1;
    assert_int_equal(gol_engine_create(&engine, models[0][0].model, &opts, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "max_snapshots"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_snapshots_give_has_the_bits_of_what_is_computed),
        cmocka_unit_test(the_same_prompt_goes_on_from_its_last_border),
        cmocka_unit_test(prompts_that_part_share_what_they_have_in_common_from_the_third_on),
        cmocka_unit_test(a_conversation_goes_on_at_the_end_of_the_answer),
        cmocka_unit_test(neighbours_threads_and_slices_change_no_bit),
        cmocka_unit_test(preemption_changes_no_bit),
        cmocka_unit_test(samples_of_a_prompt_share_its_computation),
        cmocka_unit_test(aborts_free_slots),
        cmocka_unit_test(a_model_without_attention_needs_no_bytes_for_keys),
        cmocka_unit_test(states_are_counted_and_must_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
