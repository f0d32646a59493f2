/*
 * GELU's constants, shared by every instruction set.
 *
 * Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), the tanh approximation, with their sqrt(2/pi) and 0.044715:
 *
 *     x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u)),  u = sqrt(2/pi) (x + 0.044715 x^3)
 *
 * taken on the right, which keeps its digits where tanh is near -1. Argument and result are rounded to binary16, as llama.cpp does
 * (docs/decisions/0005): 2^-12 of the value, far less than a binary16 KV cache costs. Beyond 10 the function is x or 0 to more digits
 * than a float has.
 */
#ifndef GOL_BACKEND_CPU_GELU_H
#define GOL_BACKEND_CPU_GELU_H

#define GOL_GELU_CUBE   0.044715f
#define GOL_GELU_FACTOR -1.5957691216057308f /* -2 sqrt(2/pi) */
#define GOL_GELU_END    10.0f

#define GOL_SQRT_HALF 0.70710678118654752440f /* of the exact form, x / 2 (1 + erf(x sqrt(1/2))) */

#endif
