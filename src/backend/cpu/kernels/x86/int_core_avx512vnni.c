/*
 * The integer cores for AVX-512 VNNI: a vector holds 4 inputs of 16 rows, an instruction multiplies it by 4 activations of one
 * token, broadcast from memory, and adds to that token's 16 sums.
 *
 * Two panels and six tokens at a time: 12 sums, 12 results, 2 vectors of weights and one of activations in registers, and 8 loads
 * feed 12 multiplications. (One panel with 12 tokens takes 13 loads for 12, and the two load ports are what it waits for. Results
 * in memory would leave room for 24 sums, but 24 stores in a row stop the multiplications for as many cycles.)
 *
 * Sums of integers begin at GOL_INT_SUM_ZERO (panel.h) and are read as floats, so that one fused operation converts and scales.
 * Of 10 operations on a token's block 8 multiply: 80% of the processor's peak is the limit (73% with mins).
 *
 * Blocks of two groups are scaled as one (panel.h), which takes 11 operations instead of 12: 73% (62% with mins). The first group's
 * scaled sums wait in registers for the second's, so only four tokens have room beside two panels.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "backend/cpu/kernels/prefetch.h"
#include "backend/cpu/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    QUAD_BYTES = GOL_PANEL_ROWS * 4, /* four inputs of all rows */
    QUADS = GOL_BLOCK_INPUTS / 4,
    PANELS = 2,
    TOKENS_OF_TWO_GROUPS = 8, /* with one panel */
    PANEL_FLOATS = sizeof(gol_int_panel) / sizeof(float),
    MIN_OFFSET = sizeof(((gol_int_panel *)0)->scale) / sizeof(float), /* of mins from scales */
};

/* What a copy of the loops is made for; all of it is constant there. */
typedef struct core_shape {
    int n_panels;
    int n; /* tokens */
    int n_groups;
    int quads; /* of a group */
    bool has_min;
} core_shape;

/* x[0 .. 3] in every group of four bytes. */
INLINE __m512i broadcast(const int8_t *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm512_set1_epi32(four);
}

/* sums[n_panels][n] = integer sums of a group: q [8 or 4][16][4] of each panel, x [n][32], start [n]. */
INLINE void sum_group(__m512i *sums, const uint8_t *const *q, const int8_t *x, const int32_t *start,
                      core_shape s)
{
    GOL_UNROLL
    for (int k = 0; k < s.n; k++) {
        const __m512i begin = _mm512_set1_epi32(s.has_min ? GOL_INT_SUM_ZERO : start[k]);
        GOL_UNROLL
        for (int p = 0; p < s.n_panels; p++)
            sums[p * s.n + k] = begin;
    }
    GOL_UNROLL
    for (int j = 0; j < s.quads; j++) {
        __m512i w[PANELS];
        GOL_UNROLL
        for (int p = 0; p < s.n_panels; p++)
            w[p] = _mm512_load_si512(q[p] + j * QUAD_BYTES);
        GOL_UNROLL
        for (int k = 0; k < s.n; k++) {
            const __m512i four = broadcast(x + k * GOL_BLOCK_INPUTS + 4 * j);
            GOL_UNROLL
            for (int p = 0; p < s.n_panels; p++)
                sums[p * s.n + k] = _mm512_dpbusd_epi32(sums[p * s.n + k], w[p], four);
        }
    }
}

/* acc[n] -= the mins of a group, of one panel. */
INLINE void subtract_mins(__m512 *acc, const float *scale, const int32_t *aux, core_shape s)
{
    const float *x_sum = (const float *)(const void *)aux;
    const __m512 min = _mm512_load_ps(scale + MIN_OFFSET);
    GOL_UNROLL
    for (int k = 0; k < s.n; k++)
        acc[k] = _mm512_fnmadd_ps(min, _mm512_set1_ps(x_sum[k]), acc[k]);
}

/* A block of one group: acc[n_panels][n] += its sums, scaled. */
INLINE void multiply_group(__m512 *acc, const uint8_t *const *q, const int8_t *x,
                           const int32_t *aux, const float *scale, const float *x_scale,
                           core_shape s)
{
    __m512i sums[GOL_INT_TILE];
    sum_group(sums, q, x, aux, s);
    GOL_UNROLL
    for (int p = 0; p < s.n_panels; p++) {
        const __m512 factor = _mm512_load_ps(scale + p * PANEL_FLOATS);
        const __m512 offset = _mm512_mul_ps(factor, _mm512_set1_ps(-GOL_INT_SUM_ZERO_AS_FLOAT));
        __m512 *out = acc + p * s.n;
        GOL_UNROLL
        for (int k = 0; k < s.n; k++) {
            const __m512 sum = _mm512_castsi512_ps(sums[p * s.n + k]);
            out[k] = _mm512_fmadd_ps(_mm512_fmadd_ps(sum, factor, offset),
                                     _mm512_set1_ps(x_scale[k]), out[k]);
        }
        if (s.has_min)
            subtract_mins(out, scale + p * PANEL_FLOATS, aux, s);
    }
}

/* A block of two groups: acc[n_panels][n] += both groups' sums, scaled. */
INLINE void multiply_groups(__m512 *acc, const uint8_t *const *q, const int8_t *x,
                            const int32_t *aux, size_t n_tokens, const float *scale,
                            const float *x_scale, core_shape s)
{
    __m512i sums[GOL_INT_TILE];
    __m512 scaled[GOL_INT_TILE];
    sum_group(sums, q, x, aux, s);
    GOL_UNROLL
    for (int p = 0; p < s.n_panels; p++) {
        const float *factors = scale + p * PANEL_FLOATS;
        const __m512 factor = _mm512_load_ps(factors);
        const __m512 both = _mm512_add_ps(factor, _mm512_load_ps(factors + GOL_PANEL_ROWS));
        const __m512 offset = _mm512_mul_ps(both, _mm512_set1_ps(-GOL_INT_SUM_ZERO_AS_FLOAT));
        GOL_UNROLL
        for (int i = p * s.n; i < (p + 1) * s.n; i++)
            scaled[i] = _mm512_fmadd_ps(_mm512_castsi512_ps(sums[i]), factor, offset);
        if (s.has_min)
            subtract_mins(acc + p * s.n, factors, aux, s);
    }
    const uint8_t *second[PANELS];
    GOL_UNROLL
    for (int p = 0; p < s.n_panels; p++)
        second[p] = q[p] + s.quads * QUAD_BYTES;
    aux += n_tokens;
    sum_group(sums, second, x + 4 * s.quads, aux, s);
    GOL_UNROLL
    for (int p = 0; p < s.n_panels; p++) {
        const float *factors = scale + p * PANEL_FLOATS + GOL_PANEL_ROWS;
        const __m512 factor = _mm512_load_ps(factors);
        GOL_UNROLL
        for (int k = 0; k < s.n; k++) {
            const int i = p * s.n + k;
            const __m512 sum = _mm512_castsi512_ps(sums[i]);
            acc[i] = _mm512_fmadd_ps(_mm512_fmadd_ps(sum, factor, scaled[i]),
                                     _mm512_set1_ps(x_scale[k]), acc[i]);
        }
        if (s.has_min)
            subtract_mins(acc + p * s.n, factors, aux, s);
    }
}

INLINE float *acc_of(const gol_int_tile *t, size_t first, int i, core_shape s)
{
    return t->acc + (size_t)(i / s.n) * t->acc_stride +
           (first + (size_t)(i % s.n)) * GOL_PANEL_ROWS;
}

/* acc[panel][token] from the tile's results, or back. */
INLINE void load_acc(__m512 *acc, const gol_int_tile *t, size_t first, core_shape s)
{
    GOL_UNROLL
    for (int i = 0; i < s.n_panels * s.n; i++)
        acc[i] = _mm512_load_ps(acc_of(t, first, i, s));
}

INLINE void store_acc(const gol_int_tile *t, const __m512 *acc, size_t first, core_shape s)
{
    GOL_UNROLL
    for (int i = 0; i < s.n_panels * s.n; i++)
        _mm512_store_ps(acc_of(t, first, i, s), acc[i]);
}

/* Tokens [first, first + n) of all panels of the tile. */
INLINE void multiply(const gol_int_tile *t, size_t first, core_shape s)
{
    const size_t n_tokens = t->n_tokens;
    const int8_t *x = t->x.q + first * GOL_BLOCK_INPUTS;
    const float *x_scale = t->x.scale + first;
    const int32_t *aux = (const int32_t *)t->x.aux + first;
    const float *scale = t->panel->scale[0];
    const uint8_t *q[PANELS];
    __m512 acc[GOL_INT_TILE];
    for (int p = 0; p < s.n_panels; p++)
        q[p] = t->panel[p].q;
    load_acc(acc, t, first, s);
    for (size_t b = 0; b < t->n_blocks; b++) {
        if (first == 0)
            gol_prefetch_ahead(t, b, (size_t)s.n_panels);
        GOL_BASE_POINTER(x);
        GOL_BASE_POINTER(aux);
        GOL_BASE_POINTER(scale);
        if (s.n_groups == 1)
            multiply_group(acc, q, x, aux, scale, x_scale, s);
        else
            multiply_groups(acc, q, x, aux, n_tokens, scale, x_scale, s);
        GOL_UNROLL
        for (int p = 0; p < s.n_panels; p++)
            q[p] += GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
        x += n_tokens * GOL_BLOCK_INPUTS;
        aux += (size_t)s.n_groups * n_tokens;
        scale += s.n_groups * GOL_PANEL_ROWS;
        x_scale += n_tokens;
    }
    store_acc(t, acc, first, s);
}

#define MULTIPLY(panels, tokens)                                                                   \
    case tokens:                                                                                   \
        multiply(t, first, (core_shape){panels, tokens, n_groups, QUADS / n_groups, has_min});     \
        break;

/* Tokens that registers hold beside so many panels. */
INLINE size_t tokens_at_once(int n_panels, int n_groups)
{
    return (size_t)((n_groups == 1 ? GOL_INT_TILE : TOKENS_OF_TWO_GROUPS) / n_panels);
}

/* One copy of the loop for each number of tokens. */
INLINE void multiply_panel(const gol_int_tile *t, int n_groups, bool has_min)
{
    const size_t most = tokens_at_once(1, n_groups);
    for (size_t first = 0; first < t->n_tokens; first += most) {
        const size_t left = t->n_tokens - first;
        switch (left < most ? left : most) {
            MULTIPLY(1, 1)
            MULTIPLY(1, 2)
            MULTIPLY(1, 3)
            MULTIPLY(1, 4)
            MULTIPLY(1, 5)
            MULTIPLY(1, 6)
            MULTIPLY(1, 7)
            MULTIPLY(1, 8)
        }
        if (n_groups > 1)
            continue;
        switch (left < most ? left : most) {
            MULTIPLY(1, 9)
            MULTIPLY(1, 10)
            MULTIPLY(1, 11)
            MULTIPLY(1, 12)
        }
    }
}

INLINE void multiply_panels(const gol_int_tile *t, int n_groups, bool has_min)
{
    const size_t most = tokens_at_once(PANELS, n_groups);
    for (size_t first = 0; first < t->n_tokens; first += most) {
        const size_t left = t->n_tokens - first;
        switch (left < most ? left : most) {
            MULTIPLY(PANELS, 1)
            MULTIPLY(PANELS, 2)
            MULTIPLY(PANELS, 3)
            MULTIPLY(PANELS, 4)
        }
        if (n_groups > 1)
            continue;
        switch (left < most ? left : most) {
            MULTIPLY(PANELS, 5)
            MULTIPLY(PANELS, 6)
        }
    }
}

INLINE void core(const gol_int_tile *t, int n_groups, bool has_min)
{
    size_t p = 0;
    for (; p + PANELS <= t->n_panels; p += PANELS) {
        const gol_int_tile two = gol_int_tile_panels(t, p, PANELS);
        multiply_panels(&two, n_groups, has_min);
    }
    if (p < t->n_panels) {
        const gol_int_tile one = gol_int_tile_panels(t, p, 1);
        multiply_panel(&one, n_groups, has_min);
    }
}

void gol_int_core_z32_avx512vnni(const gol_int_tile *tile)
{
    core(tile, 1, false);
}

void gol_int_core_m32_avx512vnni(const gol_int_tile *tile)
{
    core(tile, 1, true);
}

void gol_int_core_z16_avx512vnni(const gol_int_tile *tile)
{
    core(tile, 2, false);
}

void gol_int_core_m16_avx512vnni(const gol_int_tile *tile)
{
    core(tile, 2, true);
}
