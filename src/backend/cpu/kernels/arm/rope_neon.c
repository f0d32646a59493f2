/*
 * Rotary embedding of one head with NEON; the last pairs, which do not fill a register, one by one.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <math.h>

/* a cos - b sin and b cos + a sin. */
static inline float32x4x2_t rotate4(float32x4x2_t ab, float32x4_t c, float32x4_t s)
{
    const float32x4_t a_sin = vmulq_f32(ab.val[0], s);
    const float32x4_t b_sin = vnegq_f32(vmulq_f32(ab.val[1], s));
    return (float32x4x2_t){{vfmaq_f32(b_sin, ab.val[0], c), vfmaq_f32(a_sin, ab.val[1], c)}};
}

/* The same operations as in the vectors, one pair at a time. */
static inline void rotate(float *first, float *second, float cos, float sin)
{
    const float a = *first;
    const float b = *second;
    *first = fmaf(a, cos, -(b * sin));
    *second = fmaf(b, cos, a * sin);
}

void gol_rope_norm_f32_neon(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    size_t i = 0;
    for (; i + 4 <= n_pairs; i += 4)
        vst2q_f32(x + 2 * i, rotate4(vld2q_f32(x + 2 * i), vld1q_f32(cos + i), vld1q_f32(sin + i)));
    for (; i < n_pairs; i++)
        rotate(&x[2 * i], &x[2 * i + 1], cos[i], sin[i]);
}

void gol_rope_neox_f32_neon(float *x, const float *cos, const float *sin, size_t n_pairs)
{
    float *x2 = x + n_pairs;
    size_t i = 0;
    for (; i + 4 <= n_pairs; i += 4) {
        const float32x4x2_t ab = {{vld1q_f32(x + i), vld1q_f32(x2 + i)}};
        const float32x4x2_t y = rotate4(ab, vld1q_f32(cos + i), vld1q_f32(sin + i));
        vst1q_f32(x + i, y.val[0]);
        vst1q_f32(x2 + i, y.val[1]);
    }
    for (; i < n_pairs; i++)
        rotate(&x[i], &x2[i], cos[i], sin[i]);
}
