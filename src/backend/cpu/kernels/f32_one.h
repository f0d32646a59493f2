/*
 * What the kernels for one token share. A token that is decoded reads every weight once, from memory: what counts is that memory
 * never rests. So every line that is read asks for one that comes later, into L2, and for a nearer one into L1.
 */
#ifndef GOL_BACKEND_CPU_F32_ONE_H
#define GOL_BACKEND_CPU_F32_ONE_H

#include <stdint.h>

enum {
    GOL_F32_ONE_LINE = 64, /* bytes: two inputs of 16 rows */
    GOL_F32_ONE_FAR = 4096,
    GOL_F32_ONE_NEAR = 1024,
};

/* What is asked for behind the last stretch may not be there. */
__attribute__((always_inline)) static inline void gol_f32_one_prefetch(const uint8_t *w)
{
    enum { INTO_L2 = 2, INTO_L1 = 3 };
    const uintptr_t at = (uintptr_t)w;
    __builtin_prefetch((const void *)(at + GOL_F32_ONE_FAR), 0, INTO_L2);
    __builtin_prefetch((const void *)(at + GOL_F32_ONE_NEAR), 0, INTO_L1);
}

#endif
