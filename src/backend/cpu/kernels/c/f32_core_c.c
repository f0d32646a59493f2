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

/* One token: a weight is used once, so nothing is gained by keeping it, and nothing lost. */
static void multiply_one(float *acc, const float *x, const gol_stretch *s,
                         gol_unpack_f32_fn *unpack)
{
    float store[GOL_STRETCH_INPUTS * GOL_PANEL_ROWS] __attribute__((aligned(64)));
    gol_f32_core_c(&(gol_f32_tile){
        .acc = acc,
        .x = x,
        .w = unpack(store, s),
        .n_in = s->n_blocks * GOL_BLOCK_INPUTS,
        .n_tokens = 1,
    });
}

void gol_f32_one_f16_c(float *acc, const float *x, const gol_stretch *s)
{
    multiply_one(acc, x, s, gol_unpack_f16_c);
}

void gol_f32_one_bf16_c(float *acc, const float *x, const gol_stretch *s)
{
    multiply_one(acc, x, s, gol_unpack_bf16_c);
}

void gol_pack_x_f32_c(float *dst, const gol_pack_x *p)
{
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i++)
        for (size_t t = 0; t < p->n_tokens; t++)
            dst[i * p->n_tokens + t] = i < p->n_in ? p->x[t * p->x_stride + i] : 0.0f;
}
