/*
 * The first promise: a request gets the same tokens and the same log-probabilities, to the bit, whatever else happens. Twelve
 * requests of all kinds are run alone, then together, in slices of prompts, with preemption, with neighbours that come and
 * are aborted at random, on one thread and on two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "support/same_answer.h"
#include "support/loaded_engine.h"
#include "support/loaded_model.h"

enum { N_REQUESTS = 12, N_NEIGHBOURS = 3 * N_REQUESTS, BLOCK_SIZE = 4 };

static loaded_model one_thread;
static loaded_model two_threads;
static int32_t prompts[N_REQUESTS][TINY_CTX];
static gol_request requests[N_REQUESTS];
static collector alone[N_REQUESTS];

static const int32_t stop_ids[] = {7, 22, POISON_TOKEN};
static gol_sampling_extras extras[4];
static const gol_logit_bias biases[] = {{3, 1.5f}, {4, -INFINITY}, {9, -2.0f}};
static const int32_t phrase_tokens[] = {1, 2, 5, 11};
static const int32_t phrase_ends[] = {1, 4};
static const gol_phrases phrases = {phrase_tokens, phrase_ends, 2};

/* Of each kind that remembers something of the sequence, or changes logits. */
static void make_extras(void)
{
    for (int i = 0; i < 4; i++) {
        extras[i] = GOL_SAMPLING_EXTRAS_DEFAULT;
        requests[8 + i].sampling.extras = &extras[i];
    }
    extras[0].mirostat = 2;
    extras[0].mirostat_tau = 3.0f;
    extras[1].mirostat = 1;
    extras[1].logit_bias = biases;
    extras[1].n_logit_bias = 3;
    extras[2].dry_multiplier = 0.8f;
    extras[2].dry_allowed_length = 1;
    extras[2].dry_breakers = phrases;
    extras[2].xtc_probability = 0.5f;
    extras[2].xtc_threshold = 0.05f;
    extras[3].order = GOL_ORDER_TEMPERATURE_LAST;
    extras[3].top_n_sigma = 2.0f;
    extras[3].typical_p = 0.9f;
    extras[3].dynatemp_range = 0.4f;
    extras[3].repeat_last_n = 8;
    extras[3].bad_words = phrases;
    requests[11].sampling.repetition_penalty = 1.4f;
}

static void make_requests(void)
{
    static const int32_t n_prompts[N_REQUESTS] = {1, 3, 4, 17, 40, 61, 8, 25, 9, 5, 30, 14};
    static const int32_t max_tokens[N_REQUESTS] = {40, 60, 33, 1, 50, 200, 24, 64, 70, 30, 80, 48};
    gol_rng rng = {.key = 5};
    for (int i = 0; i < N_REQUESTS; i++) {
        for (int32_t k = 0; k < n_prompts[i]; k++)
            prompts[i][k] = (int32_t)gol_rng_below(&rng, POISON_TOKEN);
        requests[i] = (gol_request){
            .prompt = prompts[i],
            .n_prompt = n_prompts[i],
            .max_tokens = max_tokens[i],
            .min_tokens = max_tokens[i], /* with the stop ids: the poisoned token is never drawn */
            .stop_ids = stop_ids,
            .n_stop_ids = 3,
            .n_logprobs = i % 5 - 1,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = collector_take,
        };
        requests[i].sampling.seed = 1000 + (uint64_t)i;
    }
    requests[0].sampling.temperature = 0.0f;
    requests[1].sampling.top_p = 0.9f;
    requests[2].sampling.top_k = 10;
    requests[4].sampling.repetition_penalty = 1.3f;
    requests[5].sampling.frequency_penalty = 0.5f;
    requests[5].sampling.presence_penalty = -0.25f;
    requests[6].sampling.temperature = 0.0f;
    requests[6].sampling.repetition_penalty = 1.5f;
    requests[7].sampling.min_p = 0.05f;
    make_extras();
}

static int set_up(void **state)
{
    (void)state;
    loaded_model_create(&one_thread, 1);
    loaded_model_create(&two_threads, 2);
    make_requests();
    gol_engine *engine = loaded_engine_create(&one_thread,
                                              &(gol_engine_opts){.block_size = BLOCK_SIZE});
    for (int i = 0; i < N_REQUESTS; i++) {
        collector_init(&alone[i]);
        loaded_engine_submit(engine, &requests[i], &alone[i]);
        assert_true(collector_wait_end(&alone[i]));
    }
    gol_engine_destroy(&engine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_REQUESTS; i++)
        collector_deinit(&alone[i]);
    loaded_model_destroy(&one_thread);
    loaded_model_destroy(&two_threads);
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

/* The twelve together; returns how often somebody was preempted. */
static uint64_t run_together(const loaded_model *tiny, const gol_engine_opts *opts)
{
    static collector got[N_REQUESTS];
    gol_engine *engine = loaded_engine_create(tiny, opts);
    for (int i = 0; i < N_REQUESTS; i++) {
        collector_init(&got[i]);
        /* The first holds the engine in its first event until all are there, so that they do run together. */
        got[i].is_held = i == 0;
        loaded_engine_submit(engine, &requests[i], &got[i]);
    }
    collector_release(&got[0]);
    for (int i = 0; i < N_REQUESTS; i++)
        assert_true(collector_wait_end(&got[i]));
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    assert_int_equal(stats.n_running + stats.n_waiting, 0);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N_REQUESTS; i++) {
        assert_same_answer(&got[i], &alone[i]);
        collector_deinit(&got[i]);
    }
    return stats.n_preemptions;
}

static gol_engine_opts opts_of(const loaded_model *tiny, int32_t max_batch_tokens, int32_t n_blocks)
{
    return (gol_engine_opts){
        .max_seqs = N_REQUESTS,
        .max_batch_tokens = max_batch_tokens,
        .max_model_len = TINY_CTX,
        .block_size = BLOCK_SIZE,
        .kv_bytes = loaded_kv_bytes(tiny, n_blocks, BLOCK_SIZE),
    };
}

static void the_requests_alone_are_worth_comparing(void **state)
{
    (void)state;
    for (int i = 0; i < N_REQUESTS; i++) {
        assert_int_equal(alone[i].last.finish, GOL_FINISH_LENGTH);
        const int32_t n_room = TINY_CTX - requests[i].n_prompt;
        assert_int_equal(alone[i].n_tokens,
                         requests[i].max_tokens < n_room ? requests[i].max_tokens : n_room);
        bool is_monotonous = alone[i].n_tokens > 1;
        for (int32_t k = 1; k < alone[i].n_tokens; k++)
            is_monotonous &= alone[i].tokens[k] == alone[i].tokens[0];
        assert_false(is_monotonous);
    }
}

static void together_they_get_what_they_get_alone(void **state)
{
    (void)state;
    const int32_t n_ample = N_REQUESTS * TINY_CTX / BLOCK_SIZE;
    const loaded_model *models[] = {&one_thread, &two_threads};
    static const int32_t batch_tokens[] = {12, 17, 512};
    for (int m = 0; m < 2; m++) {
        for (int b = 0; b < 3; b++) {
            const gol_engine_opts opts = opts_of(models[m], batch_tokens[b], n_ample);
            assert_int_equal(run_together(models[m], &opts), 0);
        }
    }
}

static void preemption_changes_no_bit(void **state)
{
    (void)state;
    const loaded_model *models[] = {&one_thread, &two_threads};
    static const int32_t batch_tokens[] = {12, 512};
    for (int m = 0; m < 2; m++) {
        for (int b = 0; b < 2; b++) {
            const gol_engine_opts opts = opts_of(models[m], batch_tokens[b], TINY_CTX / BLOCK_SIZE);
            assert_true(run_together(models[m], &opts) > 0);
        }
    }
}

/* Neighbours that come in waves and go before they are done, while the twelve run in a small pool. */
static void run_among_neighbours(const loaded_model *tiny, uint64_t seed)
{
    static collector got[N_REQUESTS];
    static collector others[N_NEIGHBOURS];
    gol_engine_opts opts = opts_of(tiny, 24, 2 * TINY_CTX / BLOCK_SIZE);
    opts.max_seqs = N_REQUESTS + 4;
    gol_engine *engine = loaded_engine_create(tiny, &opts);
    gol_rng rng = {.key = seed};
    uint64_t ids[N_NEIGHBOURS];
    for (int i = 0; i < N_NEIGHBOURS; i++) {
        if (i % 3 == 0) {
            collector_init(&got[i / 3]);
            loaded_engine_submit(engine, &requests[i / 3], &got[i / 3]);
        }
        collector_init(&others[i]);
        gol_request request = requests[gol_rng_below(&rng, N_REQUESTS)];
        request.sampling.seed = gol_rng_next(&rng);
        request.user = &others[i];
        assert_int_equal(gol_engine_submit(engine, &request, &ids[i], NULL), 0);
        if (gol_rng_below(&rng, 2))
            usleep((useconds_t)gol_rng_below(&rng, 2000));
        gol_engine_abort(engine, ids[gol_rng_below(&rng, (uint64_t)i + 1)]);
    }
    for (int i = 0; i < N_REQUESTS; i++)
        assert_true(collector_wait_end(&got[i]));
    for (int i = 0; i < N_NEIGHBOURS; i++)
        gol_engine_abort(engine, ids[i]);
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N_REQUESTS; i++) {
        assert_same_answer(&got[i], &alone[i]);
        collector_deinit(&got[i]);
    }
    for (int i = 0; i < N_NEIGHBOURS; i++) {
        assert_int_equal(others[i].n_last_events, 1);
        collector_deinit(&others[i]);
    }
}

static void neighbours_that_are_aborted_change_no_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run_among_neighbours(&one_thread, seed);
        run_among_neighbours(&two_threads, seed + 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_requests_alone_are_worth_comparing),
        cmocka_unit_test(together_they_get_what_they_get_alone),
        cmocka_unit_test(preemption_changes_no_bit),
        cmocka_unit_test(neighbours_that_are_aborted_change_no_bit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
