/*
 * Slots for recurrent states. A running sequence holds one; the others keep snapshots: states as they were at the end of a full
 * block, so that a prompt that begins alike can go on from there. A snapshot belongs to its block and goes with the block's content;
 * the bytes are the backend's.
 *
 *     head <-> free ... <-> oldest snapshot <-> ... <-> youngest <-> tail      (one list; what a sequence holds is not in it)
 *
 * So whoever needs a slot gets a free one, or the one of the snapshot that was of no use for longest.
 */
#ifndef GOL_ENGINE_STATE_POOL_H
#define GOL_ENGINE_STATE_POOL_H

#include <stdint.h>

#include "base/error.h"
#include "engine/block_pool.h"

typedef struct gol_state_slot {
    gol_block *block; /* whose snapshot it is; NULL: it is free, or held by a sequence */
    struct gol_state_slot *prev;
    struct gol_state_slot *next; /* both NULL while a sequence holds it */
} gol_state_slot;

typedef struct gol_state_pool {
    gol_state_slot *slots; /* [n_slots], by number */
    int32_t n_slots;       /* 0: the model has no recurrent layers */
    int32_t n_listed;      /* held by no sequence */
    int32_t n_snapshots;
    uint64_t n_evictions; /* snapshots that gave way to something else than their block's end */
    gol_state_slot head;  /* sentinels; the struct must not move once it is set up */
    gol_state_slot tail;
} gol_state_pool;

/* n_slots 0 is fine. Errors: GOL_ENOMEM; *pool is then zeroed. */
int gol_state_pool_init(gol_state_pool *pool, int32_t n_slots, gol_err *err);
void gol_state_pool_deinit(gol_state_pool *pool); /* zeroed is fine */
uint64_t gol_state_pool_bytes(int32_t n_slots);   /* what init() allocates */

/* A slot for a sequence, or for a snapshot that is yet to be made: its content means nothing. -1: sequences hold all of them. */
int32_t gol_state_pool_try_take(gol_state_pool *pool);
/* What was taken is free again. */
void gol_state_pool_give_back(gol_state_pool *pool, int32_t slot);
/* What was taken is the snapshot of this block, which had none, from now on; the youngest one. */
void gol_state_pool_keep(gol_state_pool *pool, int32_t slot, gol_block *block);
/* The block's snapshot was of use: it is the youngest. */
void gol_state_pool_touch(gol_state_pool *pool, const gol_block *block);
/* The block's snapshot, if it has one, is gone. */
void gol_state_pool_drop(gol_state_pool *pool, gol_block *block);

#endif
