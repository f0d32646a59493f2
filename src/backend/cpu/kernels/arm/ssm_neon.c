/*
 * Recurrent layers with NEON. The scan holds sixteen rows of d_state by four of head_dim in registers over all rows of the tile;
 * the end of head_dim goes number by number.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <math.h>

#include "backend/cpu/kernels/ssm_tile.h"

enum { WIDTH = 4, ROWS = 16 };

/* Rows [n, n + n_rows) of the state, lanes [p, p + 4); n_rows is a constant where this is called. */
static inline __attribute__((always_inline)) void scan(const gol_scan_tile *tile, size_t n,
                                                       size_t n_rows, size_t p)
{
    float *state = tile->state + n * tile->head_dim + p;
    float32x4_t h[ROWS];
    for (size_t j = 0; j < n_rows; j++)
        h[j] = vld1q_f32(state + j * tile->head_dim);
    for (size_t t = 0; t < tile->n_rows; t++) {
        const float32x4_t x = vld1q_f32(tile->x + t * tile->x_stride + p);
        const float32x4_t x_dt = vmulq_n_f32(x, tile->dt[t * tile->dt_stride]);
        const float keep = tile->decay[t * tile->dt_stride];
        const float *b = tile->b + t * tile->x_stride + n;
        const float *c = tile->c + t * tile->x_stride + n;
        float *out = tile->y + t * tile->y_stride + p;
        float32x4_t y = n == 0 ? vmulq_n_f32(x, tile->d) : vld1q_f32(out);
        for (size_t j = 0; j < n_rows; j++) {
            h[j] = vfmaq_n_f32(vmulq_n_f32(h[j], keep), x_dt, b[j]);
            y = vfmaq_n_f32(y, h[j], c[j]);
        }
        vst1q_f32(out, y);
    }
    for (size_t j = 0; j < n_rows; j++)
        vst1q_f32(state + j * tile->head_dim, h[j]);
}

void gol_ssm_scan_f32_neon(const gol_scan_tile *tile)
{
    const size_t n_whole = tile->head_dim / WIDTH * WIDTH;
    size_t n = 0;
    for (; n + ROWS <= tile->d_state; n += ROWS)
        for (size_t p = 0; p < n_whole; p += WIDTH)
            scan(tile, n, ROWS, p);
    for (; n < tile->d_state; n++)
        for (size_t p = 0; p < n_whole; p += WIDTH)
            scan(tile, n, 1, p);
    for (size_t p = n_whole; p < tile->head_dim; p++)
        gol_scan_one(tile, p);
}

void gol_ssm_conv_f32_neon(float *out, const float *const *rows, const float *w, size_t w_stride,
                           const float *bias, size_t d_conv, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        float32x4_t sum = vld1q_f32(bias + i);
        for (size_t k = 0; k < d_conv; k++)
            sum = vfmaq_f32(sum, vld1q_f32(w + k * w_stride + i), vld1q_f32(rows[k] + i));
        vst1q_f32(out + i, sum);
    }
    for (; i < n; i++) {
        float sum = bias[i];
        for (size_t k = 0; k < d_conv; k++)
            sum = fmaf(w[k * w_stride + i], rows[k][i], sum);
        out[i] = sum;
    }
}
