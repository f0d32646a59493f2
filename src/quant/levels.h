/*
 * The small facts that dequantization and kernels share: levels of the 4-bit codes, the E8M0 scale, the packed
 * six-bit scales of the K types, the sign patterns of the codebook types.
 */
#ifndef GOL_QUANT_LEVELS_H
#define GOL_QUANT_LEVELS_H

#include <stdint.h>

#include "quant/half.h"

/* IQ4_NL and IQ4_XS: denser around zero, where weights are. */
static const int8_t gol_iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

/* E2M1 (OCP Microscaling Formats 1.0, section 5.3.3), doubled to be whole; bit 3 is the sign. */
static const int8_t gol_mxfp4_levels[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                            0, -1, -2, -3, -4, -6, -8, -12};

/* Half of the E8M0 scale e: 2^(e - 128), which is subnormal for e < 2. */
static inline float gol_e8m0_half(uint8_t e)
{
    if (e < 2)
        return gol_f32_from_bits(0x00200000u << e);
    return gol_f32_from_bits((uint32_t)(e - 1) << 23);
}

/* Scale and minimum of group g (0-7) out of the twelve bytes of Q4_K and Q5_K. */
static inline void gol_k4_scale_min(const uint8_t scales[12], int g, uint8_t *scale, uint8_t *min)
{
    if (g < 4) {
        *scale = scales[g] & 63;
        *min = scales[g + 4] & 63;
    } else {
        *scale = (uint8_t)((scales[g + 4] & 15) | (scales[g - 4] >> 6) << 4);
        *min = (uint8_t)((scales[g + 4] >> 4) | (scales[g] >> 6) << 4);
    }
}

/* Scales minus 32 of the sixteen groups of Q3_K. */
static inline void gol_q3_k_scales(int8_t out[16], const uint8_t scales[12])
{
    for (int g = 0; g < 16; g++) {
        const int low = scales[g % 8] >> 4 * (g / 8) & 15;
        const int high = scales[8 + g % 4] >> 2 * (g / 4) & 3;
        out[g] = (int8_t)((low | high << 4) - 32);
    }
}

/* Seven sign bits, completed to eight with even parity: bit j set = element j of the vector is negative. */
static inline uint8_t gol_iq_signs(uint32_t index)
{
    const uint32_t seven = index & 127u;
    return (uint8_t)(seven | ((uint32_t)__builtin_popcount(seven) & 1u) << 7);
}

#endif
