/* What must hold in every step of a simulation. A violation prints what and where and ends the program. */
#ifndef TESTS_SIM_SIM_CHECK_H
#define TESTS_SIM_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/scheduler.h"

/* Printed with a violation. */
typedef struct sim_place {
    uint64_t seed;
    int64_t step;
} sim_place;

_Noreturn void sim_violation(const sim_place *place, const char *what, int64_t found,
                             int64_t expected);

/* Queues: every member has the right status, links and order. */
void sim_check_queues(const gol_scheduler *s, const sim_place *place);

/* Blocks: free + used = total, each ref_cnt equals the number of tables that hold the block, tables cover what is computed
 * and what is scheduled and no more than one block beyond need. ref_cnts: scratch [n_blocks]. */
void sim_check_blocks(const gol_scheduler *s, int32_t *ref_cnts, const sim_place *place);

/* A sequence that has just started: who came before it and still waits has more rows to compute. */
void sim_check_start(const gol_scheduler *s, const gol_seq *started, const sim_place *place);

/* After a step in which somebody started: blocks for all tokens of the running ones, those promised, a spare one for each that
 * ran before (of each group), and if just one has started, for everybody whom it has overtaken; else `only` is NULL. windows: of the
 * groups of layers, in tokens, 0: none. */
void sim_check_room(const gol_scheduler *s, const int32_t *windows, const gol_seq *only,
                    const sim_place *place);

/* Followers: their leaders run, come before them, follow nobody and have the tokens that they are followed for. */
void sim_check_followers(const gol_scheduler *s, const sim_place *place);

/* The plan: within the budget, no sequence over its tokens, the first running one served, and so is every decode; if nobody
 * was preempted, no budget is left while somebody could use it. */
void sim_check_plan(const gol_scheduler *s, const gol_plan *plan, bool has_preempted,
                    const sim_place *place);

#endif
