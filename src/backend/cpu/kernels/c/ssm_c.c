/*
 * Recurrent layers in plain C.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/ssm_tile.h"

void gol_ssm_scan_f32_c(const gol_scan_tile *tile)
{
    const size_t head_dim = tile->head_dim;
    for (size_t t = 0; t < tile->n_rows; t++) {
        const float *x = tile->x + t * tile->x_stride; /* [head_dim] */
        const float *b = tile->b + t * tile->x_stride; /* [d_state] */
        const float *c = tile->c + t * tile->x_stride; /* [d_state] */
        const float dt = tile->dt[t * tile->dt_stride];
        const float keep = tile->decay[t * tile->dt_stride];
        float *y = tile->y + t * tile->y_stride; /* [head_dim] */
        for (size_t p = 0; p < head_dim; p++)
            y[p] = tile->d * x[p];
        for (size_t n = 0; n < tile->d_state; n++) {
            float *h = tile->state + n * head_dim;
            for (size_t p = 0; p < head_dim; p++) {
                h[p] = h[p] * keep + x[p] * dt * b[n];
                y[p] += h[p] * c[n];
            }
        }
    }
}

void gol_ssm_conv_f32_c(float *out, const float *const *rows, const float *w, size_t w_stride,
                        const float *bias, size_t d_conv, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = bias[i];
    for (size_t k = 0; k < d_conv; k++) {
        const float *x = rows[k]; /* [n] */
        const float *wk = w + k * w_stride;
        for (size_t i = 0; i < n; i++)
            out[i] += wk[i] * x[i];
    }
}
