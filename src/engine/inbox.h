/*
 * The one door into the engine's thread: sequences to run and ids to abort come in from any thread, and the engine takes
 * them between steps. It also keeps the register of all sequences that are there, so that an abort needs no allocation and
 * finds its sequence wherever it stands: still in here, waiting, running, or gone.
 *
 * An id is (serial << 16 | slot): the slot finds the entry in O(1), the serial tells a new tenant of the slot from an old
 * one and makes ids rise with arrival.
 */
#ifndef GOL_ENGINE_INBOX_H
#define GOL_ENGINE_INBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/seq_queue.h"
#include "engine/sequence.h"

typedef struct gol_inbox_slot {
    gol_seq *seq; /* NULL: free */
    bool is_aborted;
} gol_inbox_slot;

/* What may come in. */
typedef struct gol_inbox_limits {
    int32_t max_seqs;
    int32_t max_queued_reqs;
    int64_t max_queued_tokens; /* of the prompts that wait, where more than one does; 0: no limit */
    int64_t
        max_prompt_tokens; /* charged to all prompts; at least one of any length that is accepted */
} gol_inbox_limits;

/* Of the sequences that are there, those that run. */
typedef struct gol_running {
    int32_t n;
    int64_t n_prompt_tokens;
} gol_running;

typedef struct gol_inbox {
    pthread_mutex_t mutex;   /* of everything below; never held while somebody else's code runs */
    pthread_cond_t has_mail; /* the engine waits for it */
    pthread_cond_t is_idle;  /* gol_inbox_wait_idle() waits for it */
    gol_seq_queue submitted;
    gol_inbox_slot *slots; /* [n_slots] */
    int32_t *free_slots;   /* [n_free_slots] a stack */
    int32_t n_slots;
    int32_t n_free_slots;
    gol_inbox_limits limits;
    int64_t n_charged; /* of all sequences that are there: their prompts, as they are charged */
    int64_t n_prompt_tokens;  /* the same, in tokens */
    int64_t n_running_tokens; /* of the prompts of those that run */
    uint64_t last_serial;
    bool has_aborts;
    bool is_closed;   /* nothing new is accepted */
    bool is_stopping; /* the engine's thread shall end */
    /* Written under the mutex, read by anybody. n_live: submitted and not retired; n_running <= n_live. */
    _Atomic int32_t n_live;
    _Atomic int32_t n_running;
} gol_inbox;

/* What the engine takes out at once. */
typedef struct gol_mail {
    gol_seq_queue submitted; /* in order of arrival; among them perhaps aborted ones */
    gol_seq **aborted;       /* [n_aborted] room for n_slots */
    int32_t n_aborted;
    bool is_stopping;
} gol_mail;

/* Errors: GOL_ENOMEM. */
int gol_inbox_init(gol_inbox *inbox, const gol_inbox_limits *limits, gol_err *err);
uint64_t gol_inbox_bytes(int32_t max_queued_reqs, int32_t max_seqs); /* what init() allocates */
void gol_inbox_deinit(gol_inbox *inbox);                             /* empty, and nobody waits */

/* Any thread. Takes the sequence over and gives it its id. Errors: GOL_EBUSY, GOL_ECLOSED; it is then still the caller's. */
int gol_inbox_push(gol_inbox *inbox, gol_seq *seq, uint64_t *id, gol_err *err);
void gol_inbox_abort(gol_inbox *inbox, uint64_t id); /* unknown ids are ignored */
void gol_inbox_close(gol_inbox *inbox);
void gol_inbox_stop(gol_inbox *inbox); /* close, and tell the engine's thread to end */
bool gol_inbox_wait_idle(gol_inbox *inbox, int64_t timeout_ms); /* true: no sequence is left */

/* The engine's thread. take: all there is; with wait, sleeps until there is something. */
void gol_inbox_take(gol_inbox *inbox, gol_mail *mail, bool wait);
void gol_inbox_set_running(gol_inbox *inbox, const gol_running *running);
/* The sequence's id is dead afterwards. */
void gol_inbox_retire(gol_inbox *inbox, const gol_seq *seq, const gol_running *running);

#endif
