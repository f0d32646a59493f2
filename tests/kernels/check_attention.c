/*
 * The inner loops of attention on tiles of random rows, panels and values: scores, mixing, softmax, merging.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/lanes.h"
#include "kernels/kv_cells.h"

enum { DIM_MAX = 256, LANES = GOL_ATTN_LANES, ROWS = GOL_ATTN_ROWS, STRIDE = GOL_ATTN_STRIDE };

/* exp() of vec_math_c.h is good to an ulp; vector versions may take as much again. */
static const double exp_tolerance = 4 * 0x1p-23;

#define SCORES_ROW(slot, kernel, level)  VERSION_ROW(attn_scores, slot, kernel, level),
#define MIX_ROW(slot, kernel, level)     VERSION_ROW(attn_mix, slot, kernel, level),
#define SOFTMAX_ROW(slot, kernel, level) VERSION_ROW(softmax, slot, kernel, level),
#define MERGE_ROW(slot, kernel, level)   VERSION_ROW(attn_merge, slot, kernel, level),
static const version scores_versions[] = {GOL_KERN_ATTN_SCORES(SCORES_ROW)};
static const version mix_versions[] = {GOL_KERN_ATTN_MIX(MIX_ROW)};
static const version softmax_versions[] = {GOL_KERN_SOFTMAX(SOFTMAX_ROW)};
static const version merge_versions[] = {GOL_KERN_ATTN_MERGE(MERGE_ROW)};

/* A tile and the memory behind its lists; lists end in pointers to an inaccessible page, which may be prefetched only. */
typedef struct random_tile {
    gol_attn_tile tile;
    float *q; /* [dim_k][ROWS] */
    const uint8_t *panels[GOL_ATTN_CHUNK + GOL_ATTN_AHEAD];
    int32_t panel_pos[GOL_ATTN_CHUNK];
    const uint8_t *values[GOL_ATTN_CHUNK + GOL_ATTN_AHEAD];
} random_tile;

static void fill_queries(checker *ck, random_tile *t, size_t n_rows, size_t dim_k)
{
    t->q = guarded_floats(dim_k * ROWS);
    fill(ck, t->q, dim_k * ROWS, 0);
    for (size_t d = 0; d < dim_k; d++)
        for (size_t r = n_rows; r < ROWS; r++)
            t->q[d * ROWS + r] = 0.0f;
    t->tile.q = t->q;
    t->tile.n_rows = n_rows;
    t->tile.dim_k = dim_k;
}

/* n_panels panels, each somewhere in one guarded run, holding step keys each (fewer than LANES: the rest is overwritten). */
static void fill_panels(checker *ck, random_tile *t, gol_kv_type type, size_t n_panels,
                        int32_t step, int pattern)
{
    const size_t n_bytes = panel_bytes(type, t->tile.dim_k);
    uint8_t *memory = guarded(n_panels * n_bytes);
    for (size_t i = 0; i < n_panels; i++) {
        uint8_t *panel = memory + (n_panels - 1 - i) * n_bytes;
        random_cells(ck, panel, type, LANES * t->tile.dim_k, pattern, true);
        t->panels[i] = panel;
        t->panel_pos[i] = (int32_t)i * step - (step < LANES ? 3 : 0);
    }
    for (size_t i = 0; i < GOL_ATTN_AHEAD; i++)
        t->panels[n_panels + i] = memory + n_panels * n_bytes;
    t->tile.panels = t->panels;
    t->tile.panel_pos = t->panel_pos;
    t->tile.n_panels = n_panels;
}

static void fill_values(checker *ck, random_tile *t, gol_kv_type type, size_t n_values,
                        size_t dim_v, int pattern)
{
    const size_t n_bytes = row_bytes(type, dim_v);
    uint8_t *memory = guarded(n_values * n_bytes);
    random_cells(ck, memory, type, n_values * dim_v, pattern, false);
    for (size_t i = 0; i < n_values; i++)
        t->values[i] = memory + (n_values - 1 - i) * n_bytes;
    for (size_t i = 0; i < GOL_ATTN_AHEAD; i++)
        t->values[n_values + i] = memory + n_values * n_bytes;
    t->tile.values = t->values;
    t->tile.dim_v = dim_v;
}

static float *fenced_scores(void)
{
    return fenced_floats(ROWS * STRIDE) + GOL_ATTN_MARGIN;
}

static void score_naively(double *want, double *bound, const random_tile *t, gol_kv_type type,
                          size_t row, size_t panel)
{
    const size_t dim = t->tile.dim_k;
    for (size_t l = 0; l < LANES; l++) {
        double magnitude = 0;
        want[l] = 0;
        for (size_t d = 0; d < dim; d++) {
            const double product = (double)t->q[d * ROWS + row] *
                                   panel_number(t->panels[panel], type, l, d);
            want[l] += product;
            magnitude += fabs(product);
        }
        /* One rounding for each addition and each product. */
        bound[l] = magnitude * ((double)dim + 2) * 0x1p-24 + 1e-37;
    }
}

/* Keys of a panel that the next panel does not overwrite. */
static size_t lanes_left(const random_tile *t, size_t panel)
{
    return panel + 1 == t->tile.n_panels ? LANES
                                         : (size_t)(t->panel_pos[panel + 1] - t->panel_pos[panel]);
}

/* Each row and each panel alone get the bits that they get in the tile. */
static void check_scores_alone(checker *ck, gol_attn_scores_fn *fn, random_tile *t,
                               const float *scores)
{
    const size_t row = t->tile.n_rows - 1;
    const size_t panel = t->tile.n_panels - 1;
    gol_attn_tile one = t->tile;
    float *q = guarded_floats(t->tile.dim_k * ROWS);
    memset(q, 0, t->tile.dim_k * ROWS * sizeof *q);
    for (size_t d = 0; d < t->tile.dim_k; d++)
        q[d * ROWS] = t->q[d * ROWS + row];
    one.q = q;
    one.n_rows = 1;
    one.n_panels = 1;
    one.panels += panel;
    one.panel_pos += panel;
    one.scores = fenced_scores();
    fn(&one);
    const int32_t pos = t->panel_pos[panel];
    if (memcmp(one.scores + pos, scores + (ptrdiff_t)(row * STRIDE) + pos,
               LANES * sizeof *scores) != 0)
        fail_text(ck, "a row and panel alone get other bits than among others");
}

static void check_scores_of(checker *ck, const version *v, const version *c, size_t dim,
                            size_t n_rows, size_t n_panels, int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    random_tile t = {0};
    fill_queries(ck, &t, n_rows, dim);
    fill_panels(ck, &t, type, n_panels, pattern % 2 ? 5 : LANES, pattern);
    float *from_c = fenced_scores();
    float *scores = fenced_scores();
    if (c) {
        t.tile.scores = from_c;
        ((gol_attn_scores_fn *)c->fn)(&t.tile);
    }
    t.tile.scores = scores;
    ((gol_attn_scores_fn *)v->fn)(&t.tile);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t i = 0; i < n_panels; i++) {
            double want[LANES];
            double bound[LANES];
            const ptrdiff_t at = (ptrdiff_t)(r * STRIDE) + t.panel_pos[i];
            score_naively(want, bound, &t, type, r, i);
            for (size_t l = 0; c && l < LANES; l++)
                want[l] = (double)from_c[at + (ptrdiff_t)l];
            compare(ck, "scores", scores + at, want, bound, lanes_left(&t, i));
        }
    }
    check_scores_alone(ck, (gol_attn_scores_fn *)v->fn, &t, scores);
    buffers_check(ck);
    buffers_free();
}

static const size_t dims[] = {1, 3, 8, 20, 32, 64, 80, 96, 128, DIM_MAX};
enum { N_DIMS = sizeof dims / sizeof dims[0] };

static void check_attn_scores(checker *ck, const version *v, const version *c)
{
    static const size_t panel_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 16};
    for (size_t i = 0; i < N_DIMS; i++) {
        if (v->index == GOL_KV_Q8_0 && dims[i] % GOL_QK != 0)
            continue;
        for (size_t n_rows = 1; n_rows <= ROWS; n_rows++) {
            const size_t k = (i + n_rows) % (sizeof panel_counts / sizeof panel_counts[0]);
            for (int pattern = 0; pattern < N_PATTERNS; pattern++)
                check_scores_of(ck, v, c, dims[i], n_rows, panel_counts[k], pattern);
        }
    }
}

static void mix_naively(double *want, double *bound, const random_tile *t, gol_kv_type type,
                        const float *start, size_t row, size_t n_values)
{
    for (size_t d = 0; d < t->tile.dim_v; d++) {
        want[d] = (double)start[row * t->tile.dim_v + d];
        double magnitude = fabs(want[d]);
        for (size_t j = 0; j < n_values; j++) {
            const double product = (double)t->tile.scores[row * STRIDE + j] *
                                   row_number(t->values[j], type, d);
            want[d] += product;
            magnitude += fabs(product);
        }
        bound[d] = magnitude * ((double)n_values + 2) * 0x1p-24 + 1e-37;
    }
}

/* Rows one by one and keys in two calls: the same bits; other rows stay as they are. */
static void check_mix_alone(checker *ck, gol_attn_mix_fn *fn, const random_tile *t,
                            const float *start, const float *acc, size_t n_values)
{
    const size_t dim = t->tile.dim_v;
    float *again = fenced_floats(ROWS * dim);
    memcpy(again, start, ROWS * dim * sizeof *again);
    for (size_t r = 0; r < t->tile.n_rows; r++) {
        const size_t cut = n_values / 3;
        fn(&t->tile, again, r, 1, 0, cut);
        fn(&t->tile, again, r, 1, cut, n_values);
        if (memcmp(again + r * dim, acc + r * dim, dim * sizeof *acc) != 0)
            fail_text(ck, "a row alone gets other bits than among others");
        if (r + 1 < ROWS && memcmp(again + (r + 1) * dim, start + (r + 1) * dim,
                                   (ROWS - r - 1) * dim * sizeof *acc) != 0)
            fail_text(ck, "one row is wanted and others change");
    }
}

static void check_mix_of(checker *ck, const version *v, const version *c, size_t dim, size_t n_rows,
                         size_t n_values, int pattern)
{
    const gol_kv_type type = (gol_kv_type)v->index;
    const size_t n_acc = ROWS * dim;
    random_tile t = {.tile.n_rows = n_rows};
    fill_values(ck, &t, type, n_values, dim, pattern);
    t.tile.scores = fenced_scores();
    for (size_t i = 0; i < ROWS * STRIDE - GOL_ATTN_MARGIN; i++)
        t.tile.scores[i] = (float)gol_rng_next_unit(&ck->rng);
    float *start = guarded_floats(n_acc);
    fill(ck, start, n_acc, 0);
    float *from_c = fenced_floats(n_acc);
    float *acc = fenced_floats(n_acc);
    memcpy(from_c, start, n_acc * sizeof *acc);
    memcpy(acc, start, n_acc * sizeof *acc);
    if (c)
        ((gol_attn_mix_fn *)c->fn)(&t.tile, from_c, 0, n_rows, 0, n_values);
    ((gol_attn_mix_fn *)v->fn)(&t.tile, acc, 0, n_rows, 0, n_values);
    for (size_t r = 0; r < n_rows; r++) {
        double want[DIM_MAX];
        double bound[DIM_MAX];
        mix_naively(want, bound, &t, type, start, r, n_values);
        for (size_t d = 0; c && d < dim; d++)
            want[d] = (double)from_c[r * dim + d];
        compare(ck, "acc", acc + r * dim, want, bound, dim);
    }
    check_mix_alone(ck, (gol_attn_mix_fn *)v->fn, &t, start, acc, n_values);
    buffers_check(ck);
    buffers_free();
}

static void check_attn_mix(checker *ck, const version *v, const version *c)
{
    static const size_t value_dims[] = {16, 32, 48, 64, 80, 96, 128, DIM_MAX};
    static const size_t key_counts[] = {1, 2, 3, 16, 33, 255, GOL_ATTN_CHUNK};
    for (size_t i = 0; i < sizeof value_dims / sizeof value_dims[0]; i++) {
        if (v->index == GOL_KV_Q8_0 && value_dims[i] % GOL_QK != 0)
            continue;
        for (size_t n_rows = 1; n_rows <= ROWS; n_rows++) {
            const size_t k = (i + n_rows) % (sizeof key_counts / sizeof key_counts[0]);
            for (int pattern = 0; pattern < N_PATTERNS; pattern++)
                check_mix_of(ck, v, c, value_dims[i], n_rows, key_counts[k], pattern);
        }
    }
}

static void check_softmax_of(checker *ck, const version *v, const version *c, size_t n, int pattern)
{
    double want[GOL_ATTN_CHUNK + 1] = {0};
    double bound[GOL_ATTN_CHUNK + 1];
    float start[GOL_ATTN_CHUNK];
    float *x = fenced_floats(n);
    float max = NAN;
    float greatest = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        /* spread: up to far below the smallest float; a hidden key is -infinity */
        start[i] = 5.0f - (float)gol_rng_next_unit(&ck->rng) * (pattern == 1 ? 200.0f : 10.0f);
        if (pattern == 2 && i % 4 != 1)
            start[i] = -INFINITY;
        if (pattern == 3)
            start[i] = -3e38f * (float)gol_rng_next_unit(&ck->rng);
        greatest = start[i] > greatest ? start[i] : greatest;
    }
    for (size_t i = 0; i < n; i++) {
        const double y = exp(
            (double)(start[i] - greatest)); /* the difference is rounded by definition */
        want[i] = y;
        bound[i] = isinf(start[i]) ? 0 : y * exp_tolerance + 0x1p-126; /* small ones may become 0 */
        want[n] += y;
    }
    bound[n] = want[n] * (exp_tolerance + ((double)n / GOL_LANES + 5) * 0x1p-24) + 1e-37;
    if (c) {
        memcpy(x, start, n * sizeof *x);
        want[n] = (double)((gol_softmax_fn *)c->fn)(&max, x, n);
        for (size_t i = 0; i < n; i++)
            want[i] = (double)x[i];
    }
    memcpy(x, start, n * sizeof *x);
    const float sum = ((gol_softmax_fn *)v->fn)(&max, x, n);
    compare(ck, "x", x, want, bound, n);
    compare(ck, "sum", &sum, want + n, bound + n, 1);
    if (max != greatest)
        fail_number(ck, "max", 0, (double)max, (double)greatest, 0);
    buffers_check(ck);
    buffers_free();
}

static void check_softmax(checker *ck, const version *v, const version *c)
{
    for (size_t n = LANES; n <= GOL_ATTN_CHUNK; n += LANES)
        for (int pattern = 0; pattern < N_PATTERNS; pattern++)
            check_softmax_of(ck, v, c, n, pattern);
    /* what is not a number must not get lost */
    float x[LANES] = {0};
    float max;
    x[5] = NAN;
    if (!isnan(((gol_softmax_fn *)v->fn)(&max, x, LANES)))
        fail_text(ck, "a NaN among the scores is not in the sum");
}

static void check_attn_merge(checker *ck, const version *v, const version *c)
{
    for (size_t n = LANES; n <= DIM_MAX; n += LANES) {
        for (int pattern = 0; pattern < N_PATTERNS; pattern++) {
            const float keep = pattern == 1 ? 1.0f : (float)gol_rng_next_unit(&ck->rng);
            const float factor = pattern == 2 ? 0.0f : (float)gol_rng_next_unit(&ck->rng);
            double want[DIM_MAX];
            double bound[DIM_MAX];
            float start[DIM_MAX];
            float *acc = fenced_floats(n);
            float *x = guarded_floats(n);
            fill(ck, start, n, pattern);
            fill(ck, x, n, pattern);
            for (size_t i = 0; i < n; i++) {
                const double a = (double)start[i] * (double)keep;
                const double b = (double)x[i] * (double)factor;
                want[i] = a + b;
                bound[i] = (fabs(a) + fabs(b)) * 2 * 0x1p-24 + 1e-37;
            }
            if (c) {
                memcpy(acc, start, n * sizeof *acc);
                ((gol_attn_merge_fn *)c->fn)(acc, keep, x, factor, n);
                for (size_t i = 0; i < n; i++)
                    want[i] = (double)acc[i];
            }
            memcpy(acc, start, n * sizeof *acc);
            ((gol_attn_merge_fn *)v->fn)(acc, keep, x, factor, n);
            compare(ck, "acc", acc, want, bound, n);
            buffers_check(ck);
            buffers_free();
        }
    }
}

/* A chunk of one KV head of Llama 3.2 1B: four rows, head_dim 64. */
enum { BENCH_ROWS = 4, BENCH_DIM = 64 };

typedef struct bench_memory {
    const version *made_for;
    random_tile t;
    float *acc;
} bench_memory;

static bench_memory *get_bench_memory(checker *ck, const version *v, gol_kv_type type)
{
    static bench_memory m;
    if (m.made_for != v) {
        m = (bench_memory){.made_for = v};
        fill_queries(ck, &m.t, BENCH_ROWS, BENCH_DIM);
        fill_panels(ck, &m.t, type, GOL_ATTN_CHUNK / LANES, LANES, 0);
        fill_values(ck, &m.t, type, GOL_ATTN_CHUNK, BENCH_DIM, 0);
        m.t.tile.panels = m.t.panels;
        m.t.tile.panel_pos = m.t.panel_pos;
        m.t.tile.values = m.t.values;
        m.t.tile.scores = fenced_scores();
        memset(m.t.tile.scores - GOL_ATTN_MARGIN, 0, ROWS * STRIDE * sizeof(float));
        m.acc = fenced_floats(ROWS * BENCH_DIM);
        memset(m.acc, 0, ROWS * BENCH_DIM * sizeof *m.acc);
    }
    return &m;
}

static size_t bench_attn_scores(checker *ck, const version *v)
{
    bench_memory *m = get_bench_memory(ck, v, (gol_kv_type)v->index);
    ((gol_attn_scores_fn *)v->fn)(&m->t.tile);
    return GOL_ATTN_CHUNK / LANES * panel_bytes((gol_kv_type)v->index, BENCH_DIM);
}

static size_t bench_attn_mix(checker *ck, const version *v)
{
    bench_memory *m = get_bench_memory(ck, v, (gol_kv_type)v->index);
    ((gol_attn_mix_fn *)v->fn)(&m->t.tile, m->acc, 0, BENCH_ROWS, 0, GOL_ATTN_CHUNK);
    return GOL_ATTN_CHUNK * row_bytes((gol_kv_type)v->index, BENCH_DIM);
}

static size_t bench_softmax(checker *ck, const version *v)
{
    bench_memory *m = get_bench_memory(ck, v, GOL_KV_F32);
    float max;
    m->t.tile.scores[0] = 1.0f;
    ((gol_softmax_fn *)v->fn)(&max, m->t.tile.scores, GOL_ATTN_CHUNK);
    return 2 * GOL_ATTN_CHUNK * sizeof(float);
}

static size_t bench_attn_merge(checker *ck, const version *v)
{
    bench_memory *m = get_bench_memory(ck, v, GOL_KV_F32);
    ((gol_attn_merge_fn *)v->fn)(m->acc, 1.0f, m->acc + BENCH_DIM, 0.5f, BENCH_DIM);
    return 3 * BENCH_DIM * sizeof(float);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_attn_scores = {"attn_scores", scores_versions, COUNT(scores_versions),
                                   check_attn_scores, bench_attn_scores};
const family family_attn_mix = {"attn_mix", mix_versions, COUNT(mix_versions), check_attn_mix,
                                bench_attn_mix};
const family family_softmax = {"softmax", softmax_versions, COUNT(softmax_versions), check_softmax,
                               bench_softmax};
const family family_attn_merge = {"attn_merge", merge_versions, COUNT(merge_versions),
                                  check_attn_merge, bench_attn_merge};
