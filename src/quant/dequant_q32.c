/*
 * Reference dequantization of the types with 32 elements and one scale a block. Layouts: blocks.h.
 */
#include "quant/dequant.h"

#include "base/cursor.h"
#include "quant/blocks.h"
#include "quant/half.h"
#include "quant/levels.h"

void gol_dequant_q4_0(float *y, const void *x, size_t n)
{
    const gol_block_q4_0 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        for (int j = 0; j < 16; j++) {
            y[j] = (float)((block->qs[j] & 15) - 8) * d;
            y[j + 16] = (float)((block->qs[j] >> 4) - 8) * d;
        }
    }
}

void gol_dequant_q4_1(float *y, const void *x, size_t n)
{
    const gol_block_q4_1 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        const float m = gol_f16_to_f32(block->m);
        for (int j = 0; j < 16; j++) {
            y[j] = (float)(block->qs[j] & 15) * d + m;
            y[j + 16] = (float)(block->qs[j] >> 4) * d + m;
        }
    }
}

void gol_dequant_q5_0(float *y, const void *x, size_t n)
{
    const gol_block_q5_0 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        const uint32_t qh = gol_load_u32(block->qh);
        for (int j = 0; j < 16; j++) {
            const uint32_t low = (block->qs[j] & 15u) | (qh >> j & 1u) << 4;
            const uint32_t high = (block->qs[j] >> 4) | (qh >> (j + 16) & 1u) << 4;
            y[j] = (float)((int)low - 16) * d;
            y[j + 16] = (float)((int)high - 16) * d;
        }
    }
}

void gol_dequant_q5_1(float *y, const void *x, size_t n)
{
    const gol_block_q5_1 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        const float m = gol_f16_to_f32(block->m);
        const uint32_t qh = gol_load_u32(block->qh);
        for (int j = 0; j < 16; j++) {
            const uint32_t low = (block->qs[j] & 15u) | (qh >> j & 1u) << 4;
            const uint32_t high = (block->qs[j] >> 4) | (qh >> (j + 16) & 1u) << 4;
            y[j] = (float)low * d + m;
            y[j + 16] = (float)high * d + m;
        }
    }
}

void gol_dequant_q8_0(float *y, const void *x, size_t n)
{
    const gol_block_q8_0 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        for (int j = 0; j < GOL_QK; j++)
            y[j] = (float)block->qs[j] * d;
    }
}

void gol_dequant_iq4_nl(float *y, const void *x, size_t n)
{
    const gol_block_iq4_nl *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_f16_to_f32(block->d);
        for (int j = 0; j < 16; j++) {
            y[j] = d * (float)gol_iq4_levels[block->qs[j] & 15];
            y[j + 16] = d * (float)gol_iq4_levels[block->qs[j] >> 4];
        }
    }
}

void gol_dequant_mxfp4(float *y, const void *x, size_t n)
{
    const gol_block_mxfp4 *block = x;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, y += GOL_QK) {
        const float d = gol_e8m0_half(block->e);
        for (int j = 0; j < 16; j++) {
            y[j] = (float)gol_mxfp4_levels[block->qs[j] & 15] * d;
            y[j + 16] = (float)gol_mxfp4_levels[block->qs[j] >> 4] * d;
        }
    }
}
