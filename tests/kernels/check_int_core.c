/*
 * Products of bytes. With scales of one everything is a whole number below 2^24, and every version must give the exact result; with
 * others it may round as often as panel.h says. Weights are as large as their kind allows, where sums of 16 bits would overflow
 * first. A token's result must depend neither on the tokens nor on the panels beside it. The versions of 256 bits give the same bits.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/panel_format.h"
#include "base/mem.h"

#define CORE_ROW(slot, kernel, level) VERSION_ROW(int_core, slot, kernel, level),
static const version core_versions[] = {GOL_KERN_INT_CORE(CORE_ROW)};

typedef enum tile_pattern {
    RANDOM_WHOLE,    /* random q and x, scales of one */
    LARGEST,         /* q and x largest */
    LARGEST_SIGNS,   /* x alternates between its ends */
    RANDOM_SCALES,   /* everything random */
    SCALE_NOT_FINITE /* one token's block was no number */
} tile_pattern;
enum { N_TILE_PATTERNS = SCALE_NOT_FINITE + 1 };

/* Roundings of a block: two products and a sum, twice for groups of 16; and two each for mins. The versions without fused
 * operations round at each of them. */
enum { ROUNDINGS_OF_BLOCK = 10 };

static const struct {
    int q_max;
    int zero;
} kinds[GOL_N_INT_KINDS] = {
    [GOL_INT_Z32] = {127, 64}, [GOL_INT_Z32_LOW] = {31, 16}, [GOL_INT_Z32_WIDE] = {255, 128},
    [GOL_INT_M32] = {31, 0},   [GOL_INT_Z16] = {127, 64},    [GOL_INT_Z16_LOW] = {63, 32},
    [GOL_INT_M16] = {3, 0},
};

/* A tile in buffers that end at a page which must not be touched; the aux plane of either sort. */
typedef struct tile {
    gol_int_panel panel[GOL_TILE_PANELS];
    gol_int_tile t;
    int8_t *x;
    float *x_scale;
    uint32_t *aux;
    float *begin; /* acc before, [n_panels][acc_stride] */
    size_t n_groups;
    int zero;
} tile;

static int random_int(checker *ck, int from, int to)
{
    return from + (int)gol_rng_below(&ck->rng, (uint64_t)(to - from + 1));
}

static float random_scale(checker *ck, tile_pattern pattern)
{
    return pattern < RANDOM_SCALES ? 1.0f : 0.01f * (float)gol_rng_next_normal(&ck->rng);
}

/* Of weights: as panel.h says, with fewer bits than a float has. */
static float random_short_scale(checker *ck, tile_pattern pattern)
{
    return rintf(random_scale(ck, pattern) * 0x1p20f) * 0x1p-20f;
}

static void fill_x(checker *ck, tile *m, tile_pattern pattern)
{
    const size_t n_tokens = m->t.n_tokens;
    for (size_t i = 0; i < m->t.n_blocks * n_tokens * GOL_BLOCK_INPUTS; i++)
        m->x[i] = (int8_t)(pattern == LARGEST         ? 127
                           : pattern == LARGEST_SIGNS ? (i % 4 < 2 ? 127 : -127)
                                                      : random_int(ck, -127, 127));
    for (size_t i = 0; i < m->t.n_blocks * n_tokens; i++) {
        m->x_scale[i] = random_scale(ck, pattern);
        if (pattern == SCALE_NOT_FINITE && i == 0) {
            m->x_scale[i] = NAN;
            memset(m->x, 0, GOL_BLOCK_INPUTS);
        }
    }
    for (size_t b = 0; b < m->t.n_blocks; b++) {
        for (size_t g = 0; g < m->n_groups; g++) {
            for (size_t k = 0; k < n_tokens; k++) {
                const size_t n = GOL_BLOCK_INPUTS / m->n_groups;
                int32_t sum = 0;
                for (size_t i = 0; i < n; i++)
                    sum += m->x[(b * n_tokens + k) * GOL_BLOCK_INPUTS + g * n + i];
                const int32_t start = GOL_INT_SUM_ZERO - m->zero * sum;
                const float x_sum = m->x_scale[b * n_tokens + k] * (float)sum;
                uint32_t *aux = m->aux + (b * m->n_groups + g) * n_tokens + k;
                if (m->zero > 0)
                    memcpy(aux, &start, sizeof *aux);
                else
                    memcpy(aux, &x_sum, sizeof *aux);
            }
        }
    }
}

/* Floats of acc: the last panel's token that nobody may touch is left out. */
static size_t n_results(const tile *m)
{
    return m->t.n_panels * m->t.acc_stride - GOL_PANEL_ROWS;
}

static void fill_panel(checker *ck, tile *m, gol_int_panel *panel, gol_int_kind kind,
                       tile_pattern pattern)
{
    const size_t n = m->t.n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    uint8_t *q = guarded(n);
    panel->q = q;
    for (size_t i = 0; i < n; i++)
        q[i] = (uint8_t)(pattern == LARGEST || pattern == LARGEST_SIGNS
                             ? kinds[kind].q_max
                             : random_int(ck, 0, kinds[kind].q_max));
    for (size_t g = 0; g < m->t.n_blocks * m->n_groups; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            panel->scale[g][r] = random_short_scale(ck, pattern);
            /* kernels without mins must not look at them */
            panel->min[g][r] = m->zero > 0 ? NAN : random_scale(ck, pattern);
        }
    }
}

/* shape: numbers of panels, blocks and tokens. */
static void make_tile(checker *ck, tile *m, gol_int_kind kind, gol_int_tile shape,
                      tile_pattern pattern)
{
    const size_t n_blocks = shape.n_blocks;
    const size_t n_tokens = shape.n_tokens;
    m->t = shape;
    m->n_groups = (size_t)(GOL_BLOCK_INPUTS / gol_int_kind_group(kind));
    m->zero = kinds[kind].zero;
    m->x = guarded(n_blocks * n_tokens * GOL_BLOCK_INPUTS);
    m->x_scale = guarded_floats(n_blocks * n_tokens);
    m->aux = guarded(n_blocks * n_tokens * m->n_groups * sizeof *m->aux);
    m->t.x = (gol_int_x){m->x, m->x_scale, m->aux};
    m->t.panel = m->panel;
    m->t.acc_stride = (n_tokens + 1) * GOL_PANEL_ROWS; /* one that nobody may touch between them */
    /* what is prefetched may not exist: the page behind the weights */
    m->t.ahead_bytes = GOL_MEM_ALIGN * (n_tokens % 3);
    m->t.ahead_stride = 1000;
    for (size_t p = 0; p < shape.n_panels; p++)
        fill_panel(ck, m, &m->panel[p], kind, pattern);
    m->t.ahead = m->panel[0].q + n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    fill_x(ck, m, pattern);
    m->begin = guarded_floats(n_results(m));
    for (size_t i = 0; i < n_results(m); i++)
        m->begin[i] = pattern < RANDOM_SCALES ? (float)random_int(ck, -9, 9)
                                              : (float)gol_rng_next_normal(&ck->rng);
}

/* acc [n_results]. */
static float *run(const version *v, const tile *m)
{
    gol_int_tile t = m->t;
    t.acc = fenced_floats(n_results(m));
    memcpy(t.acc, m->begin, n_results(m) * sizeof *t.acc);
    ((gol_int_core_fn *)v->fn)(&t);
    return t.acc;
}

/* vpdpbusd of 256 bits adds in the order of AVX2: their results are the same to the bit. */
static void check_against_avx2(checker *ck, const version *v, const tile *m, const float *got)
{
    if (v->level != GOL_CPU_AVXVNNI && v->level != GOL_CPU_EVEXVNNI)
        return;
    for (size_t i = 0; i < sizeof core_versions / sizeof core_versions[0]; i++) {
        const version *by_avx2 = &core_versions[i];
        if (by_avx2->slot_offset == v->slot_offset && by_avx2->level == GOL_CPU_AVX2 &&
            memcmp(run(by_avx2, m), got, n_results(m) * sizeof *got) != 0)
            fail_text(ck, "AVX2 gives other bits");
    }
}

/* The core for AVX-512 VNNI scales two groups as one, and rounds what is 1.5 * 2^23 times as large as their scales (panel.h). */
static double offsets_of(const version *v, const tile *m, size_t panel, size_t k, size_t r)
{
    const gol_int_panel *w = &m->panel[panel];
    double sum = 0.0;
    if (v->level != GOL_CPU_AVX512VNNI || m->n_groups == 1)
        return 0.0;
    for (size_t g = 0; g < m->t.n_blocks * m->n_groups; g++)
        sum += fabs((double)w->scale[g][r] * (double)m->x_scale[g / 2 * m->t.n_tokens + k]);
    return sum * (double)GOL_INT_SUM_ZERO_AS_FLOAT;
}

/* One token's sum for one row in double, and the sum of magnitudes. */
static double multiply_naively(double *magnitude, const tile *m, size_t panel, size_t k, size_t r)
{
    const gol_int_panel *w = &m->panel[panel];
    const size_t n = GOL_BLOCK_INPUTS / m->n_groups;
    double sum = (double)m->begin[panel * m->t.acc_stride + k * GOL_PANEL_ROWS + r];
    *magnitude = fabs(sum);
    for (size_t g = 0; g < m->t.n_blocks * m->n_groups; g++) {
        const size_t b = g / m->n_groups;
        int64_t products = 0;
        int64_t x_sum = 0;
        for (size_t i = 0; i < n; i++) {
            const size_t in = g * n + i;
            const int x = m->x[(b * m->t.n_tokens + k) * GOL_BLOCK_INPUTS + in % GOL_BLOCK_INPUTS];
            products += (w->q[(in / 4 * GOL_PANEL_ROWS + r) * 4 + in % 4] - m->zero) * x;
            x_sum += x;
        }
        const double x_scale = (double)m->x_scale[b * m->t.n_tokens + k];
        const double product = (double)products * (double)w->scale[g][r] * x_scale;
        const double min = m->zero > 0 ? 0.0 : (double)w->min[g][r] * (double)x_sum * x_scale;
        sum += product - min;
        *magnitude += fabs(product) + fabs(min);
    }
    return sum;
}

/* Token k of one of the panels, alone in a tile. */
static void check_alone(checker *ck, const version *v, const tile *m, size_t panel, size_t k,
                        const float *got)
{
    static tile one;
    const size_t n_tokens = m->t.n_tokens;
    const size_t n_blocks = m->t.n_blocks;
    const size_t at = panel * m->t.acc_stride + k * GOL_PANEL_ROWS;
    one = *m;
    one.x = guarded(n_blocks * GOL_BLOCK_INPUTS);
    one.x_scale = guarded_floats(n_blocks);
    one.aux = guarded(n_blocks * m->n_groups * sizeof *one.aux);
    one.begin = m->begin + at;
    for (size_t b = 0; b < n_blocks; b++) {
        memcpy(one.x + b * GOL_BLOCK_INPUTS, m->x + (b * n_tokens + k) * GOL_BLOCK_INPUTS,
               GOL_BLOCK_INPUTS);
        one.x_scale[b] = m->x_scale[b * n_tokens + k];
        for (size_t g = 0; g < m->n_groups; g++)
            one.aux[b * m->n_groups + g] = m->aux[(b * m->n_groups + g) * n_tokens + k];
    }
    one.t = (gol_int_tile){.x = {one.x, one.x_scale, one.aux},
                           .panel = &m->panel[panel],
                           .n_panels = 1,
                           .acc_stride = (size_t)2 * GOL_PANEL_ROWS,
                           .n_blocks = n_blocks,
                           .n_tokens = 1};
    if (memcmp(run(v, &one), got + at, GOL_PANEL_ROWS * sizeof *got) != 0)
        fail_text(ck, "a token alone gives other bits");
}

static void check_tile(checker *ck, const version *v, const version *c, gol_int_tile shape,
                       tile_pattern pattern)
{
    enum { N_RESULTS_MAX = GOL_TILE_PANELS * (GOL_INT_TILE + 1) * GOL_PANEL_ROWS };
    static tile m;
    static double want[N_RESULTS_MAX];
    static double bound[N_RESULTS_MAX];
    make_tile(ck, &m, (gol_int_kind)v->index, shape, pattern);
    const float *by_c = c ? run(c, &m) : NULL;
    const float *got = run(v, &m);
    for (size_t i = 0; i < n_results(&m); i++) {
        const size_t k = i % m.t.acc_stride / GOL_PANEL_ROWS;
        const size_t panel = i / m.t.acc_stride;
        double magnitude = 0.0;
        double offsets = 0.0;
        want[i] = (double)m.begin[i];
        if (k < shape.n_tokens) {
            want[i] = multiply_naively(&magnitude, &m, panel, k, i % GOL_PANEL_ROWS);
            offsets = offsets_of(v, &m, panel, k, i % GOL_PANEL_ROWS);
        }
        bound[i] = pattern < RANDOM_SCALES
                       ? 0.0
                       : (double)(shape.n_blocks * ROUNDINGS_OF_BLOCK) * 0x1p-24 * magnitude;
        if (by_c) {
            want[i] = (double)by_c[i];
            bound[i] *= 2; /* C's own, too */
        }
        if (pattern >= RANDOM_SCALES)
            bound[i] += offsets * 0x1p-24;
    }
    compare(ck, "acc", got, want, bound, n_results(&m));
    check_against_avx2(ck, v, &m, got);
    check_alone(ck, v, &m, shape.n_panels - 1, shape.n_tokens - 1, got);
    check_alone(ck, v, &m, shape.n_panels / 2, shape.n_tokens / 2, got);
    buffers_check(ck);
    buffers_free();
}

static void check_int_core(checker *ck, const version *v, const version *c)
{
    for (size_t i = 0; i < (size_t)GOL_INT_TILE * GOL_STRETCH_BLOCKS * N_TILE_PATTERNS; i++) {
        gol_int_tile shape = {.n_tokens = 1 + i % GOL_INT_TILE};
        shape.n_blocks = 1 + i / GOL_INT_TILE % GOL_STRETCH_BLOCKS;
        /* every number of panels with every number of tokens and of blocks, not with both */
        for (shape.n_panels = 1; shape.n_panels <= GOL_TILE_PANELS; shape.n_panels++)
            if (shape.n_panels == 1 || (shape.n_tokens + shape.n_blocks) % 3 == 0)
                check_tile(ck, v, c, shape, (tile_pattern)(i / GOL_INT_TILE / GOL_STRETCH_BLOCKS));
    }
}

static size_t bench_int_core(checker *ck, const version *v)
{
    enum { N_TOKENS = GOL_INT_TILE };
    static gol_int_panel panel[GOL_TILE_PANELS];
    static int8_t x[GOL_STRETCH_INPUTS * N_TOKENS];
    static float x_scale[GOL_STRETCH_BLOCKS * N_TOKENS];
    static int32_t aux[GOL_STRETCH_INPUTS / GOL_GROUP_MIN * N_TOKENS];
    static float acc[GOL_TILE_PANELS * N_TOKENS * GOL_PANEL_ROWS] __attribute__((aligned(64)));
    (void)ck;
    for (size_t p = 0; p < GOL_TILE_PANELS; p++)
        panel[p].q = panel[p].store;
    ((gol_int_core_fn *)v->fn)(&(gol_int_tile){.acc = acc,
                                               .x = {x, x_scale, aux},
                                               .acc_stride = (size_t)N_TOKENS * GOL_PANEL_ROWS,
                                               .panel = panel,
                                               .n_panels = GOL_TILE_PANELS,
                                               .n_blocks = GOL_STRETCH_BLOCKS,
                                               .n_tokens = N_TOKENS});
    return sizeof panel[0].store * GOL_TILE_PANELS + sizeof x;
}

const family family_int_core = {
    "int_core",     core_versions,  sizeof core_versions / sizeof core_versions[0],
    check_int_core, bench_int_core,
};
