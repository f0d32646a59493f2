/*
 * All blocks of the KV cache and the order in which free ones are reused. A block is the unit of allocation: room for
 * block_size tokens in every layer. The pool knows numbers, not contents; which sequence gets which block is kv_cache.h's.
 *
 * Free blocks stand in a doubly linked list through the blocks themselves, least recently freed first:
 *
 *     free_head <-> oldest <-> ... <-> youngest <-> free_tail        (both ends are sentinels: no special cases)
 *
 * so a block's content survives as long as possible, and taking one particular block out of the middle is O(1).
 */
#ifndef GOL_ENGINE_BLOCK_POOL_H
#define GOL_ENGINE_BLOCK_POOL_H

#include <stdint.h>

#include "base/error.h"

typedef struct gol_block {
    int32_t block_id;
    int32_t ref_cnt; /* block tables that hold it; 0: it is in the free list */
    struct gol_block *prev_free;
    struct gol_block *next_free; /* both NULL while ref_cnt > 0 */
} gol_block;

typedef struct gol_block_pool {
    gol_block *blocks; /* [n_blocks], by block_id */
    int32_t n_blocks;
    int32_t n_free;
    gol_block free_head; /* sentinels; the struct must not move once it is set up */
    gol_block free_tail;
} gol_block_pool;

/* All blocks free, in order of id. Errors: GOL_ENOMEM. */
int gol_block_pool_init(gol_block_pool *pool, int32_t n_blocks, gol_err *err);
void gol_block_pool_deinit(gol_block_pool *pool); /* zeroed is fine */

/* The least recently freed block, now with ref_cnt 1. A free block must exist: ask n_free first. */
int32_t gol_block_pool_take(gol_block_pool *pool);

/* One table fewer holds the block; the last one puts it at the youngest end of the free list. */
void gol_block_pool_unref(gol_block_pool *pool, int32_t block_id);

#endif
