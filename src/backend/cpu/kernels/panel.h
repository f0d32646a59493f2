/*
 * What the kernels of the matrix product work on. The weight's rows are taken 16 at a time (a panel), a panel's inputs 256 at a
 * time (a stretch), a stretch's inputs 32 at a time (a block: the inputs that share one scale of the activations). Tokens are
 * taken some at a time too (a tile). One product runs through these steps, and only the first two know the weight's type or the
 * activations' source:
 *
 *     pack    activations of a tile -> bytes with a scale per block (or float32), tokens interleaved     once per product
 *     unpack  stretch of a panel    -> 16 rows interleaved in an L1 buffer, as bytes with scales (or float32)
 *     core    acc[token][row] += stretch x tile, for as many tokens as there are
 *
 * so that unpacking is paid once for all tokens, and one core per kind of arithmetic serves every type.
 *
 * Interleaved bytes, 16 rows in VNNI order: q[input / 4][row][input % 4], 64 bytes for four inputs of all rows. A weight is
 * (q - zero) * scale - min: q is unsigned, zero the same for a whole type, scale and min shared by a group of 16 or 32 inputs. A
 * type has a zero or mins, never both.
 *
 * The order of additions is part of the contract (same row, same bits; see src/backend/README.md). For one row and token:
 *
 *   integer: for each group, in order:
 *       i = sum over the group's inputs of q * x, exact in int32 (for zero: minus zero * sum of x)
 *       acc = fma(i * scale, x_scale, acc);  then min: acc = fma(-min, x_sum, acc)
 *   float:  for each input, in order: acc = fma(w, x, acc)
 *
 * The C versions have no fused operations at their disposal and round twice where this says fma.
 *
 * i becomes a float without a conversion: sums begin at the bits of 1.5 * 2^23, where the float's last bit is worth 1, so that the
 * bits of a sum are those of the float 1.5 * 2^23 + i while |i| < 2^22 (255 * 127 * 32 is less). Then
 *
 *       i * scale = fma(sum as float, scale, -1.5 * 2^23 * scale)
 *
 * to the bit, in one operation, when 1.5 * 2^23 * scale is exact: a scale has at most 22 significant bits (no type's product of a
 * binary16 and a small integer has more than 19) and is below 2^104.
 *
 * The core for AVX-512 VNNI scales both groups of a block together, where groups have 16 inputs:
 *
 *       t = fma(sum 0 as float, scale 0, -1.5 * 2^23 * (scale 0 + scale 1))
 *       acc = fma(fma(sum 1 as float, scale 1, t), x_scale, acc)
 *
 * t holds -1.5 * 2^23 * scale 1 and is rounded to its last bit: an error of at most 0.75 * scale 1 * x_scale, 0.3 of it on average,
 * where rounding 16 activations to bytes makes one of 0.29 * sqrt(16) times the q - zero of Q6_K, say 12: 14 * scale * x_scale.
 */
#ifndef GOL_BACKEND_CPU_PANEL_H
#define GOL_BACKEND_CPU_PANEL_H

#include <stddef.h>
#include <stdint.h>

#include "quant/types.h"

enum {
    GOL_PANEL_ROWS = 16,
    GOL_BLOCK_INPUTS = 32,
    GOL_STRETCH_INPUTS = 256,
    GOL_STRETCH_BLOCKS = GOL_STRETCH_INPUTS / GOL_BLOCK_INPUTS,
    GOL_GROUP_MIN = 16, /* the smallest group */
    /* Tokens of a tile. Integer: 12 sums and 12 results, of two panels and six tokens or of one and 12, fill 32 registers. Float: 24 sums hide the
     * latency of a multiplication and need little more than one load each. */
    GOL_INT_TILE = 12,
    GOL_F32_TILE = 24,
    GOL_AHEAD_BYTES = 32,          /* an input's 16 rows of binary16 */
    GOL_TILE_PANELS = 4,           /* panels of a tile, at most */
    GOL_INT_SUM_ZERO = 0x4b400000, /* the bits of 1.5 * 2^23: where integer sums begin */
};
#define GOL_INT_SUM_ZERO_AS_FLOAT 0x1.8p23f

/* Kinds of integer core: how scales and offsets enter, and how large q can be: where sums of products of u8 x s8 pairs are 16 bits
 * wide, one fits with q <= 127, two with q <= 63, four with q <= 31. */
typedef enum gol_int_kind {
    GOL_INT_Z32,      /* groups of 32, zero, q <= 127 */
    GOL_INT_Z32_LOW,  /* groups of 32, zero, q <= 31 */
    GOL_INT_Z32_WIDE, /* groups of 32, zero = 128, any q */
    GOL_INT_M32,      /* groups of 32, mins, q <= 31 */
    GOL_INT_Z16,      /* groups of 16, zero, q <= 127 */
    GOL_INT_Z16_LOW,  /* groups of 16, zero, q <= 63 */
    GOL_INT_M16,      /* groups of 16, mins, q <= 3 */
    GOL_N_INT_KINDS,
} gol_int_kind;

/* Where a stretch of a panel lies. */
typedef struct gol_stretch {
    const uint8_t *
        data; /* packed: the stretch, aligned to 64 bytes; raw: the stretch's first block of the panel's first row */
    size_t row_bytes; /* raw: from row to row */
    size_t n_rows;    /* raw: rows that exist; the rest of the 16 unpacks to zeros */
    size_t
        n_blocks; /* of 32 inputs, <= GOL_STRETCH_BLOCKS; float: the last may be filled up with zeros */
    size_t n_in; /* inputs that exist, > 32 * (n_blocks - 1) */
} gol_stretch;

/* A stretch as the integer cores want it. Lies in a worker's L1 buffer; every member but q begins at a multiple of 64 bytes. */
typedef struct gol_int_panel {
    float scale[GOL_STRETCH_INPUTS / GOL_GROUP_MIN]
               [GOL_PANEL_ROWS]; /* [n_blocks * 32 / group][16] */
    float min[GOL_STRETCH_INPUTS / GOL_GROUP_MIN]
             [GOL_PANEL_ROWS]; /* likewise; not written for types without mins */
    uint8_t store[GOL_STRETCH_INPUTS * GOL_PANEL_ROWS];
    const uint8_t *
        q; /* [n_blocks][8][16][4]: in store, or in the packed weight where it already lies like this */
} __attribute__((aligned(64))) gol_int_panel;

/* Activations of a tile, packed for an integer core. */
typedef struct gol_int_x {
    int8_t *q; /* [n_blocks][n_tokens][32], in [-127, 127] */
    float *
        scale; /* [n_blocks][n_tokens]; NaN when the block held one that is not finite (q is 0 then) */
    /* Z: int32_t [n_blocks][32 / group][n_tokens], GOL_INT_SUM_ZERO - zero * sum of the group's q: where integer sums begin.
     * M: float [n_blocks][32 / group][n_tokens], scale * sum of the group's q. */
    void *aux;
} gol_int_x;

/* The tokens' products with one panel, or with some that lie beside each other: their results are the same. */
typedef struct gol_int_tile {
    float *acc; /* [n_panels], acc_stride floats apart, of [n_tokens][16]; aligned to 64 bytes */
    size_t acc_stride; /* a multiple of 16 */
    gol_int_x x;
    const gol_int_panel *panel; /* [n_panels] */
    size_t n_panels;            /* 1 .. GOL_TILE_PANELS */
    size_t n_blocks;
    size_t n_tokens; /* 1 .. GOL_INT_TILE */
    /* What the next unpacking will read, for the core to prefetch while it multiplies: ahead_bytes (a multiple of 64) per block from
     * here on, 0 for nothing; ahead_stride bytes from panel to panel. Need not exist. */
    const uint8_t *ahead;
    size_t ahead_bytes;
    size_t ahead_stride;
    size_t ahead_far; /* not 0: the same once more so many bytes further, into L2 */
} gol_int_tile;

/* Panels [first, first + n) of the tile, for cores that take fewer at a time. */
static inline gol_int_tile gol_int_tile_panels(const gol_int_tile *t, size_t first, size_t n)
{
    gol_int_tile part = *t;
    part.acc += first * t->acc_stride;
    part.panel += first;
    part.n_panels = n;
    if (t->ahead_bytes > 0)
        part.ahead += first * t->ahead_stride;
    return part;
}

typedef struct gol_f32_tile {
    float *acc;      /* [n_tokens][16], aligned to 64 bytes */
    const float *x;  /* [n_in][n_tokens] */
    const float *w;  /* [n_in][16], aligned to 64 bytes */
    size_t n_in;     /* a multiple of 32 */
    size_t n_tokens; /* 1 .. GOL_F32_TILE */
    /* NULL, or what the next unpacking will read: a core may prefetch GOL_AHEAD_BYTES per input from here on, so that memory is
     * busy while it multiplies. Need not exist. */
    const uint8_t *ahead;
} gol_f32_tile;

/* What of the activations a packer is to do: blocks [begin, end) of a tile's rows. */
typedef struct gol_pack_x {
    const float *x; /* [n_tokens][n_in], rows x_stride floats apart */
    size_t x_stride;
    size_t n_in;
    size_t n_tokens;
    size_t begin; /* in blocks */
    size_t end;
} gol_pack_x;

typedef void gol_unpack_int_fn(gol_int_panel *out, const gol_stretch *s);
/* Returns w [n_blocks * 32][16], aligned to 64 bytes: store (as large), or inside the packed weight. */
typedef const float *gol_unpack_f32_fn(float *store, const gol_stretch *s);
typedef void gol_int_core_fn(const gol_int_tile *tile);
typedef void gol_f32_core_fn(const gol_f32_tile *tile);
/* dst: the tile's planes from block 0 on. A block's scale is its largest magnitude / 127; numbers round to nearest even. */
typedef void gol_pack_x_int_fn(const gol_int_x *dst, const gol_pack_x *p, int group, int zero);
/* dst [ceil(n_in / 32) * 32][n_tokens], inputs beyond n_in are zeros. */
typedef void gol_pack_x_f32_fn(float *dst, const gol_pack_x *p);

#endif
