/*
 * Peak loops of AVX2.
 */
#include "peak.h"

#include <immintrin.h>

enum { N_CHAINS = 12 };

float peak_int8_avx2(size_t n)
{
    __m256i sums[N_CHAINS];
    __m256i factors[N_CHAINS];
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i x = _mm256_set1_epi8((char)(n & 3));
    for (int i = 0; i < N_CHAINS; i++) {
        factors[i] = _mm256_set1_epi8((char)i);
        sums[i] = _mm256_set1_epi32(i);
    }
    for (; n > 0; n--) {
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm256_add_epi32(
                sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(x, factors[i]), ones));
        x = _mm256_add_epi16(x, ones); /* so that no product can be taken out of the loop */
    }
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm256_add_epi32(sums[0], sums[i]);
    return (float)_mm256_extract_epi32(sums[0], 0);
}

float peak_f32_avx2(size_t n)
{
    __m256 sums[N_CHAINS];
    const __m256 x = _mm256_set1_ps(0.5f + 0.001f * (float)(n & 3));
    for (int i = 0; i < N_CHAINS; i++)
        sums[i] = _mm256_set1_ps((float)i);
    for (; n > 0; n--)
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm256_fmadd_ps(x, sums[i], x);
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm256_cvtss_f32(sums[0]);
}
