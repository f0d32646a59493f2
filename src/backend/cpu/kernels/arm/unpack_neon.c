/*
 * Panels unpacked with NEON: the bodies of the bytes' kernels are shared (unpack_*_simd.inc), the operations are this instruction
 * set's. Plain numbers become float32 here.
 */
#include "backend/cpu/kernels/arm/vec_bytes_neon.h"

#define UNPACK(type) gol_unpack_##type##_neon

/* IQ4_XS takes its bytes as the small blocks do. */
#include "backend/cpu/kernels/unpack_q32_simd.inc"

#include "backend/cpu/kernels/unpack_k_simd.inc"

#include "backend/cpu/kernels/unpack_iq_simd.inc"

const float *gol_unpack_f16_neon(float *store, const gol_stretch *s)
{
    const size_t n = s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
    for (size_t i = 0; i < n; i += 8) {
        const float16x8_t eight = vreinterpretq_f16_u8(vld1q_u8(s->data + 2 * i));
        vst1q_f32(store + i, vcvt_f32_f16(vget_low_f16(eight)));
        vst1q_f32(store + i + 4, vcvt_high_f32_f16(eight));
    }
    return store;
}

/* Pairs of inputs [pair][16 rows][2]. */
const float *gol_unpack_bf16_neon(float *store, const gol_stretch *s)
{
    const uint32x4_t high = vdupq_n_u32(0xffff0000u);
    for (size_t pair = 0; pair < s->n_blocks * GOL_BLOCK_INPUTS / 2; pair++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r += VEC_F) {
            const uint32x4_t two = vreinterpretq_u32_u8(
                vld1q_u8(s->data + (pair * GOL_PANEL_ROWS + r) * 4));
            float *out = store + 2 * pair * GOL_PANEL_ROWS + r;
            vst1q_f32(out, vreinterpretq_f32_u32(vshlq_n_u32(two, 16)));
            vst1q_f32(out + GOL_PANEL_ROWS, vreinterpretq_f32_u32(vandq_u32(two, high)));
        }
    }
    return store;
}
