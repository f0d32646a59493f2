/*
 * The keys and values of a simulation: for every place of every block, what a real model would have left there. A key depends on
 * all tokens up to its own, so it is stood for by a number made of exactly these, and of the salt: two places hold the same only
 * if they may be used for each other. Numbers are made here, independently of the engine's hashes. A block is for one group of
 * layers, so a place also has that of who wrote it. Which blocks must be there is worked out here from the groups' windows.
 */
#ifndef TESTS_SIM_SIM_MEMORY_H
#define TESTS_SIM_SIM_MEMORY_H

#include <stdint.h>

#include "engine/scheduler.h"
#include "sim/sim_check.h"

typedef struct sim_slot {
    uint64_t content; /* 0: nothing */
    int32_t token;
    int32_t group;
} sim_slot;

typedef struct sim_memory {
    int32_t n_blocks;
    int32_t block_size;
    int32_t n_groups;
    int32_t windows[GOL_KV_GROUPS_MAX]; /* in tokens; 0: none */
    sim_slot *slots;                    /* [n_blocks][block_size] */
} sim_memory;

void sim_memory_init(sim_memory *m, int32_t n_blocks, int32_t block_size, int32_t n_groups,
                     const int32_t *windows);
void sim_memory_deinit(sim_memory *m);

/* What a token leaves behind contents: 'before' is that of the token before it, or the salt's. */
uint64_t sim_content(uint64_t before, int32_t token);
uint64_t sim_content_of_salt(uint64_t salt);

void sim_memory_copy_blocks(sim_memory *m, const gol_plan *plan);

/* Of the sequence's tokens [0, n_computed) every table holds those that a later token sees: contents are [n_tokens]. No table holds a
 * block of which neither a later token nor one behind the last full block sees anything. */
void sim_memory_check_seq(const sim_memory *m, const gol_seq *seq, const uint64_t *contents,
                          const sim_place *place);

/* Computes what is scheduled. No block that it writes may be in another table. */
void sim_memory_compute(sim_memory *m, const gol_kv_cache *kv, const gol_seq *seq,
                        const uint64_t *contents, const sim_place *place);

/* The index: every block with content is in exactly the lists it should be in, and what it is said to hold is there. Of many blocks
 * the contents are looked at in turns, some in every step: what is wrong stays wrong. */
void sim_memory_check_index(const sim_memory *m, const gol_kv_cache *kv, const sim_place *place);

#endif
