/* Attention of the CPU backend over its paged KV cache, against attention by its definition in double. */
#include "unit/backend/backend_test.h"

#include "base/cpu.h"
#include "quant/half.h"

enum { LAYER = 1, MAX_SEQS = 8 };

/* Everything a result may depend on. */
typedef struct params {
    gol_kv_type type;
    int32_t block_size;
    int32_t n_heads;
    int32_t n_kv_heads;
    int32_t dim_k;
    int32_t dim_v;
    int32_t window;
    float softcap;
    bool is_full;
    const float *sinks;
} params;

static const params usual = {GOL_KV_F16, 16, 6, 2, 24, 20, 0, 0.0f, false, NULL};

/* A sequence whose whole K, V and q exist in plain arrays, and its blocks in the cache. */
typedef struct timeline {
    int32_t n_tokens;
    float *q;        /* [n_tokens][n_heads][dim_k] */
    float *k;        /* [n_tokens][n_kv_heads][dim_k] */
    float *v;        /* [n_tokens][n_kv_heads][dim_v] */
    float *k_stored; /* as the cache rounds them */
    float *v_stored;
    int32_t *block_table;
    int32_t n_blocks;
} timeline;

/* 32 numbers of one scale, by the format's definition. */
static void round_block(float *out, const float *x)
{
    float largest = 0.0f;
    for (int i = 0; i < 32; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    const float d = gol_f16_to_f32(gol_f32_to_f16(largest / 127.0f));
    for (int i = 0; i < 32; i++)
        out[i] = d * roundf(x[i] * (1.0f / d));
}

static float *as_stored(const float *x, size_t n, gol_kv_type type)
{
    float *out = malloc(n * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        if (type == GOL_KV_F16)
            out[i] = gol_f16_to_f32(gol_f32_to_f16(x[i]));
        else if (type == GOL_KV_BF16)
            out[i] = gol_bf16_to_f32(gol_f32_to_bf16(x[i]));
        else if (type == GOL_KV_F32)
            out[i] = x[i];
        else if (i % 32 == 0)
            round_block(out + i, x + i);
    }
    return out;
}

static timeline make_timeline(const params *p, uint64_t key, int32_t n_tokens, int32_t first_block)
{
    gol_rng rng = {.key = key};
    timeline tl = {.n_tokens = n_tokens,
                   .n_blocks = (n_tokens + p->block_size - 1) / p->block_size};
    const size_t n_k = (size_t)n_tokens * (size_t)(p->n_kv_heads * p->dim_k);
    const size_t n_v = (size_t)n_tokens * (size_t)(p->n_kv_heads * p->dim_v);
    tl.q = random_floats(&rng, (size_t)n_tokens * (size_t)(p->n_heads * p->dim_k));
    tl.k = random_floats(&rng, n_k);
    tl.v = random_floats(&rng, n_v);
    tl.k_stored = as_stored(tl.k, n_k, p->type);
    tl.v_stored = as_stored(tl.v, n_v, p->type);
    tl.block_table = malloc((size_t)tl.n_blocks * sizeof *tl.block_table);
    assert_non_null(tl.block_table);
    for (int32_t i = 0; i < tl.n_blocks; i++) /* scattered and descending */
        tl.block_table[i] = first_block + 2 * (tl.n_blocks - 1 - i);
    return tl;
}

static void free_timeline(timeline *tl)
{
    free(tl->q);
    free(tl->k);
    free(tl->v);
    free(tl->k_stored);
    free(tl->v_stored);
    free(tl->block_table);
}

typedef struct setup {
    const params *p;
    gol_backend *be;
    gol_kv *kv;
} setup;

static setup make_setup(const params *p, int n_threads, int32_t n_blocks)
{
    setup s = {.p = p, .be = make_backend(n_threads)};
    gol_err err = {0};
    const gol_kv_layer_shape layers[2] = {{1, 32, 32, 0}, {p->n_kv_heads, p->dim_k, p->dim_v, 0}};
    const gol_kv_shape shape = {p->type, 2, n_blocks, p->block_size, layers};
    if (s.be->ops->kv_create(s.be, &s.kv, &shape, &err) != 0)
        fail_msg("%s", err.message);
    return s;
}

static void free_setup(setup *s)
{
    s->be->ops->kv_destroy(s->be, &s->kv);
    gol_backend_destroy(&s->be);
}

/* Rows [from[i], to[i]) of each timeline in one batch; out[i] receives them: [to - from][n_heads][dim_v]. */
static void run_slices(const setup *s, const timeline *tls, const int32_t *from, const int32_t *to,
                       int32_t n_seqs, float **out)
{
    const params *p = s->p;
    const int32_t n_q = p->n_heads * p->dim_k;
    const int32_t n_k = p->n_kv_heads * p->dim_k;
    const int32_t n_v = p->n_kv_heads * p->dim_v;
    const int32_t n_o = p->n_heads * p->dim_v;
    const int32_t stride = n_q + n_k + n_v; /* as a fused projection lays them out */
    int32_t n_rows = 0;
    for (int32_t i = 0; i < n_seqs; i++)
        n_rows += to[i] - from[i];
    float *rows = malloc((size_t)n_rows * (size_t)stride * sizeof *rows);
    float *result = malloc((size_t)n_rows * (size_t)n_o * sizeof *result);
    int32_t *slots = malloc((size_t)n_rows * sizeof *slots);
    assert_true(rows && result && slots);
    gol_batch_seq seqs[MAX_SEQS];
    int32_t n = 0;
    for (int32_t i = 0; i < n_seqs; i++) {
        const timeline *tl = &tls[i];
        seqs[i] = (gol_batch_seq){.first_row = n,
                                  .n_rows = to[i] - from[i],
                                  .n_past = from[i],
                                  .n_blocks = tl->n_blocks,
                                  .block_table = tl->block_table};
        for (int32_t t = from[i]; t < to[i]; t++, n++) {
            float *row = rows + (size_t)n * (size_t)stride;
            memcpy(row, tl->q + t * n_q, (size_t)n_q * sizeof *row);
            memcpy(row + n_q, tl->k + t * n_k, (size_t)n_k * sizeof *row);
            memcpy(row + n_q + n_k, tl->v + t * n_v, (size_t)n_v * sizeof *row);
            slots[n] = tl->block_table[t / p->block_size] * p->block_size + t % p->block_size;
        }
    }
    const gol_batch batch = {.n_tokens = n, .slot_mapping = slots, .n_seqs = n_seqs, .seqs = seqs};
    const gol_attention a = {.layer = LAYER,
                             .n_heads = p->n_heads,
                             .scale = 0.3f,
                             .window = p->window,
                             .softcap = p->softcap,
                             .is_full = p->is_full,
                             .sinks = p->sinks};
    s->be->ops->kv_write(s->be, s->kv, LAYER, rows + n_q, rows + n_q + n_k, stride, stride, &batch);
    s->be->ops->attention(s->be, result, rows, stride, s->kv, &a, &batch);
    for (int32_t i = 0; i < n_seqs; i++)
        memcpy(out[i], result + seqs[i].first_row * n_o,
               (size_t)(seqs[i].n_rows * n_o) * sizeof(float));
    free(rows);
    free(result);
    free(slots);
}

static bool is_seen(const params *p, int32_t own, int32_t key)
{
    const int32_t distance = key > own ? key - own : own - key;
    return (p->is_full || key <= own) && (p->window == 0 || distance < p->window);
}

/* One row of one head by the definition. */
static void attend_in_double(double *out, const params *p, const timeline *tl, int32_t own,
                             int32_t head)
{
    const int32_t kv_head = head / (p->n_heads / p->n_kv_heads);
    const float *q = tl->q + (own * p->n_heads + head) * p->dim_k;
    double total = p->sinks ? exp((double)p->sinks[head]) : 0;
    memset(out, 0, (size_t)p->dim_v * sizeof *out);
    for (int32_t t = 0; t < tl->n_tokens; t++) {
        if (!is_seen(p, own, t))
            continue;
        const float *k = tl->k_stored + (t * p->n_kv_heads + kv_head) * p->dim_k;
        const float *v = tl->v_stored + (t * p->n_kv_heads + kv_head) * p->dim_v;
        double score = 0;
        for (int32_t d = 0; d < p->dim_k; d++)
            score += (double)q[d] * (double)k[d];
        score *= (double)0.3f;
        if (p->softcap > 0)
            score = (double)p->softcap * tanh(score / (double)p->softcap);
        const double weight = exp(score); /* scores of the tests stay small: no maximum needed */
        total += weight;
        for (int32_t d = 0; d < p->dim_v; d++)
            out[d] += weight * (double)v[d];
    }
    for (int32_t d = 0; d < p->dim_v; d++)
        out[d] /= total;
}

/* The whole prompt in one batch; every `step`th row and the last ones are compared. */
static void check_against_double(const params *p, int32_t n_tokens, int32_t step)
{
    timeline tl = make_timeline(p, (uint64_t)n_tokens, n_tokens, 1);
    setup s = make_setup(p, 2, 2 * tl.n_blocks + 1);
    const size_t n_row = (size_t)(p->n_heads * p->dim_v);
    float *out = malloc((size_t)n_tokens * n_row * sizeof *out);
    double *want = malloc((size_t)p->dim_v * sizeof *want);
    /* a score is a sum of dim_k products, and its error is one of the weight's exponent */
    const double bound = 1e-5 + 2e-7 * p->dim_k;
    run_slices(&s, &tl, (int32_t[]){0}, &n_tokens, 1, &out);
    for (int32_t t = 0; t < n_tokens; t += t + step < n_tokens - 2 ? step : 1) {
        for (int32_t h = 0; h < p->n_heads; h++) {
            attend_in_double(want, p, &tl, t, h);
            const float *got = out + (size_t)t * n_row + h * p->dim_v;
            for (int32_t d = 0; d < p->dim_v; d++)
                assert_close((double)got[d], want[d], bound);
        }
    }
    free(out);
    free(want);
    free_timeline(&tl);
    free_setup(&s);
}

static void attention_equals_its_definition(void **state)
{
    (void)state;
    static const int32_t block_sizes[] = {1, 5, 16, 20, 48, 64, 100};
    for (size_t i = 0; i < sizeof block_sizes / sizeof block_sizes[0]; i++) {
        for (int type = 0; type < GOL_N_KV_TYPES; type++) {
            params p = usual;
            p.type = (gol_kv_type)type;
            p.block_size = block_sizes[i];
            p.dim_k = type == GOL_KV_Q8_0 ? 64 : 24;
            p.dim_v = type == GOL_KV_Q8_0 ? 32 : 20;
            check_against_double(&p, 40, 1);
            check_against_double(&p, 300, 19);
        }
    }
}

static void heads_of_every_width_and_group_are_served(void **state)
{
    (void)state;
    static const struct {
        int32_t dim_k, dim_v, n_kv_heads, group;
    } cases[] = {
        {1, 1, 1, 1},    {8, 8, 3, 2},     {20, 20, 1, 3},   {33, 17, 2, 4},   {64, 64, 2, 5},
        {80, 80, 1, 7},  {96, 96, 1, 8},   {128, 128, 1, 9}, {64, 64, 1, 12},  {256, 256, 1, 2},
        {64, 64, 1, 16}, {192, 128, 1, 6}, {64, 64, 1, 71},  {64, 64, 1, 100}, {32, 32, 1, 24},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int type = 0; type < GOL_N_KV_TYPES; type++) {
            if (type == GOL_KV_Q8_0 && (cases[i].dim_k % 32 != 0 || cases[i].dim_v % 32 != 0))
                continue;
            params p = usual;
            p.type = (gol_kv_type)type;
            p.n_kv_heads = cases[i].n_kv_heads;
            p.n_heads = cases[i].n_kv_heads * cases[i].group;
            p.dim_k = cases[i].dim_k;
            p.dim_v = cases[i].dim_v;
            check_against_double(&p, 41, 13);
        }
    }
}

static void a_window_hides_what_lies_before_it(void **state)
{
    (void)state;
    static const int32_t windows[] = {1, 2, 16, 37, 255, 256, 257, 599, 600, 601};
    params p = usual;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        p.window = windows[i];
        p.block_size = i % 2 ? 16 : 20;
        check_against_double(&p, 600, 37);
    }
}

static void full_attention_sees_the_rows_behind_too(void **state)
{
    (void)state;
    static const int32_t windows[] = {0, 1, 5, 64, 299, 300, 1000};
    params p = usual;
    p.is_full = true;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        p.window = windows[i];
        check_against_double(&p, 1, 1);
        check_against_double(&p, 300, 23);
    }
}

static void a_softcap_bounds_the_scores(void **state)
{
    (void)state;
    params p = usual;
    p.softcap = 2.0f;
    check_against_double(&p, 60, 1);
    p.window = 7;
    check_against_double(&p, 300, 11);
}

static void a_sink_takes_weight_and_gives_nothing(void **state)
{
    (void)state;
    const float sinks[6] = {-30.0f, -1.0f, 0.0f, 1.5f, 4.0f, 20.0f};
    params p = usual;
    p.sinks = sinks;
    check_against_double(&p, 1, 1);
    check_against_double(&p, 300, 17);
    p.window = 40;
    check_against_double(&p, 300, 17);
}

/* Token `n - 1` behind a long past, written in one batch before. */
static void decode_last(const setup *s, const timeline *tl, float *out)
{
    const size_t n_row = (size_t)(s->p->n_heads * s->p->dim_v);
    float *past = malloc((size_t)tl->n_tokens * n_row * sizeof *past);
    float *last = out;
    const int32_t n = tl->n_tokens;
    run_slices(s, tl, (int32_t[]){0}, (int32_t[]){n - 1}, 1, &past);
    run_slices(s, tl, (int32_t[]){n - 1}, (int32_t[]){n}, 1, &last);
    free(past);
}

/* Few heads, so that several workers share one context. */
static void a_long_context_has_the_same_bits_with_every_thread_count(void **state)
{
    (void)state;
    enum { N = 2500, DIM = 16, HEADS = 3 };
    params p = {GOL_KV_F16, 16, HEADS, 1, DIM, DIM, 0, 0.0f, false, NULL};
    for (p.window = 0; p.window <= 1300; p.window += 1300) {
        timeline tl = make_timeline(&p, 77, N, 0);
        float alone[HEADS * DIM];
        for (int n_threads = 1; n_threads <= 5; n_threads++) {
            setup s = make_setup(&p, n_threads, 2 * tl.n_blocks);
            float out[HEADS * DIM];
            decode_last(&s, &tl, out);
            if (n_threads == 1)
                memcpy(alone, out, sizeof alone);
            assert_memory_equal(out, alone, sizeof alone);
            free_setup(&s);
        }
        double want[DIM];
        for (int32_t h = 0; h < HEADS; h++) {
            attend_in_double(want, &p, &tl, N - 1, h);
            for (int32_t d = 0; d < DIM; d++)
                assert_close((double)alone[h * DIM + d], want[d], 1e-5);
        }
        free_timeline(&tl);
    }
}

/* Rows [0, n) of tls[0] in chunks beside two others, into out. */
static void run_in_chunks(const setup *s, const timeline *tls, int32_t chunk, float *out)
{
    const int32_t n = tls[0].n_tokens;
    const size_t n_row = (size_t)(s->p->n_heads * s->p->dim_v);
    float *others[2];
    for (int i = 0; i < 2; i++)
        others[i] = malloc((size_t)n * n_row * sizeof *others[i]);
    for (int32_t from = 0; from < n; from += chunk) {
        const int32_t to = from + chunk < n ? from + chunk : n;
        const size_t skip = (size_t)from * n_row;
        float *parts[3] = {others[0] + skip, out + skip, others[1] + skip};
        const timeline order[3] = {tls[1], tls[0], tls[2]};
        run_slices(s, order, (int32_t[]){from, from, from}, (int32_t[]){to, to, to},
                   chunk >= n ? 2 : 3, parts);
    }
    free(others[0]);
    free(others[1]);
}

/* The same rows by whole prompts, in chunks, token by token, beside other sequences, in blocks of any size. */
static void check_same_bits(params p, int32_t n)
{
    static const int32_t chunks[] = {1, 5, 33, 1000};
    static const int32_t block_sizes[] = {16, 1, 7, 64};
    const size_t n_bytes = (size_t)n * (size_t)(p.n_heads * p.dim_v) * sizeof(float);
    float *first = malloc(n_bytes);
    float *out = malloc(n_bytes);
    for (size_t i = 0; i < 16; i++) {
        const int32_t chunk = chunks[i % 4];
        p.block_size = block_sizes[i / 4];
        const int32_t n_blocks = 2 * ((n - 1) / p.block_size + 1);
        timeline tls[3];
        for (int t = 0; t < 3; t++)
            tls[t] = make_timeline(&p, 9 + (uint64_t)t, n, t * n_blocks);
        setup s = make_setup(&p, 1 + (int)(i * 7 % 3), 3 * n_blocks);
        run_in_chunks(&s, tls, chunk, out);
        if (i == 0)
            memcpy(first, out, n_bytes);
        assert_memory_equal(out, first, n_bytes);
        free_setup(&s);
        for (int t = 0; t < 3; t++)
            free_timeline(&tls[t]);
    }
    free(first);
    free(out);
}

static void a_row_has_the_same_bits_however_it_is_batched(void **state)
{
    (void)state;
    params p = usual;
    check_same_bits(p, 300);
    p.window = 19;
    p.softcap = 5.0f;
    check_same_bits(p, 70);
    const float sinks[6] = {0.5f, -1.0f, 2.0f, 1.0f, 0.0f, -3.0f};
    p = (params){GOL_KV_Q8_0, 16, 6, 1, 32, 64, 0, 0.0f, false, sinks};
    check_same_bits(p, 70);
    p = (params){GOL_KV_BF16, 16, 5, 5, 24, 48, 260, 0.0f, false, NULL};
    check_same_bits(p, 280);
    p = (params){GOL_KV_F32, 16, 16, 1, 24, 40, 0, 0.0f, false, NULL};
    check_same_bits(p, 40);
}

/* Fresh blocks may hold anything: here NaNs everywhere. */
static void what_was_never_written_does_not_count(void **state)
{
    (void)state;
    for (int type = 0; type < GOL_N_KV_TYPES; type++) {
        params p = usual;
        p.type = (gol_kv_type)type;
        p.dim_k = p.dim_v = 32;
        p.window = type % 2 ? 9 : 0;
        timeline tl = make_timeline(&p, 3, 45, 0);
        timeline nans = make_timeline(&p, 4, 6 * 16, 0);
        for (int32_t i = 0; i < nans.n_tokens * p.n_kv_heads * p.dim_k; i++)
            nans.k[i] = nans.v[i] = NAN;
        for (int32_t i = 0; i < 6; i++)
            nans.block_table[i] = i;
        float *out[2];
        for (int i = 0; i < 2; i++) {
            setup s = make_setup(&p, 1, 6);
            const size_t n_row = (size_t)(p.n_heads * p.dim_v);
            out[i] = malloc((size_t)nans.n_tokens * n_row * sizeof *out[i]);
            if (i == 1)
                run_slices(&s, &nans, (int32_t[]){0}, (int32_t[]){6 * 16}, 1, &out[i]);
            for (int32_t t = 0; t < 45; t += 15) {
                float *part = out[i] + (size_t)t * n_row;
                run_slices(&s, &tl, &t, (int32_t[]){t + 15}, 1, &part);
            }
            free_setup(&s);
        }
        assert_memory_equal(out[0], out[1], 45 * (size_t)(p.n_heads * p.dim_v) * sizeof(float));
        free(out[0]);
        free(out[1]);
        free_timeline(&tl);
        free_timeline(&nans);
    }
}

/* A number that binary16 does not have must not become infinity, whose zero weight would be a NaN. */
static void numbers_too_large_for_binary16_stay_finite(void **state)
{
    (void)state;
    params p = {GOL_KV_F16, 16, 1, 1, 16, 16, 0, 0.0f, false, NULL};
    setup s = make_setup(&p, 1, 4);
    timeline tl = make_timeline(&p, 6, 2, 0);
    for (int d = 0; d < 16; d++) {
        tl.q[16 + d] = 1e-3f;
        tl.v[d] = d % 2 ? 1e30f : -70000.0f;
        tl.v[16 + d] = tl.v[d];
    }
    float *out = malloc(32 * sizeof *out);
    run_slices(&s, &tl, (int32_t[]){0}, (int32_t[]){2}, 1, &out);
    for (int i = 0; i < 32; i++)
        assert_close((double)out[i], i % 2 ? 65504.0 : -65504.0, 0.01);
    free(out);
    free_timeline(&tl);
    free_setup(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_equals_its_definition),
        cmocka_unit_test(heads_of_every_width_and_group_are_served),
        cmocka_unit_test(a_window_hides_what_lies_before_it),
        cmocka_unit_test(full_attention_sees_the_rows_behind_too),
        cmocka_unit_test(a_softcap_bounds_the_scores),
        cmocka_unit_test(a_sink_takes_weight_and_gives_nothing),
        cmocka_unit_test(a_long_context_has_the_same_bits_with_every_thread_count),
        cmocka_unit_test(a_row_has_the_same_bits_however_it_is_batched),
        cmocka_unit_test(what_was_never_written_does_not_count),
        cmocka_unit_test(numbers_too_large_for_binary16_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
