/*
 * States beside keys and values: what the cache does for models with recurrent layers. In others none of this does anything.
 *
 * A state cannot be cut as keys and values can: it is what it was behind one token. So a prefix is of use up to a block that has a
 * snapshot, and what is known of a block's beginning is of none.
 */
#ifndef GOL_ENGINE_KV_STATES_H
#define GOL_ENGINE_KV_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/kv_cache.h"

/* The sequence starts: it holds a slot from now on, and its marks are set. n_known: blocks of its beginning that the cache has, or
 * 0 if it follows somebody. */
void gol_kv_states_start(gol_kv_cache *kv, gol_seq *seq, int32_t n_known);
/* Its table has grown by shared blocks, of which the last has a snapshot. True: *copy is to be carried out. */
__attribute__((warn_unused_result)) bool gol_kv_states_resume(gol_kv_cache *kv, gol_seq *seq,
                                                              gol_state_copy *copy);
/* The step's rows are settled: slots for the snapshots that fall into them. Takes less when there is no room. */
void gol_kv_states_plan(gol_kv_cache *kv, gol_seq *seq);
/* They were computed: snapshots belong to their blocks. */
void gol_kv_states_commit(gol_kv_cache *kv, gol_seq *seq, int32_t n_before);
void gol_kv_states_free(gol_kv_cache *kv, gol_seq *seq);

/* Up to where a follower that could share n_reach tokens of its leader's can really go on, having n_shared: the border of a block, of
 * which the leader will leave a snapshot. n_reach itself in other models; 0: it is not worth while. */
int32_t gol_kv_states_reach(const gol_kv_cache *kv, const gol_seq *leader, int32_t n_reach,
                            int32_t n_shared);

/* Somebody follows it up to there. */
void gol_kv_states_await(gol_kv_cache *kv, gol_seq *leader, int32_t n_tokens);

static inline bool gol_kv_has_states(const gol_kv_cache *kv)
{
    return kv->states.n_slots > 0;
}

#endif
