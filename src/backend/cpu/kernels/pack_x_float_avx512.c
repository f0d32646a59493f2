/*
 * Activations of a tile for the float core with AVX-512: a transposition, 16 inputs of 16 tokens at a time.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/unroll.h"

enum { LANES = 16 };

static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n < LANES ? (1u << n) - 1 : 0xffffu);
}

/* v[16][16], rows and columns exchanged. */
static inline void transpose(__m512i *v)
{
    __m512i a[LANES];
    __m512i b[LANES];
    GOL_UNROLL
    for (int i = 0; i < LANES; i += 2) {
        a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
    /* b[4 * i + j]: column j of every four, of rows 4 * i to 4 * i + 3 */
    GOL_UNROLL
    for (int i = 0; i < LANES; i += 4) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
        b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    GOL_UNROLL
    for (int i = 0; i < 4; i++) {
        const __m512i even_top = _mm512_shuffle_i32x4(b[i], b[i + 4], 0x88);
        const __m512i odd_top = _mm512_shuffle_i32x4(b[i], b[i + 4], 0xdd);
        const __m512i even_end = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0x88);
        const __m512i odd_end = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0xdd);
        v[i] = _mm512_shuffle_i32x4(even_top, even_end, 0x88);
        v[i + 4] = _mm512_shuffle_i32x4(odd_top, odd_end, 0x88);
        v[i + 8] = _mm512_shuffle_i32x4(even_top, even_end, 0xdd);
        v[i + 12] = _mm512_shuffle_i32x4(odd_top, odd_end, 0xdd);
    }
}

/* Inputs [i, i + 16) of a row, zeros where there are none. */
static inline __m512i load_inputs(const gol_pack_x *p, const float *row, size_t i)
{
    const __mmask16 exist = first_lanes(i < p->n_in ? p->n_in - i : 0);
    return _mm512_castps_si512(_mm512_maskz_loadu_ps(exist, row + i));
}

/* dst [16][n_tokens]: inputs from i on. */
static inline void pack_lanes(float *dst, const gol_pack_x *p, size_t i)
{
    if (p->n_tokens == 1) {
        _mm512_storeu_si512(dst, load_inputs(p, p->x, i));
        return;
    }
    for (size_t t = 0; t < p->n_tokens; t += LANES) {
        __m512i v[LANES];
        const size_t n = p->n_tokens - t < LANES ? p->n_tokens - t : LANES;
        for (size_t k = 0; k < LANES; k++)
            v[k] = k < n ? load_inputs(p, p->x + (t + k) * p->x_stride, i) : _mm512_setzero_si512();
        transpose(v);
        for (size_t k = 0; k < LANES; k++)
            _mm512_mask_storeu_epi32(dst + k * p->n_tokens + t, first_lanes(n), v[k]);
    }
}

void gol_pack_x_f32_avx512(float *dst, const gol_pack_x *p)
{
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i += LANES)
        pack_lanes(dst + i * p->n_tokens, p, i);
}
