/*
 * All blocks of the KV cache and the order in which free ones are reused. A block is the unit of allocation: room for
 * block_size tokens in every layer. The pool counts who holds a block; which sequence gets which is kv_cache.h's business, what a
 * block holds is prefix_index.h's.
 *
 * Free blocks stand in a doubly linked list through the blocks themselves, least recently freed first:
 *
 *     free_head <-> empty ... <-> oldest <-> ... <-> youngest <-> free_tail     (both ends are sentinels: no special cases)
 *
 * so a block's content survives as long as possible, and taking one particular block out of the middle is O(1). Blocks without
 * content are taken before all others.
 */
#ifndef GOL_ENGINE_BLOCK_POOL_H
#define GOL_ENGINE_BLOCK_POOL_H

#include <stdint.h>

#include "base/error.h"
#include "engine/block_hash.h"

/* A place in a list whose head is one pointer: removal is O(1) and needs not know the list. */
typedef struct gol_block_link {
    struct gol_block *next;
    struct gol_block **at; /* the pointer that points here; NULL: in no list */
} gol_block_link;

typedef struct gol_block {
    int32_t block_id;
    int32_t ref_cnt; /* block tables that hold it; 0: it is in the free list */
    struct gol_block *prev_free;
    struct gol_block *next_free; /* both NULL while ref_cnt > 0 */

    /* The prefix index's: what anybody may read here. */
    int32_t n_filled; /* tokens whose keys and values are computed; 0: no content that has a name */
    gol_block_hash parent;  /* of all tokens before this block */
    gol_block_hash hash;    /* with its own; only when it is full */
    gol_block_link sibling; /* among those of about the same parent */
    gol_block_link twin;    /* among full ones of about the same hash */

    int32_t state_slot; /* the snapshot behind its last token (state_pool.h); -1: there is none */
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

/* The first free block, now with ref_cnt 1. A free block must exist: ask n_free first. Its content is still there. */
gol_block *gol_block_pool_take(gol_block_pool *pool);

/* One more table holds the block; a free one leaves the list. */
void gol_block_pool_ref(gol_block_pool *pool, gol_block *block);

/* One table fewer holds the block; the last one puts it at the youngest end of the free list, or, if it has no content, first. */
void gol_block_pool_unref(gol_block_pool *pool, gol_block *block);

/* A free block is young again, because it was of use. */
void gol_block_pool_touch(gol_block_pool *pool, gol_block *block);

gol_block *gol_block_pool_get(gol_block_pool *pool, int32_t block_id);

#endif
