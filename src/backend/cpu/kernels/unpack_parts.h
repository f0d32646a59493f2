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

/* A decoded token reads every weight once, from memory, and the core that follows an unpacker reads none for a while. On x86 the cores
 * ask for what comes later, a part with each block (prefetch.h). Elsewhere an unpacker first asks for what the stretches after this
 * one will need, into L2. Behind the last stretch that is a hint about memory that may not be there. */
static inline void gol_prefetch_after(const gol_stretch *s, gol_type type)
{
#if defined(__x86_64__)
    (void)s;
    (void)type;
#else
    enum { AHEAD = 4096, LINE = 64, INTO_L2 = 2 };
    const uintptr_t begin = (uintptr_t)s->data + AHEAD;
    const size_t n_bytes = gol_stretch_bytes(gol_panel_format_get(type), s->n_blocks);
    for (size_t i = 0; i < n_bytes; i += LINE)
        __builtin_prefetch((const void *)(begin + i), 0, INTO_L2);
#endif
}

#endif
