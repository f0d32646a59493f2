/*
 * Inside the quant layer: the quantizers behind gol_quantize_row(), which has checked that x[n] is finite and
 * within the type's range. y = blocks at any address.
 */
#ifndef GOL_QUANT_QUANTIZE_ROWS_H
#define GOL_QUANT_QUANTIZE_ROWS_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef void gol_quantize_blocks(void *y, const float *x, size_t n);

gol_quantize_blocks gol_quantize_q4_0, gol_quantize_q4_1, gol_quantize_q5_0, gol_quantize_q5_1,
    gol_quantize_q8_0;
gol_quantize_blocks gol_quantize_q2_k, gol_quantize_q3_k, gol_quantize_q4_k, gol_quantize_q5_k,
    gol_quantize_q6_k;
gol_quantize_blocks gol_quantize_iq4_nl, gol_quantize_iq4_xs, gol_quantize_mxfp4;
gol_quantize_blocks gol_quantize_tq1_0, gol_quantize_tq2_0;

/* qs[64] of Q2_K, Q3_K and TQ2_0 from the low two bits of codes[256]. */
void gol_pack_two_bits(uint8_t qs[64], const uint8_t codes[256]);

static inline int gol_clamp_int(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The element farthest from zero, with its sign; the first of equals. */
static inline float gol_extreme(const float *x, size_t n)
{
    float extreme = x[0];
    for (size_t i = 1; i < n; i++) {
        if (fabsf(x[i]) > fabsf(extreme))
            extreme = x[i];
    }
    return extreme;
}

/* 0 also for scales whose inverse would overflow: in binary16 they are zero anyway. */
static inline float gol_inverse(float scale)
{
    return fabsf(scale) < FLT_MIN ? 0.0f : 1.0f / scale;
}

#endif
