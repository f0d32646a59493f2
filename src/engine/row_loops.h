/*
 * The loops over a row of logits, in plain C that compilers turn into vector code. row_loops_c.c, row_loops_avx2.c and
 * row_loops_avx512.c compile these same lines for three instruction sets. Products are never fused with sums, and reductions keep
 * their partial results in lanes that are joined in order, so all three give the same bits.
 */
#ifndef GOL_ENGINE_ROW_LOOPS_H
#define GOL_ENGINE_ROW_LOOPS_H

#include <math.h>
#include <string.h>

#include "engine/softmax.h"

enum {
    SUM_LANES = 8,
    SCAN_LANES = 32,
    COLLECT_STEP = 32, /* tested together: most hold nothing that is wanted */
};

static inline int32_t block_end(int32_t begin, int32_t n)
{
    return n - begin < GOL_ROW_BLOCK ? n : begin + GOL_ROW_BLOCK;
}

/* A number times 0 is 0, unless it is infinite or a NaN. */
static inline bool scan(float *block_max, const float *x, int32_t n)
{
    float zeros[SCAN_LANES] = {0};
    float rest = 0.0f;
    for (int32_t begin = 0; begin < n; begin += GOL_ROW_BLOCK) {
        const int32_t end = block_end(begin, n);
        float lanes[SCAN_LANES];
        for (int32_t j = 0; j < SCAN_LANES; j++)
            lanes[j] = x[begin];
        int32_t i = begin;
        for (; i + SCAN_LANES <= end; i += SCAN_LANES) {
            for (int32_t j = 0; j < SCAN_LANES; j++) {
                lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
                zeros[j] += x[i + j] * 0.0f;
            }
        }
        float max = x[begin];
        for (int32_t j = 0; j < SCAN_LANES; j++)
            max = lanes[j] > max ? lanes[j] : max;
        for (; i < end; i++) {
            max = x[i] > max ? x[i] : max;
            rest += x[i] * 0.0f;
        }
        block_max[begin / GOL_ROW_BLOCK] = max;
    }
    for (int32_t j = 0; j < SCAN_LANES; j++)
        rest += zeros[j];
    return rest == 0.0f;
}

static inline void find_depths(float *out, const float *x, int32_t n, float max, float temperature)
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
    const uint32_t depth_max_bits = 0x42ae0000; /* GOL_DEPTH_MAX */
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

static inline void find_exp(float *out, const float *depths, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = exp_of_minus(depths[i]);
}

/* lanes[j] += x[i] for i = j, j + 8, ...; n is a multiple of SUM_LANES. */
static inline void add_to_lanes(double *lanes, const float *x, int32_t n)
{
    for (int32_t i = 0; i < n; i += SUM_LANES)
        for (int32_t j = 0; j < SUM_LANES; j++)
            lanes[j] += (double)x[i + j];
}

static inline double join_lanes(const double *lanes, const float *rest, int32_t n_rest)
{
    double sum = 0;
    for (int32_t j = 0; j < SUM_LANES; j++)
        sum += lanes[j];
    for (int32_t i = 0; i < n_rest; i++)
        sum += (double)rest[i];
    return sum;
}

static inline double find_sum(const float *x, int32_t n)
{
    double lanes[SUM_LANES] = {0};
    const int32_t n_whole = n - n % SUM_LANES;
    add_to_lanes(lanes, x, n_whole);
    return join_lanes(lanes, x + n_whole, n - n_whole);
}

static inline void find_weights(float *out, double *sums, const float *x, int32_t n, float max,
                                float temperature)
{
    for (int32_t begin = 0; begin < n; begin += GOL_ROW_BLOCK) {
        const int32_t n_block = block_end(begin, n) - begin;
        find_depths(out + begin, x + begin, n_block, max, temperature);
        find_exp(out + begin, out + begin, n_block);
        sums[begin / GOL_ROW_BLOCK] = find_sum(out + begin, n_block);
    }
}

static inline double sum_weights(const float *x, int32_t n, float max, float temperature)
{
    float weights[GOL_ROW_BLOCK];
    double lanes[SUM_LANES] = {0};
    int32_t n_rest = 0;
    for (int32_t begin = 0; begin < n; begin += GOL_ROW_BLOCK) {
        const int32_t n_block = block_end(begin, n) - begin;
        find_depths(weights, x + begin, n_block, max, temperature);
        find_exp(weights, weights, n_block);
        n_rest = n_block % SUM_LANES; /* only of the last block */
        add_to_lanes(lanes, weights, n_block - n_rest);
        memmove(weights, weights + n_block - n_rest, (size_t)n_rest * sizeof *weights);
    }
    return join_lanes(lanes, weights, n_rest);
}

static inline int32_t collect(int32_t *ids, const float *x, const float *block_max, int32_t n,
                              float min)
{
    int32_t n_ids = 0;
    for (int32_t begin = 0; begin < n; begin += GOL_ROW_BLOCK) {
        if (block_max[begin / GOL_ROW_BLOCK] < min)
            continue;
        const int32_t end = block_end(begin, n);
        for (int32_t i = begin; i < end;) {
            const int32_t step = end - i < COLLECT_STEP ? end - i : COLLECT_STEP;
            int32_t n_hits = step < COLLECT_STEP;
            if (step == COLLECT_STEP)
                for (int32_t j = 0; j < COLLECT_STEP; j++)
                    n_hits += x[i + j] >= min;
            for (int32_t j = 0; n_hits > 0 && j < step; j++) {
                ids[n_ids] = i + j; /* in place for the next one when it is not wanted */
                n_ids += x[i + j] >= min;
            }
            i += step;
        }
    }
    return n_ids;
}

static inline void add_moment(double *sum, double *square, int32_t *count, float x, float max)
{
    const bool is_in = x > -INFINITY;
    const double depth = is_in ? (double)max - (double)x : 0.0;
    *sum += depth;
    *square += depth * depth;
    *count += is_in;
}

static inline int32_t find_moments(double *mean, double *variance, const float *x, int32_t n,
                                   float max)
{
    double sums[SUM_LANES] = {0};
    double squares[SUM_LANES] = {0};
    int32_t counts[SUM_LANES] = {0};
    for (int32_t i = 0; i < n; i += SUM_LANES) {
        const int32_t n_lanes = n - i < SUM_LANES ? n - i : SUM_LANES;
        if (n_lanes == SUM_LANES) /* a constant number of rounds becomes vector code */
            for (int32_t j = 0; j < SUM_LANES; j++)
                add_moment(&sums[j], &squares[j], &counts[j], x[i + j], max);
        else
            for (int32_t j = 0; j < n_lanes; j++)
                add_moment(&sums[j], &squares[j], &counts[j], x[i + j], max);
    }
    double sum = 0;
    double square = 0;
    int32_t count = 0;
    for (int32_t j = 0; j < SUM_LANES; j++) {
        sum += sums[j];
        square += squares[j];
        count += counts[j];
    }
    *mean = sum / count;
    const double v = square / count - *mean * *mean;
    *variance = v > 0 ? v : 0;
    return count;
}

#endif
