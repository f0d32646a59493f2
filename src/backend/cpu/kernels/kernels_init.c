/*
 * Fills the kernel table from the lists. Owns no state: the table belongs to the backend that asked.
 */
#include "backend/cpu/kernels/kernels.h"

#include <assert.h>
#include <string.h>

#define SET_SLOT(slot, kernel, level)                                                              \
    if (gol_cpu_includes(have, (level)))                                                           \
        k->slot = kernel;

void gol_kernels_init(gol_kernels *k, gol_cpu_level have)
{
    assert(have >= GOL_CPU_C && have < GOL_CPU_N_LEVELS);
    memset(k, 0, sizeof *k);
    GOL_KERN_UNPACK_INT(SET_SLOT)
    GOL_KERN_UNPACK_F32(SET_SLOT)
    GOL_KERN_INT_CORE(SET_SLOT)
    GOL_KERN_F32_CORE(SET_SLOT)
    GOL_KERN_F32_ONE(SET_SLOT)
    GOL_KERN_BF16_CORE(SET_SLOT)
    GOL_KERN_PACK_X_INT(SET_SLOT)
    GOL_KERN_PACK_X_F32(SET_SLOT)
    GOL_KERN_PACK_X_BF16(SET_SLOT)
    k->has_bf16 = gol_cpu_includes(have, GOL_CPU_AVX512BF16);
    GOL_KERN_RMS_NORM(SET_SLOT)
    GOL_KERN_LAYER_NORM(SET_SLOT)
    GOL_KERN_ROPE(SET_SLOT)
    GOL_KERN_KV_STORE_KEY(SET_SLOT)
    GOL_KERN_KV_STORE_VALUE(SET_SLOT)
    GOL_KERN_ATTN_SCORES(SET_SLOT)
    GOL_KERN_ATTN_MIX(SET_SLOT)
    GOL_KERN_SOFTMAX(SET_SLOT)
    GOL_KERN_ATTN_MERGE(SET_SLOT)
    GOL_KERN_SSM_SCAN(SET_SLOT)
    GOL_KERN_SSM_CONV(SET_SLOT)
    GOL_KERN_ACT(SET_SLOT)
    GOL_KERN_GLU(SET_SLOT)
    GOL_KERN_ADD(SET_SLOT)
    GOL_KERN_FACTOR(SET_SLOT)
}

typedef void any_kernel(void);

/* A kernel is known by its address, whichever slots it stands in. */
#define NAME_ROW(slot, kernel, level)                                                              \
    if (wanted == (any_kernel *)(kernel))                                                          \
        return &#kernel[strlen("gol_")];

gol_product gol_kernels_product(const gol_kernels *kernels, gol_type type)
{
    if (type == GOL_TYPE_BF16 && kernels->has_bf16)
        return GOL_PRODUCT_BF16;
    return gol_panel_format_get(type)->product;
}

const char *gol_kernels_unpack_name(const gol_kernels *kernels, gol_type type)
{
    any_kernel *wanted = NULL;
    switch (gol_kernels_product(kernels, type)) {
    case GOL_PRODUCT_INT:
        wanted = (any_kernel *)kernels->unpack_int[type];
        break;
    case GOL_PRODUCT_F32:
        wanted = (any_kernel *)kernels->unpack_f32[type];
        break;
    case GOL_PRODUCT_NONE:
    case GOL_PRODUCT_BF16:
        return NULL;
    }
    GOL_KERN_UNPACK_INT(NAME_ROW)
    GOL_KERN_UNPACK_F32(NAME_ROW)
    return NULL;
}

const char *gol_kernels_matmul_name(const gol_kernels *kernels, gol_type type)
{
    any_kernel *wanted = NULL;
    switch (gol_kernels_product(kernels, type)) {
    case GOL_PRODUCT_INT:
        wanted = (any_kernel *)kernels->int_core[gol_panel_format_get(type)->kind];
        break;
    case GOL_PRODUCT_F32:
        wanted = (any_kernel *)kernels->f32_core;
        break;
    case GOL_PRODUCT_BF16:
        wanted = (any_kernel *)kernels->bf16_core;
        break;
    case GOL_PRODUCT_NONE:
        return NULL;
    }
    GOL_KERN_INT_CORE(NAME_ROW)
    GOL_KERN_F32_CORE(NAME_ROW)
    GOL_KERN_BF16_CORE(NAME_ROW)
    return NULL;
}
