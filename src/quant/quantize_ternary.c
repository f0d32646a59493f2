/*
 * Quantizers of TQ1_0 and TQ2_0: values of -d, 0 and d. The best d has a closed form: when the k elements farthest from
 * zero become +-d, d is their mean magnitude and the error falls by (their sum)^2 / k; sorting the magnitudes and trying
 * every k finds the best of all. Data that is ternary already comes back exactly.
 */
#include "quant/quantize_rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "quant/blocks.h"
#include "quant/quantize_fit.h"

static int compare_falling(const void *a, const void *b)
{
    const float x = *(const float *)a;
    const float y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Digits 0, 1, 2 for -d, 0, d; returns d as a reader gets it. */
static float ternary_digits(uint8_t digits[GOL_QK_K], const float x[GOL_QK_K])
{
    float magnitudes[GOL_QK_K];
    for (int i = 0; i < GOL_QK_K; i++)
        magnitudes[i] = fabsf(x[i]);
    qsort(magnitudes, GOL_QK_K, sizeof *magnitudes, compare_falling);
    double sum = 0;
    double best_gain = 0;
    double best_d = 0;
    for (int k = 1; k <= GOL_QK_K; k++) {
        sum += (double)magnitudes[k - 1];
        if (sum * sum / k > best_gain) {
            best_gain = sum * sum / k;
            best_d = sum / k;
        }
    }
    const float d = gol_fit_f16((float)best_d);
    for (int i = 0; i < GOL_QK_K; i++)
        digits[i] = (uint8_t)(fabsf(x[i]) <= d / 2.0f ? 1 : x[i] < 0.0f ? 0 : 2);
    return d;
}

/* n_digits base-3 digits, the first the highest, as a fraction of 256 rounded up; digit k comes from digits[k * stride]. */
static uint8_t pack_digits(const uint8_t *digits, int stride, int n_digits)
{
    int value = 0;
    for (int k = 0; k < 5; k++)
        value = 3 * value + (k < n_digits ? digits[k * stride] : 0);
    return (uint8_t)((value * 256 + 242) / 243);
}

void gol_quantize_tq1_0(void *y, const float *x, size_t n)
{
    gol_block_tq1_0 *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        uint8_t digits[GOL_QK_K];
        block->d = gol_f32_to_f16(ternary_digits(digits, x));
        for (int i = 0; i < 32; i++)
            block->qs[i] = pack_digits(digits + i, 32, 5);
        for (int i = 0; i < 16; i++)
            block->qs[32 + i] = pack_digits(digits + 160 + i, 16, 5);
        for (int i = 0; i < 4; i++)
            block->qh[i] = pack_digits(digits + 240 + i, 4, 4);
    }
}

void gol_quantize_tq2_0(void *y, const float *x, size_t n)
{
    gol_block_tq2_0 *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        uint8_t digits[GOL_QK_K];
        block->d = gol_f32_to_f16(ternary_digits(digits, x));
        gol_pack_two_bits(block->qs, digits);
    }
}
