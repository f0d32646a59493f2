/*
 * Writing keys and values into the cache with NEON: the conversion is vector code, keys are then dealt to their panel's rows one by
 * one. The bytes are those of kv_store_c.c. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

enum { LANES = GOL_ATTN_LANES, WIDTH = 4, BLOCK_VECS = GOL_QK / WIDTH };

static const float f16_max = 65504.0f;

/* Eight numbers; what is beyond binary16 becomes its largest, a NaN stays one. */
static inline uint16x8_t narrow_f16(float32x4_t low, float32x4_t high)
{
    const float32x4_t limit = vdupq_n_f32(f16_max);
    const float32x4_t a = vmaxq_f32(vminq_f32(low, limit), vnegq_f32(limit));
    const float32x4_t b = vmaxq_f32(vminq_f32(high, limit), vnegq_f32(limit));
    return vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(a), b));
}

/* To nearest even, in the upper halves; a NaN stays one. */
static inline uint32x4_t round_bf16(float32x4_t x)
{
    const uint32x4_t bits = vreinterpretq_u32_f32(x);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, odd), vdupq_n_u32(0x7fff));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vbslq_u32(vceqq_f32(x, x), rounded, quiet);
}

static inline uint16x8_t narrow_bf16(float32x4_t low, float32x4_t high)
{
    return vshrn_high_n_u32(vshrn_n_u32(round_bf16(low), 16), round_bf16(high), 16);
}

static inline uint16x8_t narrow(const float *x, gol_kv_type type)
{
    const float32x4_t low = vld1q_f32(x);
    const float32x4_t high = vld1q_f32(x + WIDTH);
    return type == GOL_KV_F16 ? narrow_f16(low, high) : narrow_bf16(low, high);
}

/* x[n] with zeros up to eight numbers. */
static inline const float *pad(float padded[2 * WIDTH], const float *x, size_t n)
{
    memset(padded, 0, 2 * WIDTH * sizeof *padded);
    return memcpy(padded, x, n * sizeof *x);
}

static inline void store_key(uint8_t *panel, const float *k, size_t lane, size_t dim,
                             gol_kv_type type)
{
    uint16_t *out = (uint16_t *)(void *)panel + lane;
    size_t i = 0;
    for (; i + 2 * WIDTH <= dim; i += 2 * WIDTH, out += 2 * WIDTH * LANES) {
        const uint16x8_t halves = narrow(k + i, type);
        vst1q_lane_u16(out, halves, 0);
        vst1q_lane_u16(out + LANES, halves, 1);
        vst1q_lane_u16(out + 2 * LANES, halves, 2);
        vst1q_lane_u16(out + 3 * LANES, halves, 3);
        vst1q_lane_u16(out + 4 * LANES, halves, 4);
        vst1q_lane_u16(out + 5 * LANES, halves, 5);
        vst1q_lane_u16(out + 6 * LANES, halves, 6);
        vst1q_lane_u16(out + 7 * LANES, halves, 7);
    }
    if (i < dim) {
        float padded[2 * WIDTH];
        uint16_t halves[2 * WIDTH];
        vst1q_u16(halves, narrow(pad(padded, k + i, dim - i), type));
        for (size_t j = 0; j < dim - i; j++)
            out[j * LANES] = halves[j];
    }
}

static inline void store_value(uint8_t *row, const float *v, size_t dim, gol_kv_type type)
{
    const size_t n_padded = (dim + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < n_padded; i += 2 * WIDTH) {
        float padded[2 * WIDTH];
        const size_t n_rest = i < dim ? dim - i : 0;
        const float *x = n_rest >= 2 * WIDTH ? v + i : pad(padded, v + dim - n_rest, n_rest);
        vst1q_u16((uint16_t *)(void *)row + i, narrow(x, type));
    }
}

void gol_kv_store_key_f16_neon(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    store_key(panel, k, lane, dim, GOL_KV_F16);
}

void gol_kv_store_key_bf16_neon(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    store_key(panel, k, lane, dim, GOL_KV_BF16);
}

void gol_kv_store_value_f16_neon(uint8_t *row, const float *v, size_t dim)
{
    store_value(row, v, dim, GOL_KV_F16);
}

void gol_kv_store_value_bf16_neon(uint8_t *row, const float *v, size_t dim)
{
    store_value(row, v, dim, GOL_KV_BF16);
}

/* ---- Q8_0 ---- */

/* qs[32] of a block; returns its scale, binary16. A NaN among x makes one of the scale. */
INLINE uint16_t quantize_block(int8x16_t qs[2], const float *x)
{
    float32x4_t v[BLOCK_VECS];
    float32x4_t largest = vdupq_n_f32(0.0f);
    GOL_UNROLL
    for (size_t i = 0; i < BLOCK_VECS; i++) {
        v[i] = vld1q_f32(x + i * WIDTH);
        largest = vmaxq_f32(largest, vabsq_f32(v[i])); /* of a NaN: NaN */
    }
    const float magnitude = vmaxvq_f32(largest);
    const float exact = isnan(magnitude) ? NAN : magnitude / 127.0f;
    const float16x4_t d = vcvt_f16_f32(vdupq_n_f32(exact > f16_max ? f16_max : exact));
    const float scale = vgetq_lane_f32(vcvt_f32_f16(d), 0);
    const float inverse = scale > 0.0f ? 1.0f / scale : 0.0f;
    int16x4_t q[BLOCK_VECS];
    GOL_UNROLL
    for (size_t i = 0; i < BLOCK_VECS; i++) {
        const float32x4_t y = vmaxnmq_f32(vmulq_n_f32(v[i], inverse), vdupq_n_f32(-127.0f));
        q[i] = vmovn_s32(vcvtaq_s32_f32(vminq_f32(y, vdupq_n_f32(127.0f))));
    }
    GOL_UNROLL
    for (size_t i = 0; i < 2; i++)
        qs[i] = vcombine_s8(vmovn_s16(vcombine_s16(q[4 * i], q[4 * i + 1])),
                            vmovn_s16(vcombine_s16(q[4 * i + 2], q[4 * i + 3])));
    return vget_lane_u16(vreinterpret_u16_f16(d), 0);
}

void gol_kv_store_key_q8_0_neon(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    gol_kv_panel_q8_0 *out = (gol_kv_panel_q8_0 *)(void *)panel;
    for (size_t i = 0; i < dim; i += GOL_QK, out++) {
        int8_t bytes[GOL_QK];
        int8x16_t qs[2];
        out->d[lane] = quantize_block(qs, k + i);
        vst1q_s8(bytes, qs[0]);
        vst1q_s8(bytes + LANES, qs[1]);
        for (size_t j = 0; j < GOL_QK; j++)
            out->qs[j][lane] = bytes[j];
    }
}

void gol_kv_store_value_q8_0_neon(uint8_t *row, const float *v, size_t dim)
{
    gol_block_q8_0 *out = (gol_block_q8_0 *)(void *)row;
    for (size_t i = 0; i < dim; i += GOL_QK, out++) {
        int8x16_t qs[2];
        out->d = quantize_block(qs, v + i);
        vst1q_s8(out->qs, qs[0]);
        vst1q_s8(out->qs + LANES, qs[1]);
    }
}
