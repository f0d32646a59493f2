/*
 * The operations that unpackers are written in (unpack_*_simd.inc), with NEON of 64-bit Arm: vectors of VEC bytes, and of VEC_F
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

/* ---- 32 bits of each of several rows ---- */

static inline vec v32_set(uint32_t x)
{
    return vreinterpretq_u8_u32(vdupq_n_u32(x));
}

#define V32_SHR(v, n) vreinterpretq_u8_u32(vshrq_n_u32(vreinterpretq_u32_u8(v), (n)))
#define V32_SHL(v, n) vreinterpretq_u8_u32(vshlq_n_u32(vreinterpretq_u32_u8(v), (n)))

static inline vec v_or(vec a, vec b)
{
    return vorrq_u8(a, b);
}

static inline vec v_xor(vec a, vec b)
{
    return veorq_u8(a, b);
}

static inline vec v32_from_u8(const uint8_t *p)
{
    return vreinterpretq_u8_u32(v_widen_u8(p));
}

/* table[index] in each row. */
static inline vec v_gather(const uint16_t *table, vec index)
{
    const uint32x4_t i = vreinterpretq_u32_u8(index);
    uint32x4_t entry = vdupq_n_u32(table[vgetq_lane_u32(i, 0)]);
    entry = vsetq_lane_u32(table[vgetq_lane_u32(i, 1)], entry, 1);
    entry = vsetq_lane_u32(table[vgetq_lane_u32(i, 2)], entry, 2);
    return vreinterpretq_u8_u32(vsetq_lane_u32(table[vgetq_lane_u32(i, 3)], entry, 3));
}

/* The lowest byte of each row in all four. */
static inline vec v_repeat_low_bytes(vec v)
{
    static const uint8_t lowest[16] = {0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12};
    return vqtbl1q_u8(v, vld1q_u8(lowest));
}

/* Bytes a - b where bits has the one bit that mask has there, else a + b. */
static inline vec v_add_or_subtract(vec a, vec b, vec bits, vec mask)
{
    return vbslq_u8(vtstq_u8(bits, mask), vsubq_u8(a, b), vaddq_u8(a, b));
}

static inline vec_f vf_set(float x)
{
    return vdupq_n_f32(x);
}

static inline vec_f vf_add(vec_f a, vec_f b)
{
    return vaddq_f32(a, b);
}

static inline vec_f vf_from_lanes(vec v)
{
    return vcvtq_f32_s32(vreinterpretq_s32_u8(v));
}

/* Binary16 numbers in the low halves. */
static inline vec_f vf_from_half_lanes(vec v)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(vreinterpretq_u32_u8(v))));
}

#endif
#endif
