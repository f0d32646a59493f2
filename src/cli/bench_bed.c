/*
 * Owns the batch's arrays. Blocks are handed out in turn, as sequences that grow side by side get them:
 *
 *     block id        0  1  2  3  4  5 …
 *     sequence        a  b  c  a  b  c          of three
 *
 * The context before a test's first position is not computed: random keys and values with the spread that real ones have
 * are written where it would be. Attention reads as many bytes and does as many operations on them as on real ones; no
 * kernel's time depends on the values of finite numbers.
 */
#include "cli/bench_bed.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/sysmem.h"

/* Positions that each sequence of a test reaches. */
static int32_t n_positions(const gol_bench_test *test)
{
    return test->n_depth + gol_max_i32(test->n_prompt, test->n_gen);
}

static int32_t n_blocks_per_seq(const gol_bench_test *test)
{
    return (n_positions(test) + GOL_BENCH_BLOCK_SIZE - 1) / GOL_BENCH_BLOCK_SIZE;
}

/* What the largest tests need. */
typedef struct sizes {
    int32_t n_rows, n_seqs, n_ctx;
    int64_t n_blocks;
} sizes;

static sizes find_sizes(const gol_bench_test *tests, int32_t n_tests)
{
    sizes s = {.n_rows = 1, .n_seqs = 1};
    for (int32_t i = 0; i < n_tests; i++) {
        const gol_bench_test *t = &tests[i];
        const int64_t n_blocks = (int64_t)n_blocks_per_seq(t) * t->n_batch;
        const int32_t n_chunk = gol_min_i32(gol_max_i32(t->n_prompt, t->n_depth),
                                            GOL_BENCH_STEP_TOKENS);
        s.n_rows = gol_max_i32(s.n_rows, gol_max_i32(n_chunk, t->n_batch));
        s.n_seqs = gol_max_i32(s.n_seqs, t->n_batch);
        s.n_ctx = gol_max_i32(s.n_ctx, n_positions(t));
        s.n_blocks = n_blocks > s.n_blocks ? n_blocks : s.n_blocks;
    }
    return s;
}

static int create_kv(gol_bench_bed *bed, const sizes *s, gol_kv_type kv_type, gol_err *err)
{
    const int32_t n_layers = gol_model_config(bed->model)->n_layers;
    if (s->n_blocks > INT32_MAX / GOL_BENCH_BLOCK_SIZE) /* slots are numbered in 32 bits */
        return gol_fail(err, GOL_EINVAL,
                        "a test has %" PRId64
                        " tokens in the KV cache at once, at most %d are possible",
                        s->n_blocks * GOL_BENCH_BLOCK_SIZE, INT32_MAX);
    bed->layers = gol_try_array((size_t)n_layers, sizeof *bed->layers);
    if (bed->layers == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the shapes of %d layers", n_layers);
    gol_model_kv_layers(bed->model, bed->layers);
    const gol_kv_shape shape = {
        .type = kv_type,
        .n_layers = n_layers,
        .n_blocks = (int32_t)s->n_blocks,
        .block_size = GOL_BENCH_BLOCK_SIZE,
        .layers = bed->layers,
    };
    const size_t n_bytes = bed->be->ops->kv_bytes(bed->be, &shape);
    const uint64_t n_available = gol_sysmem_available();
    if (n_available > 0 && n_bytes > n_available)
        return gol_fail(err, GOL_ENOMEM,
                        "these tests need a KV cache of %zu MiB, %" PRIu64 " MiB are free: ask for "
                        "less depth or fewer sequences",
                        n_bytes >> 20, n_available >> 20);
    return bed->be->ops->kv_create(bed->be, &bed->kv, &shape, err);
}

static int allocate_arrays(gol_bench_bed *bed, const sizes *s, gol_err *err)
{
    const size_t n_rows = (size_t)s->n_rows;
    bed->n_rows_max = s->n_rows;
    bed->tokens = gol_try_array(n_rows, sizeof *bed->tokens);
    bed->positions = gol_try_array(n_rows, sizeof *bed->positions);
    bed->slot_mapping = gol_try_array(n_rows, sizeof *bed->slot_mapping);
    bed->output_rows = gol_try_array(n_rows, sizeof *bed->output_rows);
    bed->seqs = gol_try_array((size_t)s->n_seqs, sizeof *bed->seqs);
    bed->block_tables = gol_try_array((size_t)s->n_blocks, sizeof *bed->block_tables);
    if (!bed->tokens || !bed->positions || !bed->slot_mapping || !bed->output_rows || !bed->seqs ||
        !bed->block_tables)
        return gol_fail(err, GOL_ENOMEM, "out of memory for batches of %d tokens", s->n_rows);
    return 0;
}

int gol_bench_bed_init(gol_bench_bed *bed, const gol_model *model, const gol_bench_test *tests,
                       int32_t n_tests, gol_kv_type kv_type, gol_err *err)
{
    if (!gol_model_config(model)->has_logits)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "the model is an encoder or a reranker: there is no decoding to be timed");
    const sizes s = find_sizes(tests, n_tests);
    *bed = (gol_bench_bed){.model = model, .be = gol_model_backend(model), .rng = {.key = 1}};
    int rc = create_kv(bed, &s, kv_type, err);
    if (rc == 0)
        rc = gol_model_state_create(&bed->state, model, s.n_seqs, err);
    if (rc == 0)
        rc = allocate_arrays(bed, &s, err);
    if (rc == 0)
        rc = gol_forward_create(&bed->fwd, model, s.n_rows, s.n_seqs, s.n_ctx, err);
    if (rc != 0)
        gol_bench_bed_deinit(bed);
    return rc;
}

void gol_bench_bed_deinit(gol_bench_bed *bed)
{
    gol_forward_destroy(&bed->fwd);
    if (bed->kv != NULL)
        bed->be->ops->kv_destroy(bed->be, &bed->kv);
    if (bed->state != NULL)
        bed->be->ops->state_destroy(bed->be, &bed->state);
    gol_free(bed->block_tables);
    gol_free(bed->seqs);
    gol_free(bed->output_rows);
    gol_free(bed->slot_mapping);
    gol_free(bed->positions);
    gol_free(bed->tokens);
    gol_free(bed->layers);
    *bed = (gol_bench_bed){0};
}

/* Rows [row, row + n) become positions [first, first + n) of a sequence, with random tokens. */
static void fill_rows(gol_bench_bed *bed, int32_t row, int32_t seq, int32_t first, int32_t n)
{
    const int32_t *block_table = bed->block_tables + (size_t)seq * (size_t)bed->n_blocks_per_seq;
    const uint64_t n_vocab = (uint64_t)gol_model_config(bed->model)->n_vocab;
    assert(row + n <= bed->n_rows_max);
    for (int32_t i = 0; i < n; i++) {
        const int32_t position = first + i;
        const int32_t block = block_table[position / GOL_BENCH_BLOCK_SIZE];
        bed->tokens[row + i] = (int32_t)gol_rng_below(&bed->rng, n_vocab);
        bed->positions[row + i] = position;
        bed->slot_mapping[row + i] = block * GOL_BENCH_BLOCK_SIZE + position % GOL_BENCH_BLOCK_SIZE;
    }
}

static gol_batch_seq make_seq(const gol_bench_bed *bed, int32_t seq, int32_t first_row,
                              int32_t first, int32_t n)
{
    return (gol_batch_seq){
        .first_row = first_row,
        .n_rows = n,
        .n_past = first,
        .n_blocks = bed->n_blocks_per_seq,
        .block_table = bed->block_tables + (size_t)seq * (size_t)bed->n_blocks_per_seq,
        .state_slot = seq,
    };
}

static gol_batch make_batch(const gol_bench_bed *bed, int32_t n_rows, int32_t n_seqs,
                            int32_t n_outputs)
{
    return (gol_batch){
        .n_tokens = n_rows,
        .tokens = bed->tokens,
        .positions = bed->positions,
        .slot_mapping = bed->slot_mapping,
        .n_seqs = n_seqs,
        .seqs = bed->seqs,
        .n_outputs = n_outputs,
        .output_rows = bed->output_rows,
    };
}

/* One sequence's positions [first, first + n) as a batch of its own. */
static gol_batch slice_batch(gol_bench_bed *bed, int32_t seq, int32_t first, int32_t n,
                             bool wants_logits)
{
    fill_rows(bed, 0, seq, first, n);
    bed->seqs[0] = make_seq(bed, seq, 0, first, n);
    bed->output_rows[0] = n - 1;
    return make_batch(bed, n, 1, wants_logits ? 1 : 0);
}

/* The widest token of all layers, in numbers of K or V. */
static size_t kv_width(const gol_bench_bed *bed)
{
    int32_t width = 0;
    for (int32_t i = 0; i < gol_model_config(bed->model)->n_layers; i++) {
        const gol_kv_layer_shape *l = &bed->layers[i];
        width = gol_max_i32(width, l->n_kv_heads * gol_max_i32(l->head_dim_k, l->head_dim_v));
    }
    return (size_t)width;
}

/* Writes kv, [n_rows][width] on the device, as K and V of every layer for the rows of the batch. */
static void write_kv(gol_bench_bed *bed, const float *kv, const gol_batch *batch)
{
    for (int32_t layer = 0; layer < gol_model_config(bed->model)->n_layers; layer++) {
        const gol_kv_layer_shape *l = &bed->layers[layer];
        if (l->n_kv_heads > 0)
            bed->be->ops->kv_write(bed->be, bed->kv, layer, kv, kv, l->n_kv_heads * l->head_dim_k,
                                   l->n_kv_heads * l->head_dim_v, batch);
    }
}

static int fill_context(gol_bench_bed *bed, const gol_bench_test *test, gol_err *err)
{
    const int32_t n_chunk = gol_min_i32(test->n_depth, GOL_BENCH_STEP_TOKENS);
    const size_t n = (size_t)n_chunk * kv_width(bed);
    float *kv = NULL;
    float *host = gol_try_array(n, sizeof *host);
    int rc = host != NULL ? bed->be->ops->alloc(bed->be, &kv, n, err)
                          : gol_fail(err, GOL_ENOMEM, "out of memory for the context");
    if (rc == 0) {
        for (size_t i = 0; i < n; i++)
            host[i] = (float)gol_rng_next_normal(&bed->rng);
        bed->be->ops->write(bed->be, kv, host, n);
        for (int32_t seq = 0; seq < test->n_batch; seq++) {
            for (int32_t first = 0; first < test->n_depth; first += n_chunk) {
                const int32_t n_rows = gol_min_i32(n_chunk, test->n_depth - first);
                const gol_batch batch = slice_batch(bed, seq, first, n_rows, false);
                write_kv(bed, kv, &batch);
            }
        }
        bed->be->ops->free(bed->be, kv);
    }
    gol_free(host);
    return rc;
}

int gol_bench_bed_set_up(gol_bench_bed *bed, const gol_bench_test *test, gol_err *err)
{
    bed->n_blocks_per_seq = n_blocks_per_seq(test);
    for (int32_t seq = 0; seq < test->n_batch; seq++) {
        int32_t *block_table = bed->block_tables + (size_t)seq * (size_t)bed->n_blocks_per_seq;
        for (int32_t i = 0; i < bed->n_blocks_per_seq; i++)
            block_table[i] = i * test->n_batch + seq;
    }
    return test->n_depth > 0 ? fill_context(bed, test, err) : 0;
}

static void run_prefill(gol_bench_bed *bed, const gol_bench_test *test)
{
    for (int32_t done = 0; done < test->n_prompt;) {
        const int32_t n = gol_min_i32(test->n_prompt - done, GOL_BENCH_STEP_TOKENS);
        const bool is_last = done + n == test->n_prompt;
        const gol_batch batch = slice_batch(bed, 0, test->n_depth + done, n, is_last);
        gol_forward_run(bed->fwd, bed->kv, bed->state, &batch);
        done += n;
    }
}

static void run_decode(gol_bench_bed *bed, const gol_bench_test *test)
{
    for (int32_t step = 0; step < test->n_gen; step++) {
        const int32_t position = test->n_depth + step;
        for (int32_t seq = 0; seq < test->n_batch; seq++) {
            fill_rows(bed, seq, seq, position, 1);
            bed->seqs[seq] = make_seq(bed, seq, seq, position, 1);
            bed->output_rows[seq] = seq;
        }
        const gol_batch batch = make_batch(bed, test->n_batch, test->n_batch, test->n_batch);
        gol_forward_run(bed->fwd, bed->kv, bed->state, &batch);
    }
}

double gol_bench_bed_run(gol_bench_bed *bed, const gol_bench_test *test)
{
    const uint64_t begin_ns = gol_clock_ns();
    if (test->n_prompt > 0)
        run_prefill(bed, test);
    else
        run_decode(bed, test);
    return (double)(gol_clock_ns() - begin_ns) / 1e9;
}
