/*
 * exp, tanh and erf of sixteen floats with AVX-512 (f, dq); for files named *_avx512*.c. Method and constants: vec_math_coeffs.h. The
 * bits are those of vec_math_avx2.h and vec_math_neon.h.
 */
#ifndef GOL_BACKEND_CPU_VEC_MATH_AVX512_H
#define GOL_BACKEND_CPU_VEC_MATH_AVX512_H

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

#include "backend/cpu/kernels/vec_math_coeffs.h"

/* exp(x) = 2^n * (1 + rest); returns n. */
static inline __m512 gol_exp_split_avx512(__m512 *rest, __m512 x)
{
    const __m512 magic = _mm512_set1_ps(GOL_EXP_ROUND);
    const __m512 rounded = _mm512_fmadd_ps(x, _mm512_set1_ps(GOL_INV_LN2), magic);
    const __m512 n = _mm512_sub_ps(rounded, magic);
    const __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(GOL_LN2_LO),
                                      _mm512_fnmadd_ps(n, _mm512_set1_ps(GOL_LN2_HI), x));
    __m512 q = _mm512_set1_ps(GOL_EXP_Q4);
    q = _mm512_fmadd_ps(q, r, _mm512_set1_ps(GOL_EXP_Q3));
    q = _mm512_fmadd_ps(q, r, _mm512_set1_ps(GOL_EXP_Q2));
    q = _mm512_fmadd_ps(q, r, _mm512_set1_ps(GOL_EXP_Q1));
    q = _mm512_fmadd_ps(q, r, _mm512_set1_ps(GOL_EXP_Q0));
    *rest = _mm512_fmadd_ps(q, _mm512_mul_ps(r, r), r);
    return n;
}

static inline __m512 gol_exp_avx512(__m512 x)
{
    /* min() gives its second operand where one is a NaN; from 90 on scalef() overflows to infinity */
    __m512 rest;
    const __m512 n = gol_exp_split_avx512(&rest, _mm512_min_ps(_mm512_set1_ps(90.0f), x));
    const __mmask16 is_kept = _mm512_cmp_ps_mask(x, _mm512_set1_ps(GOL_EXP_MIN), _CMP_NLT_UQ);
    return _mm512_maskz_scalef_ps(is_kept, _mm512_add_ps(rest, _mm512_set1_ps(1.0f)), n);
}

static inline __m512 gol_tanh_avx512(__m512 x)
{
    const __m512 minus_zero = _mm512_set1_ps(-0.0f);
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 a = _mm512_min_ps(_mm512_set1_ps(GOL_TANH_MAX), _mm512_abs_ps(x));
    __m512 rest;
    const __m512 n = gol_exp_split_avx512(&rest, _mm512_mul_ps(a, _mm512_set1_ps(-2.0f)));
    const __m512 scale = _mm512_scalef_ps(one, n);
    const __m512 m = _mm512_fmadd_ps(scale, rest, _mm512_sub_ps(scale, one));
    const __m512 y = _mm512_div_ps(m, _mm512_add_ps(m, _mm512_set1_ps(2.0f))); /* <= 0 */
    return _mm512_or_ps(_mm512_abs_ps(y), _mm512_and_ps(x, minus_zero));
}

static inline __m512 gol_erf_avx512(__m512 x)
{
    const __m512 a = _mm512_min_ps(_mm512_set1_ps(GOL_ERF_MAX), _mm512_abs_ps(x));
    const __m512 z = _mm512_mul_ps(a, a);
    __m512 p = _mm512_set1_ps(GOL_ERF_P5);
    p = _mm512_fmadd_ps(p, z, _mm512_set1_ps(GOL_ERF_P4));
    p = _mm512_fmadd_ps(p, z, _mm512_set1_ps(GOL_ERF_P3));
    p = _mm512_fmadd_ps(p, z, _mm512_set1_ps(GOL_ERF_P2));
    p = _mm512_fmadd_ps(p, z, _mm512_set1_ps(GOL_ERF_P1));
    p = _mm512_fmadd_ps(p, z, _mm512_set1_ps(GOL_ERF_P0));
    __m512 q = _mm512_set1_ps(GOL_ERF_Q5);
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(GOL_ERF_Q4));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(GOL_ERF_Q3));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(GOL_ERF_Q2));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(GOL_ERF_Q1));
    q = _mm512_fmadd_ps(q, z, _mm512_set1_ps(1.0f));
    const __m512 y = _mm512_div_ps(_mm512_mul_ps(a, p), q);
    const __m512 sign = _mm512_and_ps(x, _mm512_set1_ps(-0.0f));
    return _mm512_or_ps(_mm512_min_ps(_mm512_set1_ps(1.0f), y), sign);
}

#endif
#endif
