/*
 * What the kernels of attention work on: up to GOL_ATTN_ROWS query rows that read the same KV head, and a chunk of its context.
 *
 * Keys lie in panels of GOL_ATTN_LANES, one dimension after another, so that the scores of sixteen keys are one vector and every
 * sum over head_dim runs in the order of the dimensions:
 *
 *     F16, BF16, F32   [dim][16 keys]
 *     Q8_0             [dim / 32] of gol_kv_panel_q8_0
 *
 * A value row holds its dimensions one after another, padded with zeros to a multiple of GOL_ATTN_LANES (Q8_0: gol_block_q8_0).
 * A chunk begins at a multiple of GOL_ATTN_CHUNK; "pos" below is a position's distance from there. A block's size need not be a
 * multiple of the lanes, so the last panel of a block may hold fewer keys, and the first panel of a chunk may begin before it:
 *
 *     chunk            |0 . . . . . . . . .
 *     panels      [-3 . . . . 12][13 . . 16+[17 . .        their scores are stored in this order: what a short panel
 *                                                          leaves behind its last key is overwritten by the next
 */
#ifndef GOL_BACKEND_CPU_ATTENTION_TILE_H
#define GOL_BACKEND_CPU_ATTENTION_TILE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "quant/blocks.h"

enum {
    /* Keys of a panel: one AVX-512 vector. */
    GOL_ATTN_LANES = 16,
    /* Positions between which the softmax is done at once; part of every answer's bits. Longer chunks need more cache for
     * their scores, shorter ones merge more often and are split over workers more finely. */
    GOL_ATTN_CHUNK = 256,
    /* Rows of a tile: with two panels they fill 24 of AVX-512's 32 registers. */
    GOL_ATTN_ROWS = 12,
    /* Scores before and behind the chunk that a panel may touch. */
    GOL_ATTN_MARGIN = GOL_ATTN_LANES,
    GOL_ATTN_STRIDE = GOL_ATTN_CHUNK + 2 * GOL_ATTN_MARGIN,
    /* Pointers behind the last of a list, only for prefetching: what will be read next. 64 values of 64 binary16 numbers are
     * 8 KiB, what memory delivers to one core in 700 ns. */
    GOL_ATTN_AHEAD = 64,
};

typedef struct gol_kv_panel_q8_0 {
    uint16_t d[GOL_ATTN_LANES]; /* binary16, of each key */
    int8_t qs[GOL_QK][GOL_ATTN_LANES];
} gol_kv_panel_q8_0;
static_assert(sizeof(gol_kv_panel_q8_0) == GOL_ATTN_LANES * sizeof(gol_block_q8_0),
              "as many bytes as value rows take");

struct gol_attn_tile {
    /* Score of row r at pos p: scores[r * GOL_ATTN_STRIDE + p], -GOL_ATTN_MARGIN <= p < GOL_ATTN_CHUNK + GOL_ATTN_MARGIN. */
    float *scores;
    const float *q; /* [dim_k][GOL_ATTN_ROWS], zeros behind row n_rows */
    size_t n_rows;  /* a kernel may compute up to GOL_ATTN_ROWS where this is cheaper */
    const uint8_t *const *panels; /* [n_panels + GOL_ATTN_AHEAD] */
    const int32_t *panel_pos;     /* [n_panels] of a panel's first key, ascending */
    size_t n_panels;
    const uint8_t *const *values; /* [GOL_ATTN_CHUNK + GOL_ATTN_AHEAD] by pos */
    size_t dim_k;
    size_t dim_v; /* padded */
};

#endif
