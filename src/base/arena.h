/*
 * Many small allocations with one end: a model load, one HTTP request. Blocks grow by doubling (4 KiB to 1 MiB; larger
 * requests get a block of their own). Not thread-safe.
 *
 *     gol_arena a;
 *     gol_arena_init(&a, 64u << 20);
 *     int *p = gol_arena_try_array(&a, n, sizeof *p);   // NULL: out of memory or over the limit
 *     ...
 *     gol_arena_deinit(&a);
 */
#ifndef GOL_BASE_ARENA_H
#define GOL_BASE_ARENA_H

#include <stddef.h>

#include "base/str.h"

typedef struct gol_arena {
    struct gol_arena_block *head; /* newest block, linked to older ones */
    size_t n_bytes;               /* taken from the heap so far */
    size_t n_bytes_max;           /* limit on n_bytes */
} gol_arena;

void gol_arena_init(gol_arena *arena, size_t n_bytes_max);
void gol_arena_deinit(gol_arena *arena); /* frees everything; the arena may be used again */

/* Aligned to 16; only calloc() zeroes, strdup() adds a NUL. NULL on failure. */
__attribute__((warn_unused_result)) void *gol_arena_try_alloc(gol_arena *arena, size_t n_bytes);
__attribute__((warn_unused_result)) void *gol_arena_try_array(gol_arena *arena, size_t n,
                                                              size_t size);
__attribute__((warn_unused_result)) void *gol_arena_try_calloc(gol_arena *arena, size_t n,
                                                               size_t size);
__attribute__((warn_unused_result)) char *gol_arena_try_strdup(gol_arena *arena, gol_str s);

#endif
