/*
 * The table of tensor types, indexed by the id in the file. It owns nothing else: layouts are in blocks.h,
 * conversions in dequant_*.c. A row whose name is NULL is an id that GGUF retired or never gave out.
 */
#include "quant/types.h"

#include <assert.h>

#include "base/mem.h"
#include "quant/blocks.h"
#include "quant/dequant.h"

/* clang-format off */
static const gol_type_info type_table[GOL_TYPE_N_IDS] = {
    /*                     name       elements  bytes                      blocks reference */
    [GOL_TYPE_F32]     = {"F32",     1,        sizeof(float),             false, gol_dequant_f32},
    [GOL_TYPE_F16]     = {"F16",     1,        sizeof(uint16_t),          false, gol_dequant_f16},
    [GOL_TYPE_Q4_0]    = {"Q4_0",    GOL_QK,   sizeof(gol_block_q4_0),    true,  gol_dequant_q4_0},
    [GOL_TYPE_Q4_1]    = {"Q4_1",    GOL_QK,   sizeof(gol_block_q4_1),    true,  gol_dequant_q4_1},
    [GOL_TYPE_Q5_0]    = {"Q5_0",    GOL_QK,   sizeof(gol_block_q5_0),    true,  gol_dequant_q5_0},
    [GOL_TYPE_Q5_1]    = {"Q5_1",    GOL_QK,   sizeof(gol_block_q5_1),    true,  gol_dequant_q5_1},
    [GOL_TYPE_Q8_0]    = {"Q8_0",    GOL_QK,   sizeof(gol_block_q8_0),    true,  gol_dequant_q8_0},
    [GOL_TYPE_Q8_1]    = {"Q8_1",    GOL_QK,   sizeof(gol_block_q8_1),    true,  NULL},
    [GOL_TYPE_Q2_K]    = {"Q2_K",    GOL_QK_K, sizeof(gol_block_q2_k),    true,  gol_dequant_q2_k},
    [GOL_TYPE_Q3_K]    = {"Q3_K",    GOL_QK_K, sizeof(gol_block_q3_k),    true,  gol_dequant_q3_k},
    [GOL_TYPE_Q4_K]    = {"Q4_K",    GOL_QK_K, sizeof(gol_block_q4_k),    true,  gol_dequant_q4_k},
    [GOL_TYPE_Q5_K]    = {"Q5_K",    GOL_QK_K, sizeof(gol_block_q5_k),    true,  gol_dequant_q5_k},
    [GOL_TYPE_Q6_K]    = {"Q6_K",    GOL_QK_K, sizeof(gol_block_q6_k),    true,  gol_dequant_q6_k},
    [GOL_TYPE_Q8_K]    = {"Q8_K",    GOL_QK_K, sizeof(gol_block_q8_k),    true,  NULL},
    [GOL_TYPE_IQ2_XXS] = {"IQ2_XXS", GOL_QK_K, sizeof(gol_block_iq2_xxs), true,  gol_dequant_iq2_xxs},
    [GOL_TYPE_IQ2_XS]  = {"IQ2_XS",  GOL_QK_K, sizeof(gol_block_iq2_xs),  true,  gol_dequant_iq2_xs},
    [GOL_TYPE_IQ3_XXS] = {"IQ3_XXS", GOL_QK_K, sizeof(gol_block_iq3_xxs), true,  gol_dequant_iq3_xxs},
    [GOL_TYPE_IQ1_S]   = {"IQ1_S",   GOL_QK_K, sizeof(gol_block_iq1_s),   true,  gol_dequant_iq1_s},
    [GOL_TYPE_IQ4_NL]  = {"IQ4_NL",  GOL_QK,   sizeof(gol_block_iq4_nl),  true,  gol_dequant_iq4_nl},
    [GOL_TYPE_IQ3_S]   = {"IQ3_S",   GOL_QK_K, sizeof(gol_block_iq3_s),   true,  gol_dequant_iq3_s},
    [GOL_TYPE_IQ2_S]   = {"IQ2_S",   GOL_QK_K, sizeof(gol_block_iq2_s),   true,  gol_dequant_iq2_s},
    [GOL_TYPE_IQ4_XS]  = {"IQ4_XS",  GOL_QK_K, sizeof(gol_block_iq4_xs),  true,  gol_dequant_iq4_xs},
    [GOL_TYPE_I8]      = {"I8",      1,        sizeof(int8_t),            false, NULL},
    [GOL_TYPE_I16]     = {"I16",     1,        sizeof(int16_t),           false, NULL},
    [GOL_TYPE_I32]     = {"I32",     1,        sizeof(int32_t),           false, NULL},
    [GOL_TYPE_I64]     = {"I64",     1,        sizeof(int64_t),           false, NULL},
    [GOL_TYPE_F64]     = {"F64",     1,        sizeof(double),            false, gol_dequant_f64},
    [GOL_TYPE_IQ1_M]   = {"IQ1_M",   GOL_QK_K, sizeof(gol_block_iq1_m),   true,  gol_dequant_iq1_m},
    [GOL_TYPE_BF16]    = {"BF16",    1,        sizeof(uint16_t),          false, gol_dequant_bf16},
    [GOL_TYPE_TQ1_0]   = {"TQ1_0",   GOL_QK_K, sizeof(gol_block_tq1_0),   true,  gol_dequant_tq1_0},
    [GOL_TYPE_TQ2_0]   = {"TQ2_0",   GOL_QK_K, sizeof(gol_block_tq2_0),   true,  gol_dequant_tq2_0},
    [GOL_TYPE_MXFP4]   = {"MXFP4",   GOL_QK,   sizeof(gol_block_mxfp4),   true,  gol_dequant_mxfp4},
};
/* clang-format on */

const gol_type_info *gol_type_find(uint32_t id)
{
    if (id >= GOL_TYPE_N_IDS || !type_table[id].name)
        return NULL;
    return &type_table[id];
}

const gol_type_info *gol_type_get(gol_type type)
{
    const gol_type_info *info = gol_type_find((uint32_t)type);
    assert(info);
    return info;
}

/* ASCII only, whatever the locale says. */
static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_same_name(gol_str name, const char *wanted)
{
    if (name.len != strlen(wanted))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (upper(name.data[i]) != wanted[i])
            return false;
    }
    return true;
}

bool gol_type_parse(gol_str name, gol_type *out)
{
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        if (type_table[id].name && is_same_name(name, type_table[id].name)) {
            *out = (gol_type)id;
            return true;
        }
    }
    return false;
}

bool gol_type_row_bytes(size_t *out, gol_type type, uint64_t n)
{
    const gol_type_info *info = gol_type_get(type);
    const uint64_t n_blocks = n / (uint64_t)info->block_size;
    if (n % (uint64_t)info->block_size != 0 || n_blocks > SIZE_MAX) {
        *out = SIZE_MAX;
        return false;
    }
    return gol_mul_size(out, (size_t)n_blocks, info->type_size);
}
