/*
 * The types with blocks of 32 unpacked to bytes, in the operations of vec_bytes_<isa>.h, which is included before; UNPACK(type) is
 * the kernel's name. The same bytes as unpack_q32_c.c, a vector at a time.
 */
#ifndef GOL_BACKEND_CPU_UNPACK_Q32_SIMD_H
#define GOL_BACKEND_CPU_UNPACK_Q32_SIMD_H

#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/unpack_parts.h"
#include "quant/levels.h"

enum { HALF_STORE = GOL_BLOCK_STORE / 2 };

static inline void widen_scales(gol_int_panel *out, const gol_stretch *s)
{
    for (size_t i = 0; i < s->n_blocks * GOL_PANEL_ROWS; i += VEC_F)
        vf_store(out->scale[0] + i, vf_from_halves(s->data + 2 * i));
}

static inline void widen_scales_and_mins(gol_int_panel *out, const gol_stretch *s)
{
    for (size_t b = 0; b < s->n_blocks; b++) {
        const uint8_t *halves = s->data + b * 4 * GOL_PANEL_ROWS;
        for (size_t r = 0; r < GOL_PANEL_ROWS; r += VEC_F) {
            vf_store(out->scale[b] + r, vf_from_halves(halves + 2 * r));
            vf_store(out->min[b] + r, vf_negate(vf_from_halves(halves + 2 * (GOL_PANEL_ROWS + r))));
        }
    }
}

static inline void unpack_nibbles(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads)
{
    const vec nibble = v_set(15);
    uint8_t *q = out->store;
    for (size_t b = 0; b < s->n_blocks; b++, q += GOL_BLOCK_STORE, quads += HALF_STORE) {
        for (size_t i = 0; i < HALF_STORE; i += VEC) {
            const vec two = v_load(quads + i);
            v_store(q + i, v_and(two, nibble));
            v_store(q + HALF_STORE + i, v_and(V_SHR(two, 4), nibble));
        }
    }
    out->q = out->store;
}

static inline void unpack_levels(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads,
                                 const int8_t levels[16], int zero)
{
    uint8_t shifted[16];
    for (int i = 0; i < 16; i++)
        shifted[i] = (uint8_t)(levels[i] + zero);
    const vec table = v_table(shifted);
    const vec nibble = v_set(15);
    uint8_t *q = out->store;
    for (size_t b = 0; b < s->n_blocks; b++, q += GOL_BLOCK_STORE, quads += HALF_STORE) {
        for (size_t i = 0; i < HALF_STORE; i += VEC) {
            const vec two = v_load(quads + i);
            v_store(q + i, v_pick(table, v_and(two, nibble)));
            v_store(q + HALF_STORE + i, v_pick(table, v_and(V_SHR(two, 4), nibble)));
        }
    }
    out->q = out->store;
}

/* Quads j and j + 4 of a block; up and down bring their bits of the planes to bit 4. */
#define UNPACK_FIVE_BITS(j, PLANE_LOW, PLANE_HIGH)                                                 \
    do {                                                                                           \
        const vec two = v_load(nibbles + (j)*GOL_QUAD + i);                                        \
        v_store(q + (j)*GOL_QUAD + i, v_or_masked(v_and(two, nibble), PLANE_LOW, fifth));          \
        v_store(q + ((j) + 4) * GOL_QUAD + i,                                                      \
                v_or_masked(v_and(V_SHR(two, 4), nibble), PLANE_HIGH, fifth));                     \
    } while (0)

static inline void unpack_five_bits(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads)
{
    const vec nibble = v_set(15);
    const vec fifth = v_set(16);
    uint8_t *q = out->store;
    for (size_t b = 0; b < s->n_blocks; b++, q += GOL_BLOCK_STORE) {
        const uint8_t *planes = quads + b * (GOL_QUAD + HALF_STORE);
        const uint8_t *nibbles = planes + GOL_QUAD;
        for (size_t i = 0; i < GOL_QUAD; i += VEC) {
            const vec plane = v_load(planes + i);
            UNPACK_FIVE_BITS(0, V_SHL(plane, 4), plane);
            UNPACK_FIVE_BITS(1, V_SHL(plane, 3), V_SHR(plane, 1));
            UNPACK_FIVE_BITS(2, V_SHL(plane, 2), V_SHR(plane, 2));
            UNPACK_FIVE_BITS(3, V_SHL(plane, 1), V_SHR(plane, 3));
        }
    }
    out->q = out->store;
}

void UNPACK(q8_0)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q8_0);
    out->q = gol_stretch_quads(s, GOL_TYPE_Q8_0);
    widen_scales(out, s);
}

void UNPACK(q4_0)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q4_0);
    unpack_nibbles(out, s, gol_stretch_quads(s, GOL_TYPE_Q4_0));
    widen_scales(out, s);
}

void UNPACK(q4_1)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q4_1);
    unpack_nibbles(out, s, gol_stretch_quads(s, GOL_TYPE_Q4_1));
    widen_scales_and_mins(out, s);
}

void UNPACK(q5_0)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q5_0);
    unpack_five_bits(out, s, gol_stretch_quads(s, GOL_TYPE_Q5_0));
    widen_scales(out, s);
}

void UNPACK(q5_1)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_Q5_1);
    unpack_five_bits(out, s, gol_stretch_quads(s, GOL_TYPE_Q5_1));
    widen_scales_and_mins(out, s);
}

void UNPACK(iq4_nl)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ4_NL);
    unpack_levels(out, s, gol_stretch_quads(s, GOL_TYPE_IQ4_NL), gol_iq4_levels, 128);
    widen_scales(out, s);
}

void UNPACK(mxfp4)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_MXFP4);
    unpack_levels(out, s, gol_stretch_quads(s, GOL_TYPE_MXFP4), gol_mxfp4_levels, 16);
    for (size_t i = 0; i < s->n_blocks * GOL_PANEL_ROWS; i += VEC_F)
        vf_store(out->scale[0] + i, vf_from_e8m0_half(s->data + i));
}

#endif
