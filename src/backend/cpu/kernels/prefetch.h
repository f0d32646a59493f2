/*
 * Memory would rest while a stretch is multiplied: cores ask, block after block, for what comes next (gol_int_tile.ahead).
 */
#ifndef GOL_BACKEND_CPU_PREFETCH_H
#define GOL_BACKEND_CPU_PREFETCH_H

#include "backend/cpu/kernels/panel.h"

/* The part that falls to block b, of n_panels panels. */
__attribute__((always_inline)) static inline void gol_prefetch_ahead(const gol_int_tile *t,
                                                                     size_t b, size_t n_panels)
{
    enum { INTO_L2 = 2 };
    for (size_t p = 0; t->ahead_bytes > 0 && p < n_panels; p++) {
        const uint8_t *ahead = t->ahead + p * t->ahead_stride + b * t->ahead_bytes;
        for (size_t i = 0; i < t->ahead_bytes; i += 64)
            __builtin_prefetch(ahead + i);
        for (size_t i = 0; t->ahead_far > 0 && i < t->ahead_bytes; i += 64)
            __builtin_prefetch(ahead + t->ahead_far + i, 0, INTO_L2);
    }
}

#endif
