/*
 * What the blocks hold, and which block holds what: the contents of all blocks by two keys. A block with a whole block of tokens
 * is found by its hash; every block with any content, also one that a running sequence is filling, is found under its parent,
 * the hash of all that came before it.
 *
 * No allocation after init: the lists go through the blocks. Hits compare token ids; hashes only say where to look. A block's
 * content is a beginning of block_size tokens whose keys and values are computed, and stays until drop(), whoever holds the block.
 */
#ifndef GOL_ENGINE_PREFIX_INDEX_H
#define GOL_ENGINE_PREFIX_INDEX_H

#include <stdint.h>

#include "base/error.h"
#include "engine/block_hash.h"
#include "engine/block_pool.h"

/* A block under a parent that has the most in common with some tokens. */
typedef struct gol_child_match {
    gol_block *block; /* NULL: nothing in common */
    int32_t n_common;
} gol_child_match;

typedef struct gol_prefix_index {
    gol_block_pool *pool;
    int32_t block_size;
    uint64_t mask;         /* number of buckets - 1 */
    gol_block **by_hash;   /* [mask + 1] */
    gol_block **by_parent; /* [mask + 1] most recent first */
    int32_t *tokens;       /* [n_blocks][block_size] */
    int32_t n_cached;      /* blocks with content */
} gol_prefix_index;

/* The pool must outlive it. Errors: GOL_ENOMEM; *index is then zeroed. */
int gol_prefix_index_init(gol_prefix_index *index, gol_block_pool *pool, int32_t block_size,
                          gol_err *err);
uint64_t gol_prefix_index_bytes(int32_t n_blocks, int32_t block_size); /* what init() allocates */
void gol_prefix_index_deinit(gol_prefix_index *index);                 /* zeroed is fine */

/* The block now holds tokens[n_filled], n_filled in [1, block_size). What it held before, if anything, has the same parent, and
 * the shorter of both contents is the beginning of the longer: content grows, or is cut. */
void gol_prefix_index_set(gol_prefix_index *index, gol_block *block, gol_block_hash parent,
                          const int32_t *tokens, int32_t n_filled);

/* The same for a block that is now full: tokens[block_size], which together with all before them have the hash. */
void gol_prefix_index_set_full(gol_prefix_index *index, gol_block *block, gol_block_hash parent,
                               const int32_t *tokens, gol_block_hash hash);

/* The block holds nothing that anybody may find. */
void gol_prefix_index_drop(gol_prefix_index *index, gol_block *block);

/* A full block of these tokens [block_size] after this parent; NULL: none. */
gol_block *gol_prefix_index_find(const gol_prefix_index *index, gol_block_hash hash,
                                 gol_block_hash parent, const int32_t *tokens);

/* Among the most recent blocks of this parent the one whose content begins most like tokens[n_tokens]; of two that are alike
 * one that nobody holds and that holds nothing else: it need not be copied. */
gol_child_match gol_prefix_index_find_child(const gol_prefix_index *index, gol_block_hash parent,
                                            const int32_t *tokens, int32_t n_tokens);

/* [n_filled] */
static inline const int32_t *gol_prefix_index_tokens(const gol_prefix_index *index,
                                                     const gol_block *block)
{
    return index->tokens + (int64_t)block->block_id * index->block_size;
}

#endif
