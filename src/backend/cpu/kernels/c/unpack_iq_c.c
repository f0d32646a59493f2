/*
 * The codebook types unpacked to bytes around 64, in plain C. What lies where in a packed stretch: pack_blocks.c; what the bits
 * mean: quant/blocks.h. Levels times signs are whole numbers (of IQ1: eight times level plus delta), so that a value is rounded as
 * the reference conversion rounds it. g counts groups of 32 elements, v vectors of eight in a group.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/unpack_parts.h"
#include "backend/cpu/kernels/widen.h"
#include "quant/iq_grids.h"
#include "quant/levels.h"

enum { ZERO = 64, N_GROUPS = GOL_STRETCH_BLOCKS };

/* Row r's dword k of a field of quads. */
static uint32_t dword_at(const uint8_t *quads, size_t k, size_t r)
{
    uint32_t x;
    memcpy(&x, quads + (k * GOL_PANEL_ROWS + r) * 4, sizeof x);
    return x;
}

/* Eight elements of row r: vector v of group g. */
static void store_signed(gol_int_panel *out, size_t g, size_t v, size_t r, const int8_t levels[8],
                         uint32_t signs)
{
    for (size_t j = 0; j < 8; j++) {
        const size_t quad = g * GOL_BLOCK_QUADS + 2 * v + j / 4;
        out->store[quad * GOL_QUAD + 4 * r + j % 4] = (uint8_t)(signs >> j & 1 ? ZERO - levels[j]
                                                                               : ZERO + levels[j]);
    }
}

void gol_unpack_iq2_xxs_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_IQ2_XXS);
    float d[GOL_PANEL_ROWS];
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    for (size_t g = 0; g < N_GROUPS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t indices = dword_at(quads, 2 * g, r);
            const uint32_t signs = dword_at(quads, 2 * g + 1, r);
            for (size_t v = 0; v < 4; v++) {
                int8_t levels[8];
                gol_iq2_unpack(levels, gol_iq2_xxs_grid[indices >> 8 * v & 255]);
                store_signed(out, g, v, r, levels, gol_iq_signs(signs >> 7 * v));
            }
            out->scale[g][r] = d[r] * (0.5f + (float)(signs >> 28)) * 0.25f;
        }
    }
    out->q = out->store;
}

/* Two scales a byte, of 16 elements each. */
static void unpack_iq2_scales(gol_int_panel *out, const gol_stretch *s, gol_type type)
{
    const uint8_t *bits = gol_stretch_scales(s, type);
    float d[GOL_PANEL_ROWS];
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    for (size_t g = 0; g < N_GROUPS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint8_t two = bits[g * GOL_PANEL_ROWS + r];
            out->scale[2 * g][r] = d[r] * (0.5f + (float)(two & 15)) * 0.25f;
            out->scale[2 * g + 1][r] = d[r] * (0.5f + (float)(two >> 4)) * 0.25f;
        }
    }
}

void gol_unpack_iq2_xs_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_IQ2_XS);
    for (size_t k = 0; k < 4 * N_GROUPS; k++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t q = dword_at(quads, k / 2, r) >> 16 * (k % 2);
            int8_t levels[8];
            gol_iq2_unpack(levels, gol_iq2_xs_grid[q & 511]);
            store_signed(out, k / 4, k % 4, r, levels, gol_iq_signs(q >> 9));
        }
    }
    out->q = out->store;
    unpack_iq2_scales(out, s, GOL_TYPE_IQ2_XS);
}

void gol_unpack_iq2_s_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ2_S);
    const uint8_t *signs = qs + 8 * GOL_QUAD;
    const uint8_t *qh = signs + 8 * GOL_QUAD;
    for (size_t k = 0; k < 4 * N_GROUPS; k++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t low = dword_at(qs, k / 4, r) >> 8 * (k % 4) & 255;
            const uint32_t high = dword_at(qh, k / 16, r) >> 2 * (k % 16) & 3;
            int8_t levels[8];
            gol_iq2_unpack(levels, gol_iq2_s_grid[low | high << 8]);
            store_signed(out, k / 4, k % 4, r, levels, dword_at(signs, k / 4, r) >> 8 * (k % 4));
        }
    }
    out->q = out->store;
    unpack_iq2_scales(out, s, GOL_TYPE_IQ2_S);
}

void gol_unpack_iq3_xxs_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ3_XXS);
    const uint8_t *scales_signs = qs + 16 * GOL_QUAD;
    float d[GOL_PANEL_ROWS];
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    for (size_t g = 0; g < N_GROUPS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t signs = dword_at(scales_signs, g, r);
            for (size_t v = 0; v < 4; v++) {
                const uint32_t two = dword_at(qs, 2 * g + v / 2, r) >> 16 * (v % 2);
                int8_t levels[8];
                gol_iq3_xxs_unpack(levels, gol_iq3_xxs_grid[two & 255]);
                gol_iq3_xxs_unpack(levels + 4, gol_iq3_xxs_grid[two >> 8 & 255]);
                store_signed(out, g, v, r, levels, gol_iq_signs(signs >> 7 * v));
            }
            out->scale[g][r] = d[r] * (0.5f + (float)(signs >> 28)) * 0.5f;
        }
    }
    out->q = out->store;
}

void gol_unpack_iq3_s_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ3_S);
    const uint8_t *qh = qs + 16 * GOL_QUAD;
    const uint8_t *signs = qh + 2 * GOL_QUAD;
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_IQ3_S);
    float d[GOL_PANEL_ROWS];
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    for (size_t g = 0; g < N_GROUPS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t high = dword_at(qh, g / 4, r) >> 8 * (g % 4);
            for (size_t v = 0; v < 4; v++) {
                const uint32_t two = dword_at(qs, 2 * g + v / 2, r) >> 16 * (v % 2);
                const uint32_t ninths = high >> 2 * v;
                int8_t levels[8];
                gol_iq3_s_unpack(levels, gol_iq3_s_grid[(two & 255) | (ninths & 1) << 8]);
                gol_iq3_s_unpack(levels + 4, gol_iq3_s_grid[(two >> 8 & 255) | (ninths & 2) << 7]);
                store_signed(out, g, v, r, levels, dword_at(signs, g, r) >> 8 * v);
            }
            const int four = bits[g / 2 * GOL_PANEL_ROWS + r] >> 4 * (g % 2) & 15;
            out->scale[g][r] = d[r] * (float)(1 + 2 * four);
        }
    }
    out->q = out->store;
}

/* Eight elements of IQ1: 8 * level + 1 or - 1. */
static void store_shifted(gol_int_panel *out, size_t g, size_t v, size_t r, uint32_t index,
                          bool is_below)
{
    int8_t levels[8];
    gol_iq1_unpack(levels, gol_iq1_grid[index]);
    for (size_t j = 0; j < 8; j++)
        levels[j] = (int8_t)(8 * levels[j] + (is_below ? -1 : 1));
    store_signed(out, g, v, r, levels, 0);
}

void gol_unpack_iq1_s_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ1_S);
    const uint8_t *qh = qs + 8 * GOL_QUAD;
    float d[GOL_PANEL_ROWS];
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    for (size_t g = 0; g < N_GROUPS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t low = dword_at(qs, g, r);
            const uint32_t high = dword_at(qh, g / 2, r) >> 16 * (g % 2) & 0xffff;
            for (size_t v = 0; v < 4; v++)
                store_shifted(out, g, v, r, (low >> 8 * v & 255) | (high >> 3 * v & 7) << 8,
                              high >> 15);
            out->scale[g][r] = d[r] * (float)(2 * (high >> 12 & 7) + 1) * 0.125f;
        }
    }
    out->q = out->store;
}

void gol_unpack_iq1_m_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qs = gol_stretch_quads(s, GOL_TYPE_IQ1_M);
    const uint8_t *qh = qs + 8 * GOL_QUAD;
    const uint8_t *scales = qh + 4 * GOL_QUAD;
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
        const uint32_t a = dword_at(scales, 0, r);
        const uint32_t b = dword_at(scales, 1, r);
        const uint32_t d_bits = (a >> 12 & 15) | (a >> 28) << 4 | (b >> 12 & 15) << 8 |
                                (b >> 28) << 12;
        const float d = gol_widen_f16((uint16_t)d_bits);
        for (size_t k = 0; k < 4 * N_GROUPS; k++) {
            const uint32_t low = dword_at(qs, k / 4, r) >> 8 * (k % 4) & 255;
            const uint32_t high = dword_at(qh, k / 8, r) >> 4 * (k % 8) & 15;
            store_shifted(out, k / 4, k % 4, r, low | (high & 7) << 8, high >> 3);
        }
        for (size_t pair = 0; pair < 2 * N_GROUPS; pair++) {
            const uint32_t half = (pair < 8 ? a : b) >> 16 * (pair / 4 % 2);
            out->scale[pair][r] = d * (float)(2 * (half >> 3 * (pair % 4) & 7) + 1) * 0.125f;
        }
    }
    out->q = out->store;
}
