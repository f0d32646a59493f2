/*
 * Half-precision and bfloat16 conversions in plain C, exact: to float without rounding (NaN payloads kept),
 * from float with round-to-nearest-even. IEEE 754-2019 binary16; bfloat16 is the upper half of binary32.
 */
#ifndef GOL_QUANT_HALF_H
#define GOL_QUANT_HALF_H

#include <stdint.h>
#include <string.h>

static inline float gol_f32_from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t gol_f32_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float gol_bf16_to_f32(uint16_t h)
{
    return gol_f32_from_bits((uint32_t)h << 16);
}

static inline uint16_t gol_f32_to_bf16(float f)
{
    const uint32_t bits = gol_f32_bits(f);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((bits >> 16) | 0x40u); /* quiet NaN */
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float gol_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t magnitude = h & 0x7fffu;
    if (magnitude >= 0x7c00u) /* infinity, NaN */
        return gol_f32_from_bits(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    if (magnitude >= 0x0400u) /* normal: rebias the exponent from 15 to 127 */
        return gol_f32_from_bits(sign | ((magnitude << 13) + (112u << 23)));
    /* zero and subnormal: magnitude * 2^-24 is exact in binary32 */
    const float value = (float)magnitude * 0x1p-24f;
    return gol_f32_from_bits(sign | gol_f32_bits(value));
}

static inline uint16_t gol_f32_to_f16(float f)
{
    const uint32_t bits = gol_f32_bits(f);
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) /* NaN stays quiet */
        return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
    if (magnitude >= 0x477ff000u) /* rounds to 2^16 or more: infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
        /* subnormal half: adding 0.5 leaves the value, rounded to 2^-24, in the low mantissa bits */
        const float shifted = gol_f32_from_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (gol_f32_bits(shifted) - 0x3f000000u));
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return (uint16_t)(sign | ((rounded - (112u << 23)) >> 13));
}

#endif
