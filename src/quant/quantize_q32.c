/*
 * Quantizers of the types with 32 elements and one scale a block. Q8_0 is plain rounding, byte for byte ggml's
 * reference, because activations are quantized in the same way. The others search for the scale of least error; the
 * plain one (the farthest element, or the range, onto the codes) stays when nothing better is found, so that data that
 * lies on codes comes back exactly.
 */
#include "quant/quantize_rows.h"

#include "quant/blocks.h"
#include "quant/quantize_fit.h"

static gol_fit_line rounded(gol_fit_line line)
{
    return (gol_fit_line){gol_fit_f16(line.scale), gol_fit_f16(line.base)};
}

/* The line, as a reader gets it, that leaves the lesser error; the first when equal. */
static gol_fit_line better(const gol_fit_group *group, gol_fit_line a, gol_fit_line b, float low,
                           float high)
{
    const float error_a = gol_fit_error(group, GOL_QK, a, low, high);
    const float error_b = gol_fit_error(group, GOL_QK, b, low, high);
    return error_b < error_a ? b : a;
}

/* Codes 0 .. 2 * half - 1 that stand for q - half. The plain scale gives the extreme code 0, hence may be negative: the
 * codes reach one step farther down than up. Returns the scale. */
static float codes_around_zero(uint8_t codes[GOL_QK], const float x[GOL_QK], int half)
{
    const float low = (float)-half;
    const float high = (float)(half - 1);
    gol_fit_group group;
    gol_fit_init(&group, x, GOL_QK);
    const gol_fit_line plain = {gol_extreme(x, GOL_QK) / low, 0.0f};
    const gol_fit_line searched = {gol_fit_scale(&group, GOL_QK, low, high), 0.0f};
    const gol_fit_line line = better(&group, rounded(plain), rounded(searched), low, high);
    gol_fit_codes(codes, x, GOL_QK, line, low, high);
    return line.scale;
}

/* Codes 0 .. n_steps from about the smallest to about the largest element. */
static gol_fit_line codes_from_min(uint8_t codes[GOL_QK], const float x[GOL_QK], int n_steps)
{
    float low = x[0];
    float high = x[0];
    for (int j = 1; j < GOL_QK; j++) {
        low = x[j] < low ? x[j] : low;
        high = x[j] > high ? x[j] : high;
    }
    /* Fitted from the smallest element on: far from zero, sums of squares would drown the differences. */
    float shifted[GOL_QK];
    for (int j = 0; j < GOL_QK; j++)
        shifted[j] = x[j] - low;
    gol_fit_group group;
    gol_fit_init(&group, shifted, GOL_QK);
    gol_fit_line searched = gol_fit_line_search(&group, GOL_QK, (float)n_steps, FLT_MAX);
    searched.base += low;
    gol_fit_init(&group, x, GOL_QK);
    const gol_fit_line plain = {(high - low) / (float)n_steps, low};
    const gol_fit_line line = better(&group, rounded(plain), rounded(searched), 0.0f,
                                     (float)n_steps);
    gol_fit_codes(codes, x, GOL_QK, line, 0.0f, (float)n_steps);
    return line;
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
        const gol_fit_line line = codes_from_min(codes, x, 15);
        block->d = gol_f32_to_f16(line.scale);
        block->m = gol_f32_to_f16(line.base);
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
        const gol_fit_line line = codes_from_min(codes, x, 31);
        block->d = gol_f32_to_f16(line.scale);
        block->m = gol_f32_to_f16(line.base);
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
