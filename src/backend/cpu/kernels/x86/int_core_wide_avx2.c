/*
 * The integer core for AVX2 where q may be up to 255: two products of u8 x s8 do not fit into 16 bits. Weights and activations are
 * spread to 16 bits, those of even and of odd inputs apart, and multiplied in pairs that add up in 32 bits:
 *
 *     w      q0 q1 q2 q3   of 8 rows      ->  even: q0, q2    odd: q1, q3
 *     x      x0 x1 x2 x3   of one token   ->  even: x0, x2    odd: x1, x3
 *
 * which takes fewer operations than magnitudes with the signs moved over to x. A block's activations are spread once for all 16
 * rows and its weights, 8 rows at a time, once for all tokens of the tile.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels/prefetch.h"
#include "backend/cpu/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    HALF_ROWS = 8,
    QUAD_BYTES = GOL_PANEL_ROWS * 4, /* four inputs of all rows */
    QUADS = GOL_BLOCK_INPUTS / 4,
};

/* Of one token: pairs of 16 bits, of each four inputs the even ones, then the odd ones. */
typedef int32_t spread_x[2][QUADS] __attribute__((aligned(32)));

INLINE void spread(spread_x *out, const int8_t *x, int n)
{
    GOL_UNROLL
    for (int k = 0; k < n; k++) {
        const __m256i bytes = _mm256_loadu_si256(
            (const __m256i *)(const void *)(x + k * GOL_BLOCK_INPUTS));
        _mm256_store_si256((__m256i *)(void *)out[k][0],
                           _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8));
        _mm256_store_si256((__m256i *)(void *)out[k][1], _mm256_srai_epi16(bytes, 8));
    }
}

/* sums[n] += products of inputs 4j .. 4j + 3, for 8 rows. */
INLINE void add_quad(__m256i *sums, const uint8_t *q, const spread_x *x, int j, int n)
{
    const __m256i w = _mm256_load_si256((const __m256i *)(const void *)(q + j * QUAD_BYTES));
    const __m256i even = _mm256_and_si256(w, _mm256_set1_epi16(0xff));
    GOL_UNROLL
    for (int k = 0; k < n; k++) {
        sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(even, _mm256_set1_epi32(x[k][0][j])));
        GOL_SETTLE(sums[k]);
    }
    const __m256i odd = _mm256_srli_epi16(w, 8);
    GOL_UNROLL
    for (int k = 0; k < n; k++) {
        sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(odd, _mm256_set1_epi32(x[k][1][j])));
        GOL_SETTLE(sums[k]);
    }
}

INLINE void multiply_tile(const gol_int_tile *t, int n)
{
    const uint8_t *q = t->panel->q;
    const int8_t *x = t->x.q;
    const float *x_scale = t->x.scale;
    const int32_t *start = t->x.aux;
    for (size_t b = 0; b < t->n_blocks; b++) {
        spread_x wide_x[GOL_INT_TILE];
        gol_prefetch_ahead(t, b, 1);
        spread(wide_x, x, n);
        for (int h = 0; h < 2; h++) {
            __m256i sums[GOL_INT_TILE];
            GOL_UNROLL
            for (int k = 0; k < n; k++)
                sums[k] = _mm256_set1_epi32(start[k]);
            for (int j = 0; j < QUADS; j++)
                add_quad(sums, q + h * HALF_ROWS * 4, wide_x, j, n);
            const __m256 scale = _mm256_load_ps(t->panel->scale[b] + h * HALF_ROWS);
            const __m256 offset = _mm256_mul_ps(scale, _mm256_set1_ps(-GOL_INT_SUM_ZERO_AS_FLOAT));
            float *acc = t->acc + h * HALF_ROWS;
            GOL_UNROLL
            for (int k = 0; k < n; k++)
                _mm256_store_ps(
                    acc + k * GOL_PANEL_ROWS,
                    _mm256_fmadd_ps(_mm256_fmadd_ps(_mm256_castsi256_ps(sums[k]), scale, offset),
                                    _mm256_set1_ps(x_scale[k]),
                                    _mm256_load_ps(acc + k * GOL_PANEL_ROWS)));
        }
        q += QUADS * QUAD_BYTES;
        x += n * GOL_BLOCK_INPUTS;
        x_scale += n;
        start += n;
    }
}

/* One copy of the loop for each number of tokens. */
static void multiply_panel(const gol_int_tile *tile)
{
    switch (tile->n_tokens) {
    case 1:
        multiply_tile(tile, 1);
        break;
    case 2:
        multiply_tile(tile, 2);
        break;
    case 3:
        multiply_tile(tile, 3);
        break;
    case 4:
        multiply_tile(tile, 4);
        break;
    case 5:
        multiply_tile(tile, 5);
        break;
    case 6:
        multiply_tile(tile, 6);
        break;
    case 7:
        multiply_tile(tile, 7);
        break;
    case 8:
        multiply_tile(tile, 8);
        break;
    case 9:
        multiply_tile(tile, 9);
        break;
    case 10:
        multiply_tile(tile, 10);
        break;
    case 11:
        multiply_tile(tile, 11);
        break;
    default:
        multiply_tile(tile, 12);
        break;
    }
}

void gol_int_core_z32_wide_avx2(const gol_int_tile *tile)
{
    for (size_t p = 0; p < tile->n_panels; p++) {
        const gol_int_tile one = gol_int_tile_panels(tile, p, 1);
        multiply_panel(&one);
    }
}
