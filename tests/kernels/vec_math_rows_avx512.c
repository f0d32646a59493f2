#include "kernels/vec_math_rows.h"

#include "backend/cpu/kernels/x86/vec_math_avx512.h"

void exp_row_avx512(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        _mm512_storeu_ps(out + i, gol_exp_avx512(_mm512_loadu_ps(x + i)));
}

void tanh_row_avx512(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        _mm512_storeu_ps(out + i, gol_tanh_avx512(_mm512_loadu_ps(x + i)));
}

void erf_row_avx512(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        _mm512_storeu_ps(out + i, gol_erf_avx512(_mm512_loadu_ps(x + i)));
}
