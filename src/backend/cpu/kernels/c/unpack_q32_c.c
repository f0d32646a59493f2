/*
 * The types with blocks of 32 unpacked to bytes, in plain C. What lies where in a packed stretch: pack_blocks.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/unpack_parts.h"
#include "backend/cpu/kernels/widen.h"
#include "quant/levels.h"

enum { HALF_STORE = GOL_BLOCK_STORE / 2 }; /* a block's nibbles before they are unpacked */

static void widen_scales(gol_int_panel *out, const gol_stretch *s)
{
    gol_widen_halves(out->scale[0], s->data, s->n_blocks * GOL_PANEL_ROWS);
}

/* Where m is added, -m is subtracted. */
static void widen_scales_and_mins(gol_int_panel *out, const gol_stretch *s)
{
    for (size_t b = 0; b < s->n_blocks; b++) {
        const uint8_t *halves = s->data + b * 4 * GOL_PANEL_ROWS;
        gol_widen_halves(out->scale[b], halves, GOL_PANEL_ROWS);
        gol_widen_halves(out->min[b], halves + 2 * GOL_PANEL_ROWS, GOL_PANEL_ROWS);
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
            out->min[b][r] = -out->min[b][r];
    }
}

/* A block: low nibbles, then high ones. */
static void unpack_nibbles(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads)
{
    uint8_t *q = out->store;
    for (size_t b = 0; b < s->n_blocks; b++, q += GOL_BLOCK_STORE, quads += HALF_STORE) {
        for (size_t i = 0; i < HALF_STORE; i++) {
            q[i] = quads[i] & 15;
            q[HALF_STORE + i] = quads[i] >> 4;
        }
    }
    out->q = out->store;
}

/* The same with a fifth bit: bit j of the planes belongs to quad j of the block. */
static void unpack_five_bits(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads)
{
    uint8_t *q = out->store;
    for (size_t b = 0; b < s->n_blocks; b++, q += GOL_BLOCK_STORE) {
        const uint8_t *planes = quads + b * (GOL_QUAD + HALF_STORE);
        const uint8_t *nibbles = planes + GOL_QUAD;
        for (size_t i = 0; i < HALF_STORE; i++) {
            const int low = planes[i % GOL_QUAD] >> i / GOL_QUAD;
            const int high = low >> 4;
            q[i] = (uint8_t)((nibbles[i] & 15) | (low & 1) << 4);
            q[HALF_STORE + i] = (uint8_t)(nibbles[i] >> 4 | (high & 1) << 4);
        }
    }
    out->q = out->store;
}

static void unpack_levels(gol_int_panel *out, const gol_stretch *s, const uint8_t *quads,
                          const int8_t levels[16], int zero)
{
    unpack_nibbles(out, s, quads);
    for (size_t i = 0; i < s->n_blocks * GOL_BLOCK_STORE; i++)
        out->store[i] = (uint8_t)(levels[out->store[i]] + zero);
}

void gol_unpack_q8_0_c(gol_int_panel *out, const gol_stretch *s)
{
    out->q = gol_stretch_quads(s, GOL_TYPE_Q8_0);
    widen_scales(out, s);
}

void gol_unpack_q4_0_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_nibbles(out, s, gol_stretch_quads(s, GOL_TYPE_Q4_0));
    widen_scales(out, s);
}

void gol_unpack_q4_1_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_nibbles(out, s, gol_stretch_quads(s, GOL_TYPE_Q4_1));
    widen_scales_and_mins(out, s);
}

void gol_unpack_q5_0_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_five_bits(out, s, gol_stretch_quads(s, GOL_TYPE_Q5_0));
    widen_scales(out, s);
}

void gol_unpack_q5_1_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_five_bits(out, s, gol_stretch_quads(s, GOL_TYPE_Q5_1));
    widen_scales_and_mins(out, s);
}

void gol_unpack_iq4_nl_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_levels(out, s, gol_stretch_quads(s, GOL_TYPE_IQ4_NL), gol_iq4_levels, 128);
    widen_scales(out, s);
}

void gol_unpack_mxfp4_c(gol_int_panel *out, const gol_stretch *s)
{
    unpack_levels(out, s, gol_stretch_quads(s, GOL_TYPE_MXFP4), gol_mxfp4_levels, 16);
    for (size_t i = 0; i < s->n_blocks * GOL_PANEL_ROWS; i++)
        out->scale[i / GOL_PANEL_ROWS][i % GOL_PANEL_ROWS] = gol_e8m0_half(s->data[i]);
}
