/*
 * Stretches of panels of plain numbers as float32, in plain C. What lies where in a packed stretch is drawn in pack_float.c.
 */
#include "backend/cpu/kernels/kernels.h"

#include <string.h>

#include "backend/cpu/kernels/widen.h"

const float *gol_unpack_f32_c(float *store, const gol_stretch *s)
{
    (void)store;
    return (const float *)(const void *)s->data;
}

const float *gol_unpack_f16_c(float *store, const gol_stretch *s)
{
    gol_widen_halves(store, s->data, s->n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS);
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
