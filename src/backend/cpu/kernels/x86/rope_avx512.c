/*
 * Rotary embedding of one head with AVX-512. The last pairs, which do not fill a register, go through the same instructions under a
 * mask; the others do not, because what is stored under a mask is slow to load again.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

static inline __mmask16 tail_mask(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

/* Eight pairs (a, b) side by side: a cos - b sin in even lanes, b cos + a sin in odd ones. */
static inline __m512 rotate_pairs(__m512 ab, __m256 cos, __m256 sin)
{
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    const __m512 c = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(cos));
    const __m512 s = _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(sin));
    const __m512 ba = _mm512_permute_ps(ab, 0xb1);
    return _mm512_fmaddsub_ps(ab, c, _mm512_mul_ps(ba, s));
}

void gol_rope_norm_f32_avx512(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    size_t i = 0;
    for (; i + 8 <= n_pairs; i += 8)
        _mm512_storeu_ps(x + 2 * i,
                         rotate_pairs(_mm512_loadu_ps(x + 2 * i), _mm256_loadu_ps(cos + i),
                                      _mm256_loadu_ps(sin + i)));
    if (i == n_pairs)
        return;
    const __mmask8 pairs = (__mmask8)tail_mask(n_pairs - i);
    const __mmask16 numbers = tail_mask(2 * (n_pairs - i));
    _mm512_mask_storeu_ps(x + 2 * i, numbers,
                          rotate_pairs(_mm512_maskz_loadu_ps(numbers, x + 2 * i),
                                       _mm256_maskz_loadu_ps(pairs, cos + i),
                                       _mm256_maskz_loadu_ps(pairs, sin + i)));
}

void gol_rope_neox_f32_avx512(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    float *x2 = x + n_pairs;
    size_t i = 0;
    for (; i + 16 <= n_pairs; i += 16) {
        const __m512 c = _mm512_loadu_ps(cos + i);
        const __m512 s = _mm512_loadu_ps(sin + i);
        const __m512 a = _mm512_loadu_ps(x + i);
        const __m512 b = _mm512_loadu_ps(x2 + i);
        _mm512_storeu_ps(x + i, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
        _mm512_storeu_ps(x2 + i, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
    }
    if (i == n_pairs)
        return;
    const __mmask16 mask = tail_mask(n_pairs - i);
    const __m512 c = _mm512_maskz_loadu_ps(mask, cos + i);
    const __m512 s = _mm512_maskz_loadu_ps(mask, sin + i);
    const __m512 a = _mm512_maskz_loadu_ps(mask, x + i);
    const __m512 b = _mm512_maskz_loadu_ps(mask, x2 + i);
    _mm512_mask_storeu_ps(x + i, mask, _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, s)));
    _mm512_mask_storeu_ps(x2 + i, mask, _mm512_fmadd_ps(b, c, _mm512_mul_ps(a, s)));
}
