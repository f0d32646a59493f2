/*
 * Matrix product in plain C. A weight row becomes float32 once and meets all tokens of the tile.
 */
#include "backend/cpu/kernels/kernels.h"

#include <assert.h>
#include <string.h>

#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/widen.h"

/* w [n_rows][n_in] float32. */
static void multiply(const gol_matmul_tile *tile, const float *w)
{
    for (size_t t = 0; t < tile->n_tokens; t++) {
        const float *x = tile->x + t * tile->n_in;
        float *out = tile->out + t * tile->out_stride;
        for (size_t r = 0; r < tile->n_rows; r++) {
            const float sum = gol_lanes_dot(w + r * tile->n_in, x, tile->n_in);
            out[r] = tile->bias ? sum + tile->bias[r] : sum;
        }
    }
}

/* Rows of float32 are used where they lie, so they must be aligned. */
void gol_matmul_f32_c(const gol_matmul_tile *tile)
{
    assert((uintptr_t)tile->w % sizeof(float) == 0);
    assert(tile->w_row_bytes == tile->n_in * sizeof(float));
    multiply(tile, (const float *)(const void *)tile->w);
}

/* dst[n] = the binary16 numbers at src, which in a file may be at an odd address: they pass through an aligned buffer. */
static void widen_row(float *dst, const uint8_t *src, size_t n)
{
    uint16_t halves[64];
    for (size_t i = 0; i < n;) {
        const size_t n_now = n - i < 64 ? n - i : 64;
        memcpy(halves, src + i * sizeof *halves, n_now * sizeof *halves);
        for (size_t j = 0; j < n_now; j++)
            dst[i + j] = gol_widen_f16(halves[j]);
        i += n_now;
    }
}

/* The reference conversion of binary16 branches on each number; this one gives the same bits in half the time. */
void gol_matmul_f16_c(const gol_matmul_tile *tile)
{
    assert(tile->n_rows <= GOL_MATMUL_ROWS);
    for (size_t r = 0; r < tile->n_rows; r++)
        widen_row(tile->scratch + r * tile->n_in, tile->w + r * tile->w_row_bytes, tile->n_in);
    multiply(tile, tile->scratch);
}

void gol_matmul_dequant_c(const gol_matmul_tile *tile)
{
    gol_dequant_row *dequant = gol_type_get(tile->type)->dequant;
    assert(tile->n_rows <= GOL_MATMUL_ROWS);
    for (size_t r = 0; r < tile->n_rows; r++)
        dequant(tile->scratch + r * tile->n_in, tile->w + r * tile->w_row_bytes, tile->n_in);
    multiply(tile, tile->scratch);
}
