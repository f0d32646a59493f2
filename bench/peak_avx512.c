/*
 * Peak loops of AVX-512.
 */
#include "peak.h"

#include <immintrin.h>

enum { N_CHAINS = 12 };

float peak_int8_avx512(size_t n)
{
    __m512i sums[N_CHAINS];
    __m512i factors[N_CHAINS];
    const __m512i ones = _mm512_set1_epi16(1);
    __m512i x = _mm512_set1_epi8((char)(n & 3));
    for (int i = 0; i < N_CHAINS; i++) {
        factors[i] = _mm512_set1_epi8((char)i);
        sums[i] = _mm512_set1_epi32(i);
    }
    for (; n > 0; n--) {
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm512_add_epi32(
                sums[i], _mm512_madd_epi16(_mm512_maddubs_epi16(x, factors[i]), ones));
        x = _mm512_add_epi16(x, ones); /* so that no product can be taken out of the loop */
    }
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm512_add_epi32(sums[0], sums[i]);
    return (float)_mm512_reduce_add_epi32(sums[0]);
}

float peak_f32_avx512(size_t n)
{
    __m512 sums[N_CHAINS];
    const __m512 x = _mm512_set1_ps(0.5f + 0.001f * (float)(n & 3));
    for (int i = 0; i < N_CHAINS; i++)
        sums[i] = _mm512_set1_ps((float)i);
    for (; n > 0; n--)
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm512_fmadd_ps(x, sums[i], x);
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}
