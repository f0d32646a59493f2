/*
 * The integer cores for AVX2: a vector holds 4 inputs of 8 rows; one instruction multiplies it by 4 activations of a token and
 * adds pairs of products, in 16 bits. How many of these add up before they must become 32 bits depends on how large q can be.
 * (q up to 255, where not even one pair fits: int_core_wide_avx2.c.)
 *
 * Six tokens at a time and 8 rows: 6 sums of 16 bits, 6 of 32, a vector of weights and what is in flight fill 16 registers.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "backend/cpu/kernels/prefetch.h"
#include "backend/cpu/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    HALF_ROWS = 8,
    QUAD_BYTES = GOL_PANEL_ROWS * 4, /* four inputs of all rows */
    QUADS = GOL_BLOCK_INPUTS / 4,
    TOKENS = 6,
};

/* A kind of core, constant in every copy of the loops. */
typedef struct core_kind {
    bool has_min;
    int n_groups;  /* of a block */
    int n_adds_16; /* products of a pair that add up in 16 bits */
} core_kind;

INLINE __m256i broadcast(const void *four_bytes)
{
    int32_t four;
    memcpy(&four, four_bytes, sizeof four);
    return _mm256_set1_epi32(four);
}

INLINE __m256i load(const void *p)
{
    return _mm256_load_si256(p);
}

/* sums[n] = integer sums over `quads` times four inputs of 8 rows; x [n][32], start [n] or NULL for
 * GOL_INT_SUM_ZERO. */
INLINE void sum_group(__m256i *sums, const uint8_t *q, const int8_t *x, const int32_t *start, int n,
                      int quads, int n_adds_16)
{
    const __m256i ones = _mm256_set1_epi16(1);
    GOL_UNROLL
    for (int first = 0; first < quads; first += n_adds_16) {
        __m256i pairs[TOKENS];
        GOL_UNROLL
        for (int j = first; j < first + n_adds_16; j++) {
            const __m256i w = load(q + j * QUAD_BYTES);
            GOL_UNROLL
            for (int k = 0; k < n; k++) {
                const __m256i products = _mm256_maddubs_epi16(
                    w, broadcast(x + k * GOL_BLOCK_INPUTS + 4 * j));
                pairs[k] = j == first ? products : _mm256_add_epi16(pairs[k], products);
                GOL_SETTLE(pairs[k]);
            }
        }
        GOL_UNROLL
        for (int k = 0; k < n; k++) {
            const __m256i wide = _mm256_madd_epi16(pairs[k], ones);
            const __m256i begin = first > 0 ? sums[k]
                                  : start   ? broadcast(start + k)
                                            : _mm256_set1_epi32(GOL_INT_SUM_ZERO);
            sums[k] = _mm256_add_epi32(begin, wide);
            GOL_SETTLE(sums[k]);
        }
    }
}

/* One block's part of a tile, for the tokens and rows at hand. Strides of tokens are those of the whole tile. */
typedef struct part {
    float *acc;           /* [n][16] */
    const uint8_t *q;     /* [8][16][4] */
    const int8_t *x;      /* [n][32] */
    const float *x_scale; /* [n] */
    const void *aux;      /* [n_groups][n_tokens] */
    const float *scale;   /* [n_groups][16] */
    const float *min;     /* likewise */
    size_t n_tokens;      /* of the tile */
} part;

/* acc[n] += group g of the block. */
INLINE void add_sums(const part *p, const __m256i *sums, int g, int n, core_kind kind)
{
    const __m256 scale = _mm256_load_ps(p->scale + g * GOL_PANEL_ROWS);
    const __m256 offset = _mm256_mul_ps(scale, _mm256_set1_ps(-GOL_INT_SUM_ZERO_AS_FLOAT));
    const float *x_sum = (const float *)p->aux + (size_t)g * p->n_tokens;
    GOL_UNROLL
    for (int k = 0; k < n; k++) {
        float *out = p->acc + k * GOL_PANEL_ROWS;
        const __m256 scaled = _mm256_fmadd_ps(_mm256_castsi256_ps(sums[k]), scale, offset);
        __m256 acc = _mm256_fmadd_ps(scaled, _mm256_set1_ps(p->x_scale[k]), _mm256_load_ps(out));
        if (kind.has_min)
            acc = _mm256_fnmadd_ps(_mm256_load_ps(p->min + g * GOL_PANEL_ROWS),
                                   _mm256_set1_ps(x_sum[k]), acc);
        _mm256_store_ps(out, acc);
    }
}

INLINE void multiply_part(const part *p, int n, core_kind kind)
{
    const int quads = QUADS / kind.n_groups;
    GOL_UNROLL
    for (int g = 0; g < kind.n_groups; g++) {
        const int32_t *start = (const int32_t *)p->aux + (size_t)g * p->n_tokens;
        __m256i sums[TOKENS];
        sum_group(sums, p->q + g * quads * QUAD_BYTES, p->x + g * quads * 4,
                  kind.has_min ? NULL : start, n, quads, kind.n_adds_16);
        add_sums(p, sums, g, n, kind);
    }
}

/* The part of block b that belongs to tokens from `token` on and to rows of half h. */
INLINE part part_of(const gol_int_tile *t, size_t b, size_t token, size_t h, core_kind kind)
{
    const size_t groups = (size_t)kind.n_groups;
    return (part){
        .acc = t->acc + token * GOL_PANEL_ROWS + h * HALF_ROWS,
        .q = t->panel->q + b * QUADS * QUAD_BYTES + h * HALF_ROWS * 4,
        .x = t->x.q + (b * t->n_tokens + token) * GOL_BLOCK_INPUTS,
        .x_scale = t->x.scale + b * t->n_tokens + token,
        .aux = (const int32_t *)t->x.aux + b * groups * t->n_tokens + token,
        .scale = t->panel->scale[b * groups] + h * HALF_ROWS,
        .min = t->panel->min[b * groups] + h * HALF_ROWS,
        .n_tokens = t->n_tokens,
    };
}

/* All blocks for n tokens. */
INLINE void multiply_tokens(const gol_int_tile *t, size_t token, int n, core_kind kind)
{
    for (size_t b = 0; b < t->n_blocks; b++) {
        if (token == 0)
            gol_prefetch_ahead(t, b, 1);
        for (size_t h = 0; h < 2; h++) {
            const part p = part_of(t, b, token, h, kind);
            multiply_part(&p, n, kind);
        }
    }
}

/* Six tokens at a time, one copy of the loops for each number of tokens that may be left. */
INLINE void multiply_panel(const gol_int_tile *t, core_kind kind)
{
    size_t token = 0;
    for (; t->n_tokens - token >= TOKENS; token += TOKENS)
        multiply_tokens(t, token, TOKENS, kind);
    switch (t->n_tokens - token) {
    case 1:
        multiply_tokens(t, token, 1, kind);
        break;
    case 2:
        multiply_tokens(t, token, 2, kind);
        break;
    case 3:
        multiply_tokens(t, token, 3, kind);
        break;
    case 4:
        multiply_tokens(t, token, 4, kind);
        break;
    case 5:
        multiply_tokens(t, token, 5, kind);
        break;
    default: /* none left */
        break;
    }
}

INLINE void multiply_tile(const gol_int_tile *t, core_kind kind)
{
    for (size_t p = 0; p < t->n_panels; p++) {
        const gol_int_tile one = gol_int_tile_panels(t, p, 1);
        multiply_panel(&one, kind);
    }
}

void gol_int_core_z32_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.n_groups = 1, .n_adds_16 = 1});
}

void gol_int_core_z32_low_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.n_groups = 1, .n_adds_16 = 4});
}

void gol_int_core_m32_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.has_min = true, .n_groups = 1, .n_adds_16 = 4});
}

void gol_int_core_z16_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.n_groups = 2, .n_adds_16 = 1});
}

void gol_int_core_z16_low_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.n_groups = 2, .n_adds_16 = 2});
}

void gol_int_core_m16_avx2(const gol_int_tile *tile)
{
    multiply_tile(tile, (core_kind){.has_min = true, .n_groups = 2, .n_adds_16 = 4});
}
