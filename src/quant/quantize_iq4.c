/*
 * Quantizers of the 4-bit types whose codes stand for uneven levels: IQ4_NL, IQ4_XS and MXFP4. The nearest level is
 * found by counting the midpoints below a value; scales are searched for as everywhere (quantize_fit.h).
 */
#include "quant/quantize_rows.h"

#include "quant/blocks.h"
#include "quant/levels.h"
#include "quant/quantize_fit.h"

enum { N_LEVELS = 16, N_MIDPOINTS = N_LEVELS - 1, XS_GROUPS = 8, XS_SCALE_LOW = -32 };

static const float iq4_midpoints[N_MIDPOINTS] = {-115.5f, -93.5f, -74.0f, -57.0f, -42.0f,
                                                 -28.5f,  -16.0f, -4.5f,  7.0f,   19.0f,
                                                 31.5f,   45.5f,  61.0f,  79.0f,  101.0f};

/* levels[32] = the level nearest to each of values[32]: a step up at every midpoint below the value. One midpoint for all
 * values at a time, which compilers turn into vectors. */
static void nearest_levels(float levels[GOL_QK], const float values[GOL_QK])
{
    for (int i = 0; i < GOL_QK; i++)
        levels[i] = (float)gol_iq4_levels[0];
    for (int k = 0; k < N_MIDPOINTS; k++) {
        const float midpoint = iq4_midpoints[k];
        const float step = (float)(gol_iq4_levels[k + 1] - gol_iq4_levels[k]);
        for (int i = 0; i < GOL_QK; i++)
            levels[i] += values[i] > midpoint ? step : 0.0f;
    }
}

/* The weighted error of writing the group with this scale. */
static float iq4_error(const gol_fit_group *group, float scale)
{
    const float inverse = gol_inverse(scale);
    float error[GOL_QK];
    float levels[GOL_QK];
    for (int i = 0; i < GOL_QK; i++)
        error[i] = group->x[i] * inverse;
    nearest_levels(levels, error);
    for (int i = 0; i < GOL_QK; i++) {
        const float off = group->x[i] - scale * levels[i];
        error[i] = group->w[i] * off * off;
    }
    return gol_fit_sum(error, GOL_QK);
}

/* codes[32] with this scale. */
static void iq4_codes(uint8_t codes[GOL_QK], const float x[GOL_QK], float scale)
{
    const float inverse = gol_inverse(scale);
    for (int i = 0; i < GOL_QK; i++) {
        int code = 0;
        for (int k = 0; k < N_MIDPOINTS; k++)
            code += x[i] * inverse > iq4_midpoints[k];
        codes[i] = (uint8_t)code;
    }
}

static void iq4_sums(float *wxq, float *wqq, const gol_fit_group *group, float inverse)
{
    float x_terms[GOL_QK];
    float q_terms[GOL_QK];
    float levels[GOL_QK];
    for (int i = 0; i < GOL_QK; i++)
        x_terms[i] = group->x[i] * inverse;
    nearest_levels(levels, x_terms);
    for (int i = 0; i < GOL_QK; i++) {
        x_terms[i] = group->wx[i] * levels[i];
        q_terms[i] = group->w[i] * levels[i] * levels[i];
    }
    *wxq = gol_fit_sum(x_terms, GOL_QK);
    *wqq = gol_fit_sum(q_terms, GOL_QK);
}

/* The best scale of a group, of either sign: the levels are not symmetric. Starts map the farthest element to places
 * around the outermost levels. */
static float iq4_scale(const gol_fit_group *group)
{
    enum { N_STARTS = 15 };
    const float extreme = gol_extreme(group->x, GOL_QK);
    if (fabsf(extreme) < GOL_FIT_TINY)
        return 0.0f;
    float best_scale = extreme / (float)gol_iq4_levels[0];
    float best_gain = 0.0f;
    for (int start = 0; start < 2 * N_STARTS; start++) {
        const float level = start < N_STARTS ? -127.0f : 113.0f;
        const float reach = level * (1.0f + 0.025f * (float)(start % N_STARTS - N_STARTS / 2));
        float wxq, wqq;
        iq4_sums(&wxq, &wqq, group, reach / extreme);
        const float scale = wqq > 0.0f ? wxq / wqq : 0.0f;
        if (scale * wxq > best_gain) {
            best_gain = scale * wxq;
            best_scale = scale;
        }
    }
    float wxq, wqq;
    iq4_sums(&wxq, &wqq, group, gol_inverse(best_scale));
    return wqq > 0.0f && wxq / wqq * wxq > best_gain ? wxq / wqq : best_scale;
}

/* Nibble order of the blocks of 32. */
static void pack_nibbles(uint8_t qs[16], const uint8_t codes[GOL_QK])
{
    for (int j = 0; j < 16; j++)
        qs[j] = (uint8_t)(codes[j] | codes[j + 16] << 4);
}

void gol_quantize_iq4_nl(void *y, const float *x, size_t n)
{
    gol_block_iq4_nl *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        gol_fit_group group;
        gol_fit_init(&group, x, GOL_QK);
        const float extreme = gol_extreme(x, GOL_QK);
        const float candidates[] = {extreme / -127.0f, extreme / 113.0f, iq4_scale(&group)};
        float d = gol_fit_f16(candidates[0]);
        float best = iq4_error(&group, d);
        for (int k = 1; k < 3; k++) {
            const float error = iq4_error(&group, gol_fit_f16(candidates[k]));
            if (error < best) {
                best = error;
                d = gol_fit_f16(candidates[k]);
            }
        }
        uint8_t codes[GOL_QK];
        iq4_codes(codes, x, d);
        block->d = gol_f32_to_f16(d);
        pack_nibbles(block->qs, codes);
    }
}

typedef struct xs_plan {
    float d; /* as a reader gets it */
    int scales[XS_GROUPS];
    float error;
} xs_plan;

/* Each group's best whole number among `reach` on both sides of the one it has. */
static void xs_try_neighbours(xs_plan *plan, const gol_fit_group groups[XS_GROUPS], int reach)
{
    plan->error = 0;
    for (int g = 0; g < XS_GROUPS; g++) {
        const int scale = plan->scales[g];
        float best = iq4_error(&groups[g], plan->d * (float)scale);
        for (int near = scale - reach; near <= scale + reach; near++) {
            if (near == scale || near < XS_SCALE_LOW || near > -XS_SCALE_LOW - 1)
                continue;
            const float error = iq4_error(&groups[g], plan->d * (float)near);
            if (error < best) {
                best = error;
                plan->scales[g] = near;
            }
        }
        plan->error += best;
    }
}

static void xs_from_scales(xs_plan *plan, const gol_fit_group groups[XS_GROUPS],
                           const float scales[XS_GROUPS], int reach)
{
    plan->d = gol_fit_f16(gol_extreme(scales, XS_GROUPS) / (float)XS_SCALE_LOW);
    for (int g = 0; g < XS_GROUPS; g++)
        plan->scales[g] = (int)gol_fit_code(scales[g], gol_inverse(plan->d), (float)XS_SCALE_LOW,
                                            (float)(-XS_SCALE_LOW - 1));
    xs_try_neighbours(plan, groups, reach);
}

static void xs_follow_codes(xs_plan *plan, const gol_fit_group groups[XS_GROUPS])
{
    double aa = 0, ax = 0; /* a = scale * level */
    for (int g = 0; g < XS_GROUPS; g++) {
        const double scale = plan->scales[g];
        float wxq, wqq;
        iq4_sums(&wxq, &wqq, &groups[g], gol_inverse(plan->d * (float)plan->scales[g]));
        aa += scale * scale * (double)wqq;
        ax += scale * (double)wxq;
    }
    if (aa > 0)
        plan->d = gol_fit_f16((float)(ax / aa));
}

static void xs_plan_block(xs_plan *best, const float x[GOL_QK_K])
{
    gol_fit_group groups[XS_GROUPS];
    float scales[XS_GROUPS];
    for (int g = 0; g < XS_GROUPS; g++) {
        gol_fit_init(&groups[g], x + GOL_QK * g, GOL_QK);
        scales[g] = gol_extreme(x + GOL_QK * g, GOL_QK) / (float)gol_iq4_levels[0];
    }
    xs_from_scales(best, groups, scales, 0);
    if (!(best->error > 0.0f))
        return;
    xs_plan plan;
    for (int g = 0; g < XS_GROUPS; g++)
        scales[g] = iq4_scale(&groups[g]);
    xs_from_scales(&plan, groups, scales, 1);
    if (plan.error < best->error)
        *best = plan;
    xs_follow_codes(&plan, groups);
    xs_try_neighbours(&plan, groups, 1);
    if (plan.error < best->error)
        *best = plan;
}

void gol_quantize_iq4_xs(void *y, const float *x, size_t n)
{
    gol_block_iq4_xs *block = y;
    for (size_t b = 0; b < n / GOL_QK_K; b++, block++, x += GOL_QK_K) {
        xs_plan plan;
        xs_plan_block(&plan, x);
        uint16_t scales_h = 0;
        memset(block->scales_l, 0, sizeof block->scales_l);
        for (int g = 0; g < XS_GROUPS; g++) {
            const int bits = plan.scales[g] - XS_SCALE_LOW;
            uint8_t codes[GOL_QK];
            iq4_codes(codes, x + GOL_QK * g, plan.d * (float)plan.scales[g]);
            block->scales_l[g / 2] |= (uint8_t)((bits & 15) << 4 * (g % 2));
            scales_h = (uint16_t)(scales_h | (bits >> 4) << 2 * g);
            pack_nibbles(block->qs + 16 * g, codes);
        }
        block->d = gol_f32_to_f16(plan.d);
        block->scales_h = scales_h;
    }
}

/* Midpoints of the levels 0 1 2 3 4 6 8 12; bit 3 of a code is the sign. */
static int nearest_mxfp4(float value)
{
    static const float midpoints[7] = {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f};
    int code = 0;
    for (int k = 0; k < 7; k++)
        code += fabsf(value) > midpoints[k];
    return code > 0 && value < 0.0f ? code | 8 : code;
}

/* codes[32] in units of 2^(e - 128), and the plain error in squares of that unit. */
static float mxfp4_codes(uint8_t codes[GOL_QK], const float x[GOL_QK], int e)
{
    const float inverse = gol_f32_from_bits((uint32_t)(255 - e) << 23); /* 2^(128 - e) */
    float error[GOL_QK];
    for (int i = 0; i < GOL_QK; i++) {
        const float value = x[i] * inverse;
        codes[i] = (uint8_t)nearest_mxfp4(value);
        const float off = value - (float)gol_mxfp4_levels[codes[i]];
        error[i] = off * off;
    }
    return gol_fit_sum(error, GOL_QK);
}

/* The scale is a power of two: the one that puts the farthest element at 8 to 16 units (12 is the last level), the one
 * above and the one below are tried. */
void gol_quantize_mxfp4(void *y, const float *x, size_t n)
{
    gol_block_mxfp4 *block = y;
    for (size_t b = 0; b < n / GOL_QK; b++, block++, x += GOL_QK) {
        const float farthest = gol_fit_farthest(x, GOL_QK);
        int exponent;
        (void)frexpf(farthest, &exponent); /* farthest = 0.5 .. 1 times 2^exponent */
        memset(block, 0, sizeof *block);
        if (farthest == 0.0f)
            continue;
        float best = 0.0f;
        for (int k = 0; k < 3; k++) {
            const int e = gol_clamp_int(exponent - 3 - k + 128, 1, 254);
            uint8_t codes[GOL_QK];
            /* In squares of the first unit. */
            const float error = mxfp4_codes(codes, x, e) * (k == 0   ? 1.0f
                                                            : k == 1 ? 0.25f
                                                                     : 0.0625f);
            if (k > 0 && error >= best)
                continue;
            best = error;
            block->e = (uint8_t)e;
            pack_nibbles(block->qs, codes);
        }
    }
}
