/*
 * The recurrent states of a simulation: for every slot, what a real model would have left there. A state is what it is behind one
 * token, so the content of that token (sim_memory.h) stands for it.
 */
#ifndef TESTS_SIM_SIM_STATES_H
#define TESTS_SIM_SIM_STATES_H

#include <stdint.h>

#include "engine/scheduler.h"
#include "sim/sim_check.h"
#include "sim/sim_memory.h"

typedef struct sim_states {
    int32_t n_slots;
    uint64_t *contents; /* [n_slots] */
    int32_t *n_holders; /* [n_slots] scratch */
    int64_t n_resumed;  /* copies from snapshots */
} sim_states;

void sim_states_init(sim_states *states, int32_t n_slots);
void sim_states_deinit(sim_states *states);

void sim_states_copy(sim_states *states, const gol_plan *plan);
/* The sequence's slot holds what stands before its next token, and then what stands behind the last scheduled one; so do the slots of
 * its snapshots for their tokens. contents: of its tokens. */
void sim_states_compute(sim_states *states, const gol_seq *seq, const uint64_t *contents,
                        const sim_place *place);
/* Between steps: each slot is free, or a running sequence's, or a full block's and then holds what the block's last token left. */
void sim_states_check(sim_states *states, const sim_memory *memory, const gol_scheduler *s,
                      const sim_place *place);

#endif
