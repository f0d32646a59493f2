/*
 * Activations to bytes with AVX2, bit for bit as the C version does it. Eight blocks of a token go together: their largest
 * magnitudes, scales and sums are then one number per lane of a vector, and divisions are shared by eight.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "backend/cpu/kernels/unroll.h"

enum {
    LANES = 8,
    VECTORS = GOL_BLOCK_INPUTS / LANES,
    LINE_BYTES = 64,
    ROWS_AHEAD = 2, /* asked for: the processor foresees what lies behind a row, not the next one */
};

/* As in the C version: 127 / magnitude must not overflow. */
static const float magnitude_min = 1e-30f;

typedef enum reduction { REDUCE_ADD, REDUCE_MAX } reduction;

static inline __m256i combine(__m256i a, __m256i b, reduction how)
{
    return how == REDUCE_ADD ? _mm256_add_epi32(a, b) : _mm256_max_epu32(a, b);
}

/* Lane i: all lanes of v[i] combined. */
static inline __m256i reduce_each(const __m256i v[LANES], reduction how)
{
    __m256i pairs[LANES / 2];
    __m256i quads[LANES / 4];
    GOL_UNROLL
    for (int i = 0; i < LANES / 2; i++)
        pairs[i] = combine(_mm256_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                           _mm256_unpackhi_epi32(v[2 * i], v[2 * i + 1]), how);
    GOL_UNROLL
    for (int i = 0; i < LANES / 4; i++)
        quads[i] = combine(_mm256_unpacklo_epi64(pairs[2 * i], pairs[2 * i + 1]),
                           _mm256_unpackhi_epi64(pairs[2 * i], pairs[2 * i + 1]), how);
    return combine(_mm256_permute2x128_si256(quads[0], quads[1], 0x20),
                   _mm256_permute2x128_si256(quads[0], quads[1], 0x31), how);
}

/* Magnitudes as the bits of float32: their order is that of unsigned integers, infinity and NaN above all others. */
static inline __m256i largest_of_lanes(const float *x)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i largest = _mm256_setzero_si256();
    GOL_UNROLL
    for (int i = 0; i < VECTORS; i++)
        largest = _mm256_max_epu32(
            largest,
            _mm256_and_si256(magnitude, _mm256_castps_si256(_mm256_loadu_ps(x + i * LANES))));
    return largest;
}

/* q[32] = round(x * factor); adds up what makes the sums of the two halves. */
static inline void quantize_block(int8_t *q, __m256i sums[2], const float *x, float factor)
{
    const __m256 f = _mm256_set1_ps(factor);
    __m256i v[VECTORS];
    GOL_UNROLL
    for (int i = 0; i < VECTORS; i++)
        v[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i * LANES), f));
    sums[0] = _mm256_add_epi32(v[0], v[1]);
    sums[1] = _mm256_add_epi32(v[2], v[3]);
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]),
                                             _mm256_packs_epi32(v[2], v[3]));
    /* packing works inside halves of a vector: the order it leaves is 0 4 1 5 2 6 3 7 */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)(void *)q, _mm256_permutevar8x32_epi32(bytes, order));
}

typedef struct eight_blocks {
    const float *x[LANES]; /* of 32 inputs each */
    size_t n;              /* of them */
    size_t first;          /* block */
    size_t token;
    size_t n_tokens;
} eight_blocks;

/* What the core adds for the zero or the mins: group g of every block. */
static inline void store_aux(const gol_int_x *dst, const eight_blocks *e, size_t n_groups, size_t g,
                             __m256i sums, __m256 scale, int zero)
{
    uint32_t aux[LANES] __attribute__((aligned(32)));
    const __m256i value = zero > 0
                              ? _mm256_sub_epi32(_mm256_set1_epi32(GOL_INT_SUM_ZERO),
                                                 _mm256_mullo_epi32(sums, _mm256_set1_epi32(zero)))
                              : _mm256_castps_si256(_mm256_mul_ps(scale, _mm256_cvtepi32_ps(sums)));
    _mm256_store_si256((__m256i *)(void *)aux, value);
    uint8_t *out = (uint8_t *)dst->aux;
    for (size_t i = 0; i < e->n; i++)
        memcpy(out + 4 * (((e->first + i) * n_groups + g) * e->n_tokens + e->token), &aux[i], 4);
}

static inline void pack_eight(const gol_int_x *dst, const eight_blocks *e, int group, int zero)
{
    __m256i v[2][LANES] = {0};
    for (size_t i = 0; i < e->n; i++)
        v[0][i] = largest_of_lanes(e->x[i]);
    const __m256i bits = reduce_each(v[0], REDUCE_MAX);
    const __m256 magnitude = _mm256_castsi256_ps(bits);
    const __m256i is_finite = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x7f800000), bits);
    const __m256 is_large = _mm256_cmp_ps(magnitude, _mm256_set1_ps(magnitude_min), _CMP_GE_OQ);
    const __m256 most = _mm256_set1_ps(127.0f);
    const __m256 scale = _mm256_blendv_ps(_mm256_set1_ps(NAN),
                                          _mm256_and_ps(is_large, _mm256_div_ps(magnitude, most)),
                                          _mm256_castsi256_ps(is_finite));
    float factors[LANES] __attribute__((aligned(32)));
    float scales[LANES] __attribute__((aligned(32)));
    _mm256_store_ps(factors, _mm256_and_ps(is_large, _mm256_div_ps(most, magnitude)));
    _mm256_store_ps(scales, scale);
    const unsigned finite_lanes = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(is_finite));
    for (size_t i = 0; i < e->n; i++) {
        const size_t at = (e->first + i) * e->n_tokens + e->token;
        __m256i sums[2];
        quantize_block(dst->q + at * GOL_BLOCK_INPUTS, sums, e->x[i], factors[i]);
        v[0][i] = sums[0];
        v[1][i] = sums[1];
        dst->scale[at] = scales[i];
        if (!(finite_lanes >> i & 1))
            memset(dst->q + at * GOL_BLOCK_INPUTS, 0, GOL_BLOCK_INPUTS);
    }
    const __m256i low = _mm256_and_si256(reduce_each(v[0], REDUCE_ADD), is_finite);
    const __m256i high = _mm256_and_si256(reduce_each(v[1], REDUCE_ADD), is_finite);
    if (group == GOL_BLOCK_INPUTS) {
        store_aux(dst, e, 1, 0, _mm256_add_epi32(low, high), scale, zero);
    } else {
        store_aux(dst, e, 2, 0, low, scale, zero);
        store_aux(dst, e, 2, 1, high, scale, zero);
    }
}

/* Behind the last token is the next tile's first. It need not exist. */
static inline void prefetch_eight(const gol_pack_x *p, size_t first_block, size_t token)
{
    const size_t at = token * p->x_stride + first_block * GOL_BLOCK_INPUTS;
    const uintptr_t begin = (uintptr_t)p->x + at * sizeof *p->x;
    for (size_t i = 0; i < LANES * GOL_BLOCK_INPUTS * sizeof *p->x; i += LINE_BYTES)
        __builtin_prefetch((const void *)(begin + i));
}

void gol_pack_x_int_avx2(const gol_int_x *dst, const gol_pack_x *p, int group, int zero)
{
    const size_t n_whole = p->n_in / GOL_BLOCK_INPUTS;
    for (size_t t = 0; t < p->n_tokens; t++) {
        const float *x = p->x + t * p->x_stride;
        float last[GOL_BLOCK_INPUTS] = {0}; /* the block that the row does not fill */
        if (p->end > n_whole)
            memcpy(last, x + n_whole * GOL_BLOCK_INPUTS,
                   (p->n_in - n_whole * GOL_BLOCK_INPUTS) * sizeof *x);
        for (size_t b = p->begin; b < p->end; b += LANES) {
            eight_blocks e = {.first = b, .token = t, .n_tokens = p->n_tokens};
            e.n = p->end - b < LANES ? p->end - b : LANES;
            if (p->n_tokens == GOL_INT_TILE)
                prefetch_eight(p, b, t + ROWS_AHEAD);
            for (size_t i = 0; i < e.n; i++)
                e.x[i] = b + i < n_whole ? x + (b + i) * GOL_BLOCK_INPUTS : last;
            pack_eight(dst, &e, group, zero);
        }
    }
}
