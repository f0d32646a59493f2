/*
 * The table of panel formats.
 */
#include "backend/cpu/panel_format.h"

#define RAW_F32                                                                                    \
    {                                                                                              \
        .product = GOL_PRODUCT_F32                                                                 \
    }

/* clang-format off */
static const gol_panel_format formats[GOL_TYPE_N_IDS] = {
    /*                   product           kind              zero  head scale quant  pack */
    [GOL_TYPE_F32]   = {GOL_PRODUCT_F32, 0,                   0,    0,    0, 2048, gol_pack_f32},
    [GOL_TYPE_F16]   = {GOL_PRODUCT_F32, 0,                   0,    0,    0, 1024, gol_pack_f16},
    [GOL_TYPE_BF16]  = {GOL_PRODUCT_F32, 0,                   0,    0,    0, 1024, gol_pack_bf16},
    [GOL_TYPE_Q8_0]  = {GOL_PRODUCT_INT, GOL_INT_Z32_WIDE,  128,    0,   32,  512, gol_pack_q8_0},
    [GOL_TYPE_Q4_0]  = {GOL_PRODUCT_INT, GOL_INT_Z32,         8,    0,   32,  256, gol_pack_q4_0},
    [GOL_TYPE_F64]     = RAW_F32,
    [GOL_TYPE_Q4_1]    = RAW_F32,
    [GOL_TYPE_Q5_0]    = RAW_F32,
    [GOL_TYPE_Q5_1]    = RAW_F32,
    [GOL_TYPE_Q2_K]    = RAW_F32,
    [GOL_TYPE_Q3_K]    = RAW_F32,
    [GOL_TYPE_Q4_K]    = RAW_F32,
    [GOL_TYPE_Q5_K]    = RAW_F32,
    [GOL_TYPE_Q6_K]    = RAW_F32,
    [GOL_TYPE_IQ1_S]   = RAW_F32,
    [GOL_TYPE_IQ1_M]   = RAW_F32,
    [GOL_TYPE_IQ2_XXS] = RAW_F32,
    [GOL_TYPE_IQ2_XS]  = RAW_F32,
    [GOL_TYPE_IQ2_S]   = RAW_F32,
    [GOL_TYPE_IQ3_XXS] = RAW_F32,
    [GOL_TYPE_IQ3_S]   = RAW_F32,
    [GOL_TYPE_IQ4_NL]  = RAW_F32,
    [GOL_TYPE_IQ4_XS]  = RAW_F32,
    [GOL_TYPE_TQ1_0]   = RAW_F32,
    [GOL_TYPE_TQ2_0]   = RAW_F32,
    [GOL_TYPE_MXFP4]   = RAW_F32,
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
