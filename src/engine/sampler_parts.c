/* From a row to candidates and from candidates to one of them: what every way of sampling uses. */
#include "engine/sampler_parts.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/softmax.h"

int32_t gol_sampler_find_max_block(const gol_sampler *s)
{
    const int32_t n_blocks = gol_row_n_blocks(s->n_vocab);
    int32_t best = 0;
    for (int32_t b = 1; b < n_blocks; b++)
        best = s->block_max[b] > s->block_max[best] ? b : best;
    return best;
}

int32_t gol_sampler_find_max(const gol_sampler *s, const float *row)
{
    const int32_t block = gol_sampler_find_max_block(s);
    int32_t i = block * GOL_ROW_BLOCK;
    while (row[i] != s->block_max[block])
        i++;
    return i;
}

/* The k-th greatest of x[n], which is reordered: Hoare's selection, "Algorithm 65: Find" (1961). k from 1. */
static float find_kth(float *x, int32_t n, int32_t k)
{
    int32_t low = 0;
    int32_t high = n - 1;
    while (low < high) {
        const float pivot = x[low + (high - low) / 2];
        int32_t i = low;
        int32_t j = high;
        while (i <= j) {
            while (x[i] > pivot)
                i++;
            while (x[j] < pivot)
                j--;
            if (i <= j) {
                const float swapped = x[i];
                x[i++] = x[j];
                x[j--] = swapped;
            }
        }
        if (k - 1 <= j)
            high = j;
        else if (k - 1 >= i)
            low = i;
        else
            break;
    }
    return x[k - 1];
}

float gol_sampler_least_of(gol_sampler *s, int32_t k)
{
    assert(k >= 1);
    const int32_t n_blocks = gol_row_n_blocks(s->n_vocab);
    if (k > n_blocks)
        return -INFINITY;
    /* That many blocks have a logit this great. */
    float *maxima = s->candidates.depths;
    memcpy(maxima, s->block_max, (size_t)n_blocks * sizeof *maxima);
    return find_kth(maxima, n_blocks, k);
}

float gol_sampler_bound(float max, double depth_max, float temperature)
{
    const double x = (double)max - depth_max * (double)temperature;
    const double bound = x - (fabs(x) + fabs((double)max)) * 1e-6;
    return bound > (double)-FLT_MAX ? (float)bound : -INFINITY;
}

void gol_sampler_gather(gol_sampler *s, const float *row, float max, float temperature, float least)
{
    gol_candidates *c = &s->candidates;
    c->n = s->loops->collect(c->ids, row, s->block_max, s->n_vocab, least);
    for (int32_t i = 0; i < c->n; i++)
        c->depths[i] = row[c->ids[i]];
    s->loops->depths(c->depths, c->depths, c->n, max, temperature);
}

/* Where the running sum passes u * total. */
int32_t gol_sampler_draw_index(const gol_sampler *s, const float *weights, int32_t n, double u)
{
    const double *sums = s->sums;
    const int32_t n_sums = gol_row_n_blocks(n);
    double total = 0;
    for (int32_t b = 0; b < n_sums; b++)
        total += sums[b];
    const double target = u * total;

    double below = 0;
    int32_t block = 0;
    while (block < n_sums - 1 && below + sums[block] <= target)
        below += sums[block++];
    /* The block's elements may sum to a rounding error less than its sum, and the last blocks may hold zeros only: then it
     * is the last candidate of weight before that point. */
    const int32_t end = (block + 1) * GOL_ROW_BLOCK < n ? (block + 1) * GOL_ROW_BLOCK : n;
    int32_t i = block * GOL_ROW_BLOCK;
    for (; i < end; i++) {
        below += (double)weights[i];
        if (below > target)
            return i;
    }
    do
        i--;
    while (weights[i] == 0.0f);
    return i;
}

int32_t gol_sampler_draw_candidate(gol_sampler *s, double u)
{
    const gol_candidates *c = &s->candidates;
    for (int32_t begin = 0; begin < c->n; begin += GOL_ROW_BLOCK) {
        const int32_t n = c->n - begin < GOL_ROW_BLOCK ? c->n - begin : GOL_ROW_BLOCK;
        s->sums[begin / GOL_ROW_BLOCK] = s->loops->sum(c->weights + begin, n);
    }
    return gol_sampler_draw_index(s, c->weights, c->n, u);
}
