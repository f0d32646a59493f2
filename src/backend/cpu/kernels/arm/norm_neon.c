/*
 * Norms of one row with NEON. Sums run in double, in 4 x 2 lanes that are joined as a tree, then what does not fill all
 * lanes one by one: the order depends on the length of the row alone.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <math.h>

enum { N_LANES = 2, STEP = 4 * N_LANES };

/* Elements 0 and 1 of a row. */
static inline float64x2_t widen(const float *x)
{
    return vcvt_f64_f32(vld1_f32(x));
}

static inline double total(const float64x2_t sums[4])
{
    double lanes[N_LANES];
    vst1q_f64(lanes, vaddq_f64(vaddq_f64(sums[0], sums[2]), vaddq_f64(sums[1], sums[3])));
    return lanes[0] + lanes[1];
}

static double sum(const float *x, size_t n)
{
    float64x2_t sums[4] = {vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0)};
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        for (size_t k = 0; k < 4; k++)
            sums[k] = vaddq_f64(sums[k], widen(x + i + k * N_LANES));
    double s = total(sums);
    for (; i < n; i++)
        s += (double)x[i];
    return s;
}

/* Sum of (x - mean)^2. */
static inline double sum_squares(const float *x, double mean, size_t n)
{
    float64x2_t sums[4] = {vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0), vdupq_n_f64(0.0)};
    size_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        for (size_t k = 0; k < 4; k++) {
            const float64x2_t d = vsubq_f64(widen(x + i + k * N_LANES), vdupq_n_f64(mean));
            sums[k] = vfmaq_f64(sums[k], d, d);
        }
    }
    double s = total(sums);
    for (; i < n; i++)
        s += ((double)x[i] - mean) * ((double)x[i] - mean);
    return s;
}

void gol_rms_norm_f32_neon(float *out, const float *x, const float *w, float eps, size_t n)
{
    const float scale = (float)(1.0 / sqrt(sum_squares(x, 0.0, n) / (double)n + (double)eps));
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(out + i, vmulq_f32(vmulq_n_f32(vld1q_f32(x + i), scale), vld1q_f32(w + i)));
    for (; i < n; i++)
        out[i] = x[i] * scale * w[i];
}

void gol_layer_norm_f32_neon(float *out, const float *x, const float *w, const float *b, float eps,
                             size_t n)
{
    const double mean = sum(x, n) / (double)n;
    const float scale = (float)(1.0 / sqrt(sum_squares(x, mean, n) / (double)n + (double)eps));
    size_t i = 0;
    for (; i + N_LANES <= n; i += N_LANES) {
        const float32x2_t d = vcvt_f32_f64(vsubq_f64(widen(x + i), vdupq_n_f64(mean)));
        const float32x2_t y = vmul_f32(vmul_n_f32(d, scale), vld1_f32(w + i));
        vst1_f32(out + i, b ? vadd_f32(y, vld1_f32(b + i)) : y);
    }
    for (; i < n; i++) {
        const float y = (float)((double)x[i] - mean) * scale * w[i];
        out[i] = b ? y + b[i] : y;
    }
}
