/*
 * Arithmetic over a row of logits: is it finite, its maximum, exponentials and their sum. Plain C that compilers turn into
 * vector code; no libm in the loops, so that the bits depend on the row alone and not on which libm is installed.
 */
#ifndef GOL_ENGINE_SOFTMAX_H
#define GOL_ENGINE_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

bool gol_row_is_finite(const float *x, int32_t n);
float gol_row_max(const float *x, int32_t n);      /* n >= 1, no NaN */
int32_t gol_row_argmax(const float *x, int32_t n); /* the lowest index of the maximum */

/* out[i] = (max - x[i]) / temperature: how far below the most likely one, >= 0, +infinity allowed. */
void gol_row_depths(float *out, const float *x, int32_t n, float max, float temperature);

/* out[i] = exp(-depths[i]) within 2 ulp; 0 beyond depth 87, where float's normal range ends. In place is fine. */
void gol_row_exp(float *out, const float *depths, int32_t n);

double gol_row_sum(const float *x, int32_t n); /* in double, in a fixed order */

#endif
