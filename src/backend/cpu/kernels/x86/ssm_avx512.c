/*
 * Recurrent layers with AVX-512. The scan holds sixteen rows of d_state by sixteen of head_dim in registers over all rows of the
 * tile: memory is read and written once, in order. The end of head_dim goes through the same instructions under a mask.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/ssm_tile.h"

enum { WIDTH = 16, ROWS = 16 };

/* Rows [n, n + n_rows) of the state, lanes [p, p + 16) under the mask; n_rows is a constant where this is called. */
static inline __attribute__((always_inline)) void scan(const gol_scan_tile *tile, size_t n,
                                                       size_t n_rows, size_t p, __mmask16 mask)
{
    float *state = tile->state + n * tile->head_dim + p;
    __m512 h[ROWS];
    for (size_t j = 0; j < n_rows; j++)
        h[j] = _mm512_maskz_loadu_ps(mask, state + j * tile->head_dim);
    for (size_t t = 0; t < tile->n_rows; t++) {
        const __m512 x = _mm512_maskz_loadu_ps(mask, tile->x + t * tile->x_stride + p);
        const __m512 x_dt = _mm512_mul_ps(x, _mm512_set1_ps(tile->dt[t * tile->dt_stride]));
        const __m512 keep = _mm512_set1_ps(tile->decay[t * tile->dt_stride]);
        const float *b = tile->b + t * tile->x_stride + n;
        const float *c = tile->c + t * tile->x_stride + n;
        float *out = tile->y + t * tile->y_stride + p;
        __m512 y = n == 0 ? _mm512_mul_ps(x, _mm512_set1_ps(tile->d))
                          : _mm512_maskz_loadu_ps(mask, out);
        for (size_t j = 0; j < n_rows; j++) {
            h[j] = _mm512_fmadd_ps(x_dt, _mm512_set1_ps(b[j]), _mm512_mul_ps(h[j], keep));
            y = _mm512_fmadd_ps(h[j], _mm512_set1_ps(c[j]), y);
        }
        _mm512_mask_storeu_ps(out, mask, y);
    }
    for (size_t j = 0; j < n_rows; j++)
        _mm512_mask_storeu_ps(state + j * tile->head_dim, mask, h[j]);
}

static inline __mmask16 mask_from(size_t p, size_t n)
{
    const unsigned lanes = n - p >= WIDTH ? 0xffffu : (1u << (n - p)) - 1;
    return (__mmask16)lanes;
}

void gol_ssm_scan_f32_avx512(const gol_scan_tile *tile)
{
    size_t n = 0;
    for (; n + ROWS <= tile->d_state; n += ROWS)
        for (size_t p = 0; p < tile->head_dim; p += WIDTH)
            scan(tile, n, ROWS, p, mask_from(p, tile->head_dim));
    for (; n < tile->d_state; n++)
        for (size_t p = 0; p < tile->head_dim; p += WIDTH)
            scan(tile, n, 1, p, mask_from(p, tile->head_dim));
}

void gol_ssm_conv_f32_avx512(float *out, const float *const *rows, const float *w, size_t w_stride,
                             const float *bias, size_t d_conv, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        const __mmask16 mask = mask_from(i, n);
        __m512 sum = _mm512_maskz_loadu_ps(mask, bias + i);
        for (size_t k = 0; k < d_conv; k++)
            sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, w + k * w_stride + i),
                                  _mm512_maskz_loadu_ps(mask, rows[k] + i), sum);
        _mm512_mask_storeu_ps(out + i, mask, sum);
    }
}
