/*
 * Packing of the types with blocks of 32 and one scale each. Of a stretch of n blocks:
 *
 *     scales  binary16 [n][16 rows], the block's d
 *     quants  Q8_0: u8 [n][8][16 rows][4], q + 128
 *             Q4_0: u8 [n][4][16 rows][4], low nibble: inputs 4j .. 4j + 3 of the block, high nibble: those 16 further on
 */
#include "backend/cpu/panel_format.h"

#include <string.h>

#include "quant/blocks.h"

/* The block of row r at the stretch's block b. */
static const uint8_t *block_at(const gol_pack_rows *rows, size_t stretch, size_t r, size_t b,
                               size_t block_bytes)
{
    return rows->data + r * rows->row_bytes + (stretch * GOL_STRETCH_BLOCKS + b) * block_bytes;
}

void gol_pack_q8_0(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                   size_t stretch)
{
    const size_t n_blocks = gol_stretch_n_blocks(rows->n_in, stretch);
    uint8_t *quants = dst + gol_stretch_quants(f, n_blocks);
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t r = 0; r < rows->n_rows; r++) {
            const uint8_t *src = block_at(rows, stretch, r, b, sizeof(gol_block_q8_0));
            memcpy(dst + (b * GOL_PANEL_ROWS + r) * 2, src, 2);
            for (size_t j = 0; j < 8; j++) {
                uint32_t four;
                memcpy(&four, src + offsetof(gol_block_q8_0, qs) + 4 * j, 4);
                four ^= 0x80808080u;
                memcpy(quants + ((b * 8 + j) * GOL_PANEL_ROWS + r) * 4, &four, 4);
            }
        }
    }
}

void gol_pack_q4_0(uint8_t *dst, const gol_panel_format *f, const gol_pack_rows *rows,
                   size_t stretch)
{
    const size_t n_blocks = gol_stretch_n_blocks(rows->n_in, stretch);
    uint8_t *quants = dst + gol_stretch_quants(f, n_blocks);
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t r = 0; r < rows->n_rows; r++) {
            const uint8_t *src = block_at(rows, stretch, r, b, sizeof(gol_block_q4_0));
            memcpy(dst + (b * GOL_PANEL_ROWS + r) * 2, src, 2);
            for (size_t j = 0; j < 4; j++)
                memcpy(quants + ((b * 4 + j) * GOL_PANEL_ROWS + r) * 4,
                       src + offsetof(gol_block_q4_0, qs) + 4 * j, 4);
        }
    }
}
