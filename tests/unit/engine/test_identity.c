/*
 * The first promise by chance: random requests among fifteen random neighbours that come and go at random moments, on engines of
 * random options, get the bits that they get alone. Each case makes an engine (threads, rows of a step, places, caches, policy,
 * limit of time), sends a request into the crowd, and once more when it has ended; everybody's answer is compared, and what an
 * aborted one got of its own.
 *
 *     test_identity [seed [first_case [n_cases]]]
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/known_requests.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { N_CASES = 60 };
#else
enum { N_CASES = 500 };
#endif

enum { N_KINDS = 9, N_KNOWN = 120, N_NEIGHBOURS = 15 };

static void add_window(gol_gguf_writer *w, const char *arch)
{
    assert_string_equal(arch, "llama");
    gol_gguf_writer_add_u32(w, "llama.attention.sliding_window", 17);
}

static void add_window_of_first(gol_gguf_writer *w, const char *arch)
{
    add_window(w, arch);
    gol_gguf_writer_add_u32(w, "llama.attention.sliding_window_pattern", 2);
}

static const tiny_model kinds[N_KINDS] = {
    {.arch = "llama", .type = GOL_TYPE_F32, .seed = 1},
    {.arch = "gpt2", .type = GOL_TYPE_F32, .seed = 2},
    {.arch = "llama", .type = GOL_TYPE_Q8_0, .has_qkv_bias = true, .seed = 3},
    {.arch = "llama", .type = GOL_TYPE_F16, .is_tied = true, .has_rope_freqs = true, .seed = 4},
    {.arch = "granitehybrid", .type = GOL_TYPE_F32, .seed = 5},
    {.arch = "mamba2", .type = GOL_TYPE_Q8_0, .seed = 6},
    {.arch = "llama", .type = GOL_TYPE_Q8_0, .n_experts = 6, .seed = 7},
    {.arch = "llama", .type = GOL_TYPE_F32, .add_keys = add_window, .seed = 8},
    {.arch = "llama", .type = GOL_TYPE_Q8_0, .add_keys = add_window_of_first, .seed = 9},
};

static uint64_t seed = 1;
static uint64_t first_case;
static uint64_t n_cases = N_CASES;
static loaded_model models[N_KINDS][2]; /* on one thread, on two */
static known_request *known[N_KINDS];   /* [N_KNOWN] */

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        for (int n = 0; n < 2; n++)
            loaded_model_create_of(&models[i][n], &kinds[i], false, n + 1);
        known[i] = known_create(&models[i][0], N_KNOWN, seed + (uint64_t)i);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        known_destroy(&known[i], N_KNOWN);
        for (int n = 0; n < 2; n++)
            loaded_model_destroy(&models[i][n]);
    }
    return gol_mem_n_forbidden() == 0 ? 0 : -1; /* no step allocated */
}

/* What happened in all cases: a kind of disturbance that never came would prove nothing. */
typedef struct happened {
    uint64_t n_preemptions;
    uint64_t n_prefix_hits;
    uint64_t n_exact_hits;
    uint64_t n_copies;
    uint64_t n_aborted;
    uint64_t n_with_extras;
} happened;

typedef struct trial {
    uint64_t number;
    gol_rng rng;
    const known_request *known; /* [N_KNOWN] */
    gol_engine *engine;
    struct {
        const known_request *asked;
        collector got;
        uint64_t id;
    } streams[N_NEIGHBOURS + 2];
    int n_streams;
} trial;

static gol_engine_opts random_opts(const loaded_model *tiny, gol_rng *rng)
{
    static const int32_t batch_tokens[] = {16, 16, 40, 2048};
    static const int32_t itl_ms[] = {-1, 1, 1, 200};
    const int32_t block_size = 1 << known_pick(rng, 0, 5);
    const int32_t n_longest = known_one_in(rng, 3) ? N_NEIGHBOURS + 1 : known_pick(rng, 1, 3);
    return (gol_engine_opts){
        .max_seqs = 16,
        .max_batch_tokens = batch_tokens[known_pick(rng, 0, 3)],
        .max_model_len = TINY_CTX,
        .block_size = block_size,
        .kv_bytes = loaded_kv_bytes(tiny, n_longest * (TINY_CTX / block_size), block_size),
        .policy = known_one_in(rng, 2) ? GOL_SCHED_PRIORITY : GOL_SCHED_FCFS,
        .max_itl_ms = itl_ms[known_pick(rng, 0, 3)],
        .no_prefix_caching = known_one_in(rng, 4),
        .exact_cache_bytes = known_one_in(rng, 4) ? -1 : 0,
        .max_snapshots = known_one_in(rng, 2) ? known_pick(rng, 1, 4) : 0,
    };
}

static void submit(trial *t, const known_request *asked, bool is_held)
{
    const int i = t->n_streams++;
    t->streams[i].asked = asked;
    collector_init(&t->streams[i].got);
    t->streams[i].got.is_held = is_held;
    gol_request request = asked->request;
    request.user = &t->streams[i].got;
    gol_err err = {0};
    if (gol_engine_submit(t->engine, &request, &t->streams[i].id, &err) != 0)
        fail_msg("seed %" PRIu64 ", case %" PRIu64 ": %s", seed, t->number, err.message);
}

/* Comes and goes of neighbours. In every second case the engine stands still in the first event of all until everybody is there, so
 * that they do meet, and leave at all stages, however busy the machine is. */
static void run_crowd(trial *t)
{
    const bool is_held = t->number / N_KINDS % 2 == 0;
    const int32_t place = known_pick(&t->rng, 0, N_NEIGHBOURS);
    const known_request *subject = &t->known[t->number / N_KINDS % N_KNOWN];
    int subject_at = -1;
    for (int i = 0; i <= N_NEIGHBOURS; i++) {
        if (i == place)
            subject_at = t->n_streams;
        submit(t, i == place ? subject : &t->known[known_pick(&t->rng, 0, N_KNOWN - 1)],
               is_held && i == 0);
        if (known_one_in(&t->rng, 3))
            usleep((useconds_t)known_pick(&t->rng, 0, 400));
        const int victim = known_pick(&t->rng, 0, t->n_streams - 1);
        if (known_one_in(&t->rng, 4) && victim != subject_at)
            gol_engine_abort(t->engine, t->streams[victim].id);
    }
    collector_release(&t->streams[0].got);
    if (!collector_wait_end(&t->streams[subject_at].got))
        fail_msg("seed %" PRIu64 ", case %" PRIu64 ": no end came", seed, t->number);
    submit(t, subject, false);
    for (int i = 0; i < t->n_streams; i++) {
        if (!collector_wait_end(&t->streams[i].got))
            fail_msg("seed %" PRIu64 ", case %" PRIu64 ": stream %d has no end", seed, t->number,
                     i);
    }
}

static void look_at(trial *t, happened *sum)
{
    assert_true(gol_engine_drain(t->engine, PATIENCE_MS));
    gol_engine_stats stats;
    gol_engine_get_stats(t->engine, &stats);
    assert_int_equal(stats.n_blocks_free, stats.n_blocks);
    gol_engine_destroy(&t->engine);
    sum->n_preemptions += stats.n_preemptions;
    sum->n_prefix_hits += stats.n_prefix_hits;
    sum->n_exact_hits += stats.n_exact_hits;
    sum->n_copies += stats.n_block_copies;
    sum->n_aborted += stats.n_finished[GOL_FINISH_ABORT];
    for (int i = 0; i < t->n_streams; i++) {
        sum->n_with_extras += t->streams[i].asked->request.sampling.extras != NULL;
        const char *difference = known_difference(t->streams[i].asked, &t->streams[i].got);
        if (difference)
            fail_msg("seed %" PRIu64 ", case %" PRIu64 ", stream %d: %s", seed, t->number, i,
                     difference);
        collector_deinit(&t->streams[i].got);
    }
}

static void no_bit_depends_on_the_company_or_the_engine(void **state)
{
    (void)state;
    static trial t;
    happened sum = {0};
    for (uint64_t number = first_case; number < first_case + n_cases; number++) {
        const uint64_t kind = number % N_KINDS;
        t = (trial){.number = number, .known = known[kind]};
        t.rng.key = gol_rng_u64(seed, number);
        const loaded_model *tiny = &models[kind][known_pick(&t.rng, 0, 1)];
        const gol_engine_opts opts = random_opts(tiny, &t.rng);
        gol_err err = {0};
        if (gol_engine_create(&t.engine, tiny->model, &opts, &err) != 0)
            fail_msg("seed %" PRIu64 ", case %" PRIu64 ": %s", seed, number, err.message);
        run_crowd(&t);
        look_at(&t, &sum);
    }
    print_message("%" PRIu64 " cases, %" PRIu64 " preemptions, %" PRIu64 " tokens found, %" PRIu64
                  " exact repeats, %" PRIu64 " copies, %" PRIu64 " aborted, %" PRIu64
                  " with extras\n",
                  n_cases, sum.n_preemptions, sum.n_prefix_hits, sum.n_exact_hits, sum.n_copies,
                  sum.n_aborted, sum.n_with_extras);
    if (n_cases < N_CASES)
        return;
    assert_true(sum.n_preemptions > 0 && sum.n_prefix_hits > 0 && sum.n_exact_hits > 0);
    assert_true(sum.n_copies > 0 && sum.n_aborted > 0 && sum.n_with_extras > 0);
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    first_case = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    n_cases = argc > 3 ? strtoull(argv[3], NULL, 10) : N_CASES;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bit_depends_on_the_company_or_the_engine),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
