/*
 * Which blocks hold which sequence's keys and values: the policy over the block pool, and what comes back from the prefix cache.
 * The scheduler asks here and nowhere else; the bytes themselves belong to the backend.
 *
 * A sequence's life here:
 *     share_prefix()     when it starts: blocks that already hold its first tokens are appended to its table
 *     settle()           then its last, partly filled block, and perhaps the row of logits behind its prompt
 *     allocate_slots()   before each step: the table covers what the step will compute
 *     commit()           after it: what was computed can be found by others, and what no later token sees is given back
 *     free()             when it ends or is preempted: everything back, last block first; contents stay findable
 *
 * A table is one for each group of layers (kv_layout.h); all have as many entries, for the same tokens. Those in which groups with
 * windows have given their blocks back hold -1. Blocks of different groups are the same to the pool, and have different names in
 * the index.
 *
 * A block that is full may be in many tables and never changes. A block that is being filled is in one. So to go on behind a
 * part of somebody's block it is copied, or, when nobody holds it, taken over.
 */
#ifndef GOL_ENGINE_KV_CACHE_H
#define GOL_ENGINE_KV_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/block_pool.h"
#include "engine/exact_cache.h"
#include "engine/kv_layout.h"
#include "engine/prefix_index.h"
#include "engine/sequence.h"
#include "engine/state_pool.h"

/* Before the forward pass of the step and in the order in which they were asked for: a later copy, and the pass itself, may
 * write into the source of an earlier one. */
typedef struct gol_block_copy {
    int32_t dst_block;
    int32_t src_block;
} gol_block_copy;

/* Into a sequence's slot, from a snapshot; in order, as copies of blocks. */
typedef struct gol_state_copy {
    int32_t dst_slot;
    int32_t src_slot;
} gol_state_copy;

/* What is there already of a sequence's beginning. In groups with windows that is what is seen behind it. */
typedef struct gol_prefix {
    int32_t n_blocks; /* entries of tables */
    int32_t
        n_known; /* the same; of a recurrent model also those behind the last snapshot, which are of no use */
    int32_t n_free[GOL_KV_GROUPS_MAX]; /* of the blocks of each group: in the free list */
} gol_prefix;

typedef struct gol_kv_cache_stats {
    uint64_t n_queries;    /* tokens of prompts that were looked up */
    uint64_t n_hits;       /* of these: found */
    uint64_t n_exact_hits; /* prompts that needed no computation */
    uint64_t n_evictions;  /* blocks whose content gave way to another */
    uint64_t n_copies;     /* blocks copied */
    uint64_t n_merges;     /* blocks filled that were there already */
} gol_kv_cache_stats;

typedef struct gol_kv_cache {
    gol_block_pool pool;
    gol_prefix_index index;
    gol_exact_cache *exact; /* NULL: none */
    gol_state_pool states;  /* no slots: the model is not recurrent */
    gol_kv_layout layout;
    int32_t block_size; /* tokens */
    gol_kv_cache_stats stats;
} gol_kv_cache;

/* exact may be NULL and must outlive it. Errors: GOL_ENOMEM. */
int gol_kv_cache_init(gol_kv_cache *kv, int32_t n_blocks, const gol_kv_layout *layout,
                      gol_exact_cache *exact, gol_err *err);
/* Of a model with recurrent layers, which has one group: n_slots states, more than sequences run at once. Errors: GOL_ENOMEM. */
int gol_kv_cache_init_states(gol_kv_cache *kv, int32_t n_slots, gol_err *err);
void gol_kv_cache_deinit(gol_kv_cache *kv);
uint64_t gol_kv_cache_bytes(int32_t n_blocks, int32_t block_size); /* what init() allocates */

int32_t gol_kv_cache_n_free(const gol_kv_cache *kv);
/* That a sequence of so many tokens holds at most. */
int32_t gol_kv_cache_blocks_for(const gol_kv_cache *kv, int32_t n_tokens);

/* Blocks that the sequence takes at most until all its known tokens have a place. */
int32_t gol_kv_cache_n_lacking(const gol_kv_cache *kv, const gol_seq *seq);

/* Full blocks that continue its tables, at most as far as one token is left to compute. */
gol_prefix gol_kv_cache_find_prefix(const gol_kv_cache *kv, gol_seq *seq);

/* Appends them: n_computed grows by as much. Tables that end in a block that is not full stay as they are. */
void gol_kv_cache_share_prefix(gol_kv_cache *kv, gol_seq *seq);

/*
 * The last step before a sequence computes: the beginning of its next block, if some block has it, becomes its own. When that
 * makes a whole prompt whose row was kept, nothing is left to compute and kept_row is set; otherwise one token is left at least.
 * Returns how many of copies[n_groups] are to be carried out. May use a free block for each group; without them it finds less.
 */
__attribute__((warn_unused_result)) int32_t gol_kv_cache_settle(gol_kv_cache *kv, gol_seq *seq,
                                                                gol_block_copy *copies);

/* Places for the next n_new tokens after n_computed. False: too few free blocks, nothing was changed. */
__attribute__((warn_unused_result)) bool gol_kv_cache_allocate_slots(gol_kv_cache *kv, gol_seq *seq,
                                                                     int32_t n_new);

/* n_scheduled tokens were computed: n_computed grows, others can find them. A block that is now full and whose content is
 * elsewhere already is given back for the other one; those that no later token sees are given back. */
void gol_kv_cache_commit(gol_kv_cache *kv, gol_seq *seq);

/* All of the sequence's blocks back. Last first: the ends of sequences are reused before the beginnings, which others are
 * likelier to have in common. */
void gol_kv_cache_free(gol_kv_cache *kv, gol_seq *seq);

#endif
