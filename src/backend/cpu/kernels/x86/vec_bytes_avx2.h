/*
 * The operations that unpackers are written in (unpack_*_simd.inc), with AVX2: vectors of VEC bytes, and of VEC_F floats that take
 * a row each.
 */
#ifndef GOL_BACKEND_CPU_VEC_BYTES_AVX2_H
#define GOL_BACKEND_CPU_VEC_BYTES_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VEC = 32, VEC_F = 8 };
typedef __m256i vec;
typedef __m256 vec_f;

static inline vec v_load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void v_store(uint8_t *p, vec v)
{
    _mm256_store_si256((__m256i *)(void *)p, v);
}

static inline vec v_set(uint8_t byte)
{
    return _mm256_set1_epi8((char)byte);
}

static inline vec v_and(vec a, vec b)
{
    return _mm256_and_si256(a, b);
}

/* a | (b & mask) */
static inline vec v_or_masked(vec a, vec b, vec mask)
{
    return _mm256_or_si256(a, _mm256_and_si256(b, mask));
}

static inline vec v_add(vec a, vec b)
{
    return _mm256_add_epi8(a, b);
}

/* Shifts move 16 bits at a time: what crosses from byte to byte is for the caller to mask. n is constant. */
#define V_SHR(v, n) _mm256_srli_epi16((v), (n))
#define V_SHL(v, n) _mm256_slli_epi16((v), (n))

/* 1 in the bytes where a >= b, unsigned. */
static inline vec v_is_at_least(vec a, vec b)
{
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a), _mm256_set1_epi8(1));
}

/* The 16 bytes of a table, for v_pick(). */
static inline vec v_table(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* table[byte] for bytes below 16. */
static inline vec v_pick(vec table, vec v)
{
    return _mm256_shuffle_epi8(table, v);
}

static inline void vf_store(float *p, vec_f v)
{
    _mm256_store_ps(p, v);
}

static inline vec_f vf_load(const float *p)
{
    return _mm256_load_ps(p);
}

static inline vec_f vf_mul(vec_f a, vec_f b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec_f vf_negate(vec_f v)
{
    return _mm256_xor_ps(v, _mm256_set1_ps(-0.0f));
}

static inline vec_f vf_from_halves(const uint8_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}

static inline vec_f vf_from_u8(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

static inline vec_f vf_from_s8(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
}

/* gol_e8m0_half() */
static inline vec_f vf_from_e8m0_half(const uint8_t *p)
{
    const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    const __m256i is_normal = _mm256_cmpgt_epi32(e, _mm256_set1_epi32(1));
    return _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, is_normal));
}

/* ---- 32 bits of each of several rows ---- */

static inline vec v32_set(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

#define V32_SHR(v, n) _mm256_srli_epi32((v), (n))
#define V32_SHL(v, n) _mm256_slli_epi32((v), (n))

static inline vec v_or(vec a, vec b)
{
    return _mm256_or_si256(a, b);
}

static inline vec v_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

static inline vec v32_from_u8(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
}

/* table[index], in the low half of each row. Tables have an even number of entries: pairs are loaded, never beyond the end. */
static inline vec v_gather(const uint16_t *table, vec index)
{
    const vec pair = _mm256_i32gather_epi32((const int *)(const void *)table,
                                            _mm256_srli_epi32(index, 1), 4);
    const vec shift = _mm256_and_si256(_mm256_slli_epi32(index, 4), _mm256_set1_epi32(16));
    return _mm256_and_si256(_mm256_srlv_epi32(pair, shift), _mm256_set1_epi32(0xffff));
}

/* The lowest byte of each row in all four. */
static inline vec v_repeat_low_bytes(vec v)
{
    return _mm256_shuffle_epi8(v, _mm256_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12,
                                                   12, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12,
                                                   12, 12));
}

/* Bytes a - b where bits has the one bit that mask has there, else a + b. */
static inline vec v_add_or_subtract(vec a, vec b, vec bits, vec mask)
{
    const vec minus = _mm256_cmpeq_epi8(_mm256_and_si256(bits, mask), mask);
    return _mm256_add_epi8(a, _mm256_sub_epi8(_mm256_xor_si256(b, minus), minus));
}

static inline vec_f vf_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec_f vf_add(vec_f a, vec_f b)
{
    return _mm256_add_ps(a, b);
}

static inline vec_f vf_from_lanes(vec v)
{
    return _mm256_cvtepi32_ps(v);
}

/* Binary16 numbers in the low halves. */
static inline vec_f vf_from_half_lanes(vec v)
{
    const __m128i low = _mm256_castsi256_si128(v);
    return _mm256_cvtph_ps(_mm_packus_epi32(low, _mm256_extracti128_si256(v, 1)));
}

#endif
