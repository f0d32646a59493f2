/*
 * The types with super-blocks of 256 unpacked to bytes, in the operations of vec_bytes_<isa>.h, which is included before;
 * UNPACK(type) is the kernel's name. The same bytes and scales as unpack_k_c.c and unpack_ternary_c.c, a vector at a time.
 */
#ifndef GOL_BACKEND_CPU_UNPACK_K_SIMD_H
#define GOL_BACKEND_CPU_UNPACK_K_SIMD_H

#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/unpack_parts.h"
#include "quant/levels.h"

enum { N_GROUPS_16 = GOL_STRETCH_INPUTS / 16 };

/* out[n_groups][16 rows] = factors (binary16, of 16 rows) * bytes[n_groups][16] */
static inline void scale_groups(float (*out)[GOL_PANEL_ROWS], const uint8_t *factors,
                                const uint8_t *bytes, size_t n_groups,
                                vec_f convert(const uint8_t *))
{
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += VEC_F) {
        const vec_f d = vf_from_halves(factors + 2 * r);
        for (size_t g = 0; g < n_groups; g++)
            vf_store(out[g] + r, vf_mul(d, convert(bytes + g * GOL_PANEL_ROWS + r)));
    }
}

static inline void unpack_k4_scales(gol_int_panel *out, const gol_stretch *s, gol_type type)
{
    enum { FOUR = 4 * GOL_PANEL_ROWS }; /* bytes of four groups */
    const uint8_t *bits = gol_stretch_scales(s, type);
    uint8_t scales[2 * FOUR] __attribute__((aligned(64)));
    uint8_t mins[2 * FOUR] __attribute__((aligned(64)));
    const vec six = v_set(63);
    const vec nibble = v_set(15);
    const vec upper = v_set(48);
    for (size_t i = 0; i < FOUR; i += VEC) {
        const vec a = v_load(bits + i);
        const vec b = v_load(bits + FOUR + i);
        const vec c = v_load(bits + 2 * FOUR + i);
        v_store(scales + i, v_and(a, six));
        v_store(mins + i, v_and(b, six));
        v_store(scales + FOUR + i, v_or_masked(v_and(c, nibble), V_SHR(a, 2), upper));
        v_store(mins + FOUR + i, v_or_masked(v_and(V_SHR(c, 4), nibble), V_SHR(b, 2), upper));
    }
    scale_groups(out->scale, s->data, scales, GOL_STRETCH_BLOCKS, vf_from_u8);
    scale_groups(out->min, s->data + 2 * GOL_PANEL_ROWS, mins, GOL_STRETCH_BLOCKS, vf_from_u8);
}

void UNPACK(q4_k)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q4_K);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_Q4_K);
    const vec nibble = v_set(15);
    uint8_t *q = out->store;
    for (size_t chunk = 0; chunk < 4; chunk++, q += 2 * GOL_BLOCK_STORE) {
        for (size_t i = 0; i < GOL_BLOCK_STORE; i += VEC) {
            const vec two = v_load(quads + chunk * GOL_BLOCK_STORE + i);
            v_store(q + i, v_and(two, nibble));
            v_store(q + GOL_BLOCK_STORE + i, v_and(V_SHR(two, 4), nibble));
        }
    }
    out->q = out->store;
    unpack_k4_scales(out, s, GOL_TYPE_Q4_K);
}

/* Groups 2 * chunk and the next; the planes shifted so that their bits stand at bit 4. */
#define UNPACK_Q5_K(chunk, PLANE_LOW, PLANE_HIGH)                                                  \
    do {                                                                                           \
        const vec two = v_load(quads + (chunk)*GOL_BLOCK_STORE + i);                               \
        uint8_t *q = out->store + 2 * (chunk)*GOL_BLOCK_STORE + i;                                 \
        v_store(q, v_or_masked(v_and(two, nibble), PLANE_LOW, fifth));                             \
        v_store(q + GOL_BLOCK_STORE,                                                               \
                v_or_masked(v_and(V_SHR(two, 4), nibble), PLANE_HIGH, fifth));                     \
    } while (0)

void UNPACK(q5_k)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q5_K);
    const uint8_t *planes = gol_stretch_quads(s, GOL_TYPE_Q5_K);
    const uint8_t *quads = planes + GOL_BLOCK_STORE;
    const vec nibble = v_set(15);
    const vec fifth = v_set(16);
    for (size_t i = 0; i < GOL_BLOCK_STORE; i += VEC) {
        const vec plane = v_load(planes + i);
        UNPACK_Q5_K(0, V_SHL(plane, 4), V_SHL(plane, 3));
        UNPACK_Q5_K(1, V_SHL(plane, 2), V_SHL(plane, 1));
        UNPACK_Q5_K(2, plane, V_SHR(plane, 1));
        UNPACK_Q5_K(3, V_SHR(plane, 2), V_SHR(plane, 3));
    }
    out->q = out->store;
    unpack_k4_scales(out, s, GOL_TYPE_Q5_K);
}

/* Four blocks from bytes of four pairs of bits. */
static inline void unpack_pairs(uint8_t *q, const uint8_t *quads)
{
    const vec pair = v_set(3);
    for (size_t i = 0; i < GOL_BLOCK_STORE; i += VEC) {
        const vec four = v_load(quads + i);
        v_store(q + i, v_and(four, pair));
        v_store(q + GOL_BLOCK_STORE + i, v_and(V_SHR(four, 2), pair));
        v_store(q + 2 * GOL_BLOCK_STORE + i, v_and(V_SHR(four, 4), pair));
        v_store(q + 3 * GOL_BLOCK_STORE + i, v_and(V_SHR(four, 6), pair));
    }
}

void UNPACK(q2_k)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q2_K);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_Q2_K);
    unpack_pairs(out->store, quads);
    unpack_pairs(out->store + 4 * GOL_BLOCK_STORE, quads + GOL_BLOCK_STORE);
    out->q = out->store;
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_Q2_K);
    uint8_t scales[N_GROUPS_16 * GOL_PANEL_ROWS] __attribute__((aligned(64)));
    uint8_t mins[N_GROUPS_16 * GOL_PANEL_ROWS] __attribute__((aligned(64)));
    const vec nibble = v_set(15);
    for (size_t i = 0; i < sizeof scales; i += VEC) {
        const vec two = v_load(bits + i);
        v_store(scales + i, v_and(two, nibble));
        v_store(mins + i, v_and(V_SHR(two, 4), nibble));
    }
    scale_groups(out->scale, s->data, scales, N_GROUPS_16, vf_from_u8);
    scale_groups(out->min, s->data + 2 * GOL_PANEL_ROWS, mins, N_GROUPS_16, vf_from_u8);
}

/* Two low bits, and the third from the mask shifted to bit 2, for groups 4 * half and up. */
#define UNPACK_Q3_K(half, HIGH0, HIGH1, HIGH2, HIGH3)                                              \
    do {                                                                                           \
        const vec four = v_load(quads + (half)*GOL_BLOCK_STORE + i);                               \
        uint8_t *q = out->store + 4 * (half)*GOL_BLOCK_STORE + i;                                  \
        v_store(q, v_or_masked(v_and(four, pair), HIGH0, third));                                  \
        v_store(q + GOL_BLOCK_STORE, v_or_masked(v_and(V_SHR(four, 2), pair), HIGH1, third));      \
        v_store(q + 2 * GOL_BLOCK_STORE, v_or_masked(v_and(V_SHR(four, 4), pair), HIGH2, third));  \
        v_store(q + 3 * GOL_BLOCK_STORE, v_or_masked(v_and(V_SHR(four, 6), pair), HIGH3, third));  \
    } while (0)

/* Six-bit scales of 16 groups, bytes [12][16 rows]: gol_q3_k_scales() for all rows. */
static inline void unpack_q3_k_scales(gol_int_panel *out, const gol_stretch *s)
{
    enum { FOUR = 4 * GOL_PANEL_ROWS }; /* bytes of four groups */
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_Q3_K);
    uint8_t scales[4 * FOUR] __attribute__((aligned(64)));
    const vec nibble = v_set(15);
    const vec upper = v_set(48);
    const vec minus_32 = v_set((uint8_t)-32);
    for (size_t i = 0; i < FOUR; i += VEC) {
        const vec a = v_load(bits + i);
        const vec b = v_load(bits + FOUR + i);
        const vec c = v_load(bits + 2 * FOUR + i);
        const vec g0 = v_or_masked(v_and(a, nibble), V_SHL(c, 4), upper);
        const vec g4 = v_or_masked(v_and(b, nibble), V_SHL(c, 2), upper);
        const vec g8 = v_or_masked(v_and(V_SHR(a, 4), nibble), c, upper);
        const vec g12 = v_or_masked(v_and(V_SHR(b, 4), nibble), V_SHR(c, 2), upper);
        v_store(scales + i, v_add(g0, minus_32));
        v_store(scales + FOUR + i, v_add(g4, minus_32));
        v_store(scales + 2 * FOUR + i, v_add(g8, minus_32));
        v_store(scales + 3 * FOUR + i, v_add(g12, minus_32));
    }
    scale_groups(out->scale, s->data, scales, N_GROUPS_16, vf_from_s8);
}

void UNPACK(q3_k)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q3_K);
    const uint8_t *hmask = gol_stretch_quads(s, GOL_TYPE_Q3_K);
    const uint8_t *quads = hmask + GOL_BLOCK_STORE;
    const vec pair = v_set(3);
    const vec third = v_set(4);
    for (size_t i = 0; i < GOL_BLOCK_STORE; i += VEC) {
        const vec high = v_load(hmask + i);
        UNPACK_Q3_K(0, V_SHL(high, 2), V_SHL(high, 1), high, V_SHR(high, 1));
        UNPACK_Q3_K(1, V_SHR(high, 2), V_SHR(high, 3), V_SHR(high, 4), V_SHR(high, 5));
    }
    out->q = out->store;
    unpack_q3_k_scales(out, s);
}

void UNPACK(q6_k)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q6_K);
    const uint8_t *qh = gol_stretch_quads(s, GOL_TYPE_Q6_K);
    const uint8_t *ql = qh + 2 * GOL_BLOCK_STORE;
    const vec nibble = v_set(15);
    const vec upper = v_set(48);
    for (size_t half = 0; half < 2; half++) {
        for (size_t i = 0; i < GOL_BLOCK_STORE; i += VEC) {
            const vec high = v_load(qh + half * GOL_BLOCK_STORE + i);
            const vec a = v_load(ql + 2 * half * GOL_BLOCK_STORE + i);
            const vec b = v_load(ql + (2 * half + 1) * GOL_BLOCK_STORE + i);
            uint8_t *q = out->store + 4 * half * GOL_BLOCK_STORE + i;
            v_store(q, v_or_masked(v_and(a, nibble), V_SHL(high, 4), upper));
            v_store(q + GOL_BLOCK_STORE, v_or_masked(v_and(b, nibble), V_SHL(high, 2), upper));
            v_store(q + 2 * GOL_BLOCK_STORE, v_or_masked(v_and(V_SHR(a, 4), nibble), high, upper));
            v_store(q + 3 * GOL_BLOCK_STORE,
                    v_or_masked(v_and(V_SHR(b, 4), nibble), V_SHR(high, 2), upper));
        }
    }
    out->q = out->store;
    scale_groups(out->scale, s->data, gol_stretch_scales(s, GOL_TYPE_Q6_K), N_GROUPS_16,
                 vf_from_s8);
}

/* d * (six - 32), whose upper two bits are the lowest of `high` */
static inline vec_f six_bit_scale(vec_f d, vec low, vec high)
{
    const vec six = v_or(low, V32_SHL(v_and(high, v32_set(3)), 4));
    return vf_mul(d, vf_add(vf_from_lanes(six), vf_set(-32.0f)));
}

static inline void unpack_iq4_xs_scales(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *bits_high = gol_stretch_scales(s, GOL_TYPE_IQ4_XS);
    const uint8_t *bits_low = bits_high + 2 * GOL_PANEL_ROWS;
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += VEC_F) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        vec high = v32_set(0);
        for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g += 2) {
            if (g % 4 == 0)
                high = v32_from_u8(bits_high + g / 4 * GOL_PANEL_ROWS + r);
            const vec low = v32_from_u8(bits_low + g / 2 * GOL_PANEL_ROWS + r);
            vf_store(out->scale[g] + r, six_bit_scale(d, v_and(low, v32_set(15)), high));
            vf_store(out->scale[g + 1] + r, six_bit_scale(d, V32_SHR(low, 4), V32_SHR(high, 2)));
            high = V32_SHR(high, 4);
        }
    }
}

void UNPACK(iq4_xs)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ4_XS);
    unpack_levels(out, s, gol_stretch_quads(s, GOL_TYPE_IQ4_XS), gol_iq4_levels, 128);
    unpack_iq4_xs_scales(out, s);
}

static inline void repeat_scales(gol_int_panel *out, const gol_stretch *s)
{
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += VEC_F) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++)
            vf_store(out->scale[g] + r, d);
    }
}

void UNPACK(tq2_0)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_TQ2_0);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_TQ2_0);
    unpack_pairs(out->store, quads);
    unpack_pairs(out->store + 4 * GOL_BLOCK_STORE, quads + GOL_BLOCK_STORE);
    out->q = out->store;
    repeat_scales(out, s);
}

/* The digit of a base-3 fraction of 256 is 1 from 256 / 3 on and 2 from 512 / 3 on; three times the rest holds the next. */
static inline uint8_t *unpack_digits(uint8_t *q, const uint8_t *in, size_t n_bytes, int n_digits)
{
    const vec one = v_set(86);
    const vec two = v_set(171);
    for (size_t i = 0; i < n_bytes; i += VEC) {
        vec rest = v_load(in + i);
        for (int k = 0; k < n_digits; k++) {
            v_store(q + (size_t)k * n_bytes + i,
                    v_add(v_is_at_least(rest, one), v_is_at_least(rest, two)));
            rest = v_add(rest, v_add(rest, rest));
        }
    }
    return q + (size_t)n_digits * n_bytes;
}

void UNPACK(tq1_0)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_TQ1_0);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_TQ1_0);
    uint8_t *q = out->store;
    q = unpack_digits(q, quads, 8 * GOL_QUAD, 5);
    q = unpack_digits(q, quads + 8 * GOL_QUAD, 4 * GOL_QUAD, 5);
    (void)unpack_digits(q, quads + 12 * GOL_QUAD, GOL_QUAD, 4);
    out->q = out->store;
    repeat_scales(out, s);
}

#endif
