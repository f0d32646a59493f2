/*
 * How a weight of each type lies in memory for the product: packed into panels at load, or raw, as rows of the file. A packed
 * stretch of n blocks (panel.h) is
 *
 *     head    head_bytes          scales that a whole super-block shares
 *     scales  n * scale_bytes     16 rows side by side
 *     quants  n * quant_bytes     16 rows interleaved, aligned to 64 bytes
 *
 * and a panel its stretches one after another, all of them aligned to 64 bytes. Packing keeps every bit of the file's numbers
 * and takes at most 5% more room. What lies where inside the three parts stands at each type's packer (pack_*.c).
 */
#ifndef GOL_BACKEND_CPU_PANEL_FORMAT_H
#define GOL_BACKEND_CPU_PANEL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cpu/kernels/panel.h"
#include "quant/types.h"

typedef enum gol_product {
    GOL_PRODUCT_NONE, /* no weights of this type */
    GOL_PRODUCT_INT,  /* activations of 8 bits */
    GOL_PRODUCT_F32,
    GOL_PRODUCT_BF16, /* activations of bfloat16; no format names it, see gol_kernels_product() */
} gol_product;

struct gol_panel_format;

/* Rows of the file to pack: the stretch's inputs begin at `first`. */
typedef struct gol_pack_rows {
    const uint8_t *data; /* first row of the panel, its first block */
    size_t row_bytes;
    size_t n_rows; /* that exist, <= 16; the others become zeros */
    size_t n_in;   /* of a whole row */
} gol_pack_rows;

/* Packs stretch number `stretch` of the panel; dst is zeroed. */
typedef void gol_pack_stretch_fn(uint8_t *dst, const struct gol_panel_format *f,
                                 const gol_pack_rows *rows, size_t stretch);

typedef struct gol_panel_format {
    gol_product product;
    gol_int_kind kind; /* of GOL_PRODUCT_INT */
    uint8_t zero;      /* of GOL_PRODUCT_INT */
    uint8_t head_bytes;
    uint16_t scale_bytes;      /* of a block */
    uint16_t quant_bytes;      /* of a block */
    gol_pack_stretch_fn *pack; /* NULL: raw */
    gol_type type;
} gol_panel_format;

/* product is GOL_PRODUCT_NONE for types that no weight can have. */
const gol_panel_format *gol_panel_format_get(gol_type type);

/* Inputs of a group that shares a scale: 16 or 32. */
static inline int gol_int_kind_group(gol_int_kind kind)
{
    return kind == GOL_INT_Z16 || kind == GOL_INT_Z16_LOW || kind == GOL_INT_M16 ? 16 : 32;
}

static inline size_t gol_panel_n_blocks(size_t n_in)
{
    return (n_in + GOL_BLOCK_INPUTS - 1) / GOL_BLOCK_INPUTS;
}

/* Offset of the quants of a stretch of n_blocks. */
static inline size_t gol_stretch_quants(const gol_panel_format *f, size_t n_blocks)
{
    return (f->head_bytes + n_blocks * f->scale_bytes + 63) / 64 * 64;
}

static inline size_t gol_stretch_bytes(const gol_panel_format *f, size_t n_blocks)
{
    return gol_stretch_quants(f, n_blocks) + (n_blocks * f->quant_bytes + 63) / 64 * 64;
}

/* Bytes of a packed panel of rows of n_in. */
size_t gol_panel_bytes(const gol_panel_format *f, size_t n_in);

/* Blocks of stretch number `stretch` of rows of n_in. */
static inline size_t gol_stretch_n_blocks(size_t n_in, size_t stretch)
{
    const size_t left = gol_panel_n_blocks(n_in) - stretch * GOL_STRETCH_BLOCKS;
    return left < GOL_STRETCH_BLOCKS ? left : GOL_STRETCH_BLOCKS;
}

gol_pack_stretch_fn gol_pack_f32, gol_pack_f16, gol_pack_bf16;
gol_pack_stretch_fn gol_pack_blocks;

#endif
