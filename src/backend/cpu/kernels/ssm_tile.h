/*
 * One head of one sequence over some rows: what a scan kernel gets. The state stands as [d_state][head_dim], so that a register
 * holds neighbours of head_dim and the sum over d_state is a chain of additions in each lane: its order is that of d_state in every
 * kernel, and no lane is added to another.
 *
 *     for each row:   h[n][p] = h[n][p] * decay + (x[p] * dt) * b[n]      y[p] = d * x[p] + h[0][p] * c[0] + h[1][p] * c[1] + ...
 */
#ifndef GOL_BACKEND_CPU_SSM_TILE_H
#define GOL_BACKEND_CPU_SSM_TILE_H

#include <math.h>
#include <stddef.h>

#include "backend/cpu/kernels/kernels.h"

struct gol_scan_tile {
    float *state;       /* [d_state][head_dim] */
    float *y;           /* row t at y + t * y_stride: [head_dim] */
    const float *x;     /* row t at x + t * x_stride: [head_dim] */
    const float *b;     /* row t at b + t * x_stride: [d_state] */
    const float *c;     /* the same */
    const float *dt;    /* of row t at dt[t * dt_stride] */
    const float *decay; /* the same */
    size_t y_stride;
    size_t x_stride;
    size_t dt_stride;
    size_t n_rows;
    size_t head_dim;
    size_t d_state;
    float d;
};

/* Number p of head_dim, with the operations of the vectors: for kernels whose last register is not full. */
static inline void gol_scan_one(const gol_scan_tile *tile, size_t p)
{
    for (size_t t = 0; t < tile->n_rows; t++) {
        const float x = tile->x[t * tile->x_stride + p];
        const float x_dt = x * tile->dt[t * tile->dt_stride];
        const float keep = tile->decay[t * tile->dt_stride];
        const float *b = tile->b + t * tile->x_stride;
        const float *c = tile->c + t * tile->x_stride;
        float y = tile->d * x;
        for (size_t n = 0; n < tile->d_state; n++) {
            float *h = &tile->state[n * tile->head_dim + p];
            *h = fmaf(x_dt, b[n], *h * keep);
            y = fmaf(*h, c[n], y);
        }
        tile->y[t * tile->y_stride + p] = y;
    }
}

#endif
