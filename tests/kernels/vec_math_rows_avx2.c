#include "kernels/vec_math_rows.h"

#include "backend/cpu/kernels/x86/vec_math_avx2.h"

void exp_row_avx2(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm256_storeu_ps(out + i, gol_exp_avx2(_mm256_loadu_ps(x + i)));
}

void tanh_row_avx2(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm256_storeu_ps(out + i, gol_tanh_avx2(_mm256_loadu_ps(x + i)));
}

void erf_row_avx2(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 8)
        _mm256_storeu_ps(out + i, gol_erf_avx2(_mm256_loadu_ps(x + i)));
}
