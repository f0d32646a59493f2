#include "kernels/vec_math_rows.h"

#include "backend/cpu/kernels/arm/vec_math_neon.h"

void exp_row_neon(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 4)
        vst1q_f32(out + i, gol_exp_neon(vld1q_f32(x + i)));
}

void tanh_row_neon(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 4)
        vst1q_f32(out + i, gol_tanh_neon(vld1q_f32(x + i)));
}

void erf_row_neon(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 4)
        vst1q_f32(out + i, gol_erf_neon(vld1q_f32(x + i)));
}
