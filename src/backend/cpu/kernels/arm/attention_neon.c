/*
 * The inner loops of attention with NEON: four vectors are a panel's sixteen keys. Of the 32 registers up to 24 hold sums; more than
 * six rows take half a panel at a time, so that all of them share its widening. Queries are multiplied by lane, which saves their
 * broadcasts. Each sum has one accumulator and runs in order, so neither the rows nor the panels that share a loop change its
 * bits. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/unroll.h"
#include "backend/cpu/kernels/arm/vec_math_neon.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = GOL_ATTN_LANES,
    ROWS = GOL_ATTN_ROWS,
    STRIDE = GOL_ATTN_STRIDE,
    WIDTH = 4, /* floats of a vector */
    PANEL_VECS = LANES / WIDTH,
    SUMS_MAX = 24, /* vectors */
    VECS_MAX = 8,  /* of keys that share a loop */
    LINE = 64,     /* bytes */
};

static inline size_t number_bytes(gol_kv_type type)
{
    return type == GOL_KV_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* Eight numbers of a type without scales. */
INLINE void widen(float32x4_t v[2], const uint8_t *p, gol_kv_type type)
{
    if (type == GOL_KV_F32) {
        v[0] = vld1q_f32((const float *)(const void *)p);
        v[1] = vld1q_f32((const float *)(const void *)p + WIDTH);
    } else if (type == GOL_KV_F16) {
        const float16x8_t halves = vreinterpretq_f16_u8(vld1q_u8(p));
        v[0] = vcvt_f32_f16(vget_low_f16(halves));
        v[1] = vcvt_high_f32_f16(halves);
    } else {
        const uint16x8_t halves = vreinterpretq_u16_u8(vld1q_u8(p));
        v[0] = vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(halves), 16));
        v[1] = vreinterpretq_f32_u32(vshll_high_n_u16(halves, 16));
    }
}

/* n_vecs times four bytes, times their scales; n_vecs is 2 or 4. A byte becomes the uppermost of a 32-bit number, which is 2^24 times
 * what it stands for: three instructions for four numbers, where widening in two steps takes three and a half. */
INLINE void widen_bytes(float32x4_t *v, const int8_t *q, const float32x4_t *scale, size_t n_vecs)
{
    enum { ZERO = 255 }; /* beyond the table */
    static const uint8_t upper[PANEL_VECS][16] = {
        {ZERO, ZERO, ZERO, 0, ZERO, ZERO, ZERO, 1, ZERO, ZERO, ZERO, 2, ZERO, ZERO, ZERO, 3},
        {ZERO, ZERO, ZERO, 4, ZERO, ZERO, ZERO, 5, ZERO, ZERO, ZERO, 6, ZERO, ZERO, ZERO, 7},
        {ZERO, ZERO, ZERO, 8, ZERO, ZERO, ZERO, 9, ZERO, ZERO, ZERO, 10, ZERO, ZERO, ZERO, 11},
        {ZERO, ZERO, ZERO, 12, ZERO, ZERO, ZERO, 13, ZERO, ZERO, ZERO, 14, ZERO, ZERO, ZERO, 15},
    };
    const int8x16_t bytes = n_vecs == PANEL_VECS ? vld1q_s8(q)
                                                 : vcombine_s8(vld1_s8(q), vdup_n_s8(0));
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs; i++) {
        const int8x16_t wide = vqtbl1q_s8(bytes, vld1q_u8(upper[i]));
        v[i] = vmulq_f32(vcvtq_n_f32_s32(vreinterpretq_s32_s8(wide), 24), scale[i]);
    }
}

/* sum + v * x[i]; lanes must be constants. */
INLINE float32x4_t add_product(float32x4_t sum, float32x4_t v, const float32x4_t *x, size_t i)
{
    switch (i % WIDTH) {
    case 0:
        return vfmaq_laneq_f32(sum, v, x[i / WIDTH], 0);
    case 1:
        return vfmaq_laneq_f32(sum, v, x[i / WIDTH], 1);
    case 2:
        return vfmaq_laneq_f32(sum, v, x[i / WIDTH], 2);
    default:
        return vfmaq_laneq_f32(sum, v, x[i / WIDTH], 3);
    }
}

/* x[n_rows], rounded up to whole vectors. */
INLINE void load_rows(float32x4_t x[ROWS / WIDTH], const float *from, size_t n_rows)
{
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r += WIDTH)
        x[r / WIDTH] = vld1q_f32(from + r);
}

/* sums[n_rows][n_vecs] += x * v in vectors i and i + 1. */
INLINE void add_pair(float32x4_t *sums, const float32x4_t *x, const float32x4_t v[2], size_t i,
                     size_t n_rows, size_t n_vecs)
{
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        sums[r * n_vecs + i] = add_product(sums[r * n_vecs + i], v[0], x, r);
        sums[r * n_vecs + i + 1] = add_product(sums[r * n_vecs + i + 1], v[1], x, r);
    }
}

/* ---- scores ---- */

/* Some vectors of keys: from lane `first` of panels[0] on, 2 of it or all of one or several panels. */
typedef struct key_span {
    const uint8_t *const *panels;
    size_t first;
    size_t dim;
} key_span;

/* What dimensions from d on of the keys that come next need: as many bytes as one dimension has here. */
INLINE void prefetch_next(const key_span *keys, size_t d, size_t n_vecs, size_t row_bytes)
{
    if (n_vecs < PANEL_VECS) {
        const size_t half = keys->first > 0 ? keys->dim : 0;
        __builtin_prefetch(keys->panels[1] + (half + d) * (row_bytes / 2));
        return;
    }
    const size_t n_panels = n_vecs / PANEL_VECS;
    GOL_UNROLL
    for (size_t i = 0; i < n_panels; i++)
        __builtin_prefetch(keys->panels[n_panels + i] + d * row_bytes);
}

INLINE void add_products(float32x4_t *sums, const float *q, const key_span *keys, size_t n_rows,
                         size_t n_vecs, gol_kv_type type)
{
    const size_t size = number_bytes(type);
    for (size_t d = 0; d < keys->dim; d++) {
        float32x4_t x[ROWS / WIDTH];
        prefetch_next(keys, d, n_vecs, LANES * size);
        load_rows(x, q + d * ROWS, n_rows);
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i += 2) {
            float32x4_t k[2];
            widen(k,
                  keys->panels[i / PANEL_VECS] +
                      (d * LANES + keys->first + i % PANEL_VECS * WIDTH) * size,
                  type);
            add_pair(sums, x, k, i, n_rows, n_vecs);
        }
    }
}

/* out[GOL_QK][n_vecs] = block b of the keys. */
INLINE void widen_block(float *out, const key_span *keys, size_t b, size_t n_vecs)
{
    const size_t n = n_vecs < PANEL_VECS ? n_vecs : PANEL_VECS; /* of one panel */
    for (size_t i = 0; i < n_vecs; i += n) {
        const gol_kv_panel_q8_0 *block =
            (const gol_kv_panel_q8_0 *)(const void *)keys->panels[i / PANEL_VECS] + b;
        float32x4_t scale[PANEL_VECS];
        GOL_UNROLL
        for (size_t k = 0; k < n; k += 2)
            widen(scale + k, (const uint8_t *)(block->d + keys->first + k * WIDTH), GOL_KV_F16);
        for (size_t d = 0; d < GOL_QK; d++) {
            float32x4_t v[PANEL_VECS];
            widen_bytes(v, block->qs[d] + keys->first, scale, n);
            GOL_UNROLL
            for (size_t k = 0; k < n; k++)
                vst1q_f32(out + (d * n_vecs + i + k) * WIDTH, v[k]);
        }
    }
}

/* Blocks are widened in memory: scales of every key would take the registers of the sums. */
INLINE void add_products_q8_0(float32x4_t *sums, const float *q, const key_span *keys,
                              size_t n_rows, size_t n_vecs)
{
    float block[GOL_QK * VECS_MAX * WIDTH];
    for (size_t b = 0; b < keys->dim / GOL_QK; b++) {
        widen_block(block, keys, b, n_vecs);
        const float *key = block;
        for (size_t d = 0; d < GOL_QK; d++, q += ROWS, key += n_vecs * WIDTH) {
            float32x4_t x[ROWS / WIDTH];
            prefetch_next(keys, b * GOL_QK + d, n_vecs, LANES);
            load_rows(x, q, n_rows);
            GOL_UNROLL
            for (size_t i = 0; i < n_vecs; i += 2) {
                const float32x4_t k[2] = {vld1q_f32(key + i * WIDTH),
                                          vld1q_f32(key + (i + 1) * WIDTH)};
                add_pair(sums, x, k, i, n_rows, n_vecs);
            }
        }
    }
}

/* Of n_rows rows and n_vecs vectors of keys, from lane first_key of panel i on. */
INLINE void score_keys(const gol_attn_tile *tile, size_t i, size_t first_key, size_t n_rows,
                       size_t n_vecs, gol_kv_type type)
{
    float32x4_t sums[SUMS_MAX];
    const key_span keys = {.panels = tile->panels + i, .first = first_key, .dim = tile->dim_k};
    GOL_UNROLL
    for (size_t s = 0; s < n_rows * n_vecs; s++)
        sums[s] = vdupq_n_f32(0.0f);
    if (type == GOL_KV_Q8_0)
        add_products_q8_0(sums, tile->q, &keys, n_rows, n_vecs);
    else
        add_products(sums, tile->q, &keys, n_rows, n_vecs, type);
    GOL_UNROLL
    for (size_t v = 0; v < n_vecs; v++) {
        float *out = tile->scores + (ptrdiff_t)(first_key + v % PANEL_VECS * WIDTH) +
                     tile->panel_pos[i + v / PANEL_VECS];
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++)
            vst1q_f32(out + r * STRIDE, sums[r * n_vecs + v]);
    }
}

INLINE void score_panels(const gol_attn_tile *tile, size_t n_rows, size_t n_panels,
                         gol_kv_type type)
{
    size_t i = 0;
    for (; i + n_panels <= tile->n_panels; i += n_panels)
        score_keys(tile, i, 0, n_rows, n_panels * PANEL_VECS, type);
    for (; n_panels > 1 && i < tile->n_panels; i++)
        score_keys(tile, i, 0, n_rows, PANEL_VECS, type);
}

INLINE void score_halves(const gol_attn_tile *tile, size_t n_rows, gol_kv_type type)
{
    for (size_t i = 0; i < tile->n_panels; i++)
        for (size_t first = 0; first < LANES; first += LANES / 2)
            score_keys(tile, i, first, n_rows, PANEL_VECS / 2, type);
}

INLINE void score(const gol_attn_tile *tile, gol_kv_type type)
{
    if (tile->n_rows > 8)
        score_halves(tile, 12, type);
    else if (tile->n_rows > 6)
        score_halves(tile, 8, type);
    else if (tile->n_rows > 4)
        score_panels(tile, 6, 1, type);
    else if (tile->n_rows > 2)
        score_panels(tile, 4, 1, type);
    else if (tile->n_rows > 1)
        score_panels(tile, 2, 2, type);
    else
        score_panels(tile, 1, 2, type);
}

void gol_attn_scores_f16_neon(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F16);
}

void gol_attn_scores_f32_neon(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F32);
}

void gol_attn_scores_bf16_neon(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_BF16);
}

void gol_attn_scores_q8_0_neon(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_Q8_0);
}

/* ---- mixing ---- */

/* Keys [0, n_keys) of some rows, and of some vectors of their values from dimension `first` on. */
typedef struct mix_span {
    float *acc;     /* [n_rows][dim_v] from `first` on */
    const float *p; /* [n_keys][n_rows] of one row, else [n_keys][n_rows rounded up to WIDTH] */
    const uint8_t *const *values;
    size_t n_keys;
    size_t first;
    size_t dim_v;
} mix_span;

/* out[key][n_rows] = p[n_rows][STRIDE], for n_keys keys and up to three more; n_rows is a multiple of WIDTH. */
INLINE void turn_weights(float *out, const float *p, size_t n_keys, size_t n_rows)
{
    for (size_t j = 0; j < n_keys; j += WIDTH) {
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r += WIDTH) {
            const float *at = p + r * STRIDE + j;
            const float32x4x2_t even = vzipq_f32(vld1q_f32(at), vld1q_f32(at + 2 * STRIDE));
            const float32x4x2_t odd = vzipq_f32(vld1q_f32(at + STRIDE), vld1q_f32(at + 3 * STRIDE));
            const float32x4x2_t low = vzipq_f32(even.val[0], odd.val[0]);
            const float32x4x2_t high = vzipq_f32(even.val[1], odd.val[1]);
            float *to = out + j * n_rows + r;
            vst1q_f32(to, low.val[0]);
            vst1q_f32(to + n_rows, low.val[1]);
            vst1q_f32(to + 2 * n_rows, high.val[0]);
            vst1q_f32(to + 3 * n_rows, high.val[1]);
        }
    }
}

/* x[n_rows]: weights of one key. */
INLINE void load_weights(float32x4_t x[ROWS / WIDTH], const float *p, size_t n_rows)
{
    if (n_rows == 1)
        x[0] = vcombine_f32(vset_lane_f32(*p, vdup_n_f32(0.0f), 0), vdup_n_f32(0.0f));
    else
        load_rows(x, p, n_rows);
}

/* Byte of a value row where dimension d is. */
INLINE size_t value_offset(size_t d, gol_kv_type type)
{
    if (type == GOL_KV_Q8_0)
        return d / GOL_QK * sizeof(gol_block_q8_0) + offsetof(gol_block_q8_0, qs) + d % GOL_QK;
    return d * number_bytes(type);
}

/* sums[n_rows][n_vecs] += x * bytes of one block, which begins at `block` with its scale. */
INLINE void add_bytes(float32x4_t *sums, const float32x4_t *x, const int8_t *q,
                      const uint8_t *block, size_t n_rows, size_t n_vecs)
{
    const size_t n = n_vecs < PANEL_VECS ? n_vecs : PANEL_VECS;
    const uint16x4_t d = vld1_dup_u16((const uint16_t *)(const void *)block);
    const float32x4_t scale = vcvt_f32_f16(vreinterpret_f16_u16(d));
    const float32x4_t scales[PANEL_VECS] = {scale, scale, scale, scale};
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs; i += n) {
        float32x4_t v[PANEL_VECS];
        widen_bytes(v, q + i * WIDTH, scales, n);
        GOL_UNROLL
        for (size_t k = 0; k < n; k += 2)
            add_pair(sums, x, v + k, i + k, n_rows, n_vecs);
    }
}

INLINE void mix_span_of(const mix_span *span, size_t n_rows, size_t n_vecs, gol_kv_type type)
{
    const size_t p_stride = n_rows == 1 ? 1 : (n_rows + WIDTH - 1) / WIDTH * WIDTH;
    const size_t at = value_offset(span->first, type);
    const size_t scale_at = span->first / GOL_QK * sizeof(gol_block_q8_0);
    const size_t size = type == GOL_KV_Q8_0 ? 1 : number_bytes(type);
    float32x4_t sums[SUMS_MAX];
    GOL_UNROLL
    for (size_t s = 0; s < n_rows * n_vecs; s++)
        sums[s] = vld1q_f32(span->acc + s / n_vecs * span->dim_v + s % n_vecs * WIDTH);
    for (size_t j = 0; j < span->n_keys; j++) {
        const uint8_t *value = span->values[j];
        float32x4_t x[ROWS / WIDTH];
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs * WIDTH * size; i += LINE)
            __builtin_prefetch(span->values[j + GOL_ATTN_AHEAD] + at + i);
        load_weights(x, span->p + j * p_stride, n_rows);
        if (type == GOL_KV_Q8_0) {
            add_bytes(sums, x, (const int8_t *)value + at, value + scale_at, n_rows, n_vecs);
            continue;
        }
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i += 2) {
            float32x4_t v[2];
            widen(v, value + at + i * WIDTH * size, type);
            add_pair(sums, x, v, i, n_rows, n_vecs);
        }
    }
    GOL_UNROLL
    for (size_t s = 0; s < n_rows * n_vecs; s++)
        vst1q_f32(span->acc + s / n_vecs * span->dim_v + s % n_vecs * WIDTH, sums[s]);
}

/* All dimensions, n_vecs vectors at a time; of Q8_0 at most a block. */
INLINE void mix_rows(mix_span span, size_t n_rows, size_t n_vecs, gol_kv_type type)
{
    float *acc = span.acc;
    for (; span.first + n_vecs * WIDTH <= span.dim_v; span.first += n_vecs * WIDTH) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, n_vecs, type);
    }
    for (; n_vecs > PANEL_VECS && span.first < span.dim_v; span.first += LANES) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, PANEL_VECS, type);
    }
}

INLINE void mix(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                size_t begin, size_t end, gol_kv_type type)
{
    float turned[GOL_ATTN_CHUNK * ROWS + WIDTH * ROWS];
    const float *p = tile->scores + first_row * STRIDE + begin;
    mix_span span = {
        .acc = acc + first_row * tile->dim_v,
        .p = turned,
        .values = tile->values + begin,
        .n_keys = end - begin,
        .dim_v = tile->dim_v,
    };
    if (n_rows > 8) {
        turn_weights(turned, p, span.n_keys, 12);
        mix_rows(span, 12, 2, type);
    } else if (n_rows > 4) {
        turn_weights(turned, p, span.n_keys, 8);
        if (n_rows > 6 || type == GOL_KV_Q8_0) /* whose tables take registers, too */
            mix_rows(span, 8, 2, type);
        else
            mix_rows(span, 6, 4, type);
    } else if (n_rows > 1) {
        turn_weights(turned, p, span.n_keys, 4);
        if (n_rows > 2)
            mix_rows(span, 4, 4, type);
        else
            mix_rows(span, 2, 8, type);
    } else {
        span.p = p;
        mix_rows(span, 1, 8, type);
    }
}

void gol_attn_mix_f16_neon(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                           size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F16);
}

void gol_attn_mix_f32_neon(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                           size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F32);
}

void gol_attn_mix_bf16_neon(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                            size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_BF16);
}

void gol_attn_mix_q8_0_neon(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                            size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_Q8_0);
}

/* ---- softmax ---- */

float gol_softmax_f32_neon(float *max, float *x, size_t n)
{
    float32x4_t greatest[PANEL_VECS];
    float32x4_t sums[PANEL_VECS];
    for (size_t v = 0; v < PANEL_VECS; v++) {
        greatest[v] = vld1q_f32(x + v * WIDTH);
        sums[v] = vdupq_n_f32(0.0f);
    }
    for (size_t i = LANES; i < n; i += LANES)
        for (size_t v = 0; v < PANEL_VECS; v++)
            greatest[v] = vmaxq_f32(greatest[v], vld1q_f32(x + i + v * WIDTH));
    *max = vmaxvq_f32(
        vmaxq_f32(vmaxq_f32(greatest[0], greatest[1]), vmaxq_f32(greatest[2], greatest[3])));
    const float32x4_t all = vdupq_n_f32(*max);
    for (size_t half = 0; half < PANEL_VECS;
         half += 2) { /* so many fit the registers beside exp's constants */
        for (size_t i = 0; i < n; i += LANES) {
            for (size_t v = half; v < half + 2; v++) {
                float *at = x + i + v * WIDTH;
                const float32x4_t y = gol_exp_neon(vsubq_f32(vld1q_f32(at), all));
                vst1q_f32(at, y);
                sums[v] = vaddq_f32(sums[v], y);
            }
        }
    }
    float lanes[GOL_LANES];
    for (size_t v = 0; v < PANEL_VECS; v++)
        vst1q_f32(lanes + v * WIDTH, sums[v]);
    return gol_lanes_sum(lanes);
}

void gol_attn_merge_f32_neon(float *acc, float keep, const float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        const float32x4_t old = vmulq_n_f32(vld1q_f32(acc + i), keep);
        vst1q_f32(acc + i, vfmaq_n_f32(old, vld1q_f32(x + i), factor));
    }
}
