/*
 * Writing keys and values into the cache with AVX2: the conversion is vector code, keys are then dealt to their panel's rows one by
 * one. The bytes are those of kv_store_c.c. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))

enum { LANES = GOL_ATTN_LANES, WIDTH = 8, BLOCK_VECS = GOL_QK / WIDTH };

static const float f16_max = 65504.0f;

/* Eight numbers; what is beyond binary16 becomes its largest, a NaN stays one. */
static inline __m128i narrow_f16(__m256 x)
{
    const __m256 limit = _mm256_set1_ps(f16_max);
    const __m256 lower = _mm256_max_ps(_mm256_sub_ps(_mm256_setzero_ps(), limit), x);
    return _mm256_cvtps_ph(_mm256_min_ps(limit, lower), _MM_FROUND_TO_NEAREST_INT);
}

/* Eight numbers, to nearest even; a NaN stays one. */
static inline __m128i narrow_bf16(__m256 x)
{
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i bias = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
    const __m256i rounded = _mm256_add_epi32(bits, bias);
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    const __m256i upper = _mm256_srli_epi32(
        _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(is_nan)), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1));
}

static inline __m128i narrow(__m256 x, gol_kv_type type)
{
    return type == GOL_KV_F16 ? narrow_f16(x) : narrow_bf16(x);
}

/* The last numbers of a row, zeros behind them. */
static inline __m256 load_rest(const float *x, size_t n)
{
    float padded[WIDTH] = {0};
    memcpy(padded, x, n * sizeof *x);
    return _mm256_loadu_ps(padded);
}

static inline void store_key(uint8_t *panel, const float *k, size_t lane, size_t dim,
                             gol_kv_type type)
{
    uint16_t *out = (uint16_t *)(void *)panel + lane;
    for (size_t i = 0; i < dim; i += WIDTH) {
        const size_t n = dim - i < WIDTH ? dim - i : WIDTH;
        uint16_t halves[WIDTH];
        const __m256 x = n == WIDTH ? _mm256_loadu_ps(k + i) : load_rest(k + i, n);
        _mm_storeu_si128((__m128i *)(void *)halves, narrow(x, type));
        for (size_t j = 0; j < n; j++)
            out[(i + j) * LANES] = halves[j];
    }
}

static inline void store_value(uint8_t *row, const float *v, size_t dim, gol_kv_type type)
{
    const size_t n_padded = (dim + LANES - 1) / LANES * LANES;
    for (size_t i = 0; i < n_padded; i += WIDTH) {
        const size_t n = i >= dim ? 0 : dim - i < WIDTH ? dim - i : WIDTH;
        const __m256 x = n == WIDTH ? _mm256_loadu_ps(v + i) : load_rest(v + dim - n, n);
        _mm_storeu_si128((__m128i *)(void *)(row + i * sizeof(uint16_t)), narrow(x, type));
    }
}

void gol_kv_store_key_f16_avx2(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    store_key(panel, k, lane, dim, GOL_KV_F16);
}

void gol_kv_store_key_bf16_avx2(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    store_key(panel, k, lane, dim, GOL_KV_BF16);
}

void gol_kv_store_value_f16_avx2(uint8_t *row, const float *v, size_t dim)
{
    store_value(row, v, dim, GOL_KV_F16);
}

void gol_kv_store_value_bf16_avx2(uint8_t *row, const float *v, size_t dim)
{
    store_value(row, v, dim, GOL_KV_BF16);
}

/* ---- Q8_0 ---- */

static inline __m256 magnitude(__m256 x)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

/* The greatest of a block's magnitudes; NaN when one is. */
INLINE float largest_magnitude(const __m256 v[BLOCK_VECS])
{
    __m256 largest = _mm256_setzero_ps();
    __m256 is_nan = _mm256_setzero_ps();
    GOL_UNROLL
    for (size_t i = 0; i < BLOCK_VECS; i++) {
        largest = _mm256_max_ps(magnitude(v[i]), largest);
        is_nan = _mm256_or_ps(is_nan, _mm256_cmp_ps(v[i], v[i], _CMP_UNORD_Q));
    }
    if (_mm256_movemask_ps(is_nan) != 0)
        return NAN;
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps(largest, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

/* To nearest, halves away from zero, as roundf() does, within +-127; a NaN becomes -127. Adding the float below 0.5 carries 0.5 itself
 * over, for the sum is rounded, and nothing below it. */
static inline __m256i round_away(__m256 x)
{
    const __m256 low = _mm256_max_ps(x, _mm256_set1_ps(-127.0f));
    const __m256 y = _mm256_min_ps(low, _mm256_set1_ps(127.0f));
    const __m256 sign = _mm256_and_ps(y, _mm256_set1_ps(-0.0f));
    return _mm256_cvttps_epi32(
        _mm256_add_ps(y, _mm256_or_ps(sign, _mm256_set1_ps(0x1.fffffep-2f))));
}

/* The bytes of a block; *d is its scale, binary16, a NaN when one of x is. */
INLINE __m256i quantize_block(uint16_t *d, const float *x)
{
    __m256 v[BLOCK_VECS];
    GOL_UNROLL
    for (size_t i = 0; i < BLOCK_VECS; i++)
        v[i] = _mm256_loadu_ps(x + i * WIDTH);
    const float largest = largest_magnitude(v);
    const float exact = largest / 127.0f > f16_max ? f16_max
                                                   : largest / 127.0f; /* a NaN stays one */
    *d = _cvtss_sh(exact, _MM_FROUND_TO_NEAREST_INT);
    const float scale = _cvtsh_ss(*d);
    const __m256 inverse = _mm256_set1_ps(scale > 0.0f ? 1.0f / scale : 0.0f);
    __m256i q[BLOCK_VECS];
    GOL_UNROLL
    for (size_t i = 0; i < BLOCK_VECS; i++)
        q[i] = round_away(_mm256_mul_ps(v[i], inverse));
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]),
                                             _mm256_packs_epi32(q[2], q[3]));
    /* packing works by halves: fours of the vectors 0 1 2 3 0 1 2 3 */
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

void gol_kv_store_key_q8_0_avx2(uint8_t *panel, const float *k, size_t lane, size_t dim)
{
    gol_kv_panel_q8_0 *out = (gol_kv_panel_q8_0 *)(void *)panel;
    for (size_t i = 0; i < dim; i += GOL_QK, out++) {
        int8_t bytes[GOL_QK];
        _mm256_storeu_si256((void *)bytes, quantize_block(&out->d[lane], k + i));
        for (size_t j = 0; j < GOL_QK; j++)
            out->qs[j][lane] = bytes[j];
    }
}

void gol_kv_store_value_q8_0_avx2(uint8_t *row, const float *v, size_t dim)
{
    gol_block_q8_0 *out = (gol_block_q8_0 *)(void *)row;
    for (size_t i = 0; i < dim; i += GOL_QK, out++) {
        uint16_t d;
        _mm256_storeu_si256((void *)out->qs, quantize_block(&d, v + i));
        out->d = d;
    }
}
