/* Paged KV cache and attention of the CPU backend, against attention by its definition in double. */
#include "unit/backend/backend_test.h"

#include "base/mem.h"
#include "quant/half.h"

enum { N_HEADS = 6, N_KV_HEADS = 2, DIM_K = 24, DIM_V = 20, N_BLOCKS = 64 };

static const gol_kv_layer_shape layer_shapes[2] = {{1, 8, 8}, {N_KV_HEADS, DIM_K, DIM_V}};

/* A sequence whose whole K, V and q exist in plain arrays, and its blocks in the cache. */
typedef struct timeline {
    int32_t n_tokens;
    float *q; /* [n_tokens][N_HEADS][DIM_K] */
    float *k; /* [n_tokens][N_KV_HEADS][DIM_K] */
    float *v; /* [n_tokens][N_KV_HEADS][DIM_V] */
    int32_t block_table[N_BLOCKS];
    int32_t n_blocks;
} timeline;

static timeline make_timeline(uint64_t key, int32_t n_tokens, int32_t block_size,
                              int32_t first_block)
{
    gol_rng rng = {.key = key};
    timeline tl = {.n_tokens = n_tokens, .n_blocks = (n_tokens + block_size - 1) / block_size};
    tl.q = random_floats(&rng, (size_t)n_tokens * N_HEADS * DIM_K);
    tl.k = random_floats(&rng, (size_t)n_tokens * N_KV_HEADS * DIM_K);
    tl.v = random_floats(&rng, (size_t)n_tokens * N_KV_HEADS * DIM_V);
    for (int32_t i = 0; i < tl.n_blocks; i++) /* scattered and descending */
        tl.block_table[i] = first_block + 2 * (tl.n_blocks - 1 - i);
    assert_true(first_block + 2 * tl.n_blocks <= N_BLOCKS);
    return tl;
}

static void free_timeline(timeline *tl)
{
    free(tl->q);
    free(tl->k);
    free(tl->v);
}

typedef struct setup {
    gol_backend *be;
    gol_kv *kv;
    int32_t block_size;
} setup;

static setup make_setup(int n_threads, gol_kv_type type, int32_t block_size)
{
    setup s = {.be = make_backend(n_threads), .block_size = block_size};
    gol_err err;
    const gol_kv_shape shape = {type, 2, N_BLOCKS, block_size, layer_shapes};
    assert_int_equal(s.be->ops->kv_create(s.be, &s.kv, &shape, &err), 0);
    return s;
}

static void free_setup(setup *s)
{
    s->be->ops->kv_destroy(s->be, &s->kv);
    gol_backend_destroy(&s->be);
}

/* Rows [from[i], to[i]) of each timeline in one batch; out[i] receives them: [to - from][N_HEADS][DIM_V]. */
static void run_slices(const setup *s, const timeline *tls, const int32_t *from, const int32_t *to,
                       int32_t n_seqs, int32_t window, float softcap, float **out)
{
    enum {
        MAX_ROWS = 512,
        Q = N_HEADS * DIM_K,
        K = N_KV_HEADS * DIM_K,
        V = N_KV_HEADS * DIM_V,
        O = N_HEADS * DIM_V
    };
    enum { Q_STRIDE = Q + K + V }; /* as a fused projection lays them out */
    static float rows[MAX_ROWS * Q_STRIDE];
    static float result[MAX_ROWS * O];
    int32_t slots[MAX_ROWS];
    gol_batch_seq seqs[8];
    int32_t n = 0;
    for (int32_t i = 0; i < n_seqs; i++) {
        const timeline *tl = &tls[i];
        seqs[i] = (gol_batch_seq){n, to[i] - from[i], from[i], tl->n_blocks, tl->block_table};
        for (int32_t p = from[i]; p < to[i]; p++, n++) {
            memcpy(rows + n * Q_STRIDE, tl->q + p * Q, Q * sizeof(float));
            memcpy(rows + n * Q_STRIDE + Q, tl->k + p * K, K * sizeof(float));
            memcpy(rows + n * Q_STRIDE + Q + K, tl->v + p * V, V * sizeof(float));
            slots[n] = tl->block_table[p / s->block_size] * s->block_size + p % s->block_size;
        }
    }
    const gol_batch batch = {.n_tokens = n, .slot_mapping = slots, .n_seqs = n_seqs, .seqs = seqs};
    const gol_attention a = {
        .layer = 1, .n_heads = N_HEADS, .scale = 0.3f, .window = window, .softcap = softcap};
    s->be->ops->kv_write(s->be, s->kv, 1, rows + Q, rows + Q + K, Q_STRIDE, Q_STRIDE, &batch);
    s->be->ops->attention(s->be, result, rows, Q_STRIDE, s->kv, &a, &batch);
    for (int32_t i = 0; i < n_seqs; i++)
        memcpy(out[i], result + seqs[i].first_row * O, (size_t)seqs[i].n_rows * O * sizeof(float));
}

static double rounded(gol_kv_type type, float x)
{
    return (double)(type == GOL_KV_F16 ? gol_f16_to_f32(gol_f32_to_f16(x)) : x);
}

/* One row of one head by the definition; the cache's rounding is part of it. */
static void attend_in_double(double *out, const timeline *tl, gol_kv_type type, int32_t own,
                             int32_t head, int32_t window, double softcap)
{
    const int32_t first = window > 0 && own - window + 1 > 0 ? own - window + 1 : 0;
    const int32_t kv_head = head / (N_HEADS / N_KV_HEADS);
    double total = 0;
    memset(out, 0, DIM_V * sizeof *out);
    for (int32_t p = first; p <= own; p++) {
        double score = 0;
        for (int32_t d = 0; d < DIM_K; d++)
            score += (double)tl->q[(own * N_HEADS + head) * DIM_K + d] *
                     rounded(type, tl->k[(p * N_KV_HEADS + kv_head) * DIM_K + d]);
        score *= (double)0.3f;
        if (softcap > 0)
            score = softcap * tanh(score / softcap);
        const double weight = exp(score); /* scores of the tests stay small: no maximum needed */
        total += weight;
        for (int32_t d = 0; d < DIM_V; d++)
            out[d] += weight * rounded(type, tl->v[(p * N_KV_HEADS + kv_head) * DIM_V + d]);
    }
    for (int32_t d = 0; d < DIM_V; d++)
        out[d] /= total;
}

static void check_against_double(gol_kv_type type, int32_t block_size, int32_t n_tokens,
                                 int32_t window, float softcap)
{
    setup s = make_setup(2, type, block_size);
    timeline tl = make_timeline((uint64_t)n_tokens, n_tokens, block_size, 1);
    float *out = malloc((size_t)n_tokens * N_HEADS * DIM_V * sizeof *out);
    run_slices(&s, &tl, (int32_t[]){0}, &n_tokens, 1, window, softcap, &out);
    for (int32_t p = 0; p < n_tokens; p++) {
        for (int32_t h = 0; h < N_HEADS; h++) {
            double want[DIM_V];
            attend_in_double(want, &tl, type, p, h, window, (double)softcap);
            for (int32_t d = 0; d < DIM_V; d++)
                assert_close((double)out[(p * N_HEADS + h) * DIM_V + d], want[d], 4e-6);
        }
    }
    free(out);
    free_timeline(&tl);
    free_setup(&s);
}

static void attention_equals_its_definition(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 5, 16, 64, 100};
    for (size_t i = 0; i < sizeof block_sizes / sizeof block_sizes[0]; i++) {
        const int32_t n_tokens = block_sizes[i] == 1 ? 31 : 130;
        check_against_double(GOL_KV_F32, block_sizes[i], n_tokens, 0, 0);
        check_against_double(GOL_KV_F16, block_sizes[i], n_tokens, 0, 0);
    }
}

static void a_window_hides_what_lies_before_it(void **state)
{
    (void)state;
    check_against_double(GOL_KV_F32, 16, 100, 1, 0);
    check_against_double(GOL_KV_F32, 16, 100, 16, 0);
    check_against_double(GOL_KV_F32, 16, 100, 37, 0);
    check_against_double(GOL_KV_F16, 8, 100, 99, 0);
    /* At and beyond the context: hides nothing. */
    check_against_double(GOL_KV_F32, 16, 100, 100, 0);
    check_against_double(GOL_KV_F32, 16, 100, 101, 0);
}

static void a_softcap_bounds_the_scores(void **state)
{
    (void)state;
    check_against_double(GOL_KV_F32, 16, 60, 0, 2.0f);
}

/* The same rows by whole prompts, in chunks, token by token, and beside other sequences. */
static void a_row_has_the_same_bits_however_it_is_batched(void **state)
{
    (void)state;
    enum { N = 70, ROW = N_HEADS * DIM_V };
    float *whole = malloc(N * ROW * sizeof *whole);
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        for (int32_t chunk = 1; chunk <= N; chunk = chunk == 1    ? 5
                                                    : chunk == 5  ? 33
                                                    : chunk == 33 ? N
                                                                  : N + 1) {
            setup s = make_setup(n_threads, GOL_KV_F16, 16);
            timeline tls[3] = {make_timeline(9, N, 16, 0), make_timeline(10, N, 16, 20),
                               make_timeline(11, N, 16, 40)};
            float *out[3];
            for (int i = 0; i < 3; i++)
                out[i] = malloc(N * ROW * sizeof *out[i]);
            for (int32_t from = 0; from < N; from += chunk) {
                const int32_t to = from + chunk < N ? from + chunk : N;
                float *parts[3] = {out[1] + from * ROW, out[0] + from * ROW, out[2] + from * ROW};
                const timeline order[3] = {tls[1], tls[0], tls[2]};
                run_slices(&s, order, (int32_t[]){from, from, from}, (int32_t[]){to, to, to},
                           chunk == N ? 2 : 3, 0, 0, parts);
            }
            if (n_threads == 1 && chunk == 1)
                memcpy(whole, out[0], N * ROW * sizeof *whole);
            assert_memory_equal(out[0], whole, N * ROW * sizeof *whole);
            for (int i = 0; i < 3; i++) {
                free(out[i]);
                free_timeline(&tls[i]);
            }
            free_setup(&s);
        }
    }
    free(whole);
}

static void a_copied_block_serves_like_the_original(void **state)
{
    (void)state;
    enum { N = 20, ROW = N_HEADS * DIM_V };
    setup s = make_setup(1, GOL_KV_F16, 16);
    timeline tl = make_timeline(5, N, 16, 0);
    float *first = malloc(N * ROW * sizeof *first);
    float *again = malloc(ROW * sizeof *again);
    run_slices(&s, &tl, (int32_t[]){0}, (int32_t[]){N}, 1, 0, 0, &first);
    s.be->ops->kv_copy_block(s.be, s.kv, 50, tl.block_table[0]);
    s.be->ops->kv_copy_block(s.be, s.kv, 51, tl.block_table[1]);
    s.be->ops->kv_copy_block(s.be, s.kv, 51, 51);
    tl.block_table[0] = 50;
    tl.block_table[1] = 51;
    run_slices(&s, &tl, (int32_t[]){N - 1}, (int32_t[]){N}, 1, 0, 0, &again);
    assert_memory_equal(again, first + (N - 1) * ROW, ROW * sizeof *again);
    free(first);
    free(again);
    free_timeline(&tl);
    free_setup(&s);
}

static void the_cache_takes_the_bytes_it_announces(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const gol_kv_layer_shape layers[3] = {{2, 64, 32}, {0, 64, 64}, {1, 8, 8}};
    const gol_kv_shape half = {GOL_KV_F16, 3, 10, 16, layers};
    assert_int_equal(be->ops->kv_bytes(be, &half), 10 * 16 * (2 * 96 + 16) * 2);
    gol_kv_shape shape = half;
    shape.type = GOL_KV_F32;
    assert_int_equal(be->ops->kv_bytes(be, &shape), 10 * 16 * (2 * 96 + 16) * 4);
    const gol_kv_layer_shape huge = {INT32_MAX, INT32_MAX, INT32_MAX};
    shape = (gol_kv_shape){GOL_KV_F32, 1, 1 << 20, 16, &huge};
    assert_true(be->ops->kv_bytes(be, &shape) == SIZE_MAX);
    gol_kv *kv;
    gol_err err = {0};
    assert_int_equal(be->ops->kv_create(be, &kv, &shape, &err), GOL_ENOMEM);
    assert_null(kv);
    gol_backend_destroy(&be);
}

static void creation_survives_every_failing_allocation(void **state)
{
    (void)state;
    const gol_kv_shape shape = {GOL_KV_F16, 2, N_BLOCKS, 16, layer_shapes};
    uint64_t n = 1;
    for (;; n++) {
        gol_backend *be = NULL;
        gol_kv *kv = NULL;
        float *x = NULL;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        int rc = gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 2}, &err);
        if (rc == 0)
            rc = be->ops->reserve(be, 8, 512, 128, &err);
        if (rc == 0)
            rc = be->ops->alloc(be, &x, 100, &err);
        if (rc == 0)
            rc = be->ops->kv_create(be, &kv, &shape, &err);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(rc, has_failed ? GOL_ENOMEM : 0);
        if (be) {
            be->ops->kv_destroy(be, &kv);
            be->ops->free(be, x);
        }
        gol_backend_destroy(&be);
        if (!has_failed)
            break;
    }
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_equals_its_definition),
        cmocka_unit_test(a_window_hides_what_lies_before_it),
        cmocka_unit_test(a_softcap_bounds_the_scores),
        cmocka_unit_test(a_row_has_the_same_bits_however_it_is_batched),
        cmocka_unit_test(a_copied_block_serves_like_the_original),
        cmocka_unit_test(the_cache_takes_the_bytes_it_announces),
        cmocka_unit_test(creation_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
