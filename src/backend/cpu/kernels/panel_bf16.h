/*
 * The product of bfloat16 weights in bfloat16 arithmetic: activations are rounded to bfloat16 too, and an instruction multiplies
 * pairs of inputs. There is no step between the packed weight (pack_float.c) and the core: the core reads it where it lies.
 *
 *     w  [input / 2][16 rows][input % 2]      of one panel
 *     x  [input / 2][token][input % 2]        of one tile, a pair in 32 bits, the first input below
 *
 * Order of additions for one row and token, with what VDPBF16PS does at each (Intel SDM volume 2; bit for bit in tests/kernels):
 *
 *     for each pair of inputs, in order:   acc = fma(w[1], x[1], acc);   acc = fma(w[0], x[0], acc)
 *
 * rounded to nearest even whatever MXCSR says. A number below FLT_MIN (weight, activation, sum) counts as zero of its sign, and a
 * sum that would be below FLT_MIN if exponents went that far becomes one.
 *
 * Activations round to nearest even: what is above the largest bfloat16 by half a step or more becomes infinity, infinities stay
 * infinite, NaN stays NaN, float32 numbers below FLT_MIN become zero.
 */
#ifndef GOL_BACKEND_CPU_PANEL_BF16_H
#define GOL_BACKEND_CPU_PANEL_BF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cpu/kernels/panel.h"

enum {
    /* A tile's panels and tokens: 24 sums hide the latency, and 10 loads serve 24 instructions. */
    GOL_BF16_PANELS = 4,
    GOL_BF16_TOKENS = 6,
    GOL_BF16_PAIR_BYTES = GOL_PANEL_ROWS * 2 * sizeof(uint16_t), /* two inputs of 16 rows */
};

typedef struct gol_bf16_tile {
    float *acc;        /* [n_panels][acc_stride], there [n_tokens][16], aligned to 64 bytes */
    size_t acc_stride; /* floats, a multiple of 16 */
    const uint32_t *x; /* [n_in / 2][n_tokens] */
    const uint8_t *w;  /* [n_panels][w_stride], there [n_in / 2][16][2], aligned to 64 bytes */
    size_t w_stride;   /* bytes, a multiple of 64 */
    size_t n_in;       /* a multiple of 32 */
    size_t n_panels;   /* 1 .. GOL_BF16_PANELS */
    size_t n_tokens;   /* 1 .. GOL_BF16_TOKENS */
    bool is_first; /* tile with these weights: they lie in memory still, and a core may prefetch */
} gol_bf16_tile;

typedef void gol_bf16_core_fn(const gol_bf16_tile *tile);
/* dst [ceil(n_in / 32) * 16][n_tokens], pairs; inputs beyond n_in are zeros. */
typedef void gol_pack_x_bf16_fn(uint32_t *dst, const gol_pack_x *p);

#endif
