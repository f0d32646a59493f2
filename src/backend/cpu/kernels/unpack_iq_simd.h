/*
 * The codebook types unpacked to bytes around 64, in the operations of vec_bytes_<isa>.h, which is included before; UNPACK(type)
 * is the kernel's name. The same bytes and scales as unpack_iq_c.c. A vector holds 32 bits of each of several rows: indices of all
 * rows are looked up together (a gather), and an entry's packed codes spread into the bytes of its row, which is where the cores
 * want them. Fields are read by shifting what is left of a vector, so that every shift is by a constant.
 */
#ifndef GOL_BACKEND_CPU_UNPACK_IQ_SIMD_H
#define GOL_BACKEND_CPU_UNPACK_IQ_SIMD_H

#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/unpack_parts.h"
#include "quant/iq_grids.h"

enum { ZERO = 64, N_GROUPS = GOL_STRETCH_BLOCKS, N_ROWS = VEC / 4 /* of a vector */ };

static inline vec low_bits(vec x, uint32_t mask)
{
    return v_and(x, v32_set(mask));
}

/* (x >> shift) & mask in every row; shift is constant. */
#define FIELD(x, shift, mask) low_bits(V32_SHR((x), (shift)), (mask))

/* Four codes of two bits, from bit 0 on, one into each byte. */
static inline vec spread_pairs(vec x)
{
    x = v_and(v_or(x, V32_SHL(x, 12)), v32_set(0x000f000f));
    return v_and(v_or(x, V32_SHL(x, 6)), v32_set(0x03030303));
}

/* Four codes of three bits. */
static inline vec spread_triples(vec x)
{
    x = v_and(v_or(x, V32_SHL(x, 10)), v32_set(0x003f003f));
    return v_and(v_or(x, V32_SHL(x, 5)), v32_set(0x07070707));
}

/* gol_iq_signs(): seven bits completed to even parity; what lies above them is dropped. */
static inline vec complete_signs(vec x)
{
    x = v_and(x, v32_set(127));
    vec parity = v_xor(x, V32_SHR(x, 4));
    parity = v_xor(parity, V32_SHR(parity, 2));
    parity = v_xor(parity, V32_SHR(parity, 1));
    return v_or(x, v_and(V32_SHL(parity, 7), v32_set(128)));
}

/* Two quads of levels: 64 + level, or 64 - level where the low byte of signs has a bit. */
static inline void store_signed(uint8_t *q, vec low, vec high, vec signs)
{
    const vec eight = v_repeat_low_bytes(signs);
    v_store(q, v_add_or_subtract(v_set(ZERO), low, eight, v32_set(0x08040201)));
    v_store(q + GOL_QUAD, v_add_or_subtract(v_set(ZERO), high, eight, v32_set(0x80402010)));
}

static inline vec iq2_levels(void)
{
    return v_table((const uint8_t[16]){8, 25, 43});
}

static inline void store_iq2(uint8_t *q, const uint16_t *grid, vec index, vec levels, vec signs)
{
    const vec entry = v_gather(grid, index);
    store_signed(q, v_pick(levels, spread_pairs(entry)),
                 v_pick(levels, spread_pairs(FIELD(entry, 8, 255))), signs);
}

/* d * (n + 1/2) * factor */
static inline vec_f half_step_scale(vec_f d, vec n, float factor)
{
    return vf_mul(vf_mul(d, vf_add(vf_set(0.5f), vf_from_lanes(n))), vf_set(factor));
}

/* d * (2n + 1) */
static inline vec_f odd_scale(vec_f d, vec n)
{
    return vf_mul(d, vf_from_lanes(v_or(V32_SHL(n, 1), v32_set(1))));
}

void UNPACK(iq2_xxs)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ2_XXS);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_IQ2_XXS);
    const vec levels = iq2_levels();
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        uint8_t *q = out->store + 4 * r;
        for (size_t g = 0; g < N_GROUPS; g++) {
            vec indices = v_load(quads + 2 * g * GOL_QUAD + 4 * r);
            vec signs = v_load(quads + (2 * g + 1) * GOL_QUAD + 4 * r);
            vf_store(out->scale[g] + r, half_step_scale(d, V32_SHR(signs, 28), 0.25f));
            for (int v = 0; v < 4; v++, q += 2 * GOL_QUAD) {
                store_iq2(q, gol_iq2_xxs_grid, low_bits(indices, 255), levels,
                          complete_signs(signs));
                indices = V32_SHR(indices, 8);
                signs = V32_SHR(signs, 7);
            }
        }
    }
    out->q = out->store;
}

static inline void unpack_iq2_scales(gol_int_panel *out, const gol_stretch *s, gol_type type)
{
    const uint8_t *bits = gol_stretch_scales(s, type);
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        for (size_t g = 0; g < N_GROUPS; g++) {
            const vec two = v32_from_u8(bits + g * GOL_PANEL_ROWS + r);
            vf_store(out->scale[2 * g] + r, half_step_scale(d, low_bits(two, 15), 0.25f));
            vf_store(out->scale[2 * g + 1] + r, half_step_scale(d, V32_SHR(two, 4), 0.25f));
        }
    }
}

void UNPACK(iq2_xs)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ2_XS);
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_IQ2_XS);
    const vec levels = iq2_levels();
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        uint8_t *q = out->store + 4 * r;
        for (size_t k = 0; k < 2 * N_GROUPS; k++, q += 4 * GOL_QUAD) {
            const vec two = v_load(quads + k * GOL_QUAD + 4 * r);
            store_iq2(q, gol_iq2_xs_grid, low_bits(two, 511), levels,
                      complete_signs(V32_SHR(two, 9)));
            store_iq2(q + 2 * GOL_QUAD, gol_iq2_xs_grid, FIELD(two, 16, 511), levels,
                      complete_signs(V32_SHR(two, 25)));
        }
    }
    out->q = out->store;
    unpack_iq2_scales(out, s, GOL_TYPE_IQ2_XS);
}

void UNPACK(iq2_s)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ2_S);
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ2_S);
    const uint8_t *sign_bytes = qs + 8 * GOL_QUAD;
    const uint8_t *qh = sign_bytes + 8 * GOL_QUAD;
    const vec levels = iq2_levels();
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        uint8_t *q = out->store + 4 * r;
        vec high = v32_set(0);
        for (size_t g = 0; g < N_GROUPS; g++) {
            if (g % 4 == 0)
                high = v_load(qh + g / 4 * GOL_QUAD + 4 * r);
            vec low = v_load(qs + g * GOL_QUAD + 4 * r);
            vec signs = v_load(sign_bytes + g * GOL_QUAD + 4 * r);
            for (int v = 0; v < 4; v++, q += 2 * GOL_QUAD) {
                const vec index = v_or(low_bits(low, 255), V32_SHL(low_bits(high, 3), 8));
                store_iq2(q, gol_iq2_s_grid, index, levels, signs);
                low = V32_SHR(low, 8);
                high = V32_SHR(high, 2);
                signs = V32_SHR(signs, 8);
            }
        }
    }
    out->q = out->store;
    unpack_iq2_scales(out, s, GOL_TYPE_IQ2_S);
}

void UNPACK(iq3_xxs)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ3_XXS);
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ3_XXS);
    const uint8_t *scales_signs = qs + 16 * GOL_QUAD;
    const vec levels = v_table((const uint8_t[16]){4, 12, 20, 28, 36, 44, 52, 62});
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        uint8_t *q = out->store + 4 * r;
        vec signs = v32_set(0);
        for (size_t k = 0; k < 2 * N_GROUPS; k++) { /* halves of groups: two vectors */
            if (k % 2 == 0) {
                signs = v_load(scales_signs + k / 2 * GOL_QUAD + 4 * r);
                vf_store(out->scale[k / 2] + r, half_step_scale(d, V32_SHR(signs, 28), 0.5f));
            }
            vec indices = v_load(qs + k * GOL_QUAD + 4 * r);
            for (int v = 0; v < 2; v++, q += 2 * GOL_QUAD) {
                const vec a = v_gather(gol_iq3_xxs_grid, low_bits(indices, 255));
                const vec b = v_gather(gol_iq3_xxs_grid, FIELD(indices, 8, 255));
                store_signed(q, v_pick(levels, spread_triples(a)),
                             v_pick(levels, spread_triples(b)), complete_signs(signs));
                indices = V32_SHR(indices, 16);
                signs = V32_SHR(signs, 7);
            }
        }
    }
    out->q = out->store;
}

static inline void unpack_iq3_s_scales(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_IQ3_S);
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        for (size_t g = 0; g < N_GROUPS; g += 2) {
            const vec two = v32_from_u8(bits + g / 2 * GOL_PANEL_ROWS + r);
            vf_store(out->scale[g] + r, odd_scale(d, low_bits(two, 15)));
            vf_store(out->scale[g + 1] + r, odd_scale(d, V32_SHR(two, 4)));
        }
    }
}

void UNPACK(iq3_s)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ3_S);
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ3_S);
    const uint8_t *qh = qs + 16 * GOL_QUAD;
    const uint8_t *sign_bytes = qh + 2 * GOL_QUAD;
    const vec levels = v_table((const uint8_t[16]){1, 3, 5, 7, 9, 11, 13, 15});
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        uint8_t *q = out->store + 4 * r;
        vec signs = v32_set(0);
        vec high = v32_set(0);
        for (size_t k = 0; k < 2 * N_GROUPS; k++) { /* halves of groups: two vectors */
            if (k % 8 == 0)
                high = v_load(qh + k / 8 * GOL_QUAD + 4 * r);
            if (k % 2 == 0)
                signs = v_load(sign_bytes + k / 2 * GOL_QUAD + 4 * r);
            vec low = v_load(qs + k * GOL_QUAD + 4 * r);
            for (int v = 0; v < 2; v++, q += 2 * GOL_QUAD) {
                const vec ninth_a = V32_SHL(low_bits(high, 1), 8);
                const vec ninth_b = V32_SHL(low_bits(high, 2), 7);
                const vec a = v_gather(gol_iq3_s_grid, v_or(low_bits(low, 255), ninth_a));
                const vec b = v_gather(gol_iq3_s_grid, v_or(FIELD(low, 8, 255), ninth_b));
                store_signed(q, v_pick(levels, spread_triples(a)),
                             v_pick(levels, spread_triples(b)), signs);
                low = V32_SHR(low, 16);
                high = V32_SHR(high, 2);
                signs = V32_SHR(signs, 8);
            }
        }
    }
    out->q = out->store;
    unpack_iq3_s_scales(out, s);
}

/* Two quads of 64 + 8 * level + delta; delta is 1 or -1 in every byte. */
static inline void store_shifted(uint8_t *q, vec index, vec delta)
{
    const vec levels = v_table((const uint8_t[16]){ZERO - 8, ZERO, ZERO + 8, ZERO + 16});
    const vec entry = v_gather(gol_iq1_grid, index);
    v_store(q, v_add(v_pick(levels, spread_pairs(entry)), delta));
    v_store(q + GOL_QUAD, v_add(v_pick(levels, spread_pairs(FIELD(entry, 8, 255))), delta));
}

/* -1 in every byte of rows whose lowest bit is set, else 1. */
static inline vec delta_of(vec x)
{
    const vec bit = v_repeat_low_bytes(x);
    return v_add_or_subtract(v_set(0), v_set(1), bit, v_set(1));
}

void UNPACK(iq1_s)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ1_S);
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ1_S);
    const uint8_t *qh = qs + 8 * GOL_QUAD;
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        const vec_f d = vf_from_halves(s->data + 2 * r);
        uint8_t *q = out->store + 4 * r;
        vec high = v32_set(0);
        for (size_t g = 0; g < N_GROUPS; g++) {
            high = g % 2 == 0 ? v_load(qh + g / 2 * GOL_QUAD + 4 * r) : V32_SHR(high, 4);
            vec low = v_load(qs + g * GOL_QUAD + 4 * r);
            const vec_f scale = odd_scale(d, FIELD(high, 12, 7));
            vf_store(out->scale[g] + r, vf_mul(scale, vf_set(0.125f)));
            const vec delta = delta_of(FIELD(high, 15, 1));
            for (int v = 0; v < 4; v++, q += 2 * GOL_QUAD) {
                store_shifted(q, v_or(low_bits(low, 255), V32_SHL(low_bits(high, 7), 8)), delta);
                low = V32_SHR(low, 8);
                high = V32_SHR(high, 3);
            }
        }
    }
    out->q = out->store;
}

static inline void unpack_iq1_m_scales(gol_int_panel *out, const uint8_t *scales)
{
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        vec a = v_load(scales + 4 * r);
        vec b = v_load(scales + GOL_QUAD + 4 * r);
        const vec low = v_or(FIELD(a, 12, 15), V32_SHL(V32_SHR(a, 28), 4));
        const vec high = v_or(V32_SHL(FIELD(b, 12, 15), 8), V32_SHL(V32_SHR(b, 28), 12));
        const vec_f d = vf_from_half_lanes(v_or(low, high));
        for (size_t m = 0; m < 4; m++) {
            const vec n[4] = {low_bits(a, 7), FIELD(a, 16, 7), low_bits(b, 7), FIELD(b, 16, 7)};
            for (size_t k = 0; k < 4; k++)
                vf_store(out->scale[4 * k + m] + r, vf_mul(odd_scale(d, n[k]), vf_set(0.125f)));
            a = V32_SHR(a, 3);
            b = V32_SHR(b, 3);
        }
    }
}

void UNPACK(iq1_m)(gol_int_panel *out, const gol_stretch *s)
{
    gol_prefetch_after(s, GOL_TYPE_IQ1_M);
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ1_M);
    const uint8_t *qh = qs + 8 * GOL_QUAD;
    for (size_t r = 0; r < GOL_PANEL_ROWS; r += N_ROWS) {
        uint8_t *q = out->store + 4 * r;
        vec high = v32_set(0);
        for (size_t g = 0; g < N_GROUPS; g++) {
            if (g % 2 == 0)
                high = v_load(qh + g / 2 * GOL_QUAD + 4 * r);
            vec low = v_load(qs + g * GOL_QUAD + 4 * r);
            for (int v = 0; v < 4; v++, q += 2 * GOL_QUAD) {
                store_shifted(q, v_or(low_bits(low, 255), V32_SHL(low_bits(high, 7), 8)),
                              delta_of(FIELD(high, 3, 1)));
                low = V32_SHR(low, 8);
                high = V32_SHR(high, 4);
            }
        }
    }
    out->q = out->store;
    unpack_iq1_m_scales(out, qh + 4 * GOL_QUAD);
}

#endif
