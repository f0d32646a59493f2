/*
 * The types of three values unpacked to bytes 0, 1, 2, in plain C. One scale serves a row's whole stretch. What lies where in a
 * packed stretch: pack_blocks.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/unpack_parts.h"
#include "backend/cpu/kernels/widen.h"

static void repeat_scales(gol_int_panel *out, const gol_stretch *s)
{
    gol_widen_halves(out->scale[0], s->data, GOL_PANEL_ROWS);
    for (size_t g = 1; g < GOL_STRETCH_BLOCKS; g++)
        memcpy(out->scale[g], out->scale[0], sizeof out->scale[0]);
}

void gol_unpack_tq2_0_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_TQ2_0);
    for (size_t g = 0; g < GOL_STRETCH_BLOCKS; g++) {
        const uint8_t *half = quads + g / 4 * GOL_BLOCK_STORE;
        for (size_t i = 0; i < GOL_BLOCK_STORE; i++)
            out->store[g * GOL_BLOCK_STORE + i] = half[i] >> 2 * (g % 4) & 3;
    }
    out->q = out->store;
    repeat_scales(out, s);
}

/* Digits of base 3 (blocks.h): n_bytes at `in` hold n_digits each, digit k of byte i goes to out[k * n_bytes + i]. */
static uint8_t *unpack_digits(uint8_t *out, const uint8_t *in, size_t n_bytes, int n_digits)
{
    for (int k = 0, power = 1; k < n_digits; k++, power *= 3, out += n_bytes)
        for (size_t i = 0; i < n_bytes; i++)
            out[i] = (uint8_t)((in[i] * power & 255) * 3 >> 8);
    return out;
}

void gol_unpack_tq1_0_c(gol_int_panel *out, const gol_stretch *s)
{
    const uint8_t *quads = gol_stretch_quads(s, GOL_TYPE_TQ1_0);
    uint8_t *q = out->store;
    q = unpack_digits(q, quads, 8 * GOL_QUAD, 5);
    q = unpack_digits(q, quads + 8 * GOL_QUAD, 4 * GOL_QUAD, 5);
    (void)unpack_digits(q, quads + 12 * GOL_QUAD, GOL_QUAD, 4);
    out->q = out->store;
    repeat_scales(out, s);
}
