/*
 * Reference dequantization of the "K" types, super-blocks of 256 elements with scales of groups, and of IQ4_XS,
 * which is built like them. Layouts: blocks.h. Every function walks its block in the order in which elements
 * come out.
 */
#include "quant/dequant.h"

#include "quant/blocks.h"
#include "quant/half.h"
#include "quant/levels.h"

void gol_dequant_q2_k(float *y, const void *x, size_t n)
{
    const gol_block_q2_k *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        const float dmin = gol_f16_to_f32(block->dmin);
        for (int g = 0; g < 16; g++) {
            const uint8_t *qs = block->qs + 32 * (g / 8) + 16 * (g % 2);
            const int shift = 2 * (g / 2 % 4);
            const float scale = d * (float)(block->scales[g] & 15);
            const float min = dmin * (float)(block->scales[g] >> 4);
            for (int i = 0; i < 16; i++)
                *y++ = scale * (float)(qs[i] >> shift & 3) - min;
        }
    }
}

void gol_dequant_q3_k(float *y, const void *x, size_t n)
{
    const gol_block_q3_k *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        int8_t scales[16];
        gol_q3_k_scales(scales, block->scales);
        for (int g = 0; g < 16; g++) {
            const uint8_t *qs = block->qs + 32 * (g / 8) + 16 * (g % 2);
            const uint8_t *hmask = block->hmask + 16 * (g % 2);
            const int shift = 2 * (g / 2 % 4);
            const float scale = d * (float)scales[g];
            for (int i = 0; i < 16; i++) {
                const int q = (qs[i] >> shift & 3) | (hmask[i] >> g / 2 & 1) << 2;
                *y++ = scale * (float)(q - 4);
            }
        }
    }
}

void gol_dequant_q4_k(float *y, const void *x, size_t n)
{
    const gol_block_q4_k *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        const float dmin = gol_f16_to_f32(block->dmin);
        for (int g = 0; g < 8; g++) {
            const uint8_t *qs = block->qs + 32 * (g / 2);
            const int shift = 4 * (g % 2);
            uint8_t scale_bits, min_bits;
            gol_k4_scale_min(block->scales, g, &scale_bits, &min_bits);
            const float scale = d * (float)scale_bits;
            const float min = dmin * (float)min_bits;
            for (int i = 0; i < 32; i++)
                *y++ = scale * (float)(qs[i] >> shift & 15) - min;
        }
    }
}

void gol_dequant_q5_k(float *y, const void *x, size_t n)
{
    const gol_block_q5_k *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        const float dmin = gol_f16_to_f32(block->dmin);
        for (int g = 0; g < 8; g++) {
            const uint8_t *qs = block->qs + 32 * (g / 2);
            const int shift = 4 * (g % 2);
            uint8_t scale_bits, min_bits;
            gol_k4_scale_min(block->scales, g, &scale_bits, &min_bits);
            const float scale = d * (float)scale_bits;
            const float min = dmin * (float)min_bits;
            for (int i = 0; i < 32; i++) {
                const int q = (qs[i] >> shift & 15) | (block->qh[i] >> g & 1) << 4;
                *y++ = scale * (float)q - min;
            }
        }
    }
}

void gol_dequant_q6_k(float *y, const void *x, size_t n)
{
    const gol_block_q6_k *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 16; g++) {
            const int half = g / 8;
            const int row = g / 2 % 4; /* of 32 elements in the half */
            const uint8_t *ql = block->ql + 64 * half + 32 * (row % 2) + 16 * (g % 2);
            const uint8_t *qh = block->qh + 32 * half + 16 * (g % 2);
            const float scale = d * (float)block->scales[g];
            for (int i = 0; i < 16; i++) {
                const int q = (ql[i] >> 4 * (row / 2) & 15) | (qh[i] >> 2 * row & 3) << 4;
                *y++ = scale * (float)(q - 32);
            }
        }
    }
}

void gol_dequant_iq4_xs(float *y, const void *x, size_t n)
{
    const gol_block_iq4_xs *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 8; g++, y += 32) {
            const uint8_t *qs = block->qs + 16 * g;
            const int low = block->scales_l[g / 2] >> 4 * (g % 2) & 15;
            const int high = block->scales_h >> 2 * g & 3;
            const float scale = d * (float)((low | high << 4) - 32);
            for (int i = 0; i < 16; i++) {
                y[i] = scale * (float)gol_iq4_levels[qs[i] & 15];
                y[i + 16] = scale * (float)gol_iq4_levels[qs[i] >> 4];
            }
        }
    }
}
