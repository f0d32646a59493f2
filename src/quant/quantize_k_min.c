/*
 * Quantizers of Q2_K, Q4_K and Q5_K: super-blocks whose groups have a scale and a minimum, both small whole numbers
 * times the super-block's d and dmin. Each group is fitted by itself first; d and dmin hold the largest scale and
 * minimum; then groups try the neighbours of their whole numbers with the d and dmin that a reader will have, and d and
 * dmin follow by least squares.
 *
 *     value = d * scales[g] * q - dmin * mins[g]
 */
#include "quant/quantize_rows.h"

#include <assert.h>

#include "quant/blocks.h"
#include "quant/quantize_fit.h"

enum { N_GROUPS_MAX = 16, N_ROUNDS = 2 };

/* What differs between the types. */
typedef struct min_shape {
    int n;         /* elements of a group */
    float n_steps; /* largest code */
    int scale_max; /* largest of scales and mins */
} min_shape;

typedef struct min_plan {
    float d; /* as a reader gets them */
    float dmin;
    uint8_t scales[N_GROUPS_MAX];
    uint8_t mins[N_GROUPS_MAX];
    float error;
} min_plan;

static gol_fit_line line_of(const min_plan *plan, int g)
{
    return (gol_fit_line){plan->d * (float)plan->scales[g], -(plan->dmin * (float)plan->mins[g])};
}

static uint8_t whole(float value, float unit, int max)
{
    const float n = unit > 0.0f ? value / unit : 0.0f;
    return (uint8_t)gol_fit_round(gol_fit_clamp(n, 0.0f, (float)max));
}

/* d and dmin from the largest scale and minimum, then everybody's nearest whole numbers. */
static void plan_from_lines(min_plan *plan, const gol_fit_group *groups, const gol_fit_line *lines,
                            min_shape shape)
{
    const int n_groups = GOL_QK_K / shape.n;
    float scale = 0.0f;
    float min = 0.0f;
    for (int g = 0; g < n_groups; g++) {
        scale = lines[g].scale > scale ? lines[g].scale : scale;
        min = -lines[g].base > min ? -lines[g].base : min;
    }
    *plan = (min_plan){.d = gol_fit_f16(scale / (float)shape.scale_max),
                       .dmin = gol_fit_f16(min / (float)shape.scale_max)};
    for (int g = 0; g < n_groups; g++) {
        plan->scales[g] = whole(lines[g].scale, plan->d, shape.scale_max);
        plan->mins[g] = whole(-lines[g].base, plan->dmin, shape.scale_max);
        plan->error += gol_fit_error(&groups[g], shape.n, line_of(plan, g), 0.0f, shape.n_steps);
    }
}

/* Takes the best of the whole numbers around those of group g; returns its error. */
static float try_neighbours(min_plan *plan, int g, const gol_fit_group *group, min_shape shape)
{
    const int scale = plan->scales[g];
    const int min = plan->mins[g];
    float best = gol_fit_error(group, shape.n, line_of(plan, g), 0.0f, shape.n_steps);
    uint8_t best_scale = plan->scales[g];
    uint8_t best_min = plan->mins[g];
    for (int k = 0; k < 9; k++) {
        const int near_scale = scale + k / 3 - 1;
        const int near_min = min + k % 3 - 1;
        if (k == 4 || near_scale < 0 || near_scale > shape.scale_max || near_min < 0 ||
            near_min > shape.scale_max)
            continue;
        plan->scales[g] = (uint8_t)near_scale;
        plan->mins[g] = (uint8_t)near_min;
        const float error = gol_fit_error(group, shape.n, line_of(plan, g), 0.0f, shape.n_steps);
        if (error < best) {
            best = error;
            best_scale = (uint8_t)near_scale;
            best_min = (uint8_t)near_min;
        }
    }
    plan->scales[g] = best_scale;
    plan->mins[g] = best_min;
    return best;
}

/* d and dmin of least error for the whole numbers and codes as they are: two equations, two unknowns. */
static void follow_codes(min_plan *plan, const gol_fit_group *groups, min_shape shape)
{
    double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0; /* a = scale * code, b = -min */
    for (int g = 0; g < GOL_QK_K / shape.n; g++) {
        const gol_fit_line line = line_of(plan, g);
        const float inverse = gol_inverse(line.scale);
        const gol_fit_sums s = gol_fit_sum_codes(&groups[g], shape.n, inverse, line.base, 0.0f,
                                                 shape.n_steps);
        const double scale = plan->scales[g];
        const double min = plan->mins[g];
        aa += scale * scale * (double)s.wqq;
        ab -= scale * min * (double)s.wq;
        bb += min * min * (double)groups[g].sum_w;
        ax += scale * (double)s.wxq;
        bx -= min * (double)groups[g].sum_wx;
    }
    const double determinant = aa * bb - ab * ab;
    if (determinant > 1e-9 * aa * bb && determinant > 0) {
        const double d = (ax * bb - bx * ab) / determinant;
        const double dmin = (bx * aa - ax * ab) / determinant;
        if (d > 0 && dmin > 0) {
            plan->d = gol_fit_f16((float)d);
            plan->dmin = gol_fit_f16((float)dmin);
        }
    } else if (aa > 0 && bb == 0 && ax > 0) {
        plan->d = gol_fit_f16((float)(ax / aa));
    }
}

static void search(min_plan *best, const gol_fit_group *groups, min_shape shape)
{
    min_plan plan = *best;
    for (int round = 0; round < N_ROUNDS; round++) {
        plan.error = 0;
        for (int g = 0; g < GOL_QK_K / shape.n; g++)
            plan.error += try_neighbours(&plan, g, &groups[g], shape);
        if (plan.error < best->error)
            *best = plan;
        if (round + 1 < N_ROUNDS)
            follow_codes(&plan, groups, shape);
    }
}

/* The range of a group onto its codes; the minimum at most zero, because what is stored is subtracted. */
static gol_fit_line plain_line(const float *x, min_shape shape)
{
    float low = 0.0f;
    float high = x[0];
    for (int i = 0; i < shape.n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    return (gol_fit_line){(high - low) / shape.n_steps, low};
}

/* Scales, minima and codes of a super-block. Data that lies on codes already keeps the plain plan, which has no error
 * then. */
static inline void plan_block(min_plan *best, uint8_t codes[GOL_QK_K], const float x[GOL_QK_K],
                              min_shape shape)
{
    gol_fit_group groups[N_GROUPS_MAX];
    gol_fit_line lines[N_GROUPS_MAX];
    const int n_groups = GOL_QK_K / shape.n;
    assert(n_groups > 0);
    for (int g = 0; g < n_groups; g++) {
        gol_fit_init(&groups[g], x + g * shape.n, shape.n);
        lines[g] = plain_line(x + g * shape.n, shape);
    }
    plan_from_lines(best, groups, lines, shape);
    if (best->error > 0.0f) {
        min_plan plan;
        for (int g = 0; g < n_groups; g++)
            lines[g] = gol_fit_line_search(&groups[g], shape.n, shape.n_steps, 0.0f);
        plan_from_lines(&plan, groups, lines, shape);
        search(&plan, groups, shape);
        if (plan.error < best->error)
            *best = plan;
    }
    for (int g = 0; g < n_groups; g++)
        gol_fit_codes(codes + g * shape.n, x + g * shape.n, shape.n, line_of(best, g), 0.0f,
                      shape.n_steps);
}

/* The inverse of gol_k4_scale_min(). */
static void pack_scale_min(uint8_t packed[12], const min_plan *plan)
{
    for (int g = 0; g < 4; g++) {
        packed[g] = (uint8_t)(plan->scales[g] | (plan->scales[g + 4] >> 4) << 6);
        packed[g + 4] = (uint8_t)(plan->mins[g] | (plan->mins[g + 4] >> 4) << 6);
        packed[g + 8] = (uint8_t)((plan->scales[g + 4] & 15) | (plan->mins[g + 4] & 15) << 4);
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

void gol_quantize_q2_k(void *y, const float *x, size_t n)
{
    const min_shape shape = {.n = 16, .n_steps = 3, .scale_max = 15};
    gol_block_q2_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        min_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_block(&plan, codes, x, shape);
        block->d = gol_f32_to_f16(plan.d);
        block->dmin = gol_f32_to_f16(plan.dmin);
        for (int g = 0; g < 16; g++)
            block->scales[g] = (uint8_t)(plan.scales[g] | plan.mins[g] << 4);
        gol_pack_two_bits(block->qs, codes);
    }
}

void gol_quantize_q4_k(void *y, const float *x, size_t n)
{
    const min_shape shape = {.n = 32, .n_steps = 15, .scale_max = 63};
    gol_block_q4_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        min_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_block(&plan, codes, x, shape);
        block->d = gol_f32_to_f16(plan.d);
        block->dmin = gol_f32_to_f16(plan.dmin);
        pack_scale_min(block->scales, &plan);
        pack_group_nibbles(block->qs, codes);
    }
}

void gol_quantize_q5_k(void *y, const float *x, size_t n)
{
    const min_shape shape = {.n = 32, .n_steps = 31, .scale_max = 63};
    gol_block_q5_k *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        min_plan plan;
        uint8_t codes[GOL_QK_K];
        plan_block(&plan, codes, x, shape);
        block->d = gol_f32_to_f16(plan.d);
        block->dmin = gol_f32_to_f16(plan.dmin);
        pack_scale_min(block->scales, &plan);
        pack_group_nibbles(block->qs, codes);
        memset(block->qh, 0, sizeof block->qh);
        for (int i = 0; i < GOL_QK_K; i++)
            block->qh[i % 32] |= (uint8_t)((codes[i] >> 4) << i / 32);
    }
}
