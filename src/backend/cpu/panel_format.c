/*
 * The table of panel formats.
 */
#include "backend/cpu/panel_format.h"

/* Packed as blocks, packed as plain numbers. */
#define BLOCKS(type, kind, zero, head, scale, quant)                                               \
    [type] = {GOL_PRODUCT_INT, kind, zero, head, scale, quant, gol_pack_blocks, type}
#define PLAIN(type, quant, pack) [type] = {GOL_PRODUCT_F32, 0, 0, 0, 0, quant, pack, type}

/* clang-format off */
static const gol_panel_format formats[GOL_TYPE_N_IDS] = {
    PLAIN(GOL_TYPE_F32,  2048, gol_pack_f32),
    PLAIN(GOL_TYPE_F16,  1024, gol_pack_f16),
    PLAIN(GOL_TYPE_BF16, 1024, gol_pack_bf16),
    PLAIN(GOL_TYPE_F64, 0, NULL), /* kept as rows */
    /*     type             kind              zero  head scale quant */
    BLOCKS(GOL_TYPE_Q8_0,   GOL_INT_Z32_WIDE,  128,   0,   32,  512),
    BLOCKS(GOL_TYPE_Q4_0,   GOL_INT_Z32_LOW,     8,   0,   32,  256),
    BLOCKS(GOL_TYPE_Q4_1,   GOL_INT_M32,         0,   0,   64,  256),
    BLOCKS(GOL_TYPE_Q5_0,   GOL_INT_Z32_LOW,    16,   0,   32,  320),
    BLOCKS(GOL_TYPE_Q5_1,   GOL_INT_M32,         0,   0,   64,  320),
    BLOCKS(GOL_TYPE_IQ4_NL, GOL_INT_Z32_WIDE,  128,   0,   32,  256),
    BLOCKS(GOL_TYPE_MXFP4,  GOL_INT_Z32_LOW,    16,   0,   16,  256),
    BLOCKS(GOL_TYPE_Q2_K,   GOL_INT_M16,         0,  64,   32,  128),
    BLOCKS(GOL_TYPE_Q3_K,   GOL_INT_Z16_LOW,     4,  32,   24,  192),
    BLOCKS(GOL_TYPE_Q4_K,   GOL_INT_M32,         0,  64,   24,  256),
    BLOCKS(GOL_TYPE_Q5_K,   GOL_INT_M32,         0,  64,   24,  320),
    BLOCKS(GOL_TYPE_Q6_K,   GOL_INT_Z16_LOW,    32,  32,   32,  384),
    BLOCKS(GOL_TYPE_IQ4_XS, GOL_INT_Z32_WIDE,  128,  32,   12,  256),
    BLOCKS(GOL_TYPE_TQ1_0,  GOL_INT_Z32_LOW,     1,  32,    0,  104),
    BLOCKS(GOL_TYPE_TQ2_0,  GOL_INT_Z32_LOW,     1,  32,    0,  128),
    BLOCKS(GOL_TYPE_IQ2_XXS, GOL_INT_Z32,       64,  32,    0,  128),
    BLOCKS(GOL_TYPE_IQ2_XS, GOL_INT_Z16,        64,  32,   16,  128),
    BLOCKS(GOL_TYPE_IQ2_S,  GOL_INT_Z16,        64,  32,   16,  144),
    BLOCKS(GOL_TYPE_IQ3_XXS, GOL_INT_Z32,       64,  32,    0,  192),
    BLOCKS(GOL_TYPE_IQ3_S,  GOL_INT_Z32,        64,  32,    8,  208),
    BLOCKS(GOL_TYPE_IQ1_S,  GOL_INT_Z32,        64,  32,    0,   96),
    BLOCKS(GOL_TYPE_IQ1_M,  GOL_INT_Z16,        64,   0,    0,  112),
};
/* clang-format on */

const gol_panel_format *gol_panel_format_get(gol_type type)
{
    static const gol_panel_format none = {.product = GOL_PRODUCT_NONE};
    return (unsigned)type < GOL_TYPE_N_IDS ? &formats[type] : &none;
}

size_t gol_panel_bytes(const gol_panel_format *f, size_t n_in)
{
    const size_t n_blocks = gol_panel_n_blocks(n_in);
    const size_t n_full = n_blocks / GOL_STRETCH_BLOCKS;
    const size_t n_left = n_blocks % GOL_STRETCH_BLOCKS;
    return n_full * gol_stretch_bytes(f, GOL_STRETCH_BLOCKS) +
           (n_left > 0 ? gol_stretch_bytes(f, n_left) : 0);
}
