/*
 * One token times binary16 and bfloat16 with NEON: weights are widened in registers and multiplied at once, in the order of
 * f32_core_neon.c. Packed stretches are drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>

#include "backend/cpu/kernels/f32_one.h"

enum { ROW_VECTORS = GOL_PANEL_ROWS / 4 };

/* sums += an input's 16 rows times x. */
static inline __attribute__((always_inline)) void add_input(float32x4_t *sums, const uint8_t *w,
                                                            float x)
{
    for (size_t v = 0; v < ROW_VECTORS; v += 2) {
        const float16x8_t eight = vreinterpretq_f16_u8(vld1q_u8(w + 8 * v));
        sums[v] = vfmaq_n_f32(sums[v], vcvt_f32_f16(vget_low_f16(eight)), x);
        sums[v + 1] = vfmaq_n_f32(sums[v + 1], vcvt_high_f32_f16(eight), x);
    }
}

void gol_f32_one_f16_neon(float *acc, const float *x, const gol_stretch *s)
{
    float32x4_t sums[ROW_VECTORS];
    for (size_t v = 0; v < ROW_VECTORS; v++)
        sums[v] = vld1q_f32(acc + 4 * v);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        add_input(sums, w, x[i]);
        add_input(sums, w + GOL_F32_ONE_LINE / 2, x[i + 1]);
    }
    for (size_t v = 0; v < ROW_VECTORS; v++)
        vst1q_f32(acc + 4 * v, sums[v]);
}

void gol_f32_one_bf16_neon(float *acc, const float *x, const gol_stretch *s)
{
    const uint32x4_t upper = vdupq_n_u32(0xffff0000u);
    float32x4_t sums[ROW_VECTORS];
    for (size_t v = 0; v < ROW_VECTORS; v++)
        sums[v] = vld1q_f32(acc + 4 * v);
    const uint8_t *w = s->data;
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_INPUTS; i += 2, w += GOL_F32_ONE_LINE) {
        gol_f32_one_prefetch(w);
        for (size_t v = 0; v < ROW_VECTORS; v++) {
            const uint32x4_t two = vreinterpretq_u32_u8(vld1q_u8(w + 16 * v));
            const float32x4_t first = vreinterpretq_f32_u32(vshlq_n_u32(two, 16));
            const float32x4_t second = vreinterpretq_f32_u32(vandq_u32(two, upper));
            sums[v] = vfmaq_n_f32(sums[v], first, x[i]);
            sums[v] = vfmaq_n_f32(sums[v], second, x[i + 1]);
        }
    }
    for (size_t v = 0; v < ROW_VECTORS; v++)
        vst1q_f32(acc + 4 * v, sums[v]);
}
