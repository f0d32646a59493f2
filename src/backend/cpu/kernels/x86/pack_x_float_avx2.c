/*
 * Activations of a tile for the float core with AVX2: a transposition, eight inputs of eight tokens at a time.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels/unroll.h"

enum { LANES = 8 };

/* The first n lanes; n may be larger than their number. */
static inline __m256i first_lanes(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < LANES ? (int)n : LANES), lane);
}

/* v[8][8], rows and columns exchanged. */
static inline void transpose(__m256 *v)
{
    __m256 pairs[LANES];
    __m256 quads[LANES];
    GOL_UNROLL
    for (int i = 0; i < LANES; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    GOL_UNROLL
    for (int i = 0; i < LANES; i += 4) {
        quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
        quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
    GOL_UNROLL
    for (int i = 0; i < LANES / 2; i++) {
        v[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
}

/* Inputs [i, i + 8) of tokens [t, t + 8), as far as they exist. */
static inline void pack_square(float *dst, const gol_pack_x *p, size_t i, size_t t)
{
    __m256 v[LANES];
    const size_t n = p->n_tokens - t < LANES ? p->n_tokens - t : LANES;
    const __m256i inputs = first_lanes(i < p->n_in ? p->n_in - i : 0);
    const __m256i tokens = first_lanes(n);
    const float *x = p->x + t * p->x_stride + i;
    for (size_t k = 0; k < LANES; k++)
        v[k] = k < n ? _mm256_maskload_ps(x + k * p->x_stride, inputs) : _mm256_setzero_ps();
    transpose(v);
    for (size_t k = 0; k < LANES; k++)
        _mm256_maskstore_ps(dst + (i + k) * p->n_tokens + t, tokens, v[k]);
}

static void pack_token(float *dst, const gol_pack_x *p)
{
    const size_t begin = p->begin * GOL_BLOCK_INPUTS;
    const size_t end = p->end * GOL_BLOCK_INPUTS;
    const size_t n = (end < p->n_in ? end : p->n_in) - begin;
    memcpy(dst + begin, p->x + begin, n * sizeof *dst);
    memset(dst + begin + n, 0, (end - begin - n) * sizeof *dst);
}

void gol_pack_x_f32_avx2(float *dst, const gol_pack_x *p)
{
    if (p->n_tokens == 1) {
        pack_token(dst, p);
        return;
    }
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i += LANES)
        for (size_t t = 0; t < p->n_tokens; t += LANES)
            pack_square(dst, p, i, t);
}
