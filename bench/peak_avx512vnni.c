/*
 * Peak loop of AVX-512 VNNI.
 */
#include "peak.h"

#include <immintrin.h>

/* As many as it takes: with 12, five cycles of latency on two ports leave 15% of the peak. */
enum { N_CHAINS = 16 };

float peak_int8_avx512vnni(size_t n)
{
    __m512i sums[N_CHAINS];
    const __m512i x = _mm512_set1_epi8((char)(n & 3));
    for (int i = 0; i < N_CHAINS; i++)
        sums[i] = _mm512_set1_epi32(i);
    for (; n > 0; n--)
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm512_dpbusd_epi32(sums[i], x, x);
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm512_add_epi32(sums[0], sums[i]);
    return (float)_mm512_reduce_add_epi32(sums[0]);
}
