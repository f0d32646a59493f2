/*
 * Reference dequantization, one function per type: y[n] = the values of the blocks at x (any alignment), n a
 * multiple of the type's block size. Plain scalar code in the order of arithmetic that defines the format,
 * exact to the bit: SIMD kernels are tested against it. Callers outside this layer go through
 * gol_type_info.dequant.
 */
#ifndef GOL_QUANT_DEQUANT_H
#define GOL_QUANT_DEQUANT_H

#include "quant/types.h"

gol_dequant_row gol_dequant_f32, gol_dequant_f16, gol_dequant_bf16, gol_dequant_f64;
gol_dequant_row gol_dequant_q4_0, gol_dequant_q4_1, gol_dequant_q5_0, gol_dequant_q5_1,
    gol_dequant_q8_0;
gol_dequant_row gol_dequant_q2_k, gol_dequant_q3_k, gol_dequant_q4_k, gol_dequant_q5_k,
    gol_dequant_q6_k;
gol_dequant_row gol_dequant_iq4_nl, gol_dequant_iq4_xs, gol_dequant_mxfp4;
gol_dequant_row gol_dequant_tq1_0, gol_dequant_tq2_0;
gol_dequant_row gol_dequant_iq2_xxs, gol_dequant_iq2_xs, gol_dequant_iq2_s;
gol_dequant_row gol_dequant_iq3_xxs, gol_dequant_iq3_s;
gol_dequant_row gol_dequant_iq1_s, gol_dequant_iq1_m;

#endif
