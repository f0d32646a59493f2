/*
 * Packing of weights that are plain numbers. Quants of a stretch:
 *
 *     F32   float    [input][16 rows]
 *     F16   binary16 [input][16 rows]
 *     BF16  bfloat16 [input / 2][16 rows][input % 2]      pairs, as dot-product instructions want them
 */
#include "backend/cpu/panel_format.h"

#include <string.h>

/* Inputs of the stretch that exist, and their place in the first row. */
static size_t find_inputs(const uint8_t **src, const gol_pack_rows *rows, size_t stretch,
                          size_t element_size)
{
    const size_t first = stretch * GOL_STRETCH_INPUTS;
    const size_t left = rows->n_in - first;
    *src = rows->data + first * element_size;
    return left < GOL_STRETCH_INPUTS ? left : GOL_STRETCH_INPUTS;
}

void gol_pack_f32(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                  size_t stretch)
{
    (void)f;
    const uint8_t *src;
    const size_t n = find_inputs(&src, rows, stretch, sizeof(float));
    float *out = (float *)(void *)dst;
    for (size_t r = 0; r < rows->n_rows; r++)
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * GOL_PANEL_ROWS + r, src + r * rows->row_bytes + i * sizeof(float),
                   sizeof(float));
}

void gol_pack_f16(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                  size_t stretch)
{
    (void)f;
    const uint8_t *src;
    const size_t n = find_inputs(&src, rows, stretch, sizeof(uint16_t));
    uint16_t *out = (uint16_t *)(void *)dst;
    for (size_t r = 0; r < rows->n_rows; r++)
        for (size_t i = 0; i < n; i++)
            memcpy(out + i * GOL_PANEL_ROWS + r, src + r * rows->row_bytes + i * sizeof(uint16_t),
                   sizeof(uint16_t));
}

void gol_pack_bf16(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                   size_t stretch)
{
    (void)f;
    const uint8_t *src;
    const size_t n = find_inputs(&src, rows, stretch, sizeof(uint16_t));
    uint16_t *out = (uint16_t *)(void *)dst;
    for (size_t r = 0; r < rows->n_rows; r++)
        for (size_t i = 0; i < n; i++)
            memcpy(out + i / 2 * 2 * GOL_PANEL_ROWS + 2 * r + i % 2,
                   src + r * rows->row_bytes + i * sizeof(uint16_t), sizeof(uint16_t));
}
