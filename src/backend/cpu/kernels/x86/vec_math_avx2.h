/*
 * exp, tanh and erf of eight floats with AVX2 and FMA; for files named *_avx2.c. Method and constants: vec_math_coeffs.h. The bits
 * are those of vec_math_avx512.h and vec_math_neon.h.
 */
#ifndef GOL_BACKEND_CPU_VEC_MATH_AVX2_H
#define GOL_BACKEND_CPU_VEC_MATH_AVX2_H

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>
#include <math.h>

#include "backend/cpu/kernels/vec_math_coeffs.h"

/* exp(x) = 2^n * (1 + rest); returns n at the place of a float's exponent. */
static inline __m256i gol_exp_split_avx2(__m256 *rest, __m256 x)
{
    const __m256 magic = _mm256_set1_ps(GOL_EXP_ROUND);
    const __m256 rounded = _mm256_fmadd_ps(x, _mm256_set1_ps(GOL_INV_LN2), magic);
    const __m256 n = _mm256_sub_ps(rounded, magic);
    const __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(GOL_LN2_LO),
                                      _mm256_fnmadd_ps(n, _mm256_set1_ps(GOL_LN2_HI), x));
    __m256 q = _mm256_set1_ps(GOL_EXP_Q4);
    q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(GOL_EXP_Q3));
    q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(GOL_EXP_Q2));
    q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(GOL_EXP_Q1));
    q = _mm256_fmadd_ps(q, r, _mm256_set1_ps(GOL_EXP_Q0));
    *rest = _mm256_fmadd_ps(q, _mm256_mul_ps(r, r), r);
    return _mm256_slli_epi32(_mm256_castps_si256(rounded), 23);
}

static inline __m256 gol_exp_avx2(__m256 x)
{
    __m256 rest;
    const __m256i exponent = gol_exp_split_avx2(&rest, x);
    const __m256 p = _mm256_add_ps(rest, _mm256_set1_ps(1.0f));
    const __m256 y = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
    const __m256 is_low = _mm256_cmp_ps(x, _mm256_set1_ps(GOL_EXP_MIN), _CMP_LT_OQ);
    /* too large, or a NaN, which stays one */
    const __m256 is_high = _mm256_cmp_ps(x, _mm256_set1_ps(GOL_EXP_MAX), _CMP_NLE_UQ);
    const __m256 beyond = _mm256_add_ps(x, _mm256_set1_ps(INFINITY));
    return _mm256_blendv_ps(_mm256_andnot_ps(is_low, y), beyond, is_high);
}

static inline __m256 gol_tanh_avx2(__m256 x)
{
    const __m256 sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0f));
    const __m256 a = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    /* min() gives its second operand where one is a NaN */
    const __m256 limited = _mm256_min_ps(_mm256_set1_ps(GOL_TANH_MAX), a);
    const __m256 one = _mm256_set1_ps(1.0f);
    __m256 rest;
    const __m256i exponent = gol_exp_split_avx2(&rest,
                                                _mm256_mul_ps(limited, _mm256_set1_ps(-2.0f)));
    const __m256 scale = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(one), exponent));
    const __m256 m = _mm256_fmadd_ps(scale, rest, _mm256_sub_ps(scale, one));
    const __m256 y = _mm256_div_ps(m, _mm256_add_ps(m, _mm256_set1_ps(2.0f))); /* <= 0 */
    return _mm256_or_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), y), sign);
}

static inline __m256 gol_erf_avx2(__m256 x)
{
    const __m256 sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0f));
    const __m256 a = _mm256_min_ps(_mm256_set1_ps(GOL_ERF_MAX),
                                   _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x));
    const __m256 z = _mm256_mul_ps(a, a);
    __m256 p = _mm256_set1_ps(GOL_ERF_P5);
    p = _mm256_fmadd_ps(p, z, _mm256_set1_ps(GOL_ERF_P4));
    p = _mm256_fmadd_ps(p, z, _mm256_set1_ps(GOL_ERF_P3));
    p = _mm256_fmadd_ps(p, z, _mm256_set1_ps(GOL_ERF_P2));
    p = _mm256_fmadd_ps(p, z, _mm256_set1_ps(GOL_ERF_P1));
    p = _mm256_fmadd_ps(p, z, _mm256_set1_ps(GOL_ERF_P0));
    __m256 q = _mm256_set1_ps(GOL_ERF_Q5);
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(GOL_ERF_Q4));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(GOL_ERF_Q3));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(GOL_ERF_Q2));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(GOL_ERF_Q1));
    q = _mm256_fmadd_ps(q, z, _mm256_set1_ps(1.0f));
    const __m256 y = _mm256_div_ps(_mm256_mul_ps(a, p), q);
    return _mm256_or_ps(_mm256_min_ps(_mm256_set1_ps(1.0f), y), sign);
}

#endif
#endif
