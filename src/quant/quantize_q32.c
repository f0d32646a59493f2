/*
 * Quantizers of the types with 32 elements and one scale a block. The scale maps the element farthest from zero
 * (types without a minimum) or the block's range (with one) onto the codes; codes are rounded with the scale
 * before it is itself rounded to binary16, as ggml's reference does, so that both write the same files.
 */
#include "quant/quantize_rows.h"

#include "quant/blocks.h"
#include "quant/half.h"

/* Codes 0 .. 2 * half - 1 that stand for q - half. The extreme gets code 0, hence the negative scale: the codes
 * reach one step farther down than up. */
static float codes_around_zero(uint8_t codes[GOL_QK], const float x[GOL_QK], int half)
{
    const float d = gol_extreme(x, GOL_QK) / (float)-half;
    const float inverse = gol_inverse(d);
    for (int j = 0; j < GOL_QK; j++) {
        /* Never negative: |x * inverse| <= half, up to rounding. */
        const int q = (int)(x[j] * inverse + ((float)half + 0.5f));
        codes[j] = (uint8_t)gol_clamp_int(q, 0, 2 * half - 1);
    }
    return d;
}

/* Codes 0 .. n_steps from the smallest to the largest element. */
static float codes_from_min(uint8_t codes[GOL_QK], const float x[GOL_QK], int n_steps, float *min)
{
    float low = x[0];
    float high = x[0];
    for (int j = 1; j < GOL_QK; j++) {
        low = x[j] < low ? x[j] : low;
        high = x[j] > high ? x[j] : high;
    }
    const float d = (high - low) / (float)n_steps;
    const float inverse = gol_inverse(d);
    for (int j = 0; j < GOL_QK; j++) {
        const int q = (int)((x[j] - low) * inverse + 0.5f);
        codes[j] = (uint8_t)gol_clamp_int(q, 0, n_steps);
    }
    *min = low;
    return d;
}

static void pack_nibbles(uint8_t qs[16], const uint8_t codes[GOL_QK])
{
    for (int j = 0; j < 16; j++)
        qs[j] = (uint8_t)((codes[j] & 15) | (codes[j + 16] & 15) << 4);
}

static void pack_fifth_bits(uint8_t qh[4], const uint8_t codes[GOL_QK])
{
    uint32_t bits = 0;
    for (int j = 0; j < GOL_QK; j++)
        bits |= (codes[j] >> 4 & 1u) << j;
    memcpy(qh, &bits, sizeof bits);
}

void gol_quantize_q4_0(void *y, const float *x, size_t n)
{
    gol_block_q4_0 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        uint8_t codes[GOL_QK];
        block->d = gol_f32_to_f16(codes_around_zero(codes, x, 8));
        pack_nibbles(block->qs, codes);
    }
}

void gol_quantize_q4_1(void *y, const float *x, size_t n)
{
    gol_block_q4_1 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        uint8_t codes[GOL_QK];
        float min;
        block->d = gol_f32_to_f16(codes_from_min(codes, x, 15, &min));
        block->m = gol_f32_to_f16(min);
        pack_nibbles(block->qs, codes);
    }
}

void gol_quantize_q5_0(void *y, const float *x, size_t n)
{
    gol_block_q5_0 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        uint8_t codes[GOL_QK];
        block->d = gol_f32_to_f16(codes_around_zero(codes, x, 16));
        pack_nibbles(block->qs, codes);
        pack_fifth_bits(block->qh, codes);
    }
}

void gol_quantize_q5_1(void *y, const float *x, size_t n)
{
    gol_block_q5_1 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        uint8_t codes[GOL_QK];
        float min;
        block->d = gol_f32_to_f16(codes_from_min(codes, x, 31, &min));
        block->m = gol_f32_to_f16(min);
        pack_nibbles(block->qs, codes);
        pack_fifth_bits(block->qh, codes);
    }
}

void gol_quantize_q8_0(void *y, const float *x, size_t n)
{
    gol_block_q8_0 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        const float d = fabsf(gol_extreme(x, GOL_QK)) / 127.0f;
        const float inverse = gol_inverse(d);
        block->d = gol_f32_to_f16(d);
        for (int j = 0; j < GOL_QK; j++)
            block->qs[j] = (int8_t)gol_clamp_int((int)roundf(x[j] * inverse), -127, 127);
    }
}
