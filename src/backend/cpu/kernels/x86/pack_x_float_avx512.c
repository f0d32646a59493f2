/*
 * Activations of a tile for the float core with AVX-512: a transposition, 16 inputs of 16 tokens at a time.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/x86/transpose_avx512.h"

enum { LANES = GOL_SQUARE_AVX512 };

static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n < LANES ? (1u << n) - 1 : 0xffffu);
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
        gol_transpose_avx512(v);
        for (size_t k = 0; k < LANES; k++)
            _mm512_mask_storeu_epi32(dst + k * p->n_tokens + t, first_lanes(n), v[k]);
    }
}

void gol_pack_x_f32_avx512(float *dst, const gol_pack_x *p)
{
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i += LANES)
        pack_lanes(dst + i * p->n_tokens, p, i);
}
