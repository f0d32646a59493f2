/*
 * The float core and its activations in plain C.
 */
#include "backend/cpu/kernels/kernels.h"

void gol_f32_core_c(const gol_f32_tile *t)
{
    for (size_t k = 0; k < t->n_tokens; k++) {
        float *acc = t->acc + k * GOL_PANEL_ROWS;
        for (size_t i = 0; i < t->n_in; i++) {
            const float x = t->x[i * t->n_tokens + k];
            for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
                acc[r] += t->w[i * GOL_PANEL_ROWS + r] * x;
        }
    }
}

void gol_pack_x_f32_c(float *dst, const gol_pack_x *p)
{
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i++)
        for (size_t t = 0; t < p->n_tokens; t++)
            dst[i * p->n_tokens + t] = i < p->n_in ? p->x[t * p->x_stride + i] : 0.0f;
}
