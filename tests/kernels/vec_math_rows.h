/*
 * The functions of the vec_math headers over rows, so that one checker can call them at every level. n is a multiple of
 * VEC_MATH_STEP.
 */
#ifndef TESTS_KERNELS_VEC_MATH_ROWS_H
#define TESTS_KERNELS_VEC_MATH_ROWS_H

#include "backend/cpu/kernels/kernels.h"

enum { VEC_MATH_STEP = 16 };

gol_act_fn exp_row_c, exp_row_avx2, exp_row_avx512, exp_row_neon;
gol_act_fn tanh_row_c, tanh_row_avx2, tanh_row_avx512, tanh_row_neon;
gol_act_fn erf_row_c, erf_row_avx2, erf_row_avx512, erf_row_neon;

#endif
