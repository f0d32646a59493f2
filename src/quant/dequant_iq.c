/*
 * Reference dequantization of the codebook types. Layouts: blocks.h; codebooks: iq_grids.h. g counts groups of
 * 32 elements, v vectors of eight in a group, k vectors in the block.
 */
#include "quant/dequant.h"

#include "base/cursor.h"
#include "quant/blocks.h"
#include "quant/half.h"
#include "quant/iq_grids.h"
#include "quant/levels.h"

/* y[8] = scale * levels[8], negated where signs has a bit. */
static void emit_signed(float y[8], float scale, const int8_t levels[8], uint8_t signs)
{
    for (int j = 0; j < 8; j++) {
        const float magnitude = scale * (float)levels[j];
        y[j] = signs >> j & 1 ? -magnitude : magnitude;
    }
}

void gol_dequant_iq2_xxs(float *y, const void *x, size_t n)
{
    const gol_block_iq2_xxs *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 8; g++) {
            const uint16_t indices[2] = {block->qs[4 * g], block->qs[4 * g + 1]};
            const uint32_t signs_scale = block->qs[4 * g + 2] | (uint32_t)block->qs[4 * g + 3]
                                                                    << 16;
            const float scale = d * (0.5f + (float)(signs_scale >> 28)) * 0.25f;
            for (int v = 0; v < 4; v++, y += 8) {
                int8_t levels[8];
                gol_iq2_unpack(levels, gol_iq2_xxs_grid[indices[v / 2] >> 8 * (v % 2) & 255]);
                emit_signed(y, scale, levels, gol_iq_signs(signs_scale >> 7 * v));
            }
        }
    }
}

/* The scale of vector v in a group of IQ2_XS or IQ2_S. */
static float iq2_scale(float d, uint8_t scales, int v)
{
    return d * (0.5f + (float)(scales >> 4 * (v / 2) & 15)) * 0.25f;
}

void gol_dequant_iq2_xs(float *y, const void *x, size_t n)
{
    const gol_block_iq2_xs *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int k = 0; k < 32; k++, y += 8) {
            const uint16_t q = block->qs[k];
            int8_t levels[8];
            gol_iq2_unpack(levels, gol_iq2_xs_grid[q & 511]);
            emit_signed(y, iq2_scale(d, block->scales[k / 4], k % 4), levels, gol_iq_signs(q >> 9));
        }
    }
}

void gol_dequant_iq2_s(float *y, const void *x, size_t n)
{
    const gol_block_iq2_s *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int k = 0; k < 32; k++, y += 8) {
            const int index = block->qs[k] | (block->qh[k / 4] >> 2 * (k % 4) & 3) << 8;
            int8_t levels[8];
            gol_iq2_unpack(levels, gol_iq2_s_grid[index]);
            emit_signed(y, iq2_scale(d, block->scales[k / 4], k % 4), levels, block->signs[k]);
        }
    }
}

void gol_dequant_iq3_xxs(float *y, const void *x, size_t n)
{
    const gol_block_iq3_xxs *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 8; g++) {
            const uint32_t signs_scale = gol_load_u32(block->scales_signs[g]);
            const float scale = d * (0.5f + (float)(signs_scale >> 28)) * 0.5f;
            for (int v = 0; v < 4; v++, y += 8) {
                const uint8_t *indices = block->qs + 8 * g + 2 * v;
                int8_t levels[8];
                gol_iq3_xxs_unpack(levels, gol_iq3_xxs_grid[indices[0]]);
                gol_iq3_xxs_unpack(levels + 4, gol_iq3_xxs_grid[indices[1]]);
                emit_signed(y, scale, levels, gol_iq_signs(signs_scale >> 7 * v));
            }
        }
    }
}

void gol_dequant_iq3_s(float *y, const void *x, size_t n)
{
    const gol_block_iq3_s *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 8; g++) {
            const int scale_bits = block->scales[g / 2] >> 4 * (g % 2) & 15;
            const float scale = d * (float)(1 + 2 * scale_bits);
            for (int v = 0; v < 4; v++, y += 8) {
                const uint8_t *low = block->qs + 8 * g + 2 * v;
                const int high = block->qh[g] >> 2 * v;
                int8_t levels[8];
                gol_iq3_s_unpack(levels, gol_iq3_s_grid[low[0] | (high & 1) << 8]);
                gol_iq3_s_unpack(levels + 4, gol_iq3_s_grid[low[1] | (high & 2) << 7]);
                emit_signed(y, scale, levels, block->signs[4 * g + v]);
            }
        }
    }
}

static const float iq1_delta = 0.125f;

/* y[8] = scale * (levels + delta) */
static void emit_shifted(float y[8], float scale, uint16_t entry, float delta)
{
    int8_t levels[8];
    gol_iq1_unpack(levels, entry);
    for (int j = 0; j < 8; j++)
        y[j] = scale * ((float)levels[j] + delta);
}

void gol_dequant_iq1_s(float *y, const void *x, size_t n)
{
    const gol_block_iq1_s *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int g = 0; g < 8; g++) {
            const int qh = block->qh[g];
            const float scale = d * (float)(2 * (qh >> 12 & 7) + 1);
            const float delta = qh & 0x8000 ? -iq1_delta : iq1_delta;
            for (int v = 0; v < 4; v++, y += 8) {
                const int index = block->qs[4 * g + v] | (qh >> 3 * v & 7) << 8;
                emit_shifted(y, scale, gol_iq1_grid[index], delta);
            }
        }
    }
}

void gol_dequant_iq1_m(float *y, const void *x, size_t n)
{
    const gol_block_iq1_m *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const uint16_t scales[4] = {block->scales[0], block->scales[1], block->scales[2],
                                    block->scales[3]};
        const int d_bits = scales[0] >> 12 | (scales[1] >> 12) << 4 | (scales[2] >> 12) << 8 |
                           (scales[3] >> 12) << 12;
        const float d = gol_f16_to_f32((uint16_t)d_bits);
        for (int k = 0; k < 32; k++, y += 8) {
            const int pair = k / 2;
            const int scale_bits = scales[pair / 4] >> 3 * (pair % 4) & 7;
            const int qh = block->qh[pair] >> 4 * (k % 2) & 15;
            const int index = block->qs[k] | (qh & 7) << 8;
            const float delta = qh & 8 ? -iq1_delta : iq1_delta;
            emit_shifted(y, d * (float)(2 * scale_bits + 1), gol_iq1_grid[index], delta);
        }
    }
}
