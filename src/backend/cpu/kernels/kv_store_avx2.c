/*
 * Writing keys and values of 16-bit types into the cache with AVX2: the conversion is vector code, keys are then dealt to their
 * panel's rows one by one. Layouts: attention_tile.h.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#include "backend/cpu/kernels/attention_tile.h"

enum { LANES = GOL_ATTN_LANES, WIDTH = 8 };

/* Eight numbers; what is beyond binary16 becomes its largest, a NaN stays one. */
static inline __m128i narrow_f16(__m256 x)
{
    const __m256 limit = _mm256_set1_ps(65504.0f);
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
