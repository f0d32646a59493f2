/*
 * Inside the quant layer: the quantizers behind gol_quantize_row(), which has checked that x[n] is finite and
 * within the type's range. y = blocks at any address.
 */
#ifndef GOL_QUANT_QUANTIZE_ROWS_H
#define GOL_QUANT_QUANTIZE_ROWS_H

#include <float.h>
#include <math.h>
#include <stddef.h>

typedef void gol_quantize_blocks(void *y, const float *x, size_t n);

gol_quantize_blocks gol_quantize_q4_0, gol_quantize_q4_1, gol_quantize_q5_0, gol_quantize_q5_1,
    gol_quantize_q8_0;
gol_quantize_blocks gol_quantize_q4_k, gol_quantize_q5_k, gol_quantize_q6_k;

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
