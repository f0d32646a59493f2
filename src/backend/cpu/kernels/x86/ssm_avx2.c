/*
 * Recurrent layers with AVX2 and FMA. The scan holds eight rows of d_state by eight of head_dim in registers over all rows of the
 * tile; the end of head_dim goes number by number.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <math.h>

#include "backend/cpu/kernels/ssm_tile.h"

enum { WIDTH = 8, ROWS = 8 };

/* Rows [n, n + n_rows) of the state, lanes [p, p + 8); n_rows is a constant where this is called. */
static inline __attribute__((always_inline)) void scan(const gol_scan_tile *tile, size_t n,
                                                       size_t n_rows, size_t p)
{
    float *state = tile->state + n * tile->head_dim + p;
    __m256 h[ROWS];
    for (size_t j = 0; j < n_rows; j++)
        h[j] = _mm256_loadu_ps(state + j * tile->head_dim);
    for (size_t t = 0; t < tile->n_rows; t++) {
        const __m256 x = _mm256_loadu_ps(tile->x + t * tile->x_stride + p);
        const __m256 x_dt = _mm256_mul_ps(x, _mm256_set1_ps(tile->dt[t * tile->dt_stride]));
        const __m256 keep = _mm256_set1_ps(tile->decay[t * tile->dt_stride]);
        const float *b = tile->b + t * tile->x_stride + n;
        const float *c = tile->c + t * tile->x_stride + n;
        float *out = tile->y + t * tile->y_stride + p;
        __m256 y = n == 0 ? _mm256_mul_ps(x, _mm256_set1_ps(tile->d)) : _mm256_loadu_ps(out);
        for (size_t j = 0; j < n_rows; j++) {
            h[j] = _mm256_fmadd_ps(x_dt, _mm256_broadcast_ss(b + j), _mm256_mul_ps(h[j], keep));
            y = _mm256_fmadd_ps(h[j], _mm256_broadcast_ss(c + j), y);
        }
        _mm256_storeu_ps(out, y);
    }
    for (size_t j = 0; j < n_rows; j++)
        _mm256_storeu_ps(state + j * tile->head_dim, h[j]);
}

void gol_ssm_scan_f32_avx2(const gol_scan_tile *tile)
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

void gol_ssm_conv_f32_avx2(float *out, const float *const *rows, const float *w, size_t w_stride,
                           const float *bias, size_t d_conv, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        __m256 sum = _mm256_loadu_ps(bias + i);
        for (size_t k = 0; k < d_conv; k++)
            sum = _mm256_fmadd_ps(_mm256_loadu_ps(w + k * w_stride + i),
                                  _mm256_loadu_ps(rows[k] + i), sum);
        _mm256_storeu_ps(out + i, sum);
    }
    for (; i < n; i++) {
        float sum = bias[i];
        for (size_t k = 0; k < d_conv; k++)
            sum = fmaf(w[k * w_stride + i], rows[k][i], sum);
        out[i] = sum;
    }
}
