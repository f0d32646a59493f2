/*
 * Arithmetic over a row of logits: is it finite, its maximum, exponentials and their sum. No libm in the loops, and the same bits at
 * every CPU level: they depend on the row alone.
 */
#ifndef GOL_ENGINE_SOFTMAX_H
#define GOL_ENGINE_SOFTMAX_H

#include <stdbool.h>
#include <stdint.h>

enum { GOL_ROW_BLOCK = 256 };
static const float gol_depth_max = 87.0f; /* e^-87 is where float's normal range ends */

static inline int32_t gol_row_n_blocks(int32_t n)
{
    return (n - 1) / GOL_ROW_BLOCK + 1;
}

/* The loops, n >= 1. Several are one pass over the row for two results: the row comes from a far cache. */
typedef struct gol_row_loops {
    /* block_max[gol_row_n_blocks(n)]: the greatest of each block. False: some x is not finite; block_max is then undefined, unless
     * the only such are -infinity. */
    bool (*scan)(float *block_max, const float *x, int32_t n);
    /* out[i] = (max - x[i]) / temperature: how far below the most likely one, >= 0, +infinity allowed. In place is fine. */
    void (*depths)(float *out, const float *x, int32_t n, float max, float temperature);
    /* out[i] = exp(-depths[i]) within 2 ulp; 0 from gol_depth_max on. In place is fine. */
    void (*exp)(float *out, const float *depths, int32_t n);
    double (*sum)(const float *x, int32_t n); /* in double, in a fixed order */
    /* out = exp of depths; sums[gol_row_n_blocks(n)] of each block. */
    void (*weights)(float *out, double *sums, const float *x, int32_t n, float max,
                    float temperature);
    /* sum() of those, which are not kept. */
    double (*sum_weights)(const float *x, int32_t n, float max, float temperature);
    /* ids of x[i] >= min, ascending; returns how many. ids has room for n. */
    int32_t (*collect)(int32_t *ids, const float *x, const float *block_max, int32_t n, float min);
    /* Mean and variance (of the whole population) of max - x[i], for those that are not -infinity, of which there is at least one;
     * returns how many. */
    int32_t (*moments)(double *mean, double *variance, const float *x, int32_t n, float max);
} gol_row_loops;

/* Those of gol_cpu_get(). */
const gol_row_loops *gol_row_loops_get(void);

extern const gol_row_loops gol_row_loops_c, gol_row_loops_avx2, gol_row_loops_avx512;

#endif
