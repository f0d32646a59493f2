/*
 * Models whose layers see windows: what their sequences give back changes no bit of an answer, and they hold no more than their
 * windows need. What is compared with is computed by an engine whose blocks are as long as its context, so that nothing is ever
 * given back; then the same requests come in crowds, with small blocks, the smallest cache that is accepted, repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/minmax.h"
#include "engine/engine.h"
#include "support/loaded_engine.h"
#include "support/loaded_model.h"
#include "support/same_answer.h"
#include "support/tiny_archs.h"

enum { N_REQUESTS = 6, N_ANSWER = 20, LONG_ANSWER = 110, WINDOW = 9, SHORT_PROMPT = 5 };

static int32_t tokens[TINY_CTX];
static int32_t branch[TINY_CTX];
static gol_request requests[N_REQUESTS];

static void add_window(gol_gguf_writer *w, const char *arch)
{
    assert_string_equal(arch, "llama");
    gol_gguf_writer_add_u32(w, "llama.attention.sliding_window", WINDOW);
}

/* On one thread: more are test_identity.c's. "everywhere": all layers have the window; else a name of tiny_archs.h. */
static void load(loaded_model *m, const char *name)
{
    if (strcmp(name, "everywhere") == 0) {
        const tiny_model tiny = {
            .arch = "llama", .type = GOL_TYPE_Q8_0, .seed = 3, .add_keys = add_window};
        loaded_model_create_of(m, &tiny, false, 1);
        return;
    }
    gol_err err = {0};
    char path[256];
    m->dir = temp_dir_create();
    temp_dir_file(&m->dir, "tiny.gguf", path);
    int i = 0;
    while (strcmp(arch_cases[i].name, name) != 0)
        i++;
    loaded_check(arch_case_write(&arch_cases[i], path, &err), &err);
    loaded_check(gol_model_file_open(&m->file, path, &err), &err);
    loaded_check(gol_backend_cpu_create(&m->be, &(gol_cpu_opts){.n_threads = 1}, &err), &err);
    loaded_check(gol_model_load(&m->model, m->file, m->be, NULL, &err), &err);
}

static int make_requests(void **state)
{
    (void)state;
    static const int32_t n_prompts[N_REQUESTS] = {1, 8, 40, 61, 90, 70};
    gol_rng rng = {.key = 9};
    for (int32_t i = 0; i < TINY_CTX; i++) {
        tokens[i] = (int32_t)gol_rng_below(&rng, TINY_VOCAB);
        branch[i] = i < 43 ? tokens[i] : (int32_t)gol_rng_below(&rng, TINY_VOCAB);
    }
    for (int i = 0; i < N_REQUESTS; i++) {
        requests[i] = (gol_request){
            .prompt = i == N_REQUESTS - 1 ? branch : tokens,
            .n_prompt = n_prompts[i],
            .max_tokens = N_ANSWER,
            .n_logprobs = 3,
            .sampling = GOL_SAMPLING_DEFAULT,
            .on_output = collector_take,
        };
        requests[i].sampling.seed = 40 + (uint64_t)i;
    }
    return 0;
}

/* Each alone, and nothing is given back. */
static void compute(const loaded_model *m, collector computed[N_REQUESTS])
{
    gol_engine *engine = loaded_engine_create(m, &(gol_engine_opts){.no_prefix_caching = true,
                                                                    .max_model_len = TINY_CTX,
                                                                    .block_size = TINY_CTX});
    for (int i = 0; i < N_REQUESTS; i++) {
        collector_init(&computed[i]);
        loaded_engine_submit(engine, &requests[i], &computed[i]);
        assert_true(collector_wait_end(&computed[i]));
    }
    gol_engine_destroy(&engine);
}

/* The smallest cache with which a sequence of full length is accepted. */
static void make_small(const loaded_model *m, gol_engine_opts *opts)
{
    gol_err err = {0};
    gol_engine *engine;
    opts->kv_bytes = 512;
    while (gol_engine_create(&engine, m->model, opts, &err) != 0) {
        assert_int_equal(err.code, GOL_EINVAL);
        opts->kv_bytes += 512;
    }
    gol_engine_destroy(&engine);
}

static void run_crowd(gol_engine *engine, const collector computed[N_REQUESTS])
{
    static collector got[2 * N_REQUESTS];
    for (int i = 0; i < 2 * N_REQUESTS; i++) {
        collector_init(&got[i]);
        got[i].is_held = i == 0; /* until all are there */
        loaded_engine_submit(engine, &requests[i % N_REQUESTS], &got[i]);
    }
    collector_release(&got[0]);
    for (int i = 0; i < 2 * N_REQUESTS; i++) {
        assert_true(collector_wait_end(&got[i]));
        assert_same_answer(&got[i], &computed[i % N_REQUESTS]);
    }
    for (int i = 0; i < 2 * N_REQUESTS; i++)
        collector_deinit(&got[i]);
}

typedef struct happened {
    uint64_t n_preemptions;
    uint64_t n_hits;
    uint64_t n_exact_hits;
    uint64_t n_copies;
} happened;

static happened run_crowds(const loaded_model *m, const collector computed[N_REQUESTS])
{
    happened sum = {0};
    for (int n = 0; n < 24; n++) {
        static const int32_t block_sizes[] = {1, 2, 4, 16};
        static const int32_t batches[] = {12, 12, 40};
        gol_engine_opts opts = {
            .max_seqs = 12,
            .max_batch_tokens = batches[n / 8],
            .max_model_len = 112,
            .block_size = block_sizes[n % 4],
            .no_prefix_caching = n % 8 >= 4,
        };
        if (n % 3 > 0)
            make_small(m, &opts);
        if (n % 3 == 2)
            opts.kv_bytes *= 2;
        gol_engine *engine = loaded_engine_create(m, &opts);
        run_crowd(engine, computed);
        run_crowd(engine, computed);
        assert_true(gol_engine_drain(engine, PATIENCE_MS));
        gol_engine_stats stats;
        gol_engine_get_stats(engine, &stats);
        assert_int_equal(stats.n_blocks_free, stats.n_blocks);
        gol_engine_destroy(&engine);
        sum.n_preemptions += stats.n_preemptions;
        sum.n_hits += stats.n_prefix_hits;
        sum.n_exact_hits += stats.n_exact_hits;
        sum.n_copies += stats.n_block_copies;
    }
    return sum;
}

static void what_is_given_back_changes_no_bit(void **state)
{
    (void)state;
    static const char *const names[] = {"everywhere", "cohere2", "olmo3", "gemma3-linear"};
    static collector computed[N_REQUESTS];
    happened sum = {0};
    for (int i = 0; i < 4; i++) {
        loaded_model m;
        load(&m, names[i]);
        compute(&m, computed);
        const happened h = run_crowds(&m, computed);
        assert_true(h.n_hits > 0 && h.n_exact_hits > 0 && h.n_copies > 0);
        sum.n_preemptions += h.n_preemptions;
        for (int k = 0; k < N_REQUESTS; k++)
            collector_deinit(&computed[k]);
        loaded_model_destroy(&m);
    }
    assert_true(sum.n_preemptions > 0);
    assert_int_equal(gol_mem_n_forbidden(), 0); /* no step allocated */
}

/* How many blocks are held whenever a token comes. */
typedef struct watcher {
    collector collector;
    gol_engine *engine;
    _Atomic int32_t n_held_max;
} watcher;

static void watch(void *user, const gol_output *output)
{
    watcher *w = user;
    gol_engine_stats stats;
    gol_engine_get_stats(w->engine, &stats);
    const int32_t n_held = stats.n_blocks - stats.n_blocks_free;
    if (n_held > atomic_load(&w->n_held_max))
        atomic_store(&w->n_held_max, n_held);
    collector_take(&w->collector, output);
}

static void a_long_answer_holds_what_its_windows_see(void **state)
{
    (void)state;
    enum { BLOCK = 4, N_SEEN = 2, N_SLICE = 6, N_POOL = N_SEEN + 1 + 2 };
    loaded_model m;
    load(&m, "everywhere");
    gol_request request = requests[0];
    request.prompt = tokens;
    request.n_prompt = SHORT_PROMPT;
    request.max_tokens = LONG_ANSWER;
    collector computed;
    collector_init(&computed);
    gol_engine *engine = loaded_engine_create(&m, &(gol_engine_opts){.block_size = TINY_CTX});
    loaded_engine_submit(engine, &request, &computed);
    assert_true(collector_wait_end(&computed));
    gol_engine_destroy(&engine);
    request.on_output = watch;
    gol_err err = {0};
    for (int is_cached = 0; is_cached < 2; is_cached++) {
        gol_engine_opts opts = {
            .max_seqs = 1,
            .max_batch_tokens = N_SLICE,
            .max_model_len = TINY_CTX, /* more than all blocks have places */
            .block_size = BLOCK,
            .kv_bytes = loaded_kv_bytes(&m, N_POOL - 1, BLOCK),
            .no_prefix_caching = !is_cached,
        };
        assert_int_equal(gol_engine_create(&engine, m.model, &opts, &err), GOL_EINVAL);
        opts.kv_bytes = loaded_kv_bytes(&m, N_POOL, BLOCK);
        static watcher w;
        collector_init(&w.collector);
        w.engine = loaded_engine_create(&m, &opts);
        atomic_store(&w.n_held_max, 0);
        assert_int_equal(gol_engine_get_limits(w.engine)->n_blocks, N_POOL);
        assert_true(N_POOL * BLOCK < SHORT_PROMPT + LONG_ANSWER);
        loaded_engine_submit(w.engine, &request, &w);
        assert_true(collector_wait_end(&w.collector));
        assert_same_answer(&w.collector, &computed);
        const int32_t n_held = atomic_load(&w.n_held_max);
        assert_true(n_held > 0 && n_held <= N_SEEN + 1);
        gol_engine_destroy(&w.engine);
        collector_deinit(&w.collector);
    }
    collector_deinit(&computed);
    loaded_model_destroy(&m);
}

static void layers_without_a_window_bound_the_length(void **state)
{
    (void)state;
    loaded_model m;
    load(&m, "gemma3-linear");
    int n_longer = 0;
    for (uint64_t kib = 6; kib <= 40; kib += 2) {
        const gol_engine_opts opts = {
            .max_seqs = 1, .max_batch_tokens = 4, .block_size = 4, .kv_bytes = kib << 10};
        gol_engine *engine = loaded_engine_create(&m, &opts);
        const gol_engine_limits *limits = gol_engine_get_limits(engine);
        const gol_kv_layout *layout = &limits->layout;
        const int32_t len = limits->max_model_len;
        assert_int_equal(layout->n_groups, 7); /* one layer in seven has no window: groups of one */
        assert_true(gol_kv_layout_blocks_for(layout, len) <= limits->n_blocks);
        if (len < TINY_CTX)
            assert_true(gol_kv_layout_blocks_for(layout, len + 1) > limits->n_blocks);
        n_longer += len < TINY_CTX && len > limits->n_blocks / layout->n_groups * opts.block_size;
        gol_engine_destroy(&engine);
    }
    assert_true(n_longer > 0);
    loaded_model_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_back_changes_no_bit),
        cmocka_unit_test(a_long_answer_holds_what_its_windows_see),
        cmocka_unit_test(layers_without_a_window_bound_the_length),
    };
    return cmocka_run_group_tests(tests, make_requests, NULL);
}
