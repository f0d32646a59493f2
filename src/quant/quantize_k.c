/*
 * Quantizers of K types: plain rounding in two levels, no search for the scale of least error (which ggml's
 * files have, so theirs differ). First each group's scale (and minimum) from its range, then the super-block's
 * d that holds the largest of them, then the groups' six- or eight-bit scales; codes are rounded with what a
 * reader will reconstruct.
 */
#include "quant/quantize_rows.h"

#include "quant/blocks.h"
#include "quant/half.h"

enum { N_GROUPS_OF_32 = GOL_QK_K / 32, N_GROUPS_OF_16 = GOL_QK_K / 16, SIX_BITS_MAX = 63 };

typedef struct scale_min_plan {
    float d; /* as a reader gets it from binary16 */
    float dmin;
    uint8_t scales[N_GROUPS_OF_32];
    uint8_t mins[N_GROUPS_OF_32];
} scale_min_plan;

static uint8_t six_bits(float value, float inverse)
{
    return (uint8_t)gol_clamp_int((int)roundf(value * inverse), 0, SIX_BITS_MAX);
}

/* Scales and minima of Q4_K and Q5_K, codes 0 .. n_steps. A minimum is stored as what to subtract, hence never
 * above zero. */
static void plan_scale_min(scale_min_plan *plan, const float x[GOL_QK_K], int n_steps)
{
    float scales[N_GROUPS_OF_32];
    float mins[N_GROUPS_OF_32];
    float scale_max = 0.0f;
    float min_max = 0.0f;
    for (int g = 0; g < N_GROUPS_OF_32; g++) {
        float low = 0.0f;
        float high = x[32 * g];
        for (int i = 0; i < 32; i++) {
            const float value = x[32 * g + i];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        scales[g] = (high - low) / (float)n_steps;
        mins[g] = -low;
        scale_max = scales[g] > scale_max ? scales[g] : scale_max;
        min_max = mins[g] > min_max ? mins[g] : min_max;
    }
    plan->d = gol_f16_to_f32(gol_f32_to_f16(scale_max / SIX_BITS_MAX));
    plan->dmin = gol_f16_to_f32(gol_f32_to_f16(min_max / SIX_BITS_MAX));
    for (int g = 0; g < N_GROUPS_OF_32; g++) {
        plan->scales[g] = six_bits(scales[g], gol_inverse(plan->d));
        plan->mins[g] = six_bits(mins[g], gol_inverse(plan->dmin));
    }
}

/* The inverse of gol_k4_scale_min(). */
static void pack_scale_min(uint8_t packed[12], const scale_min_plan *plan)
{
    for (int g = 0; g < 4; g++) {
        packed[g] = (uint8_t)(plan->scales[g] | (plan->scales[g + 4] >> 4) << 6);
        packed[g + 4] = (uint8_t)(plan->mins[g] | (plan->mins[g + 4] >> 4) << 6);
        packed[g + 8] = (uint8_t)((plan->scales[g + 4] & 15) | (plan->mins[g + 4] & 15) << 4);
    }
}

static void plan_codes(uint8_t codes[GOL_QK_K], const scale_min_plan *plan, const float x[GOL_QK_K],
                       int n_steps)
{
    for (int i = 0; i < GOL_QK_K; i++) {
        const float inverse = gol_inverse(plan->d * (float)plan->scales[i / 32]);
        const float min = plan->dmin * (float)plan->mins[i / 32];
        codes[i] = (uint8_t)gol_clamp_int((int)roundf((x[i] + min) * inverse), 0, n_steps);
    }
}

/* qs[128] of Q4_K and Q5_K. */
static void pack_group_nibbles(uint8_t qs[128], const uint8_t codes[GOL_QK_K])
{
    for (int i = 0; i < 128; i++) {
        const uint8_t *pair = codes + 64 * (i / 32) + i % 32;
        qs[i] = (uint8_t)((pair[0] & 15) | (pair[32] & 15) << 4);
    }
}

void gol_quantize_q4_k(void *y, const float *x, size_t n)
{
    gol_block_q4_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        scale_min_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_scale_min(&plan, x, 15);
        plan_codes(codes, &plan, x, 15);
        block->d = gol_f32_to_f16(plan.d);
        block->dmin = gol_f32_to_f16(plan.dmin);
        pack_scale_min(block->scales, &plan);
        pack_group_nibbles(block->qs, codes);
    }
}

void gol_quantize_q5_k(void *y, const float *x, size_t n)
{
    gol_block_q5_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        scale_min_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_scale_min(&plan, x, 31);
        plan_codes(codes, &plan, x, 31);
        block->d = gol_f32_to_f16(plan.d);
        block->dmin = gol_f32_to_f16(plan.dmin);
        pack_scale_min(block->scales, &plan);
        pack_group_nibbles(block->qs, codes);
        memset(block->qh, 0, sizeof block->qh);
        for (int i = 0; i < GOL_QK_K; i++)
            block->qh[i % 32] |= (uint8_t)((codes[i] >> 4) << i / 32);
    }
}

static void pack_q6_k(gol_block_q6_k *block, const uint8_t codes[GOL_QK_K])
{
    memset(block->ql, 0, sizeof block->ql);
    memset(block->qh, 0, sizeof block->qh);
    for (int j = 0; j < GOL_QK_K; j++) {
        const int half = j / 128;
        const int row = j / 32 % 4;
        const int i = j % 32;
        block->ql[64 * half + 32 * (row % 2) + i] |= (uint8_t)((codes[j] & 15) << 4 * (row / 2));
        block->qh[32 * half + i] |= (uint8_t)((codes[j] >> 4) << 2 * row);
    }
}

void gol_quantize_q6_k(void *y, const float *x, size_t n)
{
    gol_block_q6_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        float scales[N_GROUPS_OF_16];
        for (int g = 0; g < N_GROUPS_OF_16; g++)
            scales[g] = gol_extreme(x + 16 * g, 16) / -32.0f;
        block->d = gol_f32_to_f16(gol_extreme(scales, N_GROUPS_OF_16) / -128.0f);
        const float d = gol_f16_to_f32(block->d);
        uint8_t codes[GOL_QK_K];
        for (int j = 0; j < GOL_QK_K; j++) {
            const int scale = gol_clamp_int((int)roundf(scales[j / 16] * gol_inverse(d)), -128,
                                            127);
            block->scales[j / 16] = (int8_t)scale;
            const int q = (int)roundf(x[j] * gol_inverse(d * (float)scale));
            codes[j] = (uint8_t)(gol_clamp_int(q, -32, 31) + 32);
        }
        pack_q6_k(block, codes);
    }
}
