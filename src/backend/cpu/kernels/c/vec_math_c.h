/*
 * exp, tanh and erf in plain C, without branches, so that compilers turn a loop over them into vector code. Method and constants:
 * vec_math_coeffs.h; bounds: tests/kernels/check_vec_math.c.
 */
#ifndef GOL_BACKEND_CPU_VEC_MATH_C_H
#define GOL_BACKEND_CPU_VEC_MATH_C_H

#include <math.h>
#include <stdint.h>

#include "backend/cpu/kernels/vec_math_coeffs.h"
#include "quant/half.h"

/* exp(x) = 2^n * (1 + rest). */
typedef struct gol_exp_parts {
    float rest;
    uint32_t exponent; /* n at the place of a float's exponent */
} gol_exp_parts;

static inline gol_exp_parts gol_exp_split_c(float x)
{
    const float rounded = x * GOL_INV_LN2 + GOL_EXP_ROUND;
    const float n = rounded - GOL_EXP_ROUND;
    const float r = (x - n * GOL_LN2_HI) - n * GOL_LN2_LO;
    float q = GOL_EXP_Q4;
    q = q * r + GOL_EXP_Q3;
    q = q * r + GOL_EXP_Q2;
    q = q * r + GOL_EXP_Q1;
    q = q * r + GOL_EXP_Q0;
    return (gol_exp_parts){q * (r * r) + r, gol_f32_bits(rounded) << 23};
}

/* y, but a where `when` is 1 (not 0). By a mask, because compilers do not turn branches around float arithmetic into vector
 * code: it could trap. */
static inline float gol_choose_c(int when, float a, float y)
{
    const uint32_t mask = 0u - (uint32_t)when;
    return gol_f32_from_bits((gol_f32_bits(a) & mask) | (gol_f32_bits(y) & ~mask));
}

static inline float gol_exp_c(float x)
{
    const int32_t bits = (int32_t)gol_f32_bits(x);
    const int32_t magnitude = bits &
                              INT32_MAX; /* orders as the absolute values do, NaNs above infinity */
    const gol_exp_parts e = gol_exp_split_c(x);
    float y = gol_f32_from_bits(gol_f32_bits(e.rest + 1.0f) + e.exponent);
    y = gol_choose_c(bits > (int32_t)gol_f32_bits(GOL_EXP_MAX), INFINITY, y);
    y = gol_choose_c((bits < 0) & (magnitude > (int32_t)gol_f32_bits(-GOL_EXP_MIN)), 0.0f, y);
    return gol_choose_c(magnitude > (int32_t)gol_f32_bits(INFINITY), x, y);
}

/* |y| with the sign of x, a NaN where x is one. */
static inline float gol_finish_odd_c(float y, float x)
{
    const uint32_t sign = gol_f32_bits(x) & 0x80000000u;
    const int32_t magnitude = (int32_t)gol_f32_bits(x) & INT32_MAX;
    const float z = gol_choose_c(magnitude > (int32_t)gol_f32_bits(INFINITY), x, y);
    return gol_f32_from_bits((gol_f32_bits(z) & INT32_MAX) | sign);
}

/* The lesser of |x| and max. */
static inline float gol_limit_c(float x, float max)
{
    const int32_t magnitude = (int32_t)gol_f32_bits(x) & INT32_MAX;
    const int32_t max_bits = (int32_t)gol_f32_bits(max);
    return gol_f32_from_bits((uint32_t)(magnitude > max_bits ? max_bits : magnitude));
}

static inline float gol_tanh_c(float x)
{
    const gol_exp_parts e = gol_exp_split_c(-2.0f * gol_limit_c(x, GOL_TANH_MAX));
    const float scale = gol_f32_from_bits(gol_f32_bits(1.0f) + e.exponent);
    const float m = scale * e.rest + (scale - 1.0f);
    return gol_finish_odd_c(m / (m + 2.0f), x);
}

static inline float gol_erf_c(float x)
{
    const float a = gol_limit_c(x, GOL_ERF_MAX);
    const float z = a * a;
    float p = GOL_ERF_P5;
    p = p * z + GOL_ERF_P4;
    p = p * z + GOL_ERF_P3;
    p = p * z + GOL_ERF_P2;
    p = p * z + GOL_ERF_P1;
    p = p * z + GOL_ERF_P0;
    float q = GOL_ERF_Q5;
    q = q * z + GOL_ERF_Q4;
    q = q * z + GOL_ERF_Q3;
    q = q * z + GOL_ERF_Q2;
    q = q * z + GOL_ERF_Q1;
    q = q * z + 1.0f;
    return gol_finish_odd_c(gol_limit_c(a * p / q, 1.0f), x);
}

#endif
