/*
 * Which blocks hold which sequence's keys and values: the policy over the block pool. The scheduler asks here and nowhere
 * else; the bytes themselves belong to the backend.
 *
 * A sequence's life here:
 *     allocate_slots()   before each step: the table covers what the step will compute
 *     free()             when it ends or is preempted: everything back, last block first
 *
 * Two calls decide everything, so sharing of equal prefixes has its place in them: what is found computed is appended to
 * the table before the first allocate_slots() of a sequence, and blocks are told apart by ref_cnt, not by owner.
 */
#ifndef GOL_ENGINE_KV_CACHE_H
#define GOL_ENGINE_KV_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/block_pool.h"
#include "engine/sequence.h"

typedef struct gol_kv_cache {
    gol_block_pool pool;
    int32_t block_size; /* tokens */
} gol_kv_cache;

/* Errors: GOL_ENOMEM. */
int gol_kv_cache_init(gol_kv_cache *kv, int32_t n_blocks, int32_t block_size, gol_err *err);
void gol_kv_cache_deinit(gol_kv_cache *kv);

int32_t gol_kv_cache_n_free(const gol_kv_cache *kv);
int32_t gol_kv_cache_blocks_for(const gol_kv_cache *kv, int32_t n_tokens);

/* Blocks that the sequence still lacks until all its known tokens have a place. */
int32_t gol_kv_cache_n_lacking(const gol_kv_cache *kv, const gol_seq *seq);

/* Places for the next n_new tokens after n_computed. False: too few free blocks, nothing was changed. */
__attribute__((warn_unused_result)) bool gol_kv_cache_allocate_slots(gol_kv_cache *kv, gol_seq *seq,
                                                                     int32_t n_new);

/* All of the sequence's blocks back. Last first: the ends of sequences are reused before the beginnings, which others are
 * likelier to have in common. */
void gol_kv_cache_free(gol_kv_cache *kv, gol_seq *seq);

#endif
