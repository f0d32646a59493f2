/*
 * The inner loops of attention in plain C: scores of some keys, mix of their values, exponentials, and the cache's number
 * format.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/widen.h"

void gol_kv_store_f16_c(void *dst, const float *src, size_t n)
{
    uint16_t *out = dst;
    for (size_t i = 0; i < n; i++)
        out[i] = gol_f32_to_f16(src[i]);
}

void gol_kv_store_f32_c(void *dst, const float *src, size_t n)
{
    memcpy(dst, src, n * sizeof *src);
}

void gol_attn_scores_f32_c(float *scores, const float *q, const void *k, float scale, size_t n_keys,
                           size_t dim)
{
    const float *keys = k;
    for (size_t j = 0; j < n_keys; j++)
        scores[j] = scale * gol_lanes_dot(q, keys + j * dim, dim);
}

/* gol_lanes_dot() with numbers widened on the way. */
void gol_attn_scores_f16_c(float *scores, const float *q, const void *k, float scale, size_t n_keys,
                           size_t dim)
{
    for (size_t j = 0; j < n_keys; j++) {
        const uint16_t *key = (const uint16_t *)k + j * dim;
        float lanes[GOL_LANES] = {0};
        size_t i = 0;
        for (; i + GOL_LANES <= dim; i += GOL_LANES)
            for (size_t l = 0; l < GOL_LANES; l++)
                lanes[l] += q[i + l] * gol_widen_f16(key[i + l]);
        for (size_t l = 0; i + l < dim; l++)
            lanes[l] += q[i + l] * gol_widen_f16(key[i + l]);
        scores[j] = scale * gol_lanes_sum(lanes);
    }
}

void gol_attn_mix_f32_c(float *out, float keep, const float *p, const void *v, size_t n_keys,
                        size_t dim)
{
    for (size_t d = 0; d < dim; d++)
        out[d] *= keep;
    for (size_t j = 0; j < n_keys; j++) {
        const float *value = (const float *)v + j * dim;
        for (size_t d = 0; d < dim; d++)
            out[d] += p[j] * value[d];
    }
}

void gol_attn_mix_f16_c(float *out, float keep, const float *p, const void *v, size_t n_keys,
                        size_t dim)
{
    for (size_t d = 0; d < dim; d++)
        out[d] *= keep;
    for (size_t j = 0; j < n_keys; j++) {
        const uint16_t *value = (const uint16_t *)v + j * dim;
        for (size_t d = 0; d < dim; d++)
            out[d] += p[j] * gol_widen_f16(value[d]);
    }
}

float gol_exp_sum_f32_c(float *x, float max, size_t n)
{
    float lanes[GOL_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        x[i] = expf(x[i] - max);
        lanes[i % GOL_LANES] += x[i];
    }
    return gol_lanes_sum(lanes);
}
