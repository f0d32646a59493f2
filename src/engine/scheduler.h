/*
 * Who computes how many tokens in the next step. A pure function of its queues: no model, no clock, no threads, so that it
 * runs in a simulation for thousands of seeded steps (tests/sim).
 *
 *     const gol_plan *plan = gol_scheduler_schedule(s);   // hands out at most max_batch_tokens
 *     ...compute exactly that...
 *     gol_scheduler_update(s);                            // n_computed has caught up
 *     gol_scheduler_finish(s, seq);                       // for those that ended
 *
 * Time enters as numbers: what steps have cost (step_cost.h) and how long one may be.
 *
 * Both queues are in policy order: by arrival, or by priority and then arrival. Invariants are numbered in README.md.
 */
#ifndef GOL_ENGINE_SCHEDULER_H
#define GOL_ENGINE_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/kv_cache.h"
#include "engine/sched_policy.h"
#include "engine/seq_queue.h"
#include "engine/sequence.h"
#include "engine/step_budget.h"

/* To be carried out in this order: copies, then what is drawn from kept rows, then the forward pass. */
typedef struct gol_plan {
    gol_block_copy *copies; /* [n_copies] */
    int32_t n_copies;
    gol_state_copy *state_copies; /* [n_state_copies] */
    int32_t n_state_copies;
    gol_seq **hits; /* [n_hits] each with a kept_row: sampled without any computation */
    int32_t n_hits;
    gol_seq **seqs;   /* [n_seqs] each with n_scheduled >= 1, in policy order */
    int32_t n_seqs;   /* 0: no forward pass */
    int32_t n_tokens; /* sum of n_scheduled */
} gol_plan;

typedef struct gol_scheduler_opts {
    gol_sched_policy policy;
    int32_t max_seqs;
    int32_t max_batch_tokens; /* >= max_seqs: who decodes gets its token in every step */
    /* Prompts get so many rows that a step is predicted to last this long at most. 0 or without cost: time does not count. */
    double max_itl_ns;         /* while others decode */
    double max_step_ns;        /* while nobody does */
    const gol_step_cost *cost; /* NULL, or must outlive it */
} gol_scheduler_opts;

typedef struct gol_scheduler {
    gol_scheduler_opts opts;
    gol_kv_cache *kv;
    gol_seq_queue waiting; /* WAITING and PREEMPTED */
    gol_seq_queue running;
    gol_plan plan;          /* of the last schedule() */
    gol_step_budget budget; /* of it; its load is what the step has to do */
    /* Found no room in this step: whoever starts after that only takes more, so that looking again would find the same. */
    const gol_seq *refused;
    int32_t n_promised; /* blocks that sequences who follow will want: sum of theirs */
    uint64_t n_preemptions;
} gol_scheduler;

/* kv must outlive it. Errors: GOL_ENOMEM. */
int gol_scheduler_init(gol_scheduler *s, const gol_scheduler_opts *opts, gol_kv_cache *kv,
                       gol_err *err);
void gol_scheduler_deinit(gol_scheduler *s); /* queues must be empty */

/* The sequence must fit the pool alone at its full length: blocks_for(n_tokens_max) <= n_blocks of the pool. Its id must be higher
 * than that of every sequence added before. */
void gol_scheduler_add(gol_scheduler *s, gol_seq *seq);

/* Has a hit or a sequence as long as there is any sequence. Valid until the next schedule() or finish(). */
const gol_plan *gol_scheduler_schedule(gol_scheduler *s);

/* The plan was carried out. */
void gol_scheduler_update(gol_scheduler *s);

/* Takes a waiting or running sequence out; its blocks are free afterwards. Not between schedule() and update(). */
void gol_scheduler_finish(gol_scheduler *s, gol_seq *seq);

bool gol_scheduler_has_work(const gol_scheduler *s);

#endif
