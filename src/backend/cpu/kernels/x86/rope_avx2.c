/*
 * Rotary embedding of one head with AVX2 and FMA; the last pairs, which do not fill a register, one by one.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <math.h>

/* The same operations as in the vectors, one pair at a time. */
static inline void rotate(float *first, float *second, float cos, float sin)
{
    const float a = *first;
    const float b = *second;
    *first = fmaf(a, cos, -(b * sin));
    *second = fmaf(b, cos, a * sin);
}

/* Four pairs (a, b) side by side: a cos - b sin in even lanes, b cos + a sin in odd ones. */
void gol_rope_norm_f32_avx2(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    size_t i = 0;
    for (; i + 4 <= n_pairs; i += 4) {
        const __m256 c = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(cos + i)),
                                                  twice);
        const __m256 s = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(sin + i)),
                                                  twice);
        const __m256 ab = _mm256_loadu_ps(x + 2 * i);
        const __m256 ba = _mm256_permute_ps(ab, 0xb1);
        _mm256_storeu_ps(x + 2 * i, _mm256_fmaddsub_ps(ab, c, _mm256_mul_ps(ba, s)));
    }
    for (; i < n_pairs; i++)
        rotate(&x[2 * i], &x[2 * i + 1], cos[i], sin[i]);
}

void gol_rope_neox_f32_avx2(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    float *x2 = x + n_pairs;
    size_t i = 0;
    for (; i + 8 <= n_pairs; i += 8) {
        const __m256 c = _mm256_loadu_ps(cos + i);
        const __m256 s = _mm256_loadu_ps(sin + i);
        const __m256 a = _mm256_loadu_ps(x + i);
        const __m256 b = _mm256_loadu_ps(x2 + i);
        _mm256_storeu_ps(x + i, _mm256_fmsub_ps(a, c, _mm256_mul_ps(b, s)));
        _mm256_storeu_ps(x2 + i, _mm256_fmadd_ps(b, c, _mm256_mul_ps(a, s)));
    }
    for (; i < n_pairs; i++)
        rotate(&x[i], &x2[i], cos[i], sin[i]);
}
