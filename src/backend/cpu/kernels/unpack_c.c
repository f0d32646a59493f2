/*
 * Stretches of panels unpacked in plain C: bytes with scales for the integer cores, float32 for the others. What lies where in a
 * packed stretch is drawn in pack_*.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/widen.h"
#include "backend/cpu/panel_format.h"

static const uint8_t *quants_of(const gol_stretch *s, gol_type type)
{
    return s->data + gol_stretch_quants(gol_panel_format_get(type), s->n_blocks);
}

/* out[n] = binary16 numbers at `halves`. */
static void widen(float *out, const uint8_t *halves, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, halves + 2 * i, sizeof h);
        out[i] = gol_widen_f16(h);
    }
}

void gol_unpack_q8_0_c(gol_int_panel *out, const gol_stretch *s)
{
    out->q = quants_of(s, GOL_TYPE_Q8_0);
    widen(out->scale[0], s->data, s->n_blocks * GOL_PANEL_ROWS);
}

void gol_unpack_q4_0_c(gol_int_panel *out, const gol_stretch *s)
{
    enum { HALF = 4 * GOL_PANEL_ROWS * 4 }; /* 16 inputs of 16 rows */
    const uint8_t *quants = quants_of(s, GOL_TYPE_Q4_0);
    for (size_t b = 0; b < s->n_blocks; b++) {
        for (size_t i = 0; i < HALF; i++) {
            out->store[2 * b * HALF + i] = quants[b * HALF + i] & 15;
            out->store[(2 * b + 1) * HALF + i] = quants[b * HALF + i] >> 4;
        }
    }
    out->q = out->store;
    widen(out->scale[0], s->data, s->n_blocks * GOL_PANEL_ROWS);
}

const float *gol_unpack_f32_c(float *store, const gol_stretch *s)
{
    (void)store;
    return (const float *)(const void *)s->data;
}

const float *gol_unpack_f16_c(float *store, const gol_stretch *s)
{
    widen(store, s->data, s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS);
    return store;
}

const float *gol_unpack_bf16_c(float *store, const gol_stretch *s)
{
    for (size_t pair = 0; pair < s->n_blocks * GOL_BLOCK_INPUTS / 2; pair++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            uint32_t two;
            memcpy(&two, s->data + (pair * GOL_PANEL_ROWS + r) * 4, sizeof two);
            store[2 * pair * GOL_PANEL_ROWS + r] = gol_f32_from_bits(two << 16);
            store[(2 * pair + 1) * GOL_PANEL_ROWS + r] = gol_f32_from_bits(two & 0xffff0000u);
        }
    }
    return store;
}

/* Raw rows of the type, by the reference conversion. */
static const float *unpack_raw(float *store, const gol_stretch *s, gol_type type)
{
    float row[GOL_STRETCH_INPUTS];
    const gol_type_info *info = gol_type_get(type);
    memset(store, 0, s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS * sizeof *store);
    for (size_t r = 0; r < s->n_rows; r++) {
        info->dequant(row, s->data + r * s->row_bytes, s->n_in);
        for (size_t i = 0; i < s->n_in; i++)
            store[i * GOL_PANEL_ROWS + r] = row[i];
    }
    return store;
}

#define UNPACK_RAW(name, type)                                                                     \
    const float *gol_unpack_##name##_c(float *store, const gol_stretch *s)                         \
    {                                                                                              \
        return unpack_raw(store, s, type);                                                         \
    }

UNPACK_RAW(f64, GOL_TYPE_F64)
UNPACK_RAW(q4_1, GOL_TYPE_Q4_1)
UNPACK_RAW(q5_0, GOL_TYPE_Q5_0)
UNPACK_RAW(q5_1, GOL_TYPE_Q5_1)
UNPACK_RAW(q2_k, GOL_TYPE_Q2_K)
UNPACK_RAW(q3_k, GOL_TYPE_Q3_K)
UNPACK_RAW(q4_k, GOL_TYPE_Q4_K)
UNPACK_RAW(q5_k, GOL_TYPE_Q5_K)
UNPACK_RAW(q6_k, GOL_TYPE_Q6_K)
UNPACK_RAW(iq1_s, GOL_TYPE_IQ1_S)
UNPACK_RAW(iq1_m, GOL_TYPE_IQ1_M)
UNPACK_RAW(iq2_xxs, GOL_TYPE_IQ2_XXS)
UNPACK_RAW(iq2_xs, GOL_TYPE_IQ2_XS)
UNPACK_RAW(iq2_s, GOL_TYPE_IQ2_S)
UNPACK_RAW(iq3_xxs, GOL_TYPE_IQ3_XXS)
UNPACK_RAW(iq3_s, GOL_TYPE_IQ3_S)
UNPACK_RAW(iq4_nl, GOL_TYPE_IQ4_NL)
UNPACK_RAW(iq4_xs, GOL_TYPE_IQ4_XS)
UNPACK_RAW(tq1_0, GOL_TYPE_TQ1_0)
UNPACK_RAW(tq2_0, GOL_TYPE_TQ2_0)
UNPACK_RAW(mxfp4, GOL_TYPE_MXFP4)
