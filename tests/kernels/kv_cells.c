/* The KV cache's cells for checks, see kv_cells.h. */
#include "kernels/kv_cells.h"

#include <stdlib.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "quant/half.h"

size_t row_bytes(gol_kv_type type, size_t dim)
{
    if (type == GOL_KV_Q8_0)
        return dim / GOL_QK * sizeof(gol_block_q8_0);
    return dim * (type == GOL_KV_F32 ? sizeof(float) : sizeof(uint16_t));
}

size_t panel_bytes(gol_kv_type type, size_t dim)
{
    return GOL_ATTN_LANES * row_bytes(type, dim);
}

static void random_bytes(checker *ck, int8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int8_t)((int)gol_rng_below(&ck->rng, 255) - 127);
}

static void random_q8_0(checker *ck, uint8_t *out, size_t n, const float *scales, bool is_panel)
{
    const size_t per_block = is_panel ? GOL_ATTN_LANES : 1;
    const size_t n_quants = per_block * GOL_QK;
    for (size_t b = 0; b < n / n_quants; b++) {
        for (size_t i = 0; i < per_block; i++, out += sizeof(uint16_t)) {
            const uint16_t d = gol_f32_to_f16(scales[b * n_quants + i] / 127.0f);
            memcpy(out, &d, sizeof d);
        }
        random_bytes(ck, (int8_t *)out, n_quants);
        out += n_quants;
    }
}

void random_cells(checker *ck, uint8_t *out, gol_kv_type type, size_t n, int pattern, bool is_panel)
{
    float *x = malloc(n * sizeof *x);
    fill(ck, x, n, pattern);
    for (size_t i = 0; i < n && (type == GOL_KV_F16 || type == GOL_KV_BF16); i++) {
        const uint16_t half = type == GOL_KV_F16 ? gol_f32_to_f16(x[i]) : gol_f32_to_bf16(x[i]);
        memcpy(out + i * sizeof half, &half, sizeof half);
    }
    if (type == GOL_KV_F32)
        memcpy(out, x, n * sizeof *x);
    else if (type == GOL_KV_Q8_0)
        random_q8_0(ck, out, n, x, is_panel);
    free(x);
}

static double half_at(const uint8_t *p, gol_kv_type type)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return (double)(type == GOL_KV_BF16 ? gol_bf16_to_f32(half) : gol_f16_to_f32(half));
}

static double float_at(const uint8_t *p)
{
    float x;
    memcpy(&x, p, sizeof x);
    return (double)x;
}

double panel_number(const uint8_t *panel, gol_kv_type type, size_t lane, size_t d)
{
    const size_t i = d * GOL_ATTN_LANES + lane;
    if (type == GOL_KV_F32)
        return float_at(panel + i * sizeof(float));
    if (type != GOL_KV_Q8_0)
        return half_at(panel + i * sizeof(uint16_t), type);
    const gol_kv_panel_q8_0 *block = (const gol_kv_panel_q8_0 *)(const void *)panel + d / GOL_QK;
    return (double)gol_f16_to_f32(block->d[lane]) * (double)block->qs[d % GOL_QK][lane];
}

double row_number(const uint8_t *row, gol_kv_type type, size_t d)
{
    if (type == GOL_KV_F32)
        return float_at(row + d * sizeof(float));
    if (type != GOL_KV_Q8_0)
        return half_at(row + d * sizeof(uint16_t), type);
    const uint8_t *block = row + d / GOL_QK * sizeof(gol_block_q8_0);
    return half_at(block, GOL_KV_F16) * (double)(int8_t)block[sizeof(uint16_t) + d % GOL_QK];
}
