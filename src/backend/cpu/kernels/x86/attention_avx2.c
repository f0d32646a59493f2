/*
 * The inner loops of attention for AVX2: two vectors are a panel's sixteen keys, or sixteen dimensions of a value. As in
 * attention_avx512.c, with up to 12 of the 16 registers for sums: six rows at most share a load. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels/attention_prefetch.h"
#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/lanes.h"
#include "backend/cpu/kernels/unroll.h"
#include "backend/cpu/kernels/x86/vec_math_avx2.h"

enum {
    LANES = GOL_ATTN_LANES,
    ROWS = GOL_ATTN_ROWS,
    STRIDE = GOL_ATTN_STRIDE,
    WIDTH = 8,     /* floats of a vector */
    SUMS_MAX = 12, /* vectors */
    ROWS_MAX = 6,  /* that share a load */
    LINE = GOL_ATTN_LINE,
    SLAB = 64, /* keys */
};

static inline size_t number_bytes(gol_kv_type type)
{
    return type == GOL_KV_F32 ? sizeof(float) : sizeof(uint16_t);
}

static inline __m256 widen_bytes(const void *p, __m256 scale)
{
    const __m256i q = _mm256_cvtepi8_epi32(_mm_loadl_epi64(p));
    return _mm256_mul_ps(_mm256_cvtepi32_ps(q), scale);
}

/* Eight numbers of a type without scales. */
static inline __m256 widen(const uint8_t *p, size_t i, gol_kv_type type)
{
    if (type == GOL_KV_F32)
        return _mm256_loadu_ps((const float *)(const void *)p + i);
    const __m128i halves = _mm_loadu_si128((const void *)(p + i * sizeof(uint16_t)));
    if (type == GOL_KV_F16)
        return _mm256_cvtph_ps(halves);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

static inline __m256 widen_half(const uint8_t *p)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return _mm256_cvtph_ps(_mm_set1_epi16((short)half));
}

/* ---- scores ---- */

/* Byte `at` of n_panels panels, and of those that come later. */
__attribute__((always_inline)) static inline void prefetch_panels(const uint8_t *const *panels,
                                                                  size_t at, size_t n_panels)
{
    GOL_UNROLL
    for (size_t i = 0; i < n_panels; i++)
        gol_attn_prefetch(panels[i], at + GOL_ATTN_NEAR_BYTES,
                          panels[GOL_ATTN_FAR_PANELS + i] + at);
}

/* Of n_panels panels from `panels` on and n_rows rows from q on; a panel is two vectors. */
__attribute__((always_inline)) static inline void add_products(__m256 *sums, const float *q,
                                                               const uint8_t *const *panels,
                                                               size_t dim, size_t n_rows,
                                                               size_t n_panels, gol_kv_type type)
{
    const size_t n_vecs = 2 * n_panels;
    for (size_t d = 0; d < dim; d++) {
        __m256 k[SUMS_MAX];
        prefetch_panels(panels, d * LANES * number_bytes(type), n_panels);
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            k[i] = widen(panels[i / 2], d * LANES + i % 2 * WIDTH, type);
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m256 x = _mm256_set1_ps(q[d * ROWS + r]);
            GOL_UNROLL
            for (size_t i = 0; i < n_vecs; i++)
                sums[r * n_vecs + i] = _mm256_fmadd_ps(x, k[i], sums[r * n_vecs + i]);
        }
    }
}

__attribute__((always_inline)) static inline void add_products_q8_0(__m256 *sums, const float *q,
                                                                    const uint8_t *const *panels,
                                                                    size_t dim, size_t n_rows,
                                                                    size_t n_panels)
{
    const size_t n_vecs = 2 * n_panels;
    for (size_t d = 0; d < dim; d++) {
        if (d * LANES % LINE == 0)
            prefetch_panels(panels, d / GOL_QK * sizeof(gol_kv_panel_q8_0) + d % GOL_QK * LANES,
                            n_panels);
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++) {
            const gol_kv_panel_q8_0 *block =
                (const gol_kv_panel_q8_0 *)(const void *)panels[i / 2] + d / GOL_QK;
            const __m256 scale = _mm256_cvtph_ps(
                _mm_loadu_si128((const void *)(block->d + i % 2 * WIDTH)));
            const __m256 k = widen_bytes(block->qs[d % GOL_QK] + i % 2 * WIDTH, scale);
            GOL_UNROLL
            for (size_t r = 0; r < n_rows; r++)
                sums[r * n_vecs + i] = _mm256_fmadd_ps(_mm256_set1_ps(q[d * ROWS + r]), k,
                                                       sums[r * n_vecs + i]);
        }
    }
}

/* Panels [first, first + n_panels), rows [first_row, first_row + n_rows). */
__attribute__((always_inline)) static inline void score_panels(const gol_attn_tile *tile,
                                                               size_t first, size_t n_panels,
                                                               size_t first_row, size_t n_rows,
                                                               gol_kv_type type)
{
    const size_t n_vecs = 2 * n_panels;
    __m256 sums[SUMS_MAX];
    GOL_UNROLL
    for (size_t i = 0; i < n_rows * n_vecs; i++)
        sums[i] = _mm256_setzero_ps();
    const float *q = tile->q + first_row;
    if (type == GOL_KV_Q8_0)
        add_products_q8_0(sums, q, tile->panels + first, tile->dim_k, n_rows, n_panels);
    else
        add_products(sums, q, tile->panels + first, tile->dim_k, n_rows, n_panels, type);
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs; i++) {
        float *out = tile->scores + (ptrdiff_t)(first_row * STRIDE + i % 2 * WIDTH) +
                     tile->panel_pos[first + i / 2];
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++)
            _mm256_storeu_ps(out + r * STRIDE, sums[r * n_vecs + i]);
    }
}

/* One panel for n_rows <= ROWS_MAX rows. */
__attribute__((always_inline)) static inline void
score_panel(const gol_attn_tile *tile, size_t i, size_t first_row, size_t n_rows, gol_kv_type type)
{
    if (n_rows > 4)
        score_panels(tile, i, 1, first_row, 6, type);
    else if (n_rows > 2)
        score_panels(tile, i, 1, first_row, 4, type);
    else
        score_panels(tile, i, 1, first_row, 2, type);
}

__attribute__((always_inline)) static inline void score(const gol_attn_tile *tile, gol_kv_type type)
{
    size_t i = 0;
    if (tile->n_rows <= 2)
        for (; i + 2 <= tile->n_panels; i += 2)
            score_panels(tile, i, 2, 0, 2, type);
    for (; i < tile->n_panels; i++) {
        if (tile->n_rows <= ROWS_MAX) {
            score_panel(tile, i, 0, tile->n_rows, type);
            continue;
        }
        score_panels(tile, i, 1, 0, ROWS_MAX, type);
        score_panel(tile, i, ROWS_MAX, tile->n_rows - ROWS_MAX, type);
    }
}

void gol_attn_scores_f16_avx2(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F16);
}

void gol_attn_scores_f32_avx2(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_F32);
}

void gol_attn_scores_bf16_avx2(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_BF16);
}

void gol_attn_scores_q8_0_avx2(const gol_attn_tile *tile)
{
    score(tile, GOL_KV_Q8_0);
}

/* ---- mixing ---- */

/* Keys [begin, end) of some rows, and of some vectors of their values from dimension `first` on. */
typedef struct mix_span {
    float *acc; /* [n_rows][dim_v] from `first` on */
    const float *p;
    const uint8_t *const *values;
    size_t begin;
    size_t end;
    size_t first;
    size_t dim_v;
} mix_span;

/* v[n_vecs], which do not leave a block of Q8_0. */
__attribute__((always_inline)) static inline void
load_value(__m256 *v, const uint8_t *row, size_t first, size_t n_vecs, gol_kv_type type)
{
    if (type == GOL_KV_Q8_0) {
        const uint8_t *block = row + first / GOL_QK * sizeof(gol_block_q8_0);
        const uint8_t *qs = block + offsetof(gol_block_q8_0, qs) + first % GOL_QK;
        const __m256 scale = widen_half(block);
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            v[i] = widen_bytes(qs + i * WIDTH, scale);
        return;
    }
    GOL_UNROLL
    for (size_t i = 0; i < n_vecs; i++)
        v[i] = widen(row, first + i * WIDTH, type);
}

__attribute__((always_inline)) static inline void mix_span_of(const mix_span *span, size_t n_rows,
                                                              size_t n_vecs, gol_kv_type type)
{
    const size_t size = type == GOL_KV_Q8_0 ? 1 : number_bytes(type);
    __m256 sums[SUMS_MAX];
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            sums[r * n_vecs + i] = _mm256_loadu_ps(span->acc + r * span->dim_v + i * WIDTH);
    }
    for (size_t j = span->begin; j < span->end; j++) {
        __m256 v[SUMS_MAX];
        if (span->first * size % LINE == 0)
            gol_attn_prefetch(span->values[j + GOL_ATTN_NEAR_VALUES], span->first * size,
                              span->values[j + GOL_ATTN_AHEAD] + span->first * size);
        load_value(v, span->values[j], span->first, n_vecs, type);
        GOL_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            const __m256 p = _mm256_set1_ps(span->p[r * STRIDE + j]);
            GOL_UNROLL
            for (size_t i = 0; i < n_vecs; i++)
                sums[r * n_vecs + i] = _mm256_fmadd_ps(p, v[i], sums[r * n_vecs + i]);
        }
    }
    GOL_UNROLL
    for (size_t r = 0; r < n_rows; r++) {
        GOL_UNROLL
        for (size_t i = 0; i < n_vecs; i++)
            _mm256_storeu_ps(span->acc + r * span->dim_v + i * WIDTH, sums[r * n_vecs + i]);
    }
}

/* All dimensions, n_vecs vectors at a time, n_vecs at most a block of Q8_0. */
__attribute__((always_inline)) static inline void mix_slab(mix_span span, size_t n_rows,
                                                           size_t n_vecs, gol_kv_type type)
{
    float *acc = span.acc;
    for (; span.first + n_vecs * WIDTH <= span.dim_v; span.first += n_vecs * WIDTH) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, n_vecs, type);
    }
    for (; span.first < span.dim_v; span.first += 2 * WIDTH) {
        span.acc = acc + span.first;
        mix_span_of(&span, n_rows, 2, type);
    }
}

/* By slabs of keys that stay in L1 while one part of their dimensions after another is read: over the whole chunk the first part
 * would wait for memory, and memory for the others. */
__attribute__((always_inline)) static inline void mix_rows(mix_span span, size_t n_rows,
                                                           size_t n_vecs, gol_kv_type type)
{
    const size_t end = span.end;
    for (; span.begin < end; span.begin += SLAB) {
        span.end = end - span.begin < SLAB ? end : span.begin + SLAB;
        mix_slab(span, n_rows, n_vecs, type);
    }
}

__attribute__((always_inline)) static inline void mix(const gol_attn_tile *tile, float *acc,
                                                      size_t first_row, size_t n_rows, size_t begin,
                                                      size_t end, gol_kv_type type)
{
    mix_span span = {
        .acc = acc + first_row * tile->dim_v,
        .p = tile->scores + first_row * STRIDE,
        .values = tile->values,
        .begin = begin,
        .end = end,
        .dim_v = tile->dim_v,
    };
    for (size_t r = 0; r < n_rows; r += ROWS_MAX) {
        const size_t n = n_rows - r;
        if (n > 4)
            mix_rows(span, 6, 2, type);
        else if (n > 2)
            mix_rows(span, 4, 2, type);
        else if (n > 1)
            mix_rows(span, 2, 4, type);
        else
            mix_rows(span, 1, 4, type);
        span.acc += ROWS_MAX * tile->dim_v;
        span.p += ROWS_MAX * STRIDE;
    }
}

void gol_attn_mix_f16_avx2(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                           size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F16);
}

void gol_attn_mix_f32_avx2(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                           size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_F32);
}

void gol_attn_mix_bf16_avx2(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                            size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_BF16);
}

void gol_attn_mix_q8_0_avx2(const gol_attn_tile *tile, float *acc, size_t first_row, size_t n_rows,
                            size_t begin, size_t end)
{
    mix(tile, acc, first_row, n_rows, begin, end, GOL_KV_Q8_0);
}

/* ---- softmax ---- */

float gol_softmax_f32_avx2(float *max, float *x, size_t n)
{
    __m256 greatest = _mm256_loadu_ps(x);
    for (size_t i = WIDTH; i < n; i += WIDTH)
        greatest = _mm256_max_ps(greatest, _mm256_loadu_ps(x + i));
    float lanes[GOL_LANES];
    _mm256_storeu_ps(lanes, greatest);
    *max = lanes[0];
    for (size_t i = 1; i < WIDTH; i++)
        *max = lanes[i] > *max ? lanes[i] : *max;
    greatest = _mm256_set1_ps(*max);
    __m256 low = _mm256_setzero_ps();
    __m256 high = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += GOL_LANES) {
        const __m256 a = gol_exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(x + i), greatest));
        const __m256 b = gol_exp_avx2(_mm256_sub_ps(_mm256_loadu_ps(x + i + WIDTH), greatest));
        _mm256_storeu_ps(x + i, a);
        _mm256_storeu_ps(x + i + WIDTH, b);
        low = _mm256_add_ps(low, a);
        high = _mm256_add_ps(high, b);
    }
    _mm256_storeu_ps(lanes, low);
    _mm256_storeu_ps(lanes + WIDTH, high);
    return gol_lanes_sum(lanes);
}

void gol_attn_merge_f32_avx2(float *acc, float keep, const float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        const __m256 old = _mm256_mul_ps(_mm256_loadu_ps(acc + i), _mm256_set1_ps(keep));
        _mm256_storeu_ps(acc + i,
                         _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor), old));
    }
}
