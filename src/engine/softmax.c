/*
 * Row arithmetic of the sampler. Reductions keep LANES partial results, element i in lane i % LANES, and join them in
 * order: the order of additions is written down here and does not depend on what the compiler makes of it.
 */
#include "engine/softmax.h"

#include <assert.h>
#include <string.h>

enum { LANES = 8 };

bool gol_row_is_finite(const float *x, int32_t n)
{
    const uint32_t exponent = 0x7f800000;
    uint32_t n_bad = 0;
    for (int32_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        n_bad += (bits & exponent) == exponent;
    }
    return n_bad == 0;
}

float gol_row_max(const float *x, int32_t n)
{
    assert(n >= 1);
    float lanes[LANES];
    for (int32_t j = 0; j < LANES; j++)
        lanes[j] = x[0];
    int32_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int32_t j = 0; j < LANES; j++)
            lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    }
    float max = x[0];
    for (int32_t j = 0; j < LANES; j++)
        max = lanes[j] > max ? lanes[j] : max;
    for (; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

int32_t gol_row_argmax(const float *x, int32_t n)
{
    const float max = gol_row_max(x, n);
    int32_t i = 0;
    while (x[i] != max)
        i++;
    return i;
}

void gol_row_depths(float *out, const float *x, int32_t n, float max, float temperature)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = (max - x[i]) / temperature + 0.0f; /* never -0, whose bits order wrongly */
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/*
 * exp(-depth) = 2^-n * exp(r) with n = round(depth / ln 2) and r = n ln 2 - depth in [-0.35, 0.35]. ln 2 is split in two
 * so that n * ln2_hi is exact (Cody and Waite); exp(r) is its Taylor polynomial of degree 7, whose rest is below 1e-8.
 */
static inline float exp_of_minus(float depth)
{
    const uint32_t depth_max_bits = 0x42ae0000; /* 87 */
    const float inv_ln2 = 1.44269504f;
    const float ln2_hi = 0.693359375f;
    const float ln2_lo = -2.12194440e-4f;
    const float round_magic = 12582912.0f; /* 1.5 * 2^23: adding it leaves no bits for a fraction */

    /* Floats >= 0 order as their bits do, so the sign of a difference of bits is the comparison. A mask instead of a branch
     * is what lets compilers use vectors. */
    const uint32_t bits = bits_of(depth);
    const uint32_t is_near = 0u - ((bits - depth_max_bits) >> 31);
    const float x = float_of((bits & is_near) | (depth_max_bits & ~is_near));
    const float n = (x * inv_ln2 + round_magic) - round_magic;
    const float r = (n * ln2_hi - x) + n * ln2_lo;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const uint32_t scale = (uint32_t)(127 - (int32_t)n) << 23; /* 2^-n, n <= 126 */
    return p * float_of(scale & is_near);
}

void gol_row_exp(float *out, const float *depths, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = exp_of_minus(depths[i]);
}

double gol_row_sum(const float *x, int32_t n)
{
    double lanes[LANES] = {0};
    int32_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int32_t j = 0; j < LANES; j++)
            lanes[j] += (double)x[i + j];
    }
    double sum = 0;
    for (int32_t j = 0; j < LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += (double)x[i];
    return sum;
}
