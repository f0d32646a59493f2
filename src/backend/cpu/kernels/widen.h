/*
 * Binary16 to float32 without branches, so that the compiler can do several at a time.
 */
#ifndef GOL_BACKEND_CPU_WIDEN_H
#define GOL_BACKEND_CPU_WIDEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "quant/half.h"

/* Magnitude bits shifted into place are the value times 2^-112, for subnormals too; infinities and NaNs get their exponent
 * back. Equal to gol_f16_to_f32() for all 65536 inputs. */
static inline float gol_widen_f16(uint16_t h)
{
    const int32_t magnitude = h & 0x7fff; /* signed: SSE2 compares no unsigned numbers */
    const uint32_t value = gol_f32_bits(gol_f32_from_bits((uint32_t)magnitude << 13) * 0x1p112f);
    const int32_t special = magnitude > 0x7bff ? 0x7f800000 : 0;
    return gol_f32_from_bits(value | (uint32_t)special | (uint32_t)(h & 0x8000u) << 16);
}

/* out[n] = the binary16 numbers at `halves`, any alignment. */
static inline void gol_widen_halves(float *out, const uint8_t *halves, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, halves + 2 * i, sizeof h);
        out[i] = gol_widen_f16(h);
    }
}

#endif
