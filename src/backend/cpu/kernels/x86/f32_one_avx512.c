/*
 * One token times binary16 and bfloat16 with AVX-512: weights are widened in registers and multiplied at once, in the order of
 * f32_core_avx512.c. Packed stretches are drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/f32_one.h"

void gol_f32_one_f16_avx512(float *acc, const float *x, const gol_stretch *s)
{
    __m512 sums = _mm512_load_ps(acc);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        const __m512 first = _mm512_cvtph_ps(_mm256_load_si256((const void *)w));
        const __m512 second = _mm512_cvtph_ps(_mm256_load_si256((const void *)(w + 32)));
        sums = _mm512_fmadd_ps(first, _mm512_set1_ps(x[i]), sums);
        sums = _mm512_fmadd_ps(second, _mm512_set1_ps(x[i + 1]), sums);
    }
    _mm512_store_ps(acc, sums);
}

void gol_f32_one_bf16_avx512(float *acc, const float *x, const gol_stretch *s)
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u);
    __m512 sums = _mm512_load_ps(acc);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        const __m512i pairs = _mm512_load_si512(w);
        const __m512 first = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
        const __m512 second = _mm512_castsi512_ps(_mm512_and_si512(pairs, upper));
        sums = _mm512_fmadd_ps(first, _mm512_set1_ps(x[i]), sums);
        sums = _mm512_fmadd_ps(second, _mm512_set1_ps(x[i + 1]), sums);
    }
    _mm512_store_ps(acc, sums);
}
