/*
 * Writing keys and values into the cache, in plain C. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "quant/half.h"

static const float f16_max = 65504.0f;

/* Infinity would make a NaN of every later row that sees the key; a NaN stays one. */
static inline uint16_t to_f16(float x)
{
    const float upper = x > f16_max ? f16_max : x;
    return gol_f32_to_f16(upper < -f16_max ? -f16_max : upper);
}

static inline size_t pad_lanes(size_t n)
{
    return (n + GOL_ATTN_LANES - 1) / GOL_ATTN_LANES * GOL_ATTN_LANES;
}

/* To the nearest multiple of the scale as it is stored, which is never infinite. A NaN makes one of the whole block. */
static void quantize_block(gol_block_q8_0 *out, const float *x)
{
    float largest = 0.0f;
    bool has_nan = false;
    for (int j = 0; j < GOL_QK; j++) {
        largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
        has_nan |= isnan(x[j]);
    }
    const uint16_t d = to_f16(has_nan ? NAN : largest / 127.0f);
    const float scale = gol_f16_to_f32(d);
    const float inverse = scale > 0.0f ? 1.0f / scale : 0.0f;
    out->d = d;
    for (int j = 0; j < GOL_QK; j++) {
        const float q = roundf(x[j] * inverse);
        out->qs[j] = (int8_t)(q > 127.0f ? 127.0f : q > -127.0f ? q : -127.0f);
    }
}

void gol_kv_store_key_f16_c(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    uint16_t *out = (uint16_t *)(void *)panel + lane;
    for (size_t i = 0; i < dim; i++)
        out[i * GOL_ATTN_LANES] = to_f16(k[i]);
}

void gol_kv_store_key_f32_c(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    float *out = (float *)(void *)panel + lane;
    for (size_t i = 0; i < dim; i++)
        out[i * GOL_ATTN_LANES] = k[i];
}

void gol_kv_store_key_bf16_c(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    uint16_t *out = (uint16_t *)(void *)panel + lane;
    for (size_t i = 0; i < dim; i++)
        out[i * GOL_ATTN_LANES] = gol_f32_to_bf16(k[i]);
}

void gol_kv_store_key_q8_0_c(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    gol_kv_panel_q8_0 *out = (gol_kv_panel_q8_0 *)(void *)panel;
    for (size_t i = 0; i < dim; i += GOL_QK, out++) {
        gol_block_q8_0 block;
        quantize_block(&block, k + i);
        out->d[lane] = block.d;
        for (size_t j = 0; j < GOL_QK; j++)
            out->qs[j][lane] = block.qs[j];
    }
}

void gol_kv_store_value_f16_c(uint8_t *row, const float *v, size_t dim)
{
    uint16_t *out = (uint16_t *)(void *)row;
    for (size_t i = 0; i < dim; i++)
        out[i] = to_f16(v[i]);
    memset(out + dim, 0, (pad_lanes(dim) - dim) * sizeof *out);
}

void gol_kv_store_value_f32_c(uint8_t *row, const float *v, size_t dim)
{
    float *out = (float *)(void *)row;
    memcpy(out, v, dim * sizeof *out);
    memset(out + dim, 0, (pad_lanes(dim) - dim) * sizeof *out);
}

void gol_kv_store_value_bf16_c(uint8_t *row, const float *v, size_t dim)
{
    uint16_t *out = (uint16_t *)(void *)row;
    for (size_t i = 0; i < dim; i++)
        out[i] = gol_f32_to_bf16(v[i]);
    memset(out + dim, 0, (pad_lanes(dim) - dim) * sizeof *out);
}

void gol_kv_store_value_q8_0_c(uint8_t *row, const float *v, size_t dim)
{
    gol_block_q8_0 *out = (gol_block_q8_0 *)(void *)row;
    for (size_t i = 0; i < dim; i += GOL_QK, out++)
        quantize_block(out, v + i);
}
