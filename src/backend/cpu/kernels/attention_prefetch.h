/*
 * How attention asks for keys and values before it reads them: far ahead into L2, and near into L1. One request straight into L1
 * holds one of a core's few line buffers for as long as memory takes, so few are under way and the loops wait; those into L2 are
 * many more, helped by the processor's own.
 */
#ifndef GOL_BACKEND_CPU_ATTENTION_PREFETCH_H
#define GOL_BACKEND_CPU_ATTENTION_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

enum {
    GOL_ATTN_LINE = 64,
    GOL_ATTN_NEAR_BYTES =
        256, /* in a panel: 8 dimensions of 16-bit numbers; its end asks for a neighbour's begin */
    GOL_ATTN_NEAR_VALUES = 8,
    GOL_ATTN_FAR_PANELS = 4,
};

/* The bytes at `near` from p on, which need not be there. always_inline, not only for speed: GCC finds that a function of nothing
 * but prefetches has no effect, and drops its calls. */
__attribute__((always_inline)) static inline void gol_attn_prefetch(const uint8_t *p, size_t near,
                                                                    const uint8_t *far)
{
    enum { INTO_L2 = 2, INTO_L1 = 3 };
    __builtin_prefetch(far, 0, INTO_L2);
    __builtin_prefetch((const void *)((uintptr_t)p + near), 0, INTO_L1);
}

#endif
