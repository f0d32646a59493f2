/*
 * The operations that unpackers are written in (unpack_*_simd.h), with NEON of 64-bit Arm: vectors of VEC bytes, and of VEC_F
 * floats that take a row each.
 */
#ifndef GOL_BACKEND_CPU_VEC_BYTES_NEON_H
#define GOL_BACKEND_CPU_VEC_BYTES_NEON_H

#if defined(__aarch64__)

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { VEC = 16, VEC_F = 4 };
typedef uint8x16_t vec;
typedef float32x4_t vec_f;

static inline vec v_load(const uint8_t *p)
{
    return vld1q_u8(p);
}

static inline void v_store(uint8_t *p, vec v)
{
    vst1q_u8(p, v);
}

static inline vec v_set(uint8_t byte)
{
    return vdupq_n_u8(byte);
}

static inline vec v_and(vec a, vec b)
{
    return vandq_u8(a, b);
}

/* a | (b & mask) */
static inline vec v_or_masked(vec a, vec b, vec mask)
{
    return vorrq_u8(a, vandq_u8(b, mask));
}

static inline vec v_add(vec a, vec b)
{
    return vaddq_u8(a, b);
}

/* Bytes shifted one by one; what falls out is zeros here, and for the caller to mask elsewhere. n is constant. */
#define V_SHR(v, n) vshrq_n_u8((v), (n))
#define V_SHL(v, n) vshlq_n_u8((v), (n))

/* 1 in the bytes where a >= b, unsigned. */
static inline vec v_is_at_least(vec a, vec b)
{
    return vshrq_n_u8(vcgeq_u8(a, b), 7);
}

/* The 16 bytes of a table, for v_pick(). */
static inline vec v_table(const uint8_t table[16])
{
    return vld1q_u8(table);
}

/* table[byte] for bytes below 16. */
static inline vec v_pick(vec table, vec v)
{
    return vqtbl1q_u8(table, v);
}

static inline void vf_store(float *p, vec_f v)
{
    vst1q_f32(p, v);
}

static inline vec_f vf_load(const float *p)
{
    return vld1q_f32(p);
}

static inline vec_f vf_mul(vec_f a, vec_f b)
{
    return vmulq_f32(a, b);
}

static inline vec_f vf_negate(vec_f v)
{
    return vnegq_f32(v);
}

static inline vec_f vf_from_halves(const uint8_t *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

/* Four bytes as 32-bit numbers. */
static inline uint32x4_t v_widen_u8(const uint8_t *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four)))));
}

static inline vec_f vf_from_u8(const uint8_t *p)
{
    return vcvtq_f32_u32(v_widen_u8(p));
}

static inline vec_f vf_from_s8(const uint8_t *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four))))));
}

/* gol_e8m0_half() */
static inline vec_f vf_from_e8m0_half(const uint8_t *p)
{
    const uint32x4_t e = v_widen_u8(p);
    const uint32x4_t normal = vshlq_n_u32(vsubq_u32(e, vdupq_n_u32(1)), 23);
    const uint32x4_t subnormal = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(e));
    return vreinterpretq_f32_u32(vbslq_u32(vcgtq_u32(e, vdupq_n_u32(1)), normal, subnormal));
}

#endif
#endif
