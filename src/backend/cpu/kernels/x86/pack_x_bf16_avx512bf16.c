/*
 * Activations of a tile for the bfloat16 core: 32 inputs of a token become 16 pairs in one instruction, and the pairs of all tokens
 * are transposed. The conversion treats numbers as panel_bf16.h says, whatever MXCSR holds.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/x86/transpose_avx512.h"

enum { LANES = GOL_SQUARE_AVX512 };
_Static_assert(2 * LANES == GOL_BLOCK_INPUTS, "a block's pairs fill a register");

static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n < LANES ? (1u << n) - 1 : 0xffffu);
}

/* Inputs [i, i + 32) of a row as pairs, zeros where there are none. */
static inline __m512i load_pairs(const gol_pack_x *p, const float *row, size_t i)
{
    const size_t left = i < p->n_in ? p->n_in - i : 0;
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(left), row + i);
    const __mmask16 exist_high = first_lanes(left < LANES ? 0 : left - LANES);
    const __m512 high = _mm512_maskz_loadu_ps(exist_high, row + i + LANES);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* dst [16][n_tokens]: the pairs of inputs from i on. */
static inline void pack_block(uint32_t *dst, const gol_pack_x *p, size_t i)
{
    if (p->n_tokens == 1) {
        _mm512_storeu_si512(dst, load_pairs(p, p->x, i));
        return;
    }
    __m512i v[LANES];
    for (size_t k = 0; k < LANES; k++)
        v[k] = k < p->n_tokens ? load_pairs(p, p->x + k * p->x_stride, i) : _mm512_setzero_si512();
    gol_transpose_avx512(v);
    for (size_t k = 0; k < LANES; k++)
        _mm512_mask_storeu_epi32(dst + k * p->n_tokens, first_lanes(p->n_tokens), v[k]);
}

void gol_pack_x_bf16_avx512bf16(uint32_t *dst, const gol_pack_x *p)
{
    for (size_t b = p->begin; b < p->end; b++)
        pack_block(dst + b * LANES * p->n_tokens, p, b * GOL_BLOCK_INPUTS);
}
