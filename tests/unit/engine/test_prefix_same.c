/*
 * The first promise under the prefix cache: what is found again gives the same tokens and the same log-probabilities, to the bit, as
 * what is computed. A conversation's requests are run on an engine without the cache, and then in every way in which the cache
 * can serve them: cold, warm, as exact repeats, several at once, behind preemption, among neighbours, with every block size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "support/same_answer.h"
#include "support/loaded_engine.h"
#include "support/loaded_model.h"

enum { N_REQUESTS = 6, BLOCK_SIZE = 8, N_ANSWER = 20 };

static loaded_model one_thread;
static loaded_model two_threads;
static int32_t tokens[TINY_CTX];
static int32_t branch[TINY_CTX];
static gol_request requests[N_REQUESTS];
static collector computed[N_REQUESTS]; /* without the cache */

static const int32_t poison_id = POISON_TOKEN;

/* Lengths at and around block borders; two that share their beginning and differ inside a block. */
static void make_requests(void)
{
    static const int32_t n_prompts[N_REQUESTS] = {1, BLOCK_SIZE, 3 * BLOCK_SIZE, 45, 61, 50};
    gol_rng rng = {.key = 9};
    for (int32_t i = 0; i < TINY_CTX; i++) {
        tokens[i] = (int32_t)gol_rng_below(&rng, POISON_TOKEN);
        branch[i] = i < 27 ? tokens[i] : (int32_t)gol_rng_below(&rng, POISON_TOKEN);
    }
    for (int i = 0; i < N_REQUESTS; i++) {
        requests[i] = (gol_request){
            .prompt = i == N_REQUESTS - 1 ? branch : tokens,
            .n_prompt = n_prompts[i],
            .max_tokens = N_ANSWER,
            .min_tokens = N_ANSWER,
            .stop_ids = &poison_id,
            .n_stop_ids = 1,
            .n_logprobs = 3,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = collector_take,
        };
        requests[i].sampling.seed = 40 + (uint64_t)i;
    }
    requests[2].sampling.temperature = 0.0f;
    requests[3].sampling.repetition_penalty = 1.3f;
}

static int set_up(void **state)
{
    (void)state;
    loaded_model_create(&one_thread, 1);
    loaded_model_create(&two_threads, 2);
    make_requests();
    gol_engine *engine = loaded_engine_create(&one_thread,
                                              &(gol_engine_opts){.no_prefix_caching = true});
    for (int i = 0; i < N_REQUESTS; i++) {
        collector_init(&computed[i]);
        loaded_engine_submit(engine, &requests[i], &computed[i]);
        assert_true(collector_wait_end(&computed[i]));
        assert_int_equal(computed[i].last.n_cached, 0);
    }
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_prefix_queries, 0);
    assert_int_equal(stats.n_blocks_cached, 0);
    gol_engine_destroy(&engine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_REQUESTS; i++)
        collector_deinit(&computed[i]);
    loaded_model_destroy(&one_thread);
    loaded_model_destroy(&two_threads);
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

/* One alone; returns how much of its prompt was found. */
static int32_t run(gol_engine *engine, int i)
{
    collector c;
    collector_init(&c);
    loaded_engine_submit(engine, &requests[i], &c);
    assert_true(collector_wait_end(&c));
    assert_same_answer(&c, &computed[i]);
    const int32_t n_cached = c.last.n_cached;
    collector_deinit(&c);
    return n_cached;
}

static gol_engine_opts opts_of(const loaded_model *tiny, int32_t block_size, int32_t n_tokens)
{
    return (gol_engine_opts){
        .max_seqs = 8,
        .max_model_len = TINY_CTX,
        .block_size = block_size,
        .kv_bytes = loaded_kv_bytes(tiny, n_tokens / block_size, block_size),
    };
}

static void what_is_found_gives_the_bits_of_what_is_computed(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 2, 8, 16, 64};
    const loaded_model *models[] = {&one_thread, &two_threads};
    for (int k = 0; k < 10; k++) {
        const gol_engine_opts opts = opts_of(models[k % 2], block_sizes[k / 2], 8 * TINY_CTX);
        gol_engine *engine = loaded_engine_create(models[k % 2], &opts);
        /* From long to short: prompts inside prompts, and inside prompt and answer; then the other way round. */
        for (int i = N_REQUESTS - 1; i >= 0; i--)
            run(engine, i);
        for (int i = 0; i < N_REQUESTS; i++)
            assert_int_equal(run(engine, i), requests[i].n_prompt);
        gol_engine_destroy(&engine);
    }
}

static void an_exact_repeat_computes_no_token_of_the_prompt(void **state)
{
    (void)state;
    const gol_engine_opts opts = opts_of(&one_thread, BLOCK_SIZE, 8 * TINY_CTX);
    for (int i = 0; i < N_REQUESTS; i++) {
        gol_engine *engine = loaded_engine_create(&one_thread, &opts);
        assert_int_equal(run(engine, i), 0);
        gol_engine_stats cold;
        gol_engine_get_stats(engine, &cold);
        for (int n = 1; n <= 3; n++) {
            assert_int_equal(run(engine, i), requests[i].n_prompt);
            gol_engine_stats warm;
            gol_engine_get_stats(engine, &warm);
            assert_int_equal(warm.n_prompt_tokens, cold.n_prompt_tokens);
            assert_int_equal(warm.n_exact_hits, n);
            assert_int_equal(warm.n_steps, (uint64_t)(n + 1) * N_ANSWER);
        }
        gol_engine_destroy(&engine);
    }
}

static void without_kept_rows_one_token_of_a_repeat_is_computed(void **state)
{
    (void)state;
    gol_engine_opts opts = opts_of(&one_thread, BLOCK_SIZE, 8 * TINY_CTX);
    opts.exact_cache_bytes = -1;
    for (int i = 0; i < N_REQUESTS; i++) {
        gol_engine *engine = loaded_engine_create(&one_thread, &opts);
        assert_int_equal(run(engine, i), 0);
        for (int n = 0; n < 3; n++)
            assert_int_equal(run(engine, i), requests[i].n_prompt - 1);
        gol_engine_stats stats;
        gol_engine_get_stats(engine, &stats);
        assert_int_equal(stats.n_exact_hits, 0);
        gol_engine_destroy(&engine);
    }
}

/* All at once, several times over: they follow each other, share, copy, merge. */
static void run_together(const loaded_model *tiny, const gol_engine_opts *opts,
                         gol_engine_stats *stats)
{
    enum { ROUNDS = 3, N = ROUNDS * N_REQUESTS };
    static collector got[N];
    gol_engine *engine = loaded_engine_create(tiny, opts);
    for (int i = 0; i < N; i++) {
        collector_init(&got[i]);
        got[i].is_held = i == 0; /* until all are there */
        loaded_engine_submit(engine, &requests[i % N_REQUESTS], &got[i]);
    }
    collector_release(&got[0]);
    for (int i = 0; i < N; i++)
        assert_true(collector_wait_end(&got[i]));
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_get_stats(engine, stats);
    assert_int_equal(stats->n_blocks_free, stats->n_blocks);
    gol_engine_destroy(&engine);
    for (int i = 0; i < N; i++) {
        assert_same_answer(&got[i], &computed[i % N_REQUESTS]);
        collector_deinit(&got[i]);
    }
}

static void neighbours_with_the_same_beginning_change_no_bit(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 4, 8, 16};
    const loaded_model *models[] = {&one_thread, &two_threads};
    for (int k = 0; k < 8; k++) {
        gol_engine_opts opts = opts_of(models[k % 2], block_sizes[k / 2], 8 * TINY_CTX);
        opts.max_seqs = 32;
        opts.max_batch_tokens = k < 4 ? 32 : 512;
        gol_engine_stats stats;
        run_together(models[k % 2], &opts, &stats);
        assert_true(stats.n_prefix_hits > 0);
        assert_true(stats.n_exact_hits > 0);
        assert_int_equal(stats.n_preemptions, 0);
    }
}

static void preemption_and_eviction_change_no_bit(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 4, 8, 16};
    const loaded_model *models[] = {&one_thread, &two_threads};
    for (int k = 0; k < 8; k++) {
        gol_engine_opts opts = opts_of(models[k % 2], block_sizes[k / 2], TINY_CTX);
        opts.max_batch_tokens = k < 4 ? 8 : 512;
        gol_engine_stats stats;
        run_together(models[k % 2], &opts, &stats);
        assert_true(stats.n_preemptions > 0);
        assert_true(stats.n_block_evictions > 0);
    }
}

/* The engine is held in the first event of a stranger while all of them arrive. */
static void answers_to_one_prompt_compute_it_once(void **state)
{
    (void)state;
    enum { N = 8 };
    static collector got[N + 1];
    gol_engine_opts opts = opts_of(&one_thread, BLOCK_SIZE, 8 * TINY_CTX);
    opts.max_seqs = N + 1;
    gol_engine *engine = loaded_engine_create(&one_thread, &opts);
    collector_init(&got[N]);
    got[N].is_held = true;
    loaded_engine_submit(engine, &requests[5], &got[N]);
    gol_request request = requests[4];
    request.no_cache = false;
    request.cache_salt = "tenant"; /* nothing in common with the stranger */
    request.n_cache_salt = 6;
    for (int i = 0; i < N; i++) {
        collector_init(&got[i]);
        loaded_engine_submit(engine, &request, &got[i]);
    }
    collector_release(&got[N]);
    for (int i = 0; i <= N; i++)
        assert_true(collector_wait_end(&got[i]));
    assert_true(gol_engine_drain(engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(engine, &stats);
    assert_int_equal(stats.n_prompt_tokens, requests[5].n_prompt + request.n_prompt);
    assert_int_equal(stats.n_exact_hits, N - 1);
    assert_int_equal(got[0].last.n_cached, 0);
    for (int i = 0; i < N; i++) {
        assert_same_answer(&got[i], &computed[4]);
        if (i > 0)
            assert_int_equal(got[i].last.n_cached, request.n_prompt);
    }
    gol_engine_destroy(&engine);
    for (int i = 0; i <= N; i++)
        collector_deinit(&got[i]);
}

static void salts_and_requests_without_cache_find_nothing_of_others(void **state)
{
    (void)state;
    const gol_engine_opts opts = opts_of(&one_thread, BLOCK_SIZE, 8 * TINY_CTX);
    gol_engine *engine = loaded_engine_create(&one_thread, &opts);
    run(engine, 4);
    static const struct {
        const char *salt;
        bool no_cache;
        int32_t n_cached;
    } cases[] = {
        {"a", false, 0}, {"b", false, 0}, {"a", false, 61},  {NULL, true, 0},
        {"a", true, 0},  {NULL, true, 0}, {NULL, false, 61},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gol_request request = requests[4];
        request.cache_salt = cases[i].salt;
        request.n_cache_salt = cases[i].salt ? 1 : 0;
        request.no_cache = cases[i].no_cache;
        collector c;
        collector_init(&c);
        loaded_engine_submit(engine, &request, &c);
        assert_true(collector_wait_end(&c));
        assert_same_answer(&c, &computed[4]);
        assert_int_equal(c.last.n_cached, cases[i].n_cached);
        collector_deinit(&c);
    }
    gol_engine_destroy(&engine);
}

/* Its end comes in the callback of its first token; what it has computed until then stays. */
static void what_an_aborted_request_has_computed_is_found(void **state)
{
    (void)state;
    const gol_engine_opts opts = opts_of(&one_thread, BLOCK_SIZE, 8 * TINY_CTX);
    gol_engine *engine = loaded_engine_create(&one_thread, &opts);
    collector c;
    collector_init(&c);
    c.is_held = true;
    gol_request request = requests[4];
    request.user = &c;
    uint64_t id;
    assert_int_equal(gol_engine_submit(engine, &request, &id, NULL), 0);
    assert_true(collector_wait(&c, 1));
    gol_engine_abort(engine, id);
    collector_release(&c);
    assert_true(collector_wait_end(&c));
    assert_int_equal(c.last.finish, GOL_FINISH_ABORT);
    collector_deinit(&c);
    assert_int_equal(run(engine, 4), requests[4].n_prompt);
    gol_engine_destroy(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_gives_the_bits_of_what_is_computed),
        cmocka_unit_test(an_exact_repeat_computes_no_token_of_the_prompt),
        cmocka_unit_test(without_kept_rows_one_token_of_a_repeat_is_computed),
        cmocka_unit_test(neighbours_with_the_same_beginning_change_no_bit),
        cmocka_unit_test(preemption_and_eviction_change_no_bit),
        cmocka_unit_test(answers_to_one_prompt_compute_it_once),
        cmocka_unit_test(salts_and_requests_without_cache_find_nothing_of_others),
        cmocka_unit_test(what_an_aborted_request_has_computed_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
