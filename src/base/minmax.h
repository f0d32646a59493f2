/* The lesser and the greater of two numbers; the type is in the name, so that no argument is converted silently. */
#ifndef GOL_BASE_MINMAX_H
#define GOL_BASE_MINMAX_H

#include <stdint.h>

static inline int32_t gol_min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t gol_max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

#endif
