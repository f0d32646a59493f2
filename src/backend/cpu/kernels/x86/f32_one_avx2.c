/*
 * One token times binary16 and bfloat16 with AVX2: weights are widened in registers and multiplied at once, in the order of
 * f32_core_avx2.c. Packed stretches are drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/f32_one.h"

enum { LANES = 8 };

/* The 8 numbers from row `first` of an input's 16. */
static inline __m256 widen(const uint8_t *w, size_t first)
{
    return _mm256_cvtph_ps(_mm_load_si128((const void *)(w + 2 * first)));
}

void gol_f32_one_f16_avx2(float *acc, const float *x, const gol_stretch *s)
{
    __m256 low = _mm256_load_ps(acc);
    __m256 high = _mm256_load_ps(acc + LANES);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        const __m256 first = _mm256_broadcast_ss(x + i);
        const __m256 second = _mm256_broadcast_ss(x + i + 1);
        low = _mm256_fmadd_ps(widen(w, 0), first, low);
        high = _mm256_fmadd_ps(widen(w, LANES), first, high);
        low = _mm256_fmadd_ps(widen(w, GOL_PANEL_ROWS), second, low);
        high = _mm256_fmadd_ps(widen(w, GOL_PANEL_ROWS + LANES), second, high);
    }
    _mm256_store_ps(acc, low);
    _mm256_store_ps(acc + LANES, high);
}

void gol_f32_one_bf16_avx2(float *acc, const float *x, const gol_stretch *s)
{
    const __m256i upper = _mm256_set1_epi32((int)0xffff0000u);
    __m256 low = _mm256_load_ps(acc);
    __m256 high = _mm256_load_ps(acc + LANES);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        const __m256i two_low = _mm256_load_si256((const void *)w);
        const __m256i two_high = _mm256_load_si256((const void *)(w + 4 * LANES));
        const __m256 first = _mm256_broadcast_ss(x + i);
        const __m256 second = _mm256_broadcast_ss(x + i + 1);
        low = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(two_low, 16)), first, low);
        high = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(two_high, 16)), first, high);
        low = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(two_low, upper)), second, low);
        high = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(two_high, upper)), second,
                               high);
    }
    _mm256_store_ps(acc, low);
    _mm256_store_ps(acc + LANES, high);
}
