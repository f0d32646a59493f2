/*
 * Reference conversions of the unquantized float types. Elements may start at any address, so each goes through
 * memcpy.
 */
#include "quant/dequant.h"

#include "quant/half.h"

void gol_dequant_f32(float *y, const void *x, size_t n)
{
    if (n > 0)
        memcpy(y, x, n * sizeof *y);
}

void gol_dequant_f16(float *y, const void *x, size_t n)
{
    const uint8_t *from = x;
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, from + i * sizeof h, sizeof h);
        y[i] = gol_f16_to_f32(h);
    }
}

void gol_dequant_bf16(float *y, const void *x, size_t n)
{
    const uint8_t *from = x;
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, from + i * sizeof h, sizeof h);
        y[i] = gol_bf16_to_f32(h);
    }
}

/* The one conversion that rounds (to nearest, even): binary64 has no exact place in binary32. */
void gol_dequant_f64(float *y, const void *x, size_t n)
{
    const uint8_t *from = x;
    for (size_t i = 0; i < n; i++) {
        double value;
        memcpy(&value, from + i * sizeof value, sizeof value);
        y[i] = (float)value;
    }
}
