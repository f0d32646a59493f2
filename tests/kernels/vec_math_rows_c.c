#include "kernels/vec_math_rows.h"

#include "backend/cpu/kernels/c/vec_math_c.h"

void exp_row_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gol_exp_c(x[i]);
}

void tanh_row_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gol_tanh_c(x[i]);
}

void erf_row_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gol_erf_c(x[i]);
}
