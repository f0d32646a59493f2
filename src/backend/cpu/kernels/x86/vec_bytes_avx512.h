/*
 * The operations that unpackers are written in (unpack_*_simd.inc), with AVX-512: vectors of VEC bytes, and of VEC_F floats that
 * take a row each.
 */
#ifndef GOL_BACKEND_CPU_VEC_BYTES_AVX512_H
#define GOL_BACKEND_CPU_VEC_BYTES_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { VEC = 64, VEC_F = 16 };
typedef __m512i vec;
typedef __m512 vec_f;

static inline vec v_load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

static inline void v_store(uint8_t *p, vec v)
{
    _mm512_store_si512(p, v);
}

static inline vec v_set(uint8_t byte)
{
    return _mm512_set1_epi8((char)byte);
}

static inline vec v_and(vec a, vec b)
{
    return _mm512_and_si512(a, b);
}

/* a | (b & mask) */
static inline vec v_or_masked(vec a, vec b, vec mask)
{
    return _mm512_ternarylogic_epi64(a, b, mask, 0xf8);
}

static inline vec v_add(vec a, vec b)
{
    return _mm512_add_epi8(a, b);
}

/* Shifts move 16 bits at a time: what crosses from byte to byte is for the caller to mask. n is constant. */
#define V_SHR(v, n) _mm512_srli_epi16((v), (n))
#define V_SHL(v, n) _mm512_slli_epi16((v), (n))

/* 1 in the bytes where a >= b, unsigned. */
static inline vec v_is_at_least(vec a, vec b)
{
    return _mm512_maskz_mov_epi8(_mm512_cmpge_epu8_mask(a, b), _mm512_set1_epi8(1));
}

/* The 16 bytes of a table, for v_pick(). */
static inline vec v_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* table[byte] for bytes below 16. */
static inline vec v_pick(vec table, vec v)
{
    return _mm512_shuffle_epi8(table, v);
}

static inline void vf_store(float *p, vec_f v)
{
    _mm512_store_ps(p, v);
}

static inline vec_f vf_load(const float *p)
{
    return _mm512_load_ps(p);
}

static inline vec_f vf_mul(vec_f a, vec_f b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec_f vf_negate(vec_f v)
{
    return _mm512_xor_ps(v, _mm512_set1_ps(-0.0f));
}

static inline vec_f vf_from_halves(const uint8_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

static inline vec_f vf_from_u8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

static inline vec_f vf_from_s8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
}

/* gol_e8m0_half() */
static inline vec_f vf_from_e8m0_half(const uint8_t *p)
{
    const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
    const __m512i subnormal = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), e);
    const __mmask16 is_normal = _mm512_cmpgt_epi32_mask(e, _mm512_set1_epi32(1));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(subnormal, is_normal, normal));
}

/* ---- 32 bits of each of several rows ---- */

static inline vec v32_set(uint32_t x)
{
    return _mm512_set1_epi32((int)x);
}

#define V32_SHR(v, n) _mm512_srli_epi32((v), (n))
#define V32_SHL(v, n) _mm512_slli_epi32((v), (n))

static inline vec v_or(vec a, vec b)
{
    return _mm512_or_si512(a, b);
}

static inline vec v_xor(vec a, vec b)
{
    return _mm512_xor_si512(a, b);
}

static inline vec v32_from_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

/* table[index], in the low half of each row. Tables have an even number of entries: pairs are loaded, never beyond the end. */
static inline vec v_gather(const uint16_t *table, vec index)
{
    const vec pair = _mm512_i32gather_epi32(_mm512_srli_epi32(index, 1), table, 4);
    const vec shift = _mm512_and_si512(_mm512_slli_epi32(index, 4), _mm512_set1_epi32(16));
    return _mm512_and_si512(_mm512_srlv_epi32(pair, shift), _mm512_set1_epi32(0xffff));
}

/* The lowest byte of each row in all four. */
static inline vec v_repeat_low_bytes(vec v)
{
    return _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0));
}

/* Bytes a - b where bits has the one bit that mask has there, else a + b. */
static inline vec v_add_or_subtract(vec a, vec b, vec bits, vec mask)
{
    const __mmask64 minus = _mm512_test_epi8_mask(bits, mask);
    return _mm512_mask_sub_epi8(_mm512_add_epi8(a, b), minus, a, b);
}

static inline vec_f vf_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec_f vf_add(vec_f a, vec_f b)
{
    return _mm512_add_ps(a, b);
}

static inline vec_f vf_from_lanes(vec v)
{
    return _mm512_cvtepi32_ps(v);
}

/* Binary16 numbers in the low halves. */
static inline vec_f vf_from_half_lanes(vec v)
{
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
}

#endif
