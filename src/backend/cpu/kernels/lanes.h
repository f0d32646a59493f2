/*
 * Partial sums of the C kernels' float reductions: lane l takes elements l, l + 16, …, and the lanes are added as a tree. The
 * order is fixed, so a sum's bits depend on its operands alone; compilers turn the lanes into vector registers without being
 * allowed to reorder anything.
 */
#ifndef GOL_BACKEND_CPU_LANES_H
#define GOL_BACKEND_CPU_LANES_H

#include <stddef.h>

/* Sixteen are four SSE registers, enough to hide the latency of an addition. */
enum { GOL_LANES = 16 };

static inline float gol_lanes_sum(const float lanes[GOL_LANES])
{
    float s[GOL_LANES / 2];
    for (int i = 0; i < 8; i++)
        s[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++)
        s[i] += s[i + 4];
    return (s[0] + s[2]) + (s[1] + s[3]);
}

/* a . b, both [n]. */
static inline float gol_lanes_dot(const float *a, const float *b, size_t n)
{
    float lanes[GOL_LANES] = {0};
    size_t i = 0;
    for (; i + GOL_LANES <= n; i += GOL_LANES)
        for (size_t l = 0; l < GOL_LANES; l++)
            lanes[l] += a[i + l] * b[i + l];
    for (size_t l = 0; i + l < n; l++)
        lanes[l] += a[i + l] * b[i + l];
    return gol_lanes_sum(lanes);
}

#endif
