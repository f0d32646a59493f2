/*
 * Products of bytes. With scales of one everything is a whole number below 2^24, and every version must give the exact result; with
 * others it may round as often as panel.h says. Weights are as large as their kind allows, where sums of 16 bits would overflow
 * first. A token's result must not depend on the tokens beside it.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/panel_format.h"

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

/* Roundings of a block: product of scales, product, sum, twice for groups of 16; and as many for mins. The versions without fused
 * operations round at each of them. */
enum { ROUNDINGS_OF_BLOCK = 8 };

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
    gol_int_panel panel;
    gol_int_tile t;
    uint8_t *q;
    int8_t *x;
    float *x_scale;
    uint32_t *aux;
    float *begin; /* acc before */
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
                const int32_t start = -m->zero * sum;
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

static void make_tile(checker *ck, tile *m, gol_int_kind kind, size_t n_tokens, size_t n_blocks,
                      tile_pattern pattern)
{
    m->n_groups = (size_t)(GOL_BLOCK_INPUTS / gol_int_kind_group(kind));
    m->zero = kinds[kind].zero;
    m->q = guarded(n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS);
    m->x = guarded(n_blocks * n_tokens * GOL_BLOCK_INPUTS);
    m->x_scale = guarded_floats(n_blocks * n_tokens);
    m->aux = guarded(n_blocks * n_tokens * m->n_groups * sizeof *m->aux);
    m->begin = guarded_floats(n_tokens * GOL_PANEL_ROWS);
    m->t = (gol_int_tile){.x = {m->x, m->x_scale, m->aux},
                          .panel = &m->panel,
                          .n_blocks = n_blocks,
                          .n_tokens = n_tokens};
    m->panel.q = m->q;
    for (size_t i = 0; i < n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS; i++)
        m->q[i] = (uint8_t)(pattern == LARGEST || pattern == LARGEST_SIGNS
                                ? kinds[kind].q_max
                                : random_int(ck, 0, kinds[kind].q_max));
    for (size_t g = 0; g < n_blocks * m->n_groups; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            m->panel.scale[g][r] = random_scale(ck, pattern);
            /* kernels without mins must not look at them */
            m->panel.min[g][r] = m->zero > 0 ? NAN : random_scale(ck, pattern);
        }
    }
    fill_x(ck, m, pattern);
    for (size_t i = 0; i < n_tokens * GOL_PANEL_ROWS; i++)
        m->begin[i] = pattern < RANDOM_SCALES ? (float)random_int(ck, -9, 9)
                                              : (float)gol_rng_next_normal(&ck->rng);
}

static float *run(const version *v, const tile *m)
{
    const size_t n = m->t.n_tokens * GOL_PANEL_ROWS;
    gol_int_tile t = m->t;
    t.acc = fenced_floats(n);
    memcpy(t.acc, m->begin, n * sizeof *t.acc);
    ((gol_int_core_fn *)v->fn)(&t);
    return t.acc;
}

/* One token's sum for one row in double, and the sum of magnitudes. */
static double multiply_naively(double *magnitude, const tile *m, size_t k, size_t r)
{
    const size_t n = GOL_BLOCK_INPUTS / m->n_groups;
    double sum = (double)m->begin[k * GOL_PANEL_ROWS + r];
    *magnitude = fabs(sum);
    for (size_t g = 0; g < m->t.n_blocks * m->n_groups; g++) {
        const size_t b = g / m->n_groups;
        int64_t products = 0;
        int64_t x_sum = 0;
        for (size_t i = 0; i < n; i++) {
            const size_t in = g * n + i;
            const int x = m->x[(b * m->t.n_tokens + k) * GOL_BLOCK_INPUTS + in % GOL_BLOCK_INPUTS];
            products += (m->q[(in / 4 * GOL_PANEL_ROWS + r) * 4 + in % 4] - m->zero) * x;
            x_sum += x;
        }
        const double x_scale = (double)m->x_scale[b * m->t.n_tokens + k];
        const double product = (double)products * (double)m->panel.scale[g][r] * x_scale;
        const double min = m->zero > 0 ? 0.0 : (double)m->panel.min[g][r] * (double)x_sum * x_scale;
        sum += product - min;
        *magnitude += fabs(product) + fabs(min);
    }
    return sum;
}

/* Token k of the tile, alone in one. */
static void check_alone(checker *ck, const version *v, const tile *m, size_t k, const float *got)
{
    static tile one;
    const size_t n_tokens = m->t.n_tokens;
    const size_t n_blocks = m->t.n_blocks;
    one = *m;
    one.x = guarded(n_blocks * GOL_BLOCK_INPUTS);
    one.x_scale = guarded_floats(n_blocks);
    one.aux = guarded(n_blocks * m->n_groups * sizeof *one.aux);
    one.begin = m->begin + k * GOL_PANEL_ROWS;
    for (size_t b = 0; b < n_blocks; b++) {
        memcpy(one.x + b * GOL_BLOCK_INPUTS, m->x + (b * n_tokens + k) * GOL_BLOCK_INPUTS,
               GOL_BLOCK_INPUTS);
        one.x_scale[b] = m->x_scale[b * n_tokens + k];
        for (size_t g = 0; g < m->n_groups; g++)
            one.aux[b * m->n_groups + g] = m->aux[(b * m->n_groups + g) * n_tokens + k];
    }
    one.t = (gol_int_tile){.x = {one.x, one.x_scale, one.aux},
                           .panel = &m->panel,
                           .n_blocks = n_blocks,
                           .n_tokens = 1};
    if (memcmp(run(v, &one), got + k * GOL_PANEL_ROWS, GOL_PANEL_ROWS * sizeof *got) != 0)
        fail_text(ck, "a token alone gives other bits");
}

static void check_tile(checker *ck, const version *v, const version *c, size_t n_tokens,
                       size_t n_blocks, tile_pattern pattern)
{
    static tile m;
    double want[GOL_INT_TILE * GOL_PANEL_ROWS];
    double bound[GOL_INT_TILE * GOL_PANEL_ROWS];
    const size_t n = n_tokens * GOL_PANEL_ROWS;
    make_tile(ck, &m, (gol_int_kind)v->index, n_tokens, n_blocks, pattern);
    const float *by_c = c ? run(c, &m) : NULL;
    const float *got = run(v, &m);
    for (size_t i = 0; i < n; i++) {
        double magnitude;
        want[i] = multiply_naively(&magnitude, &m, i / GOL_PANEL_ROWS, i % GOL_PANEL_ROWS);
        bound[i] = pattern < RANDOM_SCALES
                       ? 0.0
                       : (double)(n_blocks * ROUNDINGS_OF_BLOCK) * 0x1p-24 * magnitude;
        if (by_c) {
            want[i] = (double)by_c[i];
            bound[i] *= 2; /* C's own, too */
        }
    }
    compare(ck, "acc", got, want, bound, n);
    check_alone(ck, v, &m, n_tokens - 1, got);
    check_alone(ck, v, &m, n_tokens / 2, got);
    buffers_check(ck);
    buffers_free();
}

static void check_int_core(checker *ck, const version *v, const version *c)
{
    for (size_t n_tokens = 1; n_tokens <= GOL_INT_TILE; n_tokens++)
        for (size_t n_blocks = 1; n_blocks <= GOL_STRETCH_BLOCKS; n_blocks++)
            for (int pattern = 0; pattern < N_TILE_PATTERNS; pattern++)
                check_tile(ck, v, c, n_tokens, n_blocks, (tile_pattern)pattern);
}

static size_t bench_int_core(checker *ck, const version *v)
{
    enum { N_TOKENS = GOL_INT_TILE };
    static gol_int_panel panel;
    static int8_t x[GOL_STRETCH_INPUTS * N_TOKENS];
    static float x_scale[GOL_STRETCH_BLOCKS * N_TOKENS];
    static int32_t aux[GOL_STRETCH_INPUTS / GOL_GROUP_MIN * N_TOKENS];
    static float acc[N_TOKENS * GOL_PANEL_ROWS] __attribute__((aligned(64)));
    (void)ck;
    panel.q = panel.store;
    memset(panel.store, 1, sizeof panel.store);
    ((gol_int_core_fn *)v->fn)(&(gol_int_tile){.acc = acc,
                                               .x = {x, x_scale, aux},
                                               .panel = &panel,
                                               .n_blocks = GOL_STRETCH_BLOCKS,
                                               .n_tokens = N_TOKENS});
    return sizeof panel.store + sizeof x;
}

const family family_int_core = {
    "int_core",     core_versions,  sizeof core_versions / sizeof core_versions[0],
    check_int_core, bench_int_core,
};
