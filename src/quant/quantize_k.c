/*
 * Quantizers of Q3_K and Q6_K: super-blocks whose groups of sixteen have a signed whole number as scale, times the
 * super-block's d. As in quantize_k_min.c: groups by themselves, d from the largest, neighbours of the whole numbers, d by
 * least squares.
 *
 *     value = d * scales[g] * q, q from -half to half - 1
 */
#include "quant/quantize_rows.h"

#include "quant/blocks.h"
#include "quant/quantize_fit.h"

enum { N_GROUPS = 16, N_GROUP = 16, N_ROUNDS = 2 };

typedef struct signed_shape {
    int half;      /* codes from -half */
    int scale_low; /* scales from here to -scale_low - 1 */
} signed_shape;

typedef struct signed_plan {
    float d; /* as a reader gets it */
    int scales[N_GROUPS];
    float error;
} signed_plan;

static float error_of(const signed_plan *plan, int g, const gol_fit_group *group,
                      signed_shape shape)
{
    const gol_fit_line line = {plan->d * (float)plan->scales[g], 0.0f};
    return gol_fit_error(group, N_GROUP, line, (float)-shape.half, (float)(shape.half - 1));
}

/* d maps the scale farthest from zero to the lowest whole number, which is one farther out than the highest. */
static void plan_from_scales(signed_plan *plan, const gol_fit_group *groups,
                             const float scales[N_GROUPS], signed_shape shape)
{
    *plan = (signed_plan){.d = gol_fit_f16(gol_extreme(scales, N_GROUPS) / (float)shape.scale_low)};
    for (int g = 0; g < N_GROUPS; g++) {
        const float n = gol_fit_code(scales[g], gol_inverse(plan->d), (float)shape.scale_low,
                                     (float)(-shape.scale_low - 1));
        plan->scales[g] = (int)n;
        plan->error += error_of(plan, g, &groups[g], shape);
    }
}

static float try_neighbours(signed_plan *plan, int g, const gol_fit_group *group,
                            signed_shape shape)
{
    const int scale = plan->scales[g];
    float best = error_of(plan, g, group, shape);
    int best_scale = scale;
    for (int near = scale - 1; near <= scale + 1; near += 2) {
        if (near < shape.scale_low || near > -shape.scale_low - 1)
            continue;
        plan->scales[g] = near;
        const float error = error_of(plan, g, group, shape);
        if (error < best) {
            best = error;
            best_scale = near;
        }
    }
    plan->scales[g] = best_scale;
    return best;
}

static void follow_codes(signed_plan *plan, const gol_fit_group *groups, signed_shape shape)
{
    double aa = 0, ax = 0; /* a = scale * code */
    for (int g = 0; g < N_GROUPS; g++) {
        const double scale = plan->scales[g];
        const float inverse = gol_inverse(plan->d * (float)plan->scales[g]);
        const gol_fit_sums s = gol_fit_sum_codes(&groups[g], N_GROUP, inverse, 0.0f,
                                                 (float)-shape.half, (float)(shape.half - 1));
        aa += scale * scale * (double)s.wqq;
        ax += scale * (double)s.wxq;
    }
    if (aa > 0)
        plan->d = gol_fit_f16((float)(ax / aa));
}

static void search(signed_plan *best, const gol_fit_group *groups, signed_shape shape)
{
    signed_plan plan = *best;
    for (int round = 0; round < N_ROUNDS; round++) {
        plan.error = 0;
        for (int g = 0; g < N_GROUPS; g++)
            plan.error += try_neighbours(&plan, g, &groups[g], shape);
        if (plan.error < best->error)
            *best = plan;
        if (round + 1 < N_ROUNDS)
            follow_codes(&plan, groups, shape);
    }
}

/* codes[256] from 0 on; half is to be subtracted. */
static inline void plan_block(signed_plan *best, uint8_t codes[GOL_QK_K], const float x[GOL_QK_K],
                              signed_shape shape)
{
    const float low = (float)-shape.half;
    const float high = (float)(shape.half - 1);
    gol_fit_group groups[N_GROUPS];
    float scales[N_GROUPS];
    for (int g = 0; g < N_GROUPS; g++) {
        gol_fit_init(&groups[g], x + N_GROUP * g, N_GROUP);
        scales[g] = gol_extreme(x + N_GROUP * g, N_GROUP) / low;
    }
    plan_from_scales(best, groups, scales, shape);
    if (best->error > 0.0f) {
        signed_plan plan;
        for (int g = 0; g < N_GROUPS; g++)
            scales[g] = gol_fit_scale(&groups[g], N_GROUP, low, high);
        plan_from_scales(&plan, groups, scales, shape);
        search(&plan, groups, shape);
        if (plan.error < best->error)
            *best = plan;
    }
    for (int g = 0; g < N_GROUPS; g++) {
        const gol_fit_line line = {best->d * (float)best->scales[g], 0.0f};
        gol_fit_codes(codes + N_GROUP * g, x + N_GROUP * g, N_GROUP, line, low, high);
    }
}

/* The inverse of gol_q3_k_scales(): scales from -32 on. */
static void pack_q3_k_scales(uint8_t packed[12], const int scales[N_GROUPS])
{
    memset(packed, 0, 12);
    for (int g = 0; g < N_GROUPS; g++) {
        const int bits = scales[g] + 32;
        packed[g % 8] |= (uint8_t)((bits & 15) << 4 * (g / 8));
        packed[8 + g % 4] |= (uint8_t)((bits >> 4) << 2 * (g / 4));
    }
}

void gol_pack_two_bits(uint8_t qs[64], const uint8_t codes[GOL_QK_K])
{
    memset(qs, 0, 64);
    for (int j = 0; j < GOL_QK_K; j++)
        qs[32 * (j / 128) + j % 32] |= (uint8_t)((codes[j] & 3) << 2 * (j / 32 % 4));
}

void gol_quantize_q3_k(void *y, const float *x, size_t n)
{
    const signed_shape shape = {.half = 4, .scale_low = -32};
    gol_block_q3_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        signed_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_block(&plan, codes, x, shape);
        block->d = gol_f32_to_f16(plan.d);
        pack_q3_k_scales(block->scales, plan.scales);
        gol_pack_two_bits(block->qs, codes);
        memset(block->hmask, 0, sizeof block->hmask);
        for (int j = 0; j < GOL_QK_K; j++)
            block->hmask[j % 32] |= (uint8_t)((codes[j] >> 2) << j / 32);
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
    const signed_shape shape = {.half = 32, .scale_low = -128};
    gol_block_q6_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        signed_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_block(&plan, codes, x, shape);
        block->d = gol_f32_to_f16(plan.d);
        for (int g = 0; g < N_GROUPS; g++)
            block->scales[g] = (int8_t)plan.scales[g];
        pack_q6_k(block, codes);
    }
}
