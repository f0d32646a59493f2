/*
 * Peak loop of AVX-512 BF16.
 */
#include "peak.h"

#include <immintrin.h>

enum { N_CHAINS = 16 }; /* as many as of VNNI, more than hide the latency */

float peak_bf16_avx512bf16(size_t n)
{
    __m512 sums[N_CHAINS];
    const __m512bh x = (__m512bh)_mm512_set1_epi32((int)(n & 3));
    for (int i = 0; i < N_CHAINS; i++)
        sums[i] = _mm512_set1_ps((float)i);
    for (; n > 0; n--)
        for (int i = 0; i < N_CHAINS; i++)
            sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
    for (int i = 1; i < N_CHAINS; i++)
        sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_reduce_add_ps(sums[0]);
}
