/*
 * Reference dequantization of the ternary types. Layouts: blocks.h.
 */
#include "quant/dequant.h"

#include "quant/blocks.h"
#include "quant/half.h"

/* One digit of a byte that holds a base-3 fraction; power = 3^k for digit k. Multiplying shifts the digits
 * before it out of the byte, and the next one is what three times the rest carries out. */
static int digit(uint8_t byte, int power)
{
    return ((byte * power) & 255) * 3 >> 8;
}

/* Writes n_digits runs of n_bytes values and returns the end. */
static float *emit_digits(float *y, const uint8_t *bytes, int n_bytes, int n_digits, float d)
{
    int power = 1;
    for (int k = 0; k < n_digits; k++, power *= 3) {
        for (int i = 0; i < n_bytes; i++)
            *y++ = (float)(digit(bytes[i], power) - 1) * d;
    }
    return y;
}

void gol_dequant_tq1_0(float *y, const void *x, size_t n)
{
    const gol_block_tq1_0 *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        y = emit_digits(y, block->qs, 32, 5, d);
        y = emit_digits(y, block->qs + 32, 16, 5, d);
        y = emit_digits(y, block->qh, 4, 4, d);
    }
}

void gol_dequant_tq2_0(float *y, const void *x, size_t n)
{
    const gol_block_tq2_0 *block = x;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++) {
        const float d = gol_f16_to_f32(block->d);
        for (int j = 0; j < GOL_QK_K; j++) {
            const int q = block->qs[32 * (j / 128) + j % 32] >> 2 * (j / 32 % 4) & 3;
            *y++ = (float)(q - 1) * d;
        }
    }
}
