/*
 * Who computes how many tokens in the next step. A pure function of its queues: no model, no clock, no threads, so that it
 * runs in a simulation for thousands of seeded steps (tests/sim).
 *
 *     const gol_plan *plan = gol_scheduler_schedule(s);   // hands out at most max_batch_tokens
 *     ...compute exactly that...
 *     gol_scheduler_update(s);                            // n_computed has caught up
 *     gol_scheduler_finish(s, seq);                       // for those that ended
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

typedef struct gol_plan {
    gol_seq **seqs; /* [n_seqs] each with n_scheduled >= 1, in policy order */
    int32_t n_seqs;
    int32_t n_tokens; /* sum of n_scheduled */
} gol_plan;

typedef struct gol_scheduler_opts {
    gol_sched_policy policy;
    int32_t max_seqs;
    int32_t max_batch_tokens; /* >= max_seqs: who decodes gets its token in every step */
} gol_scheduler_opts;

typedef struct gol_scheduler {
    gol_scheduler_opts opts;
    gol_kv_cache *kv;
    gol_seq_queue waiting; /* WAITING and PREEMPTED */
    gol_seq_queue running;
    gol_plan plan;         /* of the last schedule() */
    int32_t n_tokens_left; /* of the budget, inside schedule() */
    uint64_t n_preemptions;
} gol_scheduler;

/* kv must outlive it. Errors: GOL_ENOMEM. */
int gol_scheduler_init(gol_scheduler *s, const gol_scheduler_opts *opts, gol_kv_cache *kv,
                       gol_err *err);
void gol_scheduler_deinit(gol_scheduler *s); /* queues must be empty */

/* The sequence must fit the pool alone at its full length: blocks_for(n_tokens_max) <= n_blocks. Its id must be higher
 * than that of every sequence added before. */
void gol_scheduler_add(gol_scheduler *s, gol_seq *seq);

/* Not empty as long as there is a sequence. Valid until the next schedule() or finish(). */
const gol_plan *gol_scheduler_schedule(gol_scheduler *s);

/* The plan was carried out. */
void gol_scheduler_update(gol_scheduler *s);

/* Takes a waiting or running sequence out; its blocks are free afterwards. Not between schedule() and update(). */
void gol_scheduler_finish(gol_scheduler *s, gol_seq *seq);

bool gol_scheduler_has_work(const gol_scheduler *s);

#endif
