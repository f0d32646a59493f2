/*
 * Rotary embedding of one head in plain C.
 */
#include "backend/cpu/kernels/kernels.h"

/* Pair i is (x[2i], x[2i + 1]). */
void gol_rope_norm_f32_c(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    for (size_t i = 0; i < n_pairs; i++) {
        const float a = x[2 * i];
        const float b = x[2 * i + 1];
        x[2 * i] = a * cos[i] - b * sin[i];
        x[2 * i + 1] = a * sin[i] + b * cos[i];
    }
}

/* Pair i is (x[i], x[n_pairs + i]). */
void gol_rope_neox_f32_c(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    for (size_t i = 0; i < n_pairs; i++) {
        const float a = x[i];
        const float b = x[n_pairs + i];
        x[i] = a * cos[i] - b * sin[i];
        x[n_pairs + i] = a * sin[i] + b * cos[i];
    }
}
