/*
 * Norms of one row in plain C. Sums run in double: a row of 16384 squares must not lose the small ones.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>

enum { N_SUMS = 8 }; /* partial sums in double, as wide as GOL_LANES in float */

static double sums_total(const double s[N_SUMS])
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

void gol_rms_norm_f32_c(float *out, const float *x, const float *w, float eps, size_t n)
{
    double sums[N_SUMS] = {0};
    for (size_t i = 0; i < n; i++)
        sums[i % N_SUMS] += (double)x[i] * (double)x[i];
    const double mean = sums_total(sums) / (double)n;
    const float scale = (float)(1.0 / sqrt(mean + (double)eps));
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * scale * w[i];
}

void gol_layer_norm_f32_c(float *out, const float *x, const float *w, const float *b, float eps,
                          size_t n)
{
    double sums[N_SUMS] = {0};
    for (size_t i = 0; i < n; i++)
        sums[i % N_SUMS] += (double)x[i];
    const double mean = sums_total(sums) / (double)n;

    double squares[N_SUMS] = {0};
    for (size_t i = 0; i < n; i++) {
        const double d = (double)x[i] - mean;
        squares[i % N_SUMS] += d * d;
    }
    const double variance = sums_total(squares) / (double)n;
    const float scale = (float)(1.0 / sqrt(variance + (double)eps));
    for (size_t i = 0; i < n; i++) {
        const float y = (float)((double)x[i] - mean) * scale * w[i];
        out[i] = b ? y + b[i] : y;
    }
}
