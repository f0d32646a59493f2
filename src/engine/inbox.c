/*
 * Messages to the engine: a mutex, a list linked through the sequences, and a table of who is there. Critical sections are
 * a few pointer moves, except take() with aborts, which looks through the table once.
 *
 * Sizes: at most max_seqs run and at most max_queued_reqs wait when a submission is accepted, so the table never overflows.
 */
#include "engine/inbox.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    SLOT_BITS = 16,
    WAIT_SLICE_MS = 50, /* of wait_idle(): how late it may notice that the wall clock was set */
};

static void lock(gol_inbox *inbox)
{
    const int rc = pthread_mutex_lock(&inbox->mutex);
    assert(rc == 0);
    (void)rc;
}

static void unlock(gol_inbox *inbox)
{
    const int rc = pthread_mutex_unlock(&inbox->mutex);
    assert(rc == 0);
    (void)rc;
}

static void set(_Atomic int32_t *count, int32_t v)
{
    atomic_store_explicit(count, v, memory_order_relaxed);
}

static int32_t get(const _Atomic int32_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

uint64_t gol_inbox_bytes(int32_t max_queued_reqs, int32_t max_seqs)
{
    const uint64_t n_slots = (uint64_t)max_queued_reqs + (uint64_t)max_seqs;
    return n_slots * (sizeof(gol_inbox_slot) + sizeof(int32_t));
}

int gol_inbox_init(gol_inbox *inbox, const gol_inbox_limits *limits, gol_err *err)
{
    *inbox = (gol_inbox){
        .limits = *limits,
        .n_slots = limits->max_queued_reqs + limits->max_seqs,
    };
    assert(inbox->n_slots <= 1 << SLOT_BITS);
    inbox->slots = gol_try_calloc((size_t)inbox->n_slots, sizeof *inbox->slots);
    inbox->free_slots = gol_try_array((size_t)inbox->n_slots, sizeof *inbox->free_slots);
    if (!inbox->slots || !inbox->free_slots) {
        gol_free(inbox->slots);
        gol_free(inbox->free_slots);
        return gol_fail(err, GOL_ENOMEM, "out of memory for a queue of %d requests",
                        limits->max_queued_reqs);
    }
    while (inbox->n_free_slots < inbox->n_slots) {
        inbox->free_slots[inbox->n_free_slots] = inbox->n_slots - 1 - inbox->n_free_slots;
        inbox->n_free_slots++;
    }
    pthread_mutex_init(&inbox->mutex, NULL);
    pthread_cond_init(&inbox->has_mail, NULL);
    pthread_cond_init(&inbox->is_idle, NULL);
    return 0;
}

void gol_inbox_deinit(gol_inbox *inbox)
{
    assert(get(&inbox->n_live) == 0);
    pthread_cond_destroy(&inbox->is_idle);
    pthread_cond_destroy(&inbox->has_mail);
    pthread_mutex_destroy(&inbox->mutex);
    gol_free(inbox->free_slots);
    gol_free(inbox->slots);
}

/* With the mutex held: is there room for it? */
static int check_room(const gol_inbox *inbox, const gol_seq *seq, gol_err *err)
{
    const gol_inbox_limits *l = &inbox->limits;
    const int32_t n_waiting = get(&inbox->n_live) - get(&inbox->n_running);
    if (n_waiting >= l->max_queued_reqs)
        return gol_fail(err, GOL_EBUSY, "%d requests are waiting, max_queued_reqs is %d", n_waiting,
                        l->max_queued_reqs);
    const int64_t n_tokens = inbox->n_prompt_tokens - inbox->n_running_tokens;
    if (l->max_queued_tokens > 0 && n_waiting > 0 &&
        seq->n_prompt > l->max_queued_tokens - n_tokens)
        return gol_fail(err, GOL_EBUSY,
                        "prompts of %lld tokens are waiting; with %d more they would be over "
                        "max_queued_tokens, which is %lld",
                        (long long)n_tokens, seq->n_prompt, (long long)l->max_queued_tokens);
    if (seq->n_charged > l->max_prompt_tokens - inbox->n_charged)
        return gol_fail(
            err, GOL_EBUSY,
            "prompts of %lld tokens are running and waiting; with %lld more they would be "
            "over %lld, what memory is planned for",
            (long long)inbox->n_charged, (long long)seq->n_charged,
            (long long)l->max_prompt_tokens);
    return 0;
}

/* With the mutex held. */
static int accept_seq(gol_inbox *inbox, gol_seq *seq, gol_err *err)
{
    if (inbox->is_closed)
        return gol_fail(err, GOL_ECLOSED, "the engine is shutting down");
    const int rc = check_room(inbox, seq, err);
    if (rc != 0)
        return rc;
    inbox->n_prompt_tokens += seq->n_prompt;
    inbox->n_charged += seq->n_charged;
    seq->arrived_ns = gol_clock_ns();
    assert(inbox->n_free_slots > 0);
    const int32_t slot = inbox->free_slots[--inbox->n_free_slots];
    seq->id = ++inbox->last_serial << SLOT_BITS | (uint64_t)slot;
    inbox->slots[slot] = (gol_inbox_slot){.seq = seq};
    gol_seq_queue_push(&inbox->submitted, seq);
    set(&inbox->n_live, get(&inbox->n_live) + 1);
    return 0;
}

int gol_inbox_push(gol_inbox *inbox, gol_seq *seq, uint64_t *id, gol_err *err)
{
    lock(inbox);
    const int rc = accept_seq(inbox, seq, err);
    if (rc == 0) {
        *id = seq->id; /* once the mutex is free, the sequence may end at any moment */
        pthread_cond_signal(&inbox->has_mail);
    }
    unlock(inbox);
    return rc;
}

static gol_inbox_slot *find_slot(gol_inbox *inbox, uint64_t id)
{
    const uint64_t slot = id & ((1u << SLOT_BITS) - 1);
    if (slot >= (uint64_t)inbox->n_slots)
        return NULL;
    gol_inbox_slot *s = &inbox->slots[slot];
    return s->seq && s->seq->id == id ? s : NULL;
}

void gol_inbox_abort(gol_inbox *inbox, uint64_t id)
{
    lock(inbox);
    gol_inbox_slot *slot = find_slot(inbox, id);
    if (slot) {
        slot->is_aborted = true;
        inbox->has_aborts = true;
        pthread_cond_signal(&inbox->has_mail);
    }
    unlock(inbox);
}

void gol_inbox_close(gol_inbox *inbox)
{
    lock(inbox);
    inbox->is_closed = true;
    unlock(inbox);
}

void gol_inbox_stop(gol_inbox *inbox)
{
    lock(inbox);
    inbox->is_closed = true;
    inbox->is_stopping = true;
    pthread_cond_signal(&inbox->has_mail);
    unlock(inbox);
}

/* Condition variables wait until a wall-clock time everywhere and until a monotonic one on some systems only. So it is
 * waited in short slices of wall time, and the monotonic clock decides when it was enough. */
static void wait_slice(gol_inbox *inbox, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)ms * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    const int rc = pthread_cond_timedwait(&inbox->is_idle, &inbox->mutex, &until);
    assert(rc == 0 || rc == ETIMEDOUT);
    (void)rc;
}

bool gol_inbox_wait_idle(gol_inbox *inbox, int64_t timeout_ms)
{
    const uint64_t begin_ns = gol_clock_ns();
    lock(inbox);
    while (get(&inbox->n_live) > 0) {
        const int64_t past_ms = (int64_t)((gol_clock_ns() - begin_ns) / 1000000);
        if (past_ms >= timeout_ms)
            break;
        const int64_t left_ms = timeout_ms - past_ms;
        wait_slice(inbox, left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS);
    }
    const bool is_idle = get(&inbox->n_live) == 0;
    unlock(inbox);
    return is_idle;
}

void gol_inbox_take(gol_inbox *inbox, gol_mail *mail, bool wait)
{
    mail->n_aborted = 0;
    lock(inbox);
    while (wait && !inbox->submitted.head && !inbox->has_aborts && !inbox->is_stopping)
        pthread_cond_wait(&inbox->has_mail, &inbox->mutex);
    while (inbox->submitted.head)
        gol_seq_queue_push(&mail->submitted, gol_seq_queue_pop(&inbox->submitted));
    for (int32_t i = 0; inbox->has_aborts && i < inbox->n_slots; i++) {
        if (inbox->slots[i].is_aborted)
            mail->aborted[mail->n_aborted++] = inbox->slots[i].seq;
        inbox->slots[i].is_aborted = false;
    }
    inbox->has_aborts = false;
    mail->is_stopping = inbox->is_stopping;
    unlock(inbox);
}

void gol_inbox_set_running(gol_inbox *inbox, const gol_running *running)
{
    if (get(&inbox->n_running) == running->n && inbox->n_running_tokens == running->n_prompt_tokens)
        return; /* only this thread writes them */
    lock(inbox);
    set(&inbox->n_running, running->n);
    inbox->n_running_tokens = running->n_prompt_tokens;
    unlock(inbox);
}

void gol_inbox_retire(gol_inbox *inbox, const gol_seq *seq, const gol_running *running)
{
    lock(inbox);
    gol_inbox_slot *slot = find_slot(inbox, seq->id);
    assert(slot && slot->seq == seq);
    *slot = (gol_inbox_slot){0};
    inbox->free_slots[inbox->n_free_slots++] = (int32_t)(slot - inbox->slots);
    inbox->n_prompt_tokens -= seq->n_prompt;
    inbox->n_charged -= seq->n_charged;
    inbox->n_running_tokens = running->n_prompt_tokens;
    set(&inbox->n_running, running->n);
    set(&inbox->n_live, get(&inbox->n_live) - 1);
    if (get(&inbox->n_live) == 0)
        pthread_cond_broadcast(&inbox->is_idle);
    unlock(inbox);
}
