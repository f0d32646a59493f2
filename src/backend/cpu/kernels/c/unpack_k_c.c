/*
 * The types with super-blocks of 256 and scales of groups unpacked to bytes, in plain C. What lies where in a packed stretch:
 * pack_blocks.c; in which element the bits of a byte belong: quant/blocks.h. A group's scale is rounded to float32 once, as in the
 * reference conversion.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/unpack_parts.h"
#include "backend/cpu/kernels/widen.h"
#include "quant/levels.h"

enum { N_SUPER_QUADS = GOL_STRETCH_INPUTS / 4, N_HALF_QUADS = N_SUPER_QUADS / 2 };

typedef float row_scales[GOL_PANEL_ROWS];

/* Six-bit scales and mins of Q4_K and Q5_K, bytes [12][16 rows]: gol_k4_scale_min() for all rows. */
static void unpack_k4_scales(gol_int_panel *out, const gol_stretch *s, gol_type type)
{
    row_scales d, dmin;
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    gol_widen_halves(dmin, s->data + 2 * GOL_PANEL_ROWS, GOL_PANEL_ROWS);
    const uint8_t *bits = gol_stretch_scales(s, type);
    for (size_t g = 0; g < 4; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint8_t a = bits[g * GOL_PANEL_ROWS + r];
            const uint8_t b = bits[(g + 4) * GOL_PANEL_ROWS + r];
            const uint8_t c = bits[(g + 8) * GOL_PANEL_ROWS + r];
            out->scale[g][r] = d[r] * (float)(a & 63);
            out->min[g][r] = dmin[r] * (float)(b & 63);
            out->scale[g + 4][r] = d[r] * (float)((c & 15) | (a >> 6) << 4);
            out->min[g + 4][r] = dmin[r] * (float)(c >> 4 | (b >> 6) << 4);
        }
    }
}

void gol_unpack_q4_k_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_Q4_K);
    for (size_t i = 0; i < N_HALF_QUADS * GOL_QUAD; i++) {
        const size_t chunk = i / GOL_BLOCK_STORE; /* two groups of 32 */
        uint8_t *q = out->store + chunk * GOL_BLOCK_STORE + i;
        q[0] = quads[i] & 15;
        q[GOL_BLOCK_STORE] = quads[i] >> 4;
    }
    out->q = out->store;
    unpack_k4_scales(out, s, GOL_TYPE_Q4_K);
}

void gol_unpack_q5_k_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *planes = gol_stretch_quads(s, GOL_TYPE_Q5_K);
    const uint8_t *quads = planes + GOL_BLOCK_STORE;
    for (size_t i = 0; i < N_HALF_QUADS * GOL_QUAD; i++) {
        const size_t chunk = i / GOL_BLOCK_STORE;
        uint8_t *q = out->store + chunk * GOL_BLOCK_STORE + i;
        const int high = planes[i % GOL_BLOCK_STORE] >> 2 * chunk;
        q[0] = (uint8_t)((quads[i] & 15) | (high & 1) << 4);
        q[GOL_BLOCK_STORE] = (uint8_t)(quads[i] >> 4 | (high & 2) << 3);
    }
    out->q = out->store;
    unpack_k4_scales(out, s, GOL_TYPE_Q5_K);
}

void gol_unpack_q2_k_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_Q2_K);
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        const uint8_t *half = quads + g / 4 * GOL_BLOCK_STORE;
        for (size_t i = 0; i < GOL_BLOCK_STORE; i++)
            out->store[g * GOL_BLOCK_STORE + i] = half[i] >> 2 * (g % 4) & 3;
    }
    out->q = out->store;
    row_scales d, dmin;
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    gol_widen_halves(dmin, s->data + 2 * GOL_PANEL_ROWS, GOL_PANEL_ROWS);
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_Q2_K);
    for (size_t g = 0; g < 2 * GOL_STRETCH_BLOCKS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            out->scale[g][r] = d[r] * (float)(bits[g * GOL_PANEL_ROWS + r] & 15);
            out->min[g][r] = dmin[r] * (float)(bits[g * GOL_PANEL_ROWS + r] >> 4);
        }
    }
}

void gol_unpack_q3_k_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *hmask = gol_stretch_quads(s, GOL_TYPE_Q3_K);
    const uint8_t *quads = hmask + GOL_BLOCK_STORE;
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        const uint8_t *half = quads + g / 4 * GOL_BLOCK_STORE;
        for (size_t i = 0; i < GOL_BLOCK_STORE; i++) {
            const int low = half[i] >> 2 * (g % 4) & 3;
            out->store[g * GOL_BLOCK_STORE + i] = (uint8_t)(low | (hmask[i] >> g & 1) << 2);
        }
    }
    out->q = out->store;
    row_scales d;
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    const uint8_t *bits = gol_stretch_scales(s, GOL_TYPE_Q3_K);
    for (size_t g = 0; g < 2 * GOL_STRETCH_BLOCKS; g++) {
        const uint8_t *low = bits + g % 8 * GOL_PANEL_ROWS;
        const uint8_t *high = bits + (8 + g % 4) * GOL_PANEL_ROWS;
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const int six = (low[r] >> 4 * (g / 8) & 15) | (high[r] >> 2 * (g / 4) & 3) << 4;
            out->scale[g][r] = d[r] * (float)(six - 32);
        }
    }
}

void gol_unpack_q6_k_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *qh = gol_stretch_quads(s, GOL_TYPE_Q6_K);
    const uint8_t *ql = qh + 2 * GOL_BLOCK_STORE;
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        const size_t row = g % 4; /* of 32 elements in the half */
        const uint8_t *high = qh + g / 4 * GOL_BLOCK_STORE;
        const uint8_t *low = ql + (g / 4 * 2 + row % 2) * GOL_BLOCK_STORE;
        for (size_t i = 0; i < GOL_BLOCK_STORE; i++)
            out->store[g * GOL_BLOCK_STORE + i] = (uint8_t)((low[i] >> 4 * (row / 2) & 15) |
                                                            (high[i] >> 2 * row & 3) << 4);
    }
    out->q = out->store;
    row_scales d;
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    const int8_t *bits = (const int8_t *)gol_stretch_scales(s, GOL_TYPE_Q6_K);
    for (size_t g = 0; g < 2 * GOL_STRETCH_BLOCKS; g++)
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
            out->scale[g][r] = d[r] * (float)bits[g * GOL_PANEL_ROWS + r];
}

void gol_unpack_iq4_xs_c(gol_int_panel *out, const gol_stretch *s)
{
    enum { HALF_STORE = GOL_BLOCK_STORE / 2 };
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_IQ4_XS);
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        uint8_t *q = out->store + g * GOL_BLOCK_STORE;
        for (size_t i = 0; i < HALF_STORE; i++) {
            q[i] = (uint8_t)(gol_iq4_levels[quads[g * HALF_STORE + i] & 15] + 128);
            q[HALF_STORE + i] = (uint8_t)(gol_iq4_levels[quads[g * HALF_STORE + i] >> 4] + 128);
        }
    }
    out->q = out->store;
    row_scales d;
    gol_widen_halves(d, s->data, GOL_PANEL_ROWS);
    const uint8_t *bits_high = gol_stretch_scales(s, GOL_TYPE_IQ4_XS);
    const uint8_t *bits_low = bits_high + 2 * GOL_PANEL_ROWS;
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const int low = bits_low[g / 2 * GOL_PANEL_ROWS + r] >> 4 * (g % 2) & 15;
            const int high = bits_high[g / 4 * GOL_PANEL_ROWS + r] >> 2 * (g % 4) & 3;
            out->scale[g][r] = d[r] * (float)((low | high << 4) - 32);
        }
    }
}
