/*
 * What the unpackers of all instruction sets share: where the parts of a packed stretch lie.
 */
#ifndef GOL_BACKEND_CPU_UNPACK_PARTS_H
#define GOL_BACKEND_CPU_UNPACK_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/cpu/kernels/panel.h"
#include "backend/cpu/panel_format.h"

enum {
    GOL_QUAD = 4 * GOL_PANEL_ROWS,                       /* bytes of four inputs of all rows */
    GOL_BLOCK_QUADS = GOL_BLOCK_INPUTS / 4,              /* quads of a block */
    GOL_BLOCK_STORE = GOL_BLOCK_INPUTS * GOL_PANEL_ROWS, /* bytes of an unpacked block */
};

static inline const uint8_t *gol_stretch_scales(const gol_stretch *s, gol_type type)
{
    return s->data + gol_panel_format_get(type)->head_bytes;
}

static inline const uint8_t *gol_stretch_quads(const gol_stretch *s, gol_type type)
{
    return s->data + gol_stretch_quants(gol_panel_format_get(type), s->n_blocks);
}

#endif
