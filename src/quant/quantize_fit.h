/*
 * Inside the quant layer: fitting scales to floats by weighted least squares. A group is n elements (16 or 32) that
 * share a scale; its codes are whole numbers, kept as floats while they are searched for.
 *
 * For given codes the best scale (and offset) has a closed form; for a given scale the best codes are the nearest ones.
 * A fit takes both steps from several starting points, because each step alone only finds the nearest valley.
 *
 * Weights: an element's error counts with rms + |x|, rms being the group's root mean square. Large weights carry most of
 * a product, so that a little favour for them costs plain error hardly anything.
 *
 * Every pass is a loop over elements that depend on nothing else, then a sum by halves: the same bits on every machine,
 * and compilers can use vectors.
 */
#ifndef GOL_QUANT_QUANTIZE_FIT_H
#define GOL_QUANT_QUANTIZE_FIT_H

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "quant/half.h"

enum { GOL_FIT_N_MAX = 32 };

#define GOL_FIT_F16_MAX 65504.0f

/* Below this every scale is zero in binary16 (its smallest number is 2^-24), so the values are too. */
#define GOL_FIT_TINY 0x1p-25f

/* The elements of a group with what the sums over them need. */
typedef struct gol_fit_group {
    const float *x; /* [n] */
    float w[GOL_FIT_N_MAX];
    float wx[GOL_FIT_N_MAX]; /* w * x */
    float sum_w;
    float sum_wx;
} gol_fit_group;

/* value = scale * code + base */
typedef struct gol_fit_line {
    float scale;
    float base;
} gol_fit_line;

/* Nearest whole number, halves to even, for |x| < 2^22: adding 1.5 * 2^23 leaves no bits for a fraction. */
static inline float gol_fit_round(float x)
{
    return (x + 12582912.0f) - 12582912.0f;
}

/* low first: NaN becomes low. */
static inline float gol_fit_clamp(float x, float low, float high)
{
    const float above = x > low ? x : low;
    return above < high ? above : high;
}

static inline float gol_fit_code(float x, float inverse, float low, float high)
{
    /* Clamped before rounding too: rounding holds for small numbers only. */
    return gol_fit_round(gol_fit_clamp(x * inverse, low, high));
}

/* The sum of t[n], n = 16 or 32; overwrites t. */
static inline float gol_fit_sum(float t[GOL_FIT_N_MAX], int n)
{
    assert(n == 16 || n == 32);
    if (n == 32) {
        for (int i = 0; i < 16; i++)
            t[i] += t[i + 16];
    }
    for (int i = 0; i < 8; i++)
        t[i] += t[i + 8];
    return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
}

/* A scale as a reader gets it: binary16, never infinite. */
static inline float gol_fit_f16(float scale)
{
    return gol_f16_to_f32(gol_f32_to_f16(gol_fit_clamp(scale, -GOL_FIT_F16_MAX, GOL_FIT_F16_MAX)));
}

static inline float gol_fit_farthest(const float *x, size_t n)
{
    float farthest = 0.0f;
    for (size_t i = 0; i < n; i++)
        farthest = fabsf(x[i]) > farthest ? fabsf(x[i]) : farthest;
    return farthest;
}

static inline void gol_fit_init(gol_fit_group *group, const float *x, int n)
{
    float t[GOL_FIT_N_MAX];
    for (int i = 0; i < n; i++)
        t[i] = x[i] * x[i];
    const float rms = sqrtf(gol_fit_sum(t, n) / (float)n);
    for (int i = 0; i < n; i++) {
        group->w[i] = rms + fabsf(x[i]);
        group->wx[i] = group->w[i] * x[i];
    }
    group->x = x;
    memcpy(t, group->w, (size_t)n * sizeof *t);
    group->sum_w = gol_fit_sum(t, n);
    memcpy(t, group->wx, (size_t)n * sizeof *t);
    group->sum_wx = gol_fit_sum(t, n);
}

/* q[n] = codes cut at low, not yet at high: a loop with both cuts is no vector loop any more. */
static inline void gol_fit_codes_from(float q[GOL_FIT_N_MAX], const float *x, int n, float inverse,
                                      float base, float low)
{
    for (int i = 0; i < n; i++) {
        const float code = gol_fit_round((x[i] - base) * inverse);
        q[i] = code > low ? code : low;
    }
}

/* Sums over the codes that a scale and base give: w q, w q^2, w x q. */
typedef struct gol_fit_sums {
    float wq;
    float wqq;
    float wxq;
} gol_fit_sums;

static inline gol_fit_sums gol_fit_sum_codes(const gol_fit_group *group, int n, float inverse,
                                             float base, float low, float high)
{
    float wq[GOL_FIT_N_MAX];
    float wqq[GOL_FIT_N_MAX];
    float wxq[GOL_FIT_N_MAX];
    float t[GOL_FIT_N_MAX];
    gol_fit_codes_from(t, group->x, n, inverse, base, low);
    for (int i = 0; i < n; i++) {
        const float q = t[i] < high ? t[i] : high;
        wq[i] = group->w[i] * q;
        wqq[i] = group->w[i] * q * q;
        wxq[i] = group->wx[i] * q;
    }
    return (gol_fit_sums){gol_fit_sum(wq, n), gol_fit_sum(wqq, n), gol_fit_sum(wxq, n)};
}

/* Weighted error of the group when it is written with this line. */
static inline float gol_fit_error(const gol_fit_group *group, int n, gol_fit_line line, float low,
                                  float high)
{
    const float inverse = fabsf(line.scale) < 0x1p-126f ? 0.0f : 1.0f / line.scale;
    float error[GOL_FIT_N_MAX];
    gol_fit_codes_from(error, group->x, n, inverse, line.base, low);
    for (int i = 0; i < n; i++) {
        const float q = error[i] < high ? error[i] : high;
        const float off = group->x[i] - (line.scale * q + line.base);
        error[i] = group->w[i] * off * off;
    }
    return gol_fit_sum(error, n);
}

/* q[n] = the codes with this line. */
static inline void gol_fit_codes(uint8_t *q, const float *x, int n, gol_fit_line line, float low,
                                 float high)
{
    const float inverse = fabsf(line.scale) < 0x1p-126f ? 0.0f : 1.0f / line.scale;
    for (int i = 0; i < n; i++)
        q[i] = (uint8_t)(gol_fit_code(x[i] - line.base, inverse, low, high) - low);
}

/*
 * The best scale (base 0) for codes low .. high, low < 0. Starts map the farthest element to codes around `low`, from
 * one step inside to one outside; then the scale follows its codes.
 */
static inline float gol_fit_scale(const gol_fit_group *group, int n, float low, float high)
{
    enum { N_STARTS = 13 };
    float extreme = 0.0f;
    for (int i = 0; i < n; i++)
        extreme = fabsf(group->x[i]) > fabsf(extreme) ? group->x[i] : extreme;
    if (fabsf(extreme) < GOL_FIT_TINY)
        return 0.0f;
    float best_scale = extreme / low;
    float best_gain = 0.0f; /* how much of the error of writing zeros goes away */
    for (int start = 0; start < N_STARTS; start++) {
        float inverse = (low + 0.15f * (float)(start - N_STARTS / 2)) / extreme;
        for (int step = 0; step < 2; step++) {
            const gol_fit_sums s = gol_fit_sum_codes(group, n, inverse, 0.0f, low, high);
            const float scale = s.wqq > 0.0f ? s.wxq / s.wqq : 0.0f;
            if (scale * s.wxq > best_gain) {
                best_gain = scale * s.wxq;
                best_scale = scale;
            }
            if (scale == 0.0f)
                break;
            inverse = 1.0f / scale;
        }
    }
    return best_scale;
}

/* Line through the codes that minimizes the weighted error; base at most base_max. */
static inline gol_fit_line gol_fit_solve(const gol_fit_group *group, gol_fit_sums s, float base_max)
{
    const float determinant = group->sum_w * s.wqq - s.wq * s.wq;
    gol_fit_line line = {0.0f, 0.0f};
    if (determinant > 0.0f) {
        line.scale = (group->sum_w * s.wxq - group->sum_wx * s.wq) / determinant;
        line.base = (s.wqq * group->sum_wx - s.wq * s.wxq) / determinant;
    }
    if (!(determinant > 0.0f) || line.base > base_max) {
        line.base = base_max;
        line.scale = s.wqq > 0.0f ? (s.wxq - base_max * s.wq) / s.wqq : 0.0f;
    }
    return line;
}

/*
 * The best line for codes 0 .. n_steps, base at most base_max (0 for types that store what to subtract, FLT_MAX for free
 * ones). Starts map the range to a bit less or more than the codes.
 */
static inline gol_fit_line gol_fit_line_search(const gol_fit_group *group, int n, float n_steps,
                                               float base_max)
{
    enum { N_STARTS = 9 };
    float low = group->x[0] < base_max ? group->x[0] : base_max;
    float high = group->x[0];
    for (int i = 1; i < n; i++) {
        low = group->x[i] < low ? group->x[i] : low;
        high = group->x[i] > high ? group->x[i] : high;
    }
    gol_fit_line best = {(high - low) / n_steps, low};
    if (high - low < GOL_FIT_TINY)
        return best;
    float best_error = gol_fit_error(group, n, best, 0.0f, n_steps);
    for (int start = 0; start < N_STARTS && best_error > 0.0f; start++) {
        const float reach = n_steps + 0.3f * (float)(start - 6);
        gol_fit_line line = {(high - low) / reach, low};
        for (int step = 0; step < 3 && line.scale > 0.0f; step++) {
            const gol_fit_sums s = gol_fit_sum_codes(group, n, 1.0f / line.scale, line.base, 0.0f,
                                                     n_steps);
            line = gol_fit_solve(group, s, base_max);
        }
        const float error = gol_fit_error(group, n, line, 0.0f, n_steps);
        if (line.scale > 0.0f && error < best_error) {
            best_error = error;
            best = line;
        }
    }
    return best;
}

#endif
