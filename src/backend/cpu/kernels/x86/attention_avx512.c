/*
 * The inner loops of attention for AVX-512: one vector is a panel's sixteen keys, or sixteen dimensions of a value. Numbers of the
 * cache are widened as they are loaded, which is exact. Each sum has one accumulator and runs in order, so neither the rows nor the
 * panels that share a loop change its bits. The cores are inlined once for each shape and type; a shape fills up to 24 of the
 * 32 registers with sums. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels/attention_prefetch.h"
#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/unroll.h"
#include "backend/cpu/kernels/x86/vec_math_avx512.h"

enum {
    LANES = GOL_ATTN_LANES,
    ROWS = GOL_ATTN_ROWS,
    STRIDE = GOL_ATTN_STRIDE,
    SUMS_MAX = 24,
    LINE = GOL_ATTN_LINE,
};

static inline __m512 widen_bytes(const void *p, __m512 scale)
{
    const __m512i q = _mm512_cvtepi8_epi32(_mm_loadu_si128(p));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(q), scale);
}

/* Sixteen numbers of a type without scales. */
static inline __m512 widen(const uint8_t *p, size_t i, gol_kv_type type)
{
    if (type == GOL_KV_F32)
        return _mm512_loadu_ps(p + i * sizeof(float));
    const __m256i halves = _mm256_loadu_si256((const void *)(p + i * sizeof(uint16_t)));
    if (type == GOL_KV_F16)
        return _mm512_cvtph_ps(halves);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}

static inline __m512 widen_half(const uint8_t *p)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return _mm512_cvtph_ps(_mm256_set1_epi16((short)half));
}

static inline size_t number_bytes(gol_kv_type type)
{
    return type == GOL_KV_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* ---- scores ---- */

/* For dimension d of n_panels panels, as many bytes as it reads from them. Two dimensions of 16-bit numbers are one cache line, so
 * each asks for half of the panels. */
__attribute__((always_inline)) static inline void
prefetch_panels(const uint8_t *const *panels, size_t d, size_t n_panels, gol_kv_type type)
{
    const size_t step = type == GOL_KV_F32 || n_panels == 1 ? 1 : 2;
    const size_t at = d * LANES * number_bytes(type) / LINE * LINE;
    const size_t first = step == 2 ? d % 2 : 0;
    GOL_UNROLL
    for (size_t i = 0; i < n_panels; i += step)
        gol_attn_prefetch(panels[first + i], at + GOL_ATTN_NEAR_BYTES,
                          panels[n_panels + first + i] + at);
}

/* Dimensions [first, end) of a type without scales: sums[n_rows][n_panels] += q * k. */
__attribute__((always_inline)) static inline void add_products(__m512 *sums, const float *q,
                                                               const uint8_t *const *panels,
                                                               size_t end, size_t n_rows,
                                                               size_t n_panels, gol_kv_type type)
{
    for (size_t d = 0; d < end; d++) {
        __m512 k[SUMS_MAX];
        prefetch_panels(panels, d, n_panels, type);
        GOL_UNROLL
        for (size_t i = 0; i < n_panels; i++)
            k[i] = widen(panels[i], d * LANES, type);
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m512 x = _mm512_set1_ps(q[d * ROWS + r]);
            GOL_UNROLL
            for (size_t i = 0; i < n_panels; i++)
                sums[r * n_panels + i] = _mm512_fmadd_ps(x, k[i], sums[r * n_panels + i]);
        }
    }
}

__attribute__((always_inline)) static inline void add_products_q8_0(__m512 *sums, const float *q,
                                                                    const uint8_t *const *panels,
                                                                    size_t dim, size_t n_rows,
                                                                    size_t n_panels)
{
    for (size_t b = 0; b < dim / GOL_QK; b++) {
        const gol_kv_panel_q8_0 *blocks[SUMS_MAX];
        __m512 scales[SUMS_MAX];
        GOL_UNROLL
        for (size_t i = 0; i < n_panels; i++) {
            blocks[i] = (const gol_kv_panel_q8_0 *)(const void *)panels[i] + b;
            scales[i] = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)blocks[i]->d));
        }
        for (size_t d = 0; d < GOL_QK; d++) {
            const size_t at = b * sizeof *blocks[0] + d * LANES;
            if (d * LANES % LINE == 0) {
                GOL_UNROLL
                for (size_t i = 0; i < n_panels; i++)
                    gol_attn_prefetch(panels[i], at + GOL_ATTN_NEAR_BYTES,
                                      panels[n_panels + i] + at);
            }
            GOL_UNROLL
            for (size_t i = 0; i < n_panels; i++) {
                const __m512 k = widen_bytes(blocks[i]->qs[d], scales[i]);
                GOL_UNROLL
                for (size_t r = 0; r < n_rows; r++)
                    sums[r * n_panels + i] = _mm512_fmadd_ps(
                        _mm512_set1_ps(q[(b * GOL_QK + d) * ROWS + r]), k, sums[r * n_panels + i]);
            }
        }
    }
}

/* Panels [first, first + n_panels) of the tile, all n_rows rows. */
__attribute__((always_inline)) static inline void score_panels(const gol_attn_tile *tile,
                                                               size_t first, size_t n_rows,
                                                               size_t n_panels, gol_kv_type type)
{
    __m512 sums[SUMS_MAX];
    GOL_UNROLL
    for (size_t i = 0; i < n_rows * n_panels; i++)
        sums[i] = _mm512_setzero_ps();
    if (type == GOL_KV_Q8_0)
        add_products_q8_0(sums, tile->q, tile->panels + first, tile->dim_k, n_rows, n_panels);
    else
        add_products(sums, tile->q, tile->panels + first, tile->dim_k, n_rows, n_panels, type);
    GOL_UNROLL
    for (size_t i = 0; i < n_panels; i++) {
        float *out = tile->scores + tile->panel_pos[first + i];
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++)
            _mm512_storeu_ps(out + r * STRIDE, sums[r * n_panels + i]);
    }
}

__attribute__((always_inline)) static inline void
score_all_panels(const gol_attn_tile *tile, size_t n_rows, size_t n_panels, gol_kv_type type)
{
    size_t i = 0;
    for (; i + n_panels <= tile->n_panels; i += n_panels)
        score_panels(tile, i, n_rows, n_panels, type);
    for (; i < tile->n_panels; i++)
        score_panels(tile, i, n_rows, 1, type);
}

__attribute__((always_inline)) static inline void score(const gol_attn_tile *tile, gol_kv_type type)
{
    if (tile->n_rows > 8)
        score_all_panels(tile, 12, 2, type);
    else if (tile->n_rows > 6)
        score_all_panels(tile, 8, 2, type);
    else if (tile->n_rows > 4)
        score_all_panels(tile, 6, 4, type);
    else if (tile->n_rows > 2)
        score_all_panels(tile, 4, 4, type);
    else if (tile->n_rows > 1)
        score_all_panels(tile, 2, 8, type);
    else
        score_all_panels(tile, 1, 8, type);
}

void gol_attn_scores_f16_avx512(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F16);
}

void gol_attn_scores_f32_avx512(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F32);
}

void gol_attn_scores_bf16_avx512(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_BF16);
}

void gol_attn_scores_q8_0_avx512(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_Q8_0);
}

/* ---- mixing ---- */

/* Keys [begin, end) of n_rows rows, and of n_vecs vectors of their values from dimension `first` on. */
typedef struct mix_span {
    float *acc; /* [n_rows][dim_v] from `first` on */
    const float *p;
    const uint8_t *const *values;
    size_t begin;
    size_t end;
    size_t first;
    size_t dim_v;
} mix_span;

/* v[n_vecs]; first is a multiple of GOL_QK for Q8_0. */
__attribute__((always_inline)) static inline void
load_value(__m512 *v, const uint8_t *row, size_t first, size_t n_vecs, gol_kv_type type)
{
    if (type == GOL_KV_Q8_0) {
        const uint8_t *block = row + first / GOL_QK * sizeof(gol_block_q8_0);
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i += 2, block += sizeof(gol_block_q8_0)) {
            const __m512 scale = widen_half(block);
            v[i] = widen_bytes(block + offsetof(gol_block_q8_0, qs), scale);
            v[i + 1] = widen_bytes(block + offsetof(gol_block_q8_0, qs) + LANES, scale);
        }
        return;
    }
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs; i++)
        v[i] = widen(row, first + i * LANES, type);
}

/* For key j, what load_value() will read. */
__attribute__((always_inline)) static inline void prefetch_values(const mix_span *span, size_t j,
                                                                  size_t n_vecs, gol_kv_type type)
{
    const size_t size = type == GOL_KV_Q8_0 ? 1 : number_bytes(type);
    const size_t at = type == GOL_KV_Q8_0 ? span->first / GOL_QK * sizeof(gol_block_q8_0)
                                          : span->first * size;
    const uint8_t *near = span->values[j + GOL_ATTN_NEAR_VALUES] + at;
    const uint8_t *far = span->values[j + GOL_ATTN_AHEAD] + at;
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs * LANES * size; i += LINE)
        gol_attn_prefetch(near, i, far + i);
}

__attribute__((always_inline)) static inline void mix_span_of(const mix_span *span, size_t n_rows,
                                                              size_t n_vecs, gol_kv_type type)
{
    __m512 sums[SUMS_MAX];
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            sums[r * n_vecs + i] = _mm512_loadu_ps(span->acc + r * span->dim_v + i * LANES);
    }
    for (size_t j = span->begin; j < span->end; j++) {
        __m512 v[SUMS_MAX];
        prefetch_values(span, j, n_vecs, type);
        load_value(v, span->values[j], span->first, n_vecs, type);
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m512 p = _mm512_set1_ps(span->p[r * STRIDE + j]);
            GOL_UNROLL
            for (size_t i = 0; i < n_vecs; i++)
                sums[r * n_vecs + i] = _mm512_fmadd_ps(p, v[i], sums[r * n_vecs + i]);
        }
    }
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            _mm512_storeu_ps(span->acc + r * span->dim_v + i * LANES, sums[r * n_vecs + i]);
    }
}

/* All dimensions, n_vecs vectors at a time. */
__attribute__((always_inline)) static inline void mix_rows(mix_span span, size_t n_rows,
                                                           size_t n_vecs, gol_kv_type type)
{
    float *acc = span.acc;
    for (; span.first + n_vecs * LANES <= span.dim_v; span.first += n_vecs * LANES) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, n_vecs, type);
    }
    const size_t n_rest = type == GOL_KV_Q8_0 ? 2 : 1;
    for (; span.first < span.dim_v; span.first += n_rest * LANES) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, n_rest, type);
    }
}

__attribute__((always_inline)) static inline void mix(const gol_attn_tile *tile, float *acc,
                                                      size_t first_row, size_t n_rows, size_t begin,
                                                      size_t end, gol_kv_type type)
{
    const mix_span span = {
        .acc = acc + first_row * tile->dim_v,
        .p = tile->scores + first_row * STRIDE,
        .values = tile->values,
        .begin = begin,
        .end = end,
        .dim_v = tile->dim_v,
    };
    if (n_rows > 8)
        mix_rows(span, 12, 2, type);
    else if (n_rows > 6)
        mix_rows(span, 8, 2, type);
    else if (n_rows > 4)
        mix_rows(span, 6, 4, type);
    else if (n_rows > 2)
        mix_rows(span, 4, 4, type);
    else if (n_rows > 1)
        mix_rows(span, 2, 4, type);
    else
        mix_rows(span, 1, 4, type);
}

void gol_attn_mix_f16_avx512(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                             size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F16);
}

void gol_attn_mix_f32_avx512(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                             size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F32);
}

void gol_attn_mix_bf16_avx512(const gol_attn_tile *tile, float *acc, size_t first_row,
                              size_t n_rows, size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_BF16);
}

void gol_attn_mix_q8_0_avx512(const gol_attn_tile *tile, float *acc, size_t first_row,
                              size_t n_rows, size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_Q8_0);
}

/* ---- softmax ---- */

float gol_softmax_f32_avx512(float *max, float *x, size_t n)
{
    __m512 greatest = _mm512_loadu_ps(x);
    for (size_t i = LANES; i < n; i += LANES)
        greatest = _mm512_max_ps(greatest, _mm512_loadu_ps(x + i));
    *max = _mm512_reduce_max_ps(greatest);
    greatest = _mm512_set1_ps(*max);
    __m512 sums = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += LANES) {
        const __m512 y = gol_exp_avx512(_mm512_sub_ps(_mm512_loadu_ps(x + i), greatest));
        _mm512_storeu_ps(x + i, y);
        sums = _mm512_add_ps(sums, y);
    }
    float lanes[GOL_LANES];
    _mm512_storeu_ps(lanes, sums);
    return gol_lanes_sum(lanes);
}

void gol_attn_merge_f32_avx512(float *acc, float keep, const float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        const __m512 old = _mm512_mul_ps(_mm512_loadu_ps(acc + i), _mm512_set1_ps(keep));
        _mm512_storeu_ps(acc + i,
                         _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_set1_ps(factor), old));
    }
}
