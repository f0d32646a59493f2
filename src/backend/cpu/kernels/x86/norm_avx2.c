/*
 * Norms of one row with AVX2 and FMA. Sums run in double, in 4 x 4 lanes that are joined as a tree, then what does not fill all
 * lanes one by one: the order depends on the length of the row alone.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <math.h>

enum { N_LANES = 4, STEP = 4 * N_LANES };

/* Elements 0 .. 3 of a row. */
static inline __m256d widen(const float *x)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(x));
}

static inline double total(const __m256d sums[4])
{
    double lanes[N_LANES];
    _mm256_storeu_pd(
        lanes, _mm256_add_pd(_mm256_add_pd(sums[0], sums[2]), _mm256_add_pd(sums[1], sums[3])));
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

static double sum(const float *x, size_t n)
{
    __m256d sums[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(),
                       _mm256_setzero_pd()};
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        for (size_t k = 0; k < 4; k++)
            sums[k] = _mm256_add_pd(sums[k], widen(x + i + k * N_LANES));
    double s = total(sums);
    for (; i < n; i++)
        s += (double)x[i];
    return s;
}

/* Sum of (x - mean)^2. */
static inline double sum_squares(const float *x, double mean, size_t n)
{
    __m256d sums[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(),
                       _mm256_setzero_pd()};
    size_t i = 0;
    for (; i + STEP <= n; i += STEP) {
        for (size_t k = 0; k < 4; k++) {
            const __m256d d = _mm256_sub_pd(widen(x + i + k * N_LANES), _mm256_set1_pd(mean));
            sums[k] = _mm256_fmadd_pd(d, d, sums[k]);
        }
    }
    double s = total(sums);
    for (; i < n; i++)
        s += ((double)x[i] - mean) * ((double)x[i] - mean);
    return s;
}

void gol_rms_norm_f32_avx2(float *out, const float *x, const float *w, float eps, size_t n)
{
    const float scale = (float)(1.0 / sqrt(sum_squares(x, 0.0, n) / (double)n + (double)eps));
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i,
                         _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(scale)),
                                       _mm256_loadu_ps(w + i)));
    for (; i < n; i++)
        out[i] = x[i] * scale * w[i];
}

void gol_layer_norm_f32_avx2(float *out, const float *x, const float *w, const float *b, float eps,
                             size_t n)
{
    const double mean = sum(x, n) / (double)n;
    const float scale = (float)(1.0 / sqrt(sum_squares(x, mean, n) / (double)n + (double)eps));
    size_t i = 0;
    for (; i + N_LANES <= n; i += N_LANES) {
        const __m128 d = _mm256_cvtpd_ps(_mm256_sub_pd(widen(x + i), _mm256_set1_pd(mean)));
        const __m128 y = _mm_mul_ps(_mm_mul_ps(d, _mm_set1_ps(scale)), _mm_loadu_ps(w + i));
        _mm_storeu_ps(out + i, b ? _mm_add_ps(y, _mm_loadu_ps(b + i)) : y);
    }
    for (; i < n; i++) {
        const float y = (float)((double)x[i] - mean) * scale * w[i];
        out[i] = b ? y + b[i] : y;
    }
}
