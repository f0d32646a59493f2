/*
 * Activations packed with NEON, for the integer and the float cores.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <math.h>
#include <string.h>

enum { VECTORS = GOL_BLOCK_INPUTS / 4 };

/* Blocks whose largest magnitude is below this are zeros: 127 / magnitude must not overflow. */
static const float magnitude_min = 1e-30f;

/* q[32] of one block and its scale. A NaN wins every maximum. */
static float quantize_block(int8x16_t q[2], const float x[GOL_BLOCK_INPUTS])
{
    float32x4_t largest = vabsq_f32(vld1q_f32(x));
    for (size_t i = 1; i < VECTORS; i++)
        largest = vmaxq_f32(largest, vabsq_f32(vld1q_f32(x + 4 * i)));
    const float magnitude = vmaxvq_f32(largest);
    q[0] = q[1] = vdupq_n_s8(0);
    if (!isfinite(magnitude))
        return NAN;
    if (magnitude < magnitude_min)
        return 0.0f;
    const float factor = 127.0f / magnitude;
    int32x4_t rounded[VECTORS];
    for (size_t i = 0; i < VECTORS; i++)
        rounded[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 4 * i), factor));
    for (size_t i = 0; i < 2; i++) {
        const int32x4_t *r = rounded + 4 * i;
        const int16x8_t low = vcombine_s16(vmovn_s32(r[0]), vmovn_s32(r[1]));
        const int16x8_t high = vcombine_s16(vmovn_s32(r[2]), vmovn_s32(r[3]));
        q[i] = vcombine_s8(vmovn_s16(low), vmovn_s16(high));
    }
    return magnitude / 127.0f;
}

void gol_pack_x_int_neon(const gol_int_x *dst, const gol_pack_x *p, int group, int zero)
{
    const size_t n_groups = (size_t)(GOL_BLOCK_INPUTS / group);
    for (size_t b = p->begin; b < p->end; b++) {
        const size_t first = b * GOL_BLOCK_INPUTS;
        for (size_t t = 0; t < p->n_tokens; t++) {
            const size_t at = b * p->n_tokens + t;
            const float *x = p->x + t * p->x_stride + first;
            float last[GOL_BLOCK_INPUTS] = {0};
            if (p->n_in - first < GOL_BLOCK_INPUTS)
                x = memcpy(last, x, (p->n_in - first) * sizeof *x);
            int8x16_t q[2];
            const float scale = quantize_block(q, x);
            vst1q_s8(dst->q + at * GOL_BLOCK_INPUTS, q[0]);
            vst1q_s8(dst->q + at * GOL_BLOCK_INPUTS + 16, q[1]);
            dst->scale[at] = scale;
            int32_t sums[2] = {vaddlvq_s8(q[0]), vaddlvq_s8(q[1])};
            if (n_groups == 1)
                sums[0] += sums[1];
            for (size_t g = 0; g < n_groups; g++) {
                const size_t to = (b * n_groups + g) * p->n_tokens + t;
                if (zero > 0)
                    ((int32_t *)dst->aux)[to] = GOL_INT_SUM_ZERO - zero * sums[g];
                else
                    ((float *)dst->aux)[to] = scale * (float)sums[g];
            }
        }
    }
}

/* dst[i][4], rows `stride` floats apart, = x[4][i], rows x_stride apart, for four i. */
static inline void transpose(float *dst, size_t stride, const float *x, size_t x_stride)
{
    const float32x4_t a = vld1q_f32(x);
    const float32x4_t b = vld1q_f32(x + x_stride);
    const float32x4_t c = vld1q_f32(x + 2 * x_stride);
    const float32x4_t d = vld1q_f32(x + 3 * x_stride);
    const float32x4_t ac[] = {vzip1q_f32(a, c), vzip2q_f32(a, c)};
    const float32x4_t bd[] = {vzip1q_f32(b, d), vzip2q_f32(b, d)};
    for (size_t i = 0; i < 2; i++) {
        vst1q_f32(dst + 2 * i * stride, vzip1q_f32(ac[i], bd[i]));
        vst1q_f32(dst + (2 * i + 1) * stride, vzip2q_f32(ac[i], bd[i]));
    }
}

void gol_pack_x_f32_neon(float *dst, const gol_pack_x *p)
{
    const size_t n = p->n_tokens;
    const size_t begin = p->begin * GOL_BLOCK_INPUTS;
    const size_t end = p->end * GOL_BLOCK_INPUTS;
    const size_t filled = end < p->n_in ? end : p->n_in;
    const size_t whole = begin + (filled - begin) / 4 * 4;
    for (size_t t = 0; t + 4 <= n; t += 4)
        for (size_t i = begin; i < whole; i += 4)
            transpose(dst + i * n + t, n, p->x + t * p->x_stride + i, p->x_stride);
    for (size_t t = n / 4 * 4; t < n; t++)
        for (size_t i = begin; i < whole; i++)
            dst[i * n + t] = p->x[t * p->x_stride + i];
    for (size_t i = whole; i < end; i++)
        for (size_t t = 0; t < n; t++)
            dst[i * n + t] = i < p->n_in ? p->x[t * p->x_stride + i] : 0.0f;
}
