/*
 * Random weights of any type for tests: blocks whose values are finite and of a size that weights have.
 */
#ifndef TESTS_SUPPORT_RANDOM_BLOCKS_H
#define TESTS_SUPPORT_RANDOM_BLOCKS_H

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "quant/half.h"
#include "quant/types.h"

static inline bool random_block_is_usable(const float *values, int n)
{
    for (int i = 0; i < n; i++)
        if (!(fabsf(values[i]) <= 100.0f))
            return false;
    return true;
}

/* Fills n values' worth of blocks at dst; n a multiple of the block size. Plain types get normal numbers, quantized ones random
 * bytes, drawn again until the block's scales make sense. */
static inline void random_blocks(gol_rng *rng, gol_type type, void *dst, size_t n)
{
    const gol_type_info *info = gol_type_get(type);
    uint8_t *block = dst;
    assert(n % (size_t)info->block_size == 0);
    for (size_t i = 0; i < n; i += (size_t)info->block_size, block += info->type_size) {
        const float value = (float)gol_rng_next_normal(rng);
        const double wide = (double)value;
        const uint16_t half = type == GOL_TYPE_F16 ? gol_f32_to_f16(value) : gol_f32_to_bf16(value);
        if (type == GOL_TYPE_F32)
            memcpy(block, &value, sizeof value);
        else if (type == GOL_TYPE_F64)
            memcpy(block, &wide, sizeof wide);
        else if (type == GOL_TYPE_F16 || type == GOL_TYPE_BF16)
            memcpy(block, &half, sizeof half);
        if (!info->is_quantized)
            continue;
        float values[256];
        assert(info->block_size <= 256);
        do {
            for (size_t j = 0; j < info->type_size; j++)
                block[j] = (uint8_t)gol_rng_next(rng);
            info->dequant(values, block, (size_t)info->block_size);
        } while (!random_block_is_usable(values, info->block_size));
    }
}

#endif
