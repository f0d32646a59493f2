/*
 * Continuous batching. One budget of tokens per step is handed out in this order:
 *   1. running sequences that lack one token (decodes): no stream ever waits for somebody's prompt;
 *   2. running sequences that lack more (prompts in slices, recomputation), in policy order;
 *   3. waiting sequences, in policy order, the first that finds no place ends the round: nobody is overtaken.
 * A running sequence that finds no free block takes those of the last in policy order, which goes back to waiting with its
 * tokens and recomputes them later, as far as they are not still in the prefix cache (preemption by recomputation).
 *
 * A sequence that starts takes from the prefix cache what is there. If a running one is just computing what it needs next, it
 * follows: it stands among the running ones but gets no tokens until its leader has done so.
 *
 * Assumes max_batch_tokens >= max_seqs and that every sequence fits the pool alone. Then the first running sequence gets at
 * least one token in every step, whatever the others need: nothing can be stuck.
 */
#include "engine/scheduler.h"

#include <assert.h>

#include "base/mem.h"
#include "engine/follow.h"

int gol_scheduler_init(gol_scheduler *s, const gol_scheduler_opts *opts, gol_kv_cache *kv,
                       gol_err *err)
{
    assert(opts->max_seqs >= 1);
    assert(opts->max_batch_tokens >= opts->max_seqs);
    *s = (gol_scheduler){.opts = *opts, .kv = kv};
    const size_t n_seqs = (size_t)opts->max_seqs;
    s->plan.seqs = gol_try_array(n_seqs, sizeof *s->plan.seqs);
    s->plan.hits = gol_try_array(n_seqs, sizeof *s->plan.hits);
    s->plan.copies = gol_try_array(n_seqs, sizeof *s->plan.copies); /* one when a sequence starts */
    if (!s->plan.seqs || !s->plan.hits || !s->plan.copies) {
        gol_scheduler_deinit(s);
        return gol_fail(err, GOL_ENOMEM, "out of memory for plans of %d sequences", opts->max_seqs);
    }
    return 0;
}

void gol_scheduler_deinit(gol_scheduler *s)
{
    assert(!gol_scheduler_has_work(s));
    gol_free(s->plan.copies);
    gol_free(s->plan.hits);
    gol_free(s->plan.seqs);
    *s = (gol_scheduler){0};
}

bool gol_scheduler_has_work(const gol_scheduler *s)
{
    return s->waiting.n + s->running.n > 0;
}

static bool is_before(const gol_scheduler *s, const gol_seq *a, const gol_seq *b)
{
    if (s->opts.policy == GOL_SCHED_PRIORITY && a->priority != b->priority)
        return a->priority < b->priority;
    return a->id < b->id;
}

/* Into policy order, looking from the tail: where new sequences nearly always belong. */
static void insert_from_tail(gol_scheduler *s, gol_seq_queue *queue, gol_seq *seq)
{
    gol_seq *next = NULL;
    for (gol_seq *q = queue->tail; q && is_before(s, seq, q); q = q->prev)
        next = q;
    gol_seq_queue_insert(queue, seq, next);
}

/* The same from the head: where preempted sequences belong, for they are older than what never ran. */
static void insert_from_head(gol_scheduler *s, gol_seq_queue *queue, gol_seq *seq)
{
    gol_seq *next = queue->head;
    while (next && is_before(s, next, seq))
        next = next->next;
    gol_seq_queue_insert(queue, seq, next);
}

void gol_scheduler_add(gol_scheduler *s, gol_seq *seq)
{
    assert(seq->status == GOL_SEQ_WAITING);
    assert(gol_kv_cache_blocks_for(s->kv, seq->n_tokens_max) <= s->kv->pool.n_blocks);
    insert_from_tail(s, &s->waiting, seq);
}

static void stop_following(gol_scheduler *s, gol_seq *seq)
{
    gol_follow_end(seq);
    s->n_promised -= seq->n_promised;
    seq->n_promised = 0;
}

/* Before it leaves the running ones. */
static void detach(gol_scheduler *s, gol_seq *seq)
{
    stop_following(s, seq);
    gol_follow_lose(seq);
}

/* Its blocks and its share of this step go back. Tokens stay, so does everything that was drawn: the recomputation gives
 * the same keys and values, and the next draw the same token. */
static void preempt(gol_scheduler *s, gol_seq *seq)
{
    detach(s, seq);
    gol_seq_queue_remove(&s->running, seq);
    gol_kv_cache_free(s->kv, seq);
    s->n_tokens_left += seq->n_scheduled;
    seq->n_scheduled = 0;
    seq->n_computed = 0;
    seq->kept_row = NULL;
    seq->status = GOL_SEQ_PREEMPTED;
    insert_from_head(s, &s->waiting, seq);
    s->n_preemptions++;
}

/* Places for n tokens of a running sequence, at the cost of the last ones if need be. False: it was the last itself. */
static bool reserve(gol_scheduler *s, gol_seq *seq, int32_t n)
{
    while (!gol_kv_cache_allocate_slots(s->kv, seq, n)) {
        gol_seq *victim = s->running.tail;
        preempt(s, victim);
        if (victim == seq)
            return false;
    }
    return true;
}

static int32_t slice(const gol_scheduler *s, const gol_seq *seq)
{
    const int32_t n_pending = gol_seq_n_pending(seq);
    return n_pending < s->n_tokens_left ? n_pending : s->n_tokens_left;
}

static void hand_out(gol_scheduler *s, gol_seq *seq, int32_t n)
{
    seq->n_scheduled = n;
    s->n_tokens_left -= n;
}

/* The first running sequence before this one that is computing what it needs. */
static gol_leader find_leader(const gol_scheduler *s, const gol_seq *seq, int32_t n_shared)
{
    const bool keeps_rows = s->kv->exact && s->kv->exact->n_rows > 0;
    for (gol_seq *q = s->running.head; q && is_before(s, q, seq); q = q->next) {
        const int32_t n_reach = gol_follow_reach(q, seq, n_shared, keeps_rows);
        if (n_reach > 0)
            return (gol_leader){.seq = q, .n_tokens = n_reach};
    }
    return (gol_leader){0};
}

/* Blocks beyond the first n_shared that the sequence will not get from its leader. */
static int32_t n_own_blocks(const gol_scheduler *s, const gol_seq *seq, int32_t n_shared,
                            const gol_leader *leader)
{
    const int32_t n_followed = leader->n_tokens / s->kv->block_size;
    return gol_kv_cache_blocks_for(s->kv, seq->n_tokens) -
           (n_followed > n_shared ? n_followed : n_shared);
}

/* A running sequence that has all full blocks it can share: it follows, or looks for the rest and is ready to compute. */
static void follow_or_settle(gol_scheduler *s, gol_seq *seq, const gol_leader *leader)
{
    if (leader->seq) {
        gol_follow_begin(seq, leader);
        seq->n_promised = n_own_blocks(s, seq, seq->n_blocks, leader);
        s->n_promised += seq->n_promised;
        return;
    }
    assert(s->plan.n_copies < s->opts.max_seqs);
    gol_block_copy *copy = &s->plan.copies[s->plan.n_copies];
    if (gol_kv_cache_settle(s->kv, seq, copy))
        s->plan.n_copies++;
}

/* Followers hold what their leaders have filled, and stop when these have done, or are gone. */
static void update_followers(gol_scheduler *s)
{
    for (gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (!seq->is_following)
            continue;
        gol_kv_cache_share_prefix(s->kv, seq);
        if (!gol_follow_is_over(seq))
            continue;
        stop_following(s, seq);
        const gol_leader leader = find_leader(s, seq, seq->n_computed);
        follow_or_settle(s, seq, &leader);
    }
}

/* One round over the running sequences: those that decode, or the others. */
static void schedule_running(gol_scheduler *s, bool decodes)
{
    gol_seq *seq = s->running.head;
    while (seq && s->n_tokens_left > 0) {
        const bool is_decode = gol_seq_n_pending(seq) == 1;
        if (is_decode == decodes && !seq->is_following && !seq->kept_row) {
            const int32_t n = slice(s, seq);
            if (!reserve(s, seq, n))
                return; /* it was the tail */
            hand_out(s, seq, n);
        }
        seq = seq->next; /* read only now: reserve() may have cut the tail off */
    }
}

/*
 * Budget is left and nobody was preempted: every running sequence has places for all its tokens, or a promise of them. A new
 * one starts only if all its tokens fit (not just the first slice), and every running one can still take one more block, which
 * is all they need within the next block_size steps: admitting more would end in preemption. Blocks it shares cost nothing if
 * somebody holds them, and otherwise leave the free list.
 */
static bool has_room(const gol_scheduler *s, const gol_seq *seq, const gol_prefix *prefix,
                     const gol_leader *leader)
{
    const int32_t n_needed = n_own_blocks(s, seq, prefix->n_blocks, leader) + prefix->n_free;
    return n_needed <= gol_kv_cache_n_free(s->kv) - s->n_promised - s->running.n;
}

static void schedule_waiting(gol_scheduler *s)
{
    while (s->waiting.head && s->running.n < s->opts.max_seqs && s->n_tokens_left > 0) {
        gol_seq *seq = s->waiting.head;
        assert(seq->n_computed == 0 && seq->n_blocks == 0);
        const gol_prefix prefix = gol_kv_cache_find_prefix(s->kv, seq);
        const gol_leader leader = find_leader(s, seq, prefix.n_blocks * s->kv->block_size);
        if (!has_room(s, seq, &prefix, &leader))
            return;
        gol_seq_queue_remove(&s->waiting, seq);
        insert_from_tail(s, &s->running, seq);
        seq->status = GOL_SEQ_RUNNING;
        gol_kv_cache_share_prefix(s->kv, seq);
        follow_or_settle(s, seq, &leader);
        if (seq->is_following || seq->kept_row)
            continue;
        const int32_t n = slice(s, seq);
        const bool has_slots = gol_kv_cache_allocate_slots(s->kv, seq, n);
        assert(has_slots);
        hand_out(s, seq, n);
    }
}

static void fill_plan(gol_scheduler *s)
{
    for (gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (seq->kept_row)
            s->plan.hits[s->plan.n_hits++] = seq;
        if (seq->n_scheduled == 0)
            continue;
        s->plan.seqs[s->plan.n_seqs++] = seq;
        s->plan.n_tokens += seq->n_scheduled;
    }
    assert(s->plan.n_tokens == s->opts.max_batch_tokens - s->n_tokens_left);
}

const gol_plan *gol_scheduler_schedule(gol_scheduler *s)
{
    const uint64_t n_preemptions = s->n_preemptions;
    s->n_tokens_left = s->opts.max_batch_tokens;
    update_followers(s);
    schedule_running(s, true);
    schedule_running(s, false);
    /* In a step that had to preempt there is no room, and what budget came back is not handed out again. */
    if (s->n_preemptions == n_preemptions)
        schedule_waiting(s);
    fill_plan(s);
    return &s->plan;
}

void gol_scheduler_update(gol_scheduler *s)
{
    for (int32_t i = 0; i < s->plan.n_seqs; i++)
        gol_kv_cache_commit(s->kv, s->plan.seqs[i]);
    for (int32_t i = 0; i < s->plan.n_hits; i++)
        s->plan.hits[i]->kept_row = NULL;
    s->plan.n_copies = 0;
    s->plan.n_hits = 0;
    s->plan.n_seqs = 0;
    s->plan.n_tokens = 0;
}

void gol_scheduler_finish(gol_scheduler *s, gol_seq *seq)
{
    assert(seq->n_scheduled == 0);
    detach(s, seq);
    gol_seq_queue_remove(seq->status == GOL_SEQ_RUNNING ? &s->running : &s->waiting, seq);
    gol_kv_cache_free(s->kv, seq);
    seq->status = GOL_SEQ_FINISHED;
}
