/*
 * The inner loops of attention in plain C. Numbers of the cache are widened a piece at a time and then used for all rows of the
 * tile. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/c/vec_math_c.h"
#include "backend/cpu/kernels/widen.h"

enum {
    LANES = GOL_ATTN_LANES,
    ROWS = GOL_ATTN_ROWS,
    STRIDE = GOL_ATTN_STRIDE,
    PIECE = GOL_QK, /* dimensions widened at a time */
};

/* out[n_dims][LANES]: dimensions [first, first + n_dims) of a panel, within a piece. */
static inline const float *widen_panel(float *out, const uint8_t *panel, size_t first,
                                       size_t n_dims, gol_kv_type type)
{
    const size_t n = n_dims * LANES;
    if (type == GOL_KV_F32)
        return (const float *)(const void *)panel + first * LANES;
    if (type == GOL_KV_Q8_0) {
        const gol_kv_panel_q8_0 *block = (const gol_kv_panel_q8_0 *)(const void *)panel +
                                         first / PIECE;
        for (size_t l = 0; l < LANES; l++) {
            const float d = gol_widen_f16(block->d[l]);
            for (size_t i = 0; i < n_dims; i++)
                out[i * LANES + l] = d * (float)block->qs[i][l];
        }
        return out;
    }
    const uint16_t *halves = (const uint16_t *)(const void *)panel + first * LANES;
    for (size_t i = 0; i < n; i++)
        out[i] = type == GOL_KV_F16 ? gol_widen_f16(halves[i]) : gol_bf16_to_f32(halves[i]);
    return out;
}

/* out[n_dims]: dimensions [first, first + n_dims) of a value row, within a piece. */
static inline const float *widen_value(float *out, const uint8_t *row, size_t first, size_t n_dims,
                                       gol_kv_type type)
{
    if (type == GOL_KV_F32)
        return (const float *)(const void *)row + first;
    if (type == GOL_KV_Q8_0) {
        gol_block_q8_0 block;
        memcpy(&block, row + first / PIECE * sizeof block, sizeof block);
        const float d = gol_widen_f16(block.d);
        for (size_t i = 0; i < n_dims; i++)
            out[i] = d * (float)block.qs[i];
        return out;
    }
    const uint16_t *halves = (const uint16_t *)(const void *)row + first;
    for (size_t i = 0; i < n_dims; i++)
        out[i] = type == GOL_KV_F16 ? gol_widen_f16(halves[i]) : gol_bf16_to_f32(halves[i]);
    return out;
}

static inline void score(const gol_attn_tile *tile, gol_kv_type type)
{
    for (size_t i = 0; i < tile->n_panels; i++) {
        float sums[ROWS][LANES] = {{0}};
        for (size_t first = 0; first < tile->dim_k; first += PIECE) {
            const size_t n = tile->dim_k - first < PIECE ? tile->dim_k - first : PIECE;
            float buffer[PIECE * LANES];
            const float *k = widen_panel(buffer, tile->panels[i], first, n, type);
            const float *q = tile->q + first * ROWS;
            for (size_t r = 0; r < tile->n_rows; r++)
                for (size_t d = 0; d < n; d++)
                    for (size_t l = 0; l < LANES; l++)
                        sums[r][l] += q[d * ROWS + r] * k[d * LANES + l];
        }
        for (size_t r = 0; r < tile->n_rows; r++)
            memcpy(tile->scores + (ptrdiff_t)(r * STRIDE) + tile->panel_pos[i], sums[r],
                   sizeof sums[r]);
    }
}

static inline void mix(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                       size_t begin, size_t end, gol_kv_type type)
{
    const float *p = tile->scores + first_row * STRIDE;
    for (size_t first = 0; first < tile->dim_v; first += PIECE) {
        const size_t n = tile->dim_v - first < PIECE ? tile->dim_v - first : PIECE;
        for (size_t j = begin; j < end; j++) {
            float buffer[PIECE];
            const float *v = widen_value(buffer, tile->values[j], first, n, type);
            for (size_t r = 0; r < n_rows; r++) {
                float *out = acc + (first_row + r) * tile->dim_v + first;
                for (size_t d = 0; d < n; d++)
                    out[d] += p[r * STRIDE + j] * v[d];
            }
        }
    }
}

void gol_attn_scores_f16_c(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F16);
}

void gol_attn_scores_f32_c(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F32);
}

void gol_attn_scores_bf16_c(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_BF16);
}

void gol_attn_scores_q8_0_c(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_Q8_0);
}

void gol_attn_mix_f16_c(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                        size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F16);
}

void gol_attn_mix_f32_c(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                        size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F32);
}

void gol_attn_mix_bf16_c(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                         size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_BF16);
}

void gol_attn_mix_q8_0_c(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                         size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_Q8_0);
}

float gol_softmax_f32_c(float *max, float *x, size_t n)
{
    float greatest = x[0];
    for (size_t i = 1; i < n; i++)
        greatest = x[i] > greatest ? x[i] : greatest;
    float lanes[GOL_LANES] = {0};
    for (size_t i = 0; i < n; i += GOL_LANES) {
        for (size_t l = 0; l < GOL_LANES; l++) {
            x[i + l] = gol_exp_c(x[i + l] - greatest);
            lanes[l] += x[i + l];
        }
    }
    *max = greatest;
    return gol_lanes_sum(lanes);
}

void gol_attn_merge_f32_c(float *acc, float keep, const float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc[i] = acc[i] * keep + x[i] * factor;
}
