/*
 * Stretches of panels of binary16 and bfloat16 as float32 with AVX-512. Packed stretches are drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

const float *gol_unpack_f16_avx512(float *store, const gol_stretch *s)
{
    const size_t n = s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    for (size_t i = 0; i < n; i += GOL_PANEL_ROWS)
        _mm512_store_ps(store + i,
                        _mm512_cvtph_ps(_mm256_load_si256((const void *)(s->data + 2 * i))));
    return store;
}

const float *gol_unpack_bf16_avx512(float *store, const gol_stretch *s)
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u);
    const size_t n = s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    for (size_t i = 0; i < n; i += 2 * GOL_PANEL_ROWS) {
        const __m512i pairs = _mm512_load_si512(s->data + 2 * i);
        _mm512_store_si512(store + i, _mm512_slli_epi32(pairs, 16));
        _mm512_store_si512(store + i + GOL_PANEL_ROWS, _mm512_and_si512(pairs, upper));
    }
    return store;
}
