/*
 * Constants of the vector mathematics: one algorithm for each function, written out once per instruction set (vec_math_c.h,
 * vec_math_avx2.h, vec_math_avx512.h, vec_math_neon.h). No libm, so that a kernel's bits are the same on every system of its
 * level; the levels with a fused multiply-add agree with each other to the bit, plain C rounds products and may differ.
 *
 * exp(x) = 2^n * exp(r), n = round(x / ln 2), r = x - n * ln 2 in [-0.347, 0.347]. ln 2 comes in two parts, the first with so few
 * bits that n * GOL_LN2_HI is exact (Cody and Waite, "Software Manual for the Elementary Functions", 1980). exp(r) is
 * 1 + (r + r^2 q(r)); q minimizes the greatest relative error of exp(r), which is 2^-28.2. Rounding to n is adding 1.5 * 2^23: the
 * sum has no bits left for a fraction, and its lowest bits are n in two's complement, ready for the exponent.
 *
 * tanh(x) = -e / (e + 2) with e = exp(-2 |x|) - 1 = 2^n (r + r^2 q(r)) + (2^n - 1), which keeps its digits near 0.
 *
 * erf(x) = x P(x^2) / Q(x^2) for |x| <= 4, both of degree 5, fitted with the least relative error by Remez' exchange: 2^-25.3. Beyond
 * 4 it is +-1 to more digits than a float has.
 */
#ifndef GOL_BACKEND_CPU_VEC_MATH_COEFFS_H
#define GOL_BACKEND_CPU_VEC_MATH_COEFFS_H

#define GOL_EXP_ROUND 0x1.8p23f
#define GOL_INV_LN2   1.44269504f
#define GOL_LN2_HI    0.693359375f
#define GOL_LN2_LO    -2.12194440e-4f

/* q(r), lowest power first. */
#define GOL_EXP_Q0 0.49999994f
#define GOL_EXP_Q1 0.16666521f
#define GOL_EXP_Q2 0.04166837f
#define GOL_EXP_Q3 0.008368711f
#define GOL_EXP_Q4 0.0013815806f

/* exp() of these, the least and the greatest, is still a normal number. Below it is 0, above infinity. */
#define GOL_EXP_MIN -87.3365402f
#define GOL_EXP_MAX 88.7228317f

/* |x| from which on tanh is +-1 to all digits of a float. */
#define GOL_TANH_MAX 10.0f

#define GOL_ERF_MAX 4.0f
#define GOL_ERF_P0  1.1283791f
#define GOL_ERF_P1  0.1935459f
#define GOL_ERF_P2  0.05310186f
#define GOL_ERF_P3  0.003883382f
#define GOL_ERF_P4  0.00028456724f
#define GOL_ERF_P5  1.9867819e-6f
#define GOL_ERF_Q1  0.50485814f /* Q0 is 1 */
#define GOL_ERF_Q2  0.11535035f
#define GOL_ERF_Q3  0.015207326f
#define GOL_ERF_Q4  0.0011855813f
#define GOL_ERF_Q5  3.7420243e-5f

#endif
