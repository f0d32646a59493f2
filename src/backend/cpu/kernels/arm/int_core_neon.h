/*
 * What the integer cores of 64-bit Arm share: from the exact sums of a block to float32, four rows in a register, in the order of
 * panel.h. Always inlined, with the numbers of tokens and groups as constants.
 */
#ifndef GOL_BACKEND_CPU_INT_CORE_NEON_H
#define GOL_BACKEND_CPU_INT_CORE_NEON_H

#if defined(__aarch64__)

#include <arm_neon.h>
#include <stdbool.h>

#include "backend/cpu/kernels/panel.h"

#define GOL_INLINE static inline __attribute__((always_inline))

enum {
    GOL_ROW_VECTORS = GOL_PANEL_ROWS / 4,
    GOL_CORE_TOKENS_MAX = 4, /* tokens whose sums a core keeps in registers */
};

/* How a kind's scales and offsets enter. */
typedef struct gol_int_shape {
    size_t n_groups; /* of a block */
    bool has_mins;
    bool is_low;  /* every fourth product of a group fits into 16 bits together */
    bool is_wide; /* q beyond 127 */
} gol_int_shape;

/* Sums of a block, GOL_INT_SUM_ZERO included: [token][group][rows / 4]. */
typedef int32x4_t gol_int_sums[GOL_CORE_TOKENS_MAX][2][GOL_ROW_VECTORS];

/* Packed activations of a token's block [32]. */
GOL_INLINE const int8_t *gol_block_x(const gol_int_tile *t, size_t b, size_t token)
{
    return t->x.q + (b * t->n_tokens + token) * GOL_BLOCK_INPUTS;
}

/* Quants of a block [8][16][4]. */
GOL_INLINE const uint8_t *gol_block_q(const gol_int_tile *t, size_t b)
{
    return t->panel->q + b * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS;
}

/* Where a token's [n_groups] numbers of aux stand, t->n_tokens from group to group. */
GOL_INLINE size_t gol_block_aux(const gol_int_tile *t, gol_int_shape shape, size_t b, size_t token)
{
    return b * shape.n_groups * t->n_tokens + token;
}

/* acc += the block for tokens [first, first + n) and row vectors [begin, end). */
GOL_INLINE void gol_finish_block_neon(const gol_int_tile *t, gol_int_shape shape, size_t b,
                                      size_t first, size_t n, gol_int_sums sums, size_t begin,
                                      size_t end)
{
#pragma GCC unroll 4
    for (size_t v = begin; v < end; v++) {
        const float *scales = t->panel->scale[b * shape.n_groups] + 4 * v;
        const float *mins = t->panel->min[b * shape.n_groups] + 4 * v;
        float32x4_t scale[2];
        float32x4_t offset[2];
        float32x4_t min[2];
        for (size_t g = 0; g < shape.n_groups; g++) {
            scale[g] = vld1q_f32(scales + g * GOL_PANEL_ROWS);
            offset[g] = vmulq_n_f32(scale[g], -GOL_INT_SUM_ZERO_AS_FLOAT);
            if (shape.has_mins)
                min[g] = vld1q_f32(mins + g * GOL_PANEL_ROWS);
        }
        for (size_t k = 0; k < n; k++) {
            float *to = t->acc + (first + k) * GOL_PANEL_ROWS + 4 * v;
            const float x_scale = t->x.scale[b * t->n_tokens + first + k];
            const float *x_sum = (const float *)t->x.aux + gol_block_aux(t, shape, b, first + k);
            float32x4_t acc = vld1q_f32(to);
            for (size_t g = 0; g < shape.n_groups; g++) {
                const float32x4_t sum = vreinterpretq_f32_s32(sums[k][g][v]);
                acc = vfmaq_n_f32(acc, vfmaq_f32(offset[g], sum, scale[g]), x_scale);
                if (shape.has_mins)
                    acc = vfmsq_f32(acc, min[g], vdupq_n_f32(x_sum[g * t->n_tokens]));
            }
            vst1q_f32(to, acc);
        }
    }
}

#endif
#endif
