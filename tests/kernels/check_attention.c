/*
 * The inner loops of attention: storing, scores, mixing, exponentials.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/kernels/lanes.h"
#include "quant/half.h"

enum { DIM_MAX = 256, KEYS_MAX = 64 };
static const size_t dims[] = {8, 15, 16, 17, 32, 64, 80, 128, DIM_MAX};
static const size_t key_counts[] = {1, 2, 3, 7, 16, 33, KEYS_MAX};
enum {
    N_DIMS = sizeof dims / sizeof dims[0],
    N_KEY_COUNTS = sizeof key_counts / sizeof key_counts[0]
};

/* exp() of the C library is good to an ulp or two; vector versions may take two more. */
static const double exp_tolerance = 4 * 0x1p-23;

#define STORE_ROW(slot, kernel, level)  VERSION_ROW(kv_store, slot, kernel, level),
#define SCORES_ROW(slot, kernel, level) VERSION_ROW(attn_scores, slot, kernel, level),
#define MIX_ROW(slot, kernel, level)    VERSION_ROW(attn_mix, slot, kernel, level),
#define EXP_ROW(slot, kernel, level)    VERSION_ROW(exp_sum, slot, kernel, level),
static const version store_versions[] = {GOL_KERN_KV_STORE(STORE_ROW)};
static const version scores_versions[] = {GOL_KERN_ATTN_SCORES(SCORES_ROW)};
static const version mix_versions[] = {GOL_KERN_ATTN_MIX(MIX_ROW)};
static const version exp_versions[] = {GOL_KERN_EXP_SUM(EXP_ROW)};

static size_t element_size(gol_kv_type type)
{
    return type == GOL_KV_F16 ? 2 : 4;
}

static double load(const void *kv, gol_kv_type type, size_t i)
{
    return type == GOL_KV_F16 ? (double)gol_f16_to_f32(((const uint16_t *)kv)[i])
                              : (double)((const float *)kv)[i];
}

/* n numbers as the cache holds them, ending at a guard page. */
static void *random_kv(checker *ck, gol_kv_type type, size_t n, int pattern)
{
    float *x = malloc(n * sizeof *x);
    void *kv = guarded(n * element_size(type));
    fill(ck, x, n, pattern);
    for (size_t i = 0; i < n; i++) {
        if (type == GOL_KV_F16)
            ((uint16_t *)kv)[i] = gol_f32_to_f16(x[i]);
        else
            ((float *)kv)[i] = x[i];
    }
    free(x);
    return kv;
}

/* Exact: a conversion has one right answer. Random bit patterns bring subnormals, infinities and NaNs. */
static void check_kv_store(checker *ck, const version *v, const version *c)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    (void)c; /* one right answer: no tolerance to share with another version */
    for (size_t n = 1; n <= DIM_MAX; n++) {
        float *x = guarded_floats(n);
        uint8_t *out = fenced(n * element_size(type));
        for (size_t i = 0; i < n; i++)
            x[i] = n % 2 ? (float)gol_rng_next_normal(&ck->rng)
                         : gol_f32_from_bits((uint32_t)gol_rng_next(&ck->rng));
        ((gol_kv_store_fn *)v->fn)(out, x, n);
        for (size_t i = 0; i < n; i++) {
            const uint16_t half = gol_f32_to_f16(x[i]);
            const void *want = type == GOL_KV_F16 ? (const void *)&half : (const void *)&x[i];
            if (memcmp(out + i * element_size(type), want, element_size(type)) != 0 && !isnan(x[i]))
                fail_number(ck, "dst", i, load(out, type, i), (double)x[i], 0);
        }
        buffers_check(ck);
        buffers_free();
    }
}

static void check_scores_of(checker *ck, const version *v, const version *c, size_t dim,
                            size_t n_keys, int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    const float scale = 0.125f;
    double want[KEYS_MAX];
    double bound[KEYS_MAX];
    float *q = guarded_floats(dim);
    float *scores = fenced_floats(n_keys);
    fill(ck, q, dim, 0);
    void *k = random_kv(ck, type, n_keys * dim, pattern);
    for (size_t j = 0; j < n_keys; j++) {
        double sum = 0;
        double magnitude = 0;
        for (size_t i = 0; i < dim; i++) {
            const double product = (double)q[i] * load(k, type, j * dim + i);
            sum += product;
            magnitude += fabs(product);
        }
        want[j] = sum * (double)scale;
        /* as in check_matmul.c, and one rounding for the scale */
        bound[j] = magnitude * (double)scale * ((double)dim / GOL_LANES + 8) * 0x1p-24 + 1e-37;
    }
    if (c) {
        ((gol_attn_scores_fn *)c->fn)(scores, q, k, scale, n_keys, dim);
        for (size_t j = 0; j < n_keys; j++)
            want[j] = (double)scores[j];
    }
    ((gol_attn_scores_fn *)v->fn)(scores, q, k, scale, n_keys, dim);
    compare(ck, "scores", scores, want, bound, n_keys);
    /* the last key alone gets the same bits */
    float *last = fenced_floats(1);
    ((gol_attn_scores_fn *)v->fn)(last, q, (uint8_t *)k + (n_keys - 1) * dim * element_size(type),
                                  scale, 1, dim);
    if (memcmp(last, scores + n_keys - 1, sizeof *last) != 0)
        fail_text(ck, "a key alone gets other bits than among others");
    buffers_check(ck);
    buffers_free();
}

static void check_attn_scores(checker *ck, const version *v, const version *c)
{
    for (int pattern = 0; pattern < N_PATTERNS; pattern++)
        for (int d = 0; d < N_DIMS; d++)
            for (int k = 0; k < N_KEY_COUNTS; k++)
                check_scores_of(ck, v, c, dims[d], key_counts[k], pattern);
    if (v->index != GOL_KV_F16)
        return;
    /* every binary16 number, against 1: widening must be exact, infinities included */
    float one = 1.0f;
    for (uint32_t h = 0; h <= 0xffff; h++) {
        const uint16_t key = (uint16_t)h;
        float score;
        ((gol_attn_scores_fn *)v->fn)(&score, &one, &key, 1.0f, 1, 1);
        const float want = gol_f16_to_f32(key);
        if (score != want && !(isnan(score) && isnan(want)))
            fail_number(ck, "half", h, (double)score, (double)want, 0);
    }
}

static void check_mix_of(checker *ck, const version *v, const version *c, size_t dim, size_t n_keys,
                         int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    const float keep = 0.75f;
    double want[DIM_MAX];
    double bound[DIM_MAX];
    float start[DIM_MAX];
    float *p = guarded_floats(n_keys);
    float *out = fenced_floats(dim);
    void *values = random_kv(ck, type, n_keys * dim, pattern);
    fill(ck, start, dim, 0);
    for (size_t j = 0; j < n_keys; j++)
        p[j] = (float)gol_rng_next_unit(&ck->rng);
    for (size_t d = 0; d < dim; d++) {
        double sum = (double)keep * (double)start[d];
        double magnitude = fabs(sum);
        for (size_t j = 0; j < n_keys; j++) {
            const double product = (double)p[j] * load(values, type, j * dim + d);
            sum += product;
            magnitude += fabs(product);
        }
        want[d] = sum;
        /* One rounding for each addition, one for each product. */
        bound[d] = magnitude * ((double)n_keys + 2) * 0x1p-24 + 1e-37;
    }
    if (c) {
        memcpy(out, start, dim * sizeof *out);
        ((gol_attn_mix_fn *)c->fn)(out, keep, p, values, n_keys, dim);
        for (size_t d = 0; d < dim; d++)
            want[d] = (double)out[d];
    }
    memcpy(out, start, dim * sizeof *out);
    ((gol_attn_mix_fn *)v->fn)(out, keep, p, values, n_keys, dim);
    compare(ck, "out", out, want, bound, dim);
    buffers_check(ck);
    buffers_free();
}

static void check_attn_mix(checker *ck, const version *v, const version *c)
{
    for (int pattern = 0; pattern < N_PATTERNS; pattern++)
        for (int d = 0; d < N_DIMS; d++)
            for (int k = 0; k < N_KEY_COUNTS; k++)
                check_mix_of(ck, v, c, dims[d], key_counts[k], pattern);
}

static void check_exp_sum(checker *ck, const version *v, const version *c)
{
    enum { N_MAX = 200 };
    static double want[N_MAX + 1];
    static double bound[N_MAX + 1];
    for (size_t n = 1; n <= N_MAX; n++) {
        const float max = 5.0f;
        float *x = fenced_floats(n);
        float start[N_MAX];
        want[n] = 0;
        for (size_t i = 0; i < n; i++) {
            /* spread: up to far below the smallest float; a hidden key is -infinity */
            start[i] = max - (float)gol_rng_next_unit(&ck->rng) * (n % 3 == 0 ? 200.0f : 10.0f);
            if (n % 5 == 0 && i % 4 == 0)
                start[i] = -INFINITY;
            want[i] = exp((double)(start[i] - max)); /* the difference is rounded by definition */
            bound[i] = want[i] * exp_tolerance + 1.5e-45; /* one step of the smallest floats */
            want[n] += want[i];
        }
        bound[n] = want[n] * (exp_tolerance + ((double)n / GOL_LANES + 5) * 0x1p-24) + 1e-44;
        if (c) {
            memcpy(x, start, n * sizeof *x);
            want[n] = (double)((gol_exp_sum_fn *)c->fn)(x, max, n);
            for (size_t i = 0; i < n; i++)
                want[i] = (double)x[i];
        }
        memcpy(x, start, n * sizeof *x);
        const float sum = ((gol_exp_sum_fn *)v->fn)(x, max, n);
        compare(ck, "x", x, want, bound, n);
        compare(ck, "sum", &sum, want + n, bound + n, 1);
        buffers_check(ck);
        buffers_free();
    }
}

enum { BENCH_DIM = 128, BENCH_KEYS = 16 };

typedef struct bench_memory {
    const version *made_for;
    float *q;
    float *row; /* [BENCH_DIM] outputs */
    void *kv;   /* [BENCH_KEYS][BENCH_DIM] */
} bench_memory;

static const bench_memory *get_bench_memory(checker *ck, const version *v)
{
    static bench_memory m;
    if (m.made_for != v) {
        m.made_for = v;
        m.q = guarded_floats(BENCH_DIM);
        m.row = fenced_floats(BENCH_DIM);
        m.kv = random_kv(ck, v->index == GOL_KV_F16 ? GOL_KV_F16 : GOL_KV_F32,
                         BENCH_DIM * BENCH_KEYS, 0);
        fill(ck, m.q, BENCH_DIM, 0);
        memset(m.row, 0, BENCH_DIM * sizeof *m.row);
    }
    return &m;
}

static size_t bench_kv_store(checker *ck, const version *v)
{
    const bench_memory *m = get_bench_memory(ck, v);
    ((gol_kv_store_fn *)v->fn)(m->row, m->q, BENCH_DIM);
    return BENCH_DIM * (sizeof(float) + element_size((gol_kv_type)v->index));
}

static size_t bench_attn_scores(checker *ck, const version *v)
{
    const bench_memory *m = get_bench_memory(ck, v);
    ((gol_attn_scores_fn *)v->fn)(m->row, m->q, m->kv, 0.125f, BENCH_KEYS, BENCH_DIM);
    return BENCH_KEYS * BENCH_DIM * element_size((gol_kv_type)v->index);
}

static size_t bench_attn_mix(checker *ck, const version *v)
{
    const bench_memory *m = get_bench_memory(ck, v);
    ((gol_attn_mix_fn *)v->fn)(m->row, 0.5f, m->q, m->kv, BENCH_KEYS, BENCH_DIM);
    return BENCH_KEYS * BENCH_DIM * element_size((gol_kv_type)v->index);
}

static size_t bench_exp_sum(checker *ck, const version *v)
{
    const bench_memory *m = get_bench_memory(ck, v);
    memcpy(m->row, m->q, BENCH_DIM * sizeof *m->row);
    ((gol_exp_sum_fn *)v->fn)(m->row, 1.0f, BENCH_DIM);
    return 2 * BENCH_DIM * sizeof(float);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_kv_store = {"kv_store", store_versions, COUNT(store_versions), check_kv_store,
                                bench_kv_store};
const family family_attn_scores = {"attn_scores", scores_versions, COUNT(scores_versions),
                                   check_attn_scores, bench_attn_scores};
const family family_attn_mix = {"attn_mix", mix_versions, COUNT(mix_versions), check_attn_mix,
                                bench_attn_mix};
const family family_exp_sum = {"exp_sum", exp_versions, COUNT(exp_versions), check_exp_sum,
                               bench_exp_sum};
