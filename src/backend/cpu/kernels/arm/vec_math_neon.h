/*
 * exp, tanh and erf of four floats with NEON of 64-bit Arm; for files named *_neon.c. Method and constants: vec_math_coeffs.h. The
 * bits are those of vec_math_avx2.h and vec_math_avx512.h.
 */
#ifndef GOL_BACKEND_CPU_VEC_MATH_NEON_H
#define GOL_BACKEND_CPU_VEC_MATH_NEON_H

#if defined(__aarch64__)

#include <arm_neon.h>
#include <math.h>

#include "backend/cpu/kernels/vec_math_coeffs.h"

/* exp(x) = 2^n * (1 + rest); returns n at the place of a float's exponent. */
static inline int32x4_t gol_exp_split_neon(float32x4_t *rest, float32x4_t x)
{
    const float32x4_t magic = vdupq_n_f32(GOL_EXP_ROUND);
    const float32x4_t rounded = vfmaq_f32(magic, x, vdupq_n_f32(GOL_INV_LN2));
    const float32x4_t n = vsubq_f32(rounded, magic);
    const float32x4_t r = vfmsq_f32(vfmsq_f32(x, n, vdupq_n_f32(GOL_LN2_HI)), n,
                                    vdupq_n_f32(GOL_LN2_LO));
    float32x4_t q = vdupq_n_f32(GOL_EXP_Q4);
    q = vfmaq_f32(vdupq_n_f32(GOL_EXP_Q3), q, r);
    q = vfmaq_f32(vdupq_n_f32(GOL_EXP_Q2), q, r);
    q = vfmaq_f32(vdupq_n_f32(GOL_EXP_Q1), q, r);
    q = vfmaq_f32(vdupq_n_f32(GOL_EXP_Q0), q, r);
    *rest = vfmaq_f32(r, q, vmulq_f32(r, r));
    return vshlq_n_s32(vreinterpretq_s32_f32(rounded), 23);
}

static inline float32x4_t gol_exp_neon(float32x4_t x)
{
    float32x4_t rest;
    const int32x4_t exponent = gol_exp_split_neon(&rest, x);
    const float32x4_t p = vaddq_f32(rest, vdupq_n_f32(1.0f));
    const uint32x4_t y = vreinterpretq_u32_s32(vaddq_s32(vreinterpretq_s32_f32(p), exponent));
    const uint32x4_t is_low = vcltq_f32(x, vdupq_n_f32(GOL_EXP_MIN));
    const uint32x4_t is_fine = vcleq_f32(x, vdupq_n_f32(GOL_EXP_MAX)); /* not for a NaN */
    const float32x4_t beyond = vaddq_f32(x, vdupq_n_f32(INFINITY));
    return vbslq_f32(is_fine, vreinterpretq_f32_u32(vbicq_u32(y, is_low)), beyond);
}

/* |y| with the sign of x. */
static inline float32x4_t gol_copy_sign_neon(float32x4_t y, float32x4_t x)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), x, y);
}

static inline float32x4_t gol_tanh_neon(float32x4_t x)
{
    const float32x4_t one = vdupq_n_f32(1.0f);
    const float32x4_t a = vminq_f32(vabsq_f32(x), vdupq_n_f32(GOL_TANH_MAX)); /* NaN stays */
    float32x4_t rest;
    const int32x4_t exponent = gol_exp_split_neon(&rest, vmulq_f32(a, vdupq_n_f32(-2.0f)));
    const float32x4_t scale = vreinterpretq_f32_s32(
        vaddq_s32(vreinterpretq_s32_f32(one), exponent));
    const float32x4_t m = vfmaq_f32(vsubq_f32(scale, one), scale, rest);
    return gol_copy_sign_neon(vdivq_f32(m, vaddq_f32(m, vdupq_n_f32(2.0f))), x);
}

static inline float32x4_t gol_erf_neon(float32x4_t x)
{
    const float32x4_t a = vminq_f32(vabsq_f32(x), vdupq_n_f32(GOL_ERF_MAX));
    const float32x4_t z = vmulq_f32(a, a);
    float32x4_t p = vdupq_n_f32(GOL_ERF_P5);
    p = vfmaq_f32(vdupq_n_f32(GOL_ERF_P4), p, z);
    p = vfmaq_f32(vdupq_n_f32(GOL_ERF_P3), p, z);
    p = vfmaq_f32(vdupq_n_f32(GOL_ERF_P2), p, z);
    p = vfmaq_f32(vdupq_n_f32(GOL_ERF_P1), p, z);
    p = vfmaq_f32(vdupq_n_f32(GOL_ERF_P0), p, z);
    float32x4_t q = vdupq_n_f32(GOL_ERF_Q5);
    q = vfmaq_f32(vdupq_n_f32(GOL_ERF_Q4), q, z);
    q = vfmaq_f32(vdupq_n_f32(GOL_ERF_Q3), q, z);
    q = vfmaq_f32(vdupq_n_f32(GOL_ERF_Q2), q, z);
    q = vfmaq_f32(vdupq_n_f32(GOL_ERF_Q1), q, z);
    q = vfmaq_f32(vdupq_n_f32(1.0f), q, z);
    const float32x4_t y = vdivq_f32(vmulq_f32(a, p), q);
    return gol_copy_sign_neon(vminq_f32(y, vdupq_n_f32(1.0f)), x);
}

#endif
#endif
