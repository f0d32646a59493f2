/*
 * Continuous batching. One budget of a step, rows and time (step_budget.h), is handed out in this order:
 *   1. running sequences that lack one token (decodes): no stream ever waits for somebody's prompt;
 *   2. half of the rest: the first prompt; up to half: the shortest prompts behind it, if they are shorter than it, so that a
 *      short question does not wait for a stranger's book;
 *   3. running sequences that lack more (prompts in slices, recomputation), in policy order;
 *   4. waiting sequences, in policy order; the first that finds no place ends the round.
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
#include "base/minmax.h"
#include "engine/follow.h"
#include "engine/kv_states.h"

int gol_scheduler_init(gol_scheduler *s, const gol_scheduler_opts *opts, gol_kv_cache *kv,
                       gol_err *err)
{
    assert(opts->max_seqs >= 1);
    assert(opts->max_batch_tokens >= opts->max_seqs);
    assert(opts->max_batch_tokens <= kv->layout.n_slice_max);
    *s = (gol_scheduler){.opts = *opts, .kv = kv};
    const size_t n_seqs = (size_t)opts->max_seqs;
    s->plan.seqs = gol_try_array(n_seqs, sizeof *s->plan.seqs);
    s->plan.hits = gol_try_array(n_seqs, sizeof *s->plan.hits);
    /* One of each group when a sequence starts. */
    s->plan.copies = gol_try_array(n_seqs * (size_t)kv->layout.n_groups, sizeof *s->plan.copies);
    s->plan.state_copies = gol_try_array(n_seqs, sizeof *s->plan.state_copies);
    if (!s->plan.seqs || !s->plan.hits || !s->plan.copies || !s->plan.state_copies) {
        gol_scheduler_deinit(s);
        return gol_fail(err, GOL_ENOMEM, "out of memory for plans of %d sequences", opts->max_seqs);
    }
    return 0;
}

void gol_scheduler_deinit(gol_scheduler *s)
{
    assert(!gol_scheduler_has_work(s));
    gol_free(s->plan.state_copies);
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
    const gol_prefix prefix = gol_kv_cache_find_prefix(s->kv, seq);
    seq->n_rows_expected = seq->n_tokens - prefix.n_blocks * s->kv->block_size;
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

/* Rows of its prompt, or of what it computes again. */
static gol_slice slice_of(const gol_seq *seq, int32_t first, int32_t n)
{
    gol_slice slice = {.first = first, .n = n};
    if (seq->scores) {
        slice.scores_begin = seq->n_rows_read;
        slice.scores_end = seq->n_prompt - 1;
    }
    return slice;
}

/* Its blocks and its share of this step go back. Tokens stay, so does everything that was drawn: the recomputation gives
 * the same keys and values, and the next draw the same token. */
static void preempt(gol_scheduler *s, gol_seq *seq)
{
    detach(s, seq);
    gol_seq_queue_remove(&s->running, seq);
    gol_kv_cache_free(s->kv, seq);
    gol_slice slice = slice_of(seq, seq->n_computed, seq->n_scheduled);
    slice.is_decode = seq->is_decode;
    gol_step_budget_give_back(&s->budget, &slice);
    seq->n_scheduled = 0;
    seq->is_decode = false;
    seq->n_rows_expected = seq->n_tokens;
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

/* All rows or none. The first of a step gets them however long they take: there is no other step that would be shorter. */
static int32_t grant_whole(const gol_scheduler *s, const gol_slice *slice)
{
    if (slice->n > s->budget.n_rows_left)
        return 0;
    if (s->budget.load.n_rows == 0)
        return slice->n;
    return gol_step_budget_grant(&s->budget, slice) == slice->n ? slice->n : 0;
}

/* Up to n more rows of a running sequence's prompt. Returns how many; -1: it was preempted for want of blocks. */
static int32_t give(gol_scheduler *s, gol_seq *seq, int32_t n)
{
    gol_slice slice = slice_of(seq, seq->n_computed + seq->n_scheduled,
                               seq->is_whole ? gol_seq_n_pending(seq) - seq->n_scheduled : n);
    slice.n = seq->is_whole ? grant_whole(s, &slice) : gol_step_budget_grant(&s->budget, &slice);
    if (slice.n == 0)
        return 0;
    if (!reserve(s, seq, seq->n_scheduled + slice.n))
        return -1;
    gol_step_budget_take(&s->budget, &slice);
    seq->n_scheduled += slice.n;
    return slice.n;
}

/* The first running sequence before this one that is computing what it needs. */
static gol_leader find_leader(const gol_scheduler *s, const gol_seq *seq, int32_t n_shared)
{
    const bool keeps_rows = s->kv->exact && s->kv->exact->n_rows > 0;
    for (gol_seq *q = s->running.head; q && is_before(s, q, seq); q = q->next) {
        int32_t n_reach = gol_follow_reach(q, seq, n_shared, keeps_rows);
        n_reach = gol_kv_states_reach(s->kv, q, n_reach, n_shared);
        if (n_reach > 0)
            return (gol_leader){.seq = q, .n_tokens = n_reach};
    }
    return (gol_leader){0};
}

/* Entries of its tables that the sequence will get from its leader, if they are more than the first n_shared, which it has; or else 0. */
static int32_t n_followed(const gol_scheduler *s, int32_t n_shared, const gol_leader *leader)
{
    const int32_t n = leader->n_tokens / s->kv->block_size;
    return n > n_shared ? n : 0;
}

/* Blocks for a running sequence beyond those of its leader. */
static int32_t n_promised(const gol_scheduler *s, const gol_seq *seq, const gol_leader *leader)
{
    const gol_kv_layout *layout = &s->kv->layout;
    const int32_t n = n_followed(s, seq->n_blocks, leader);
    return n > 0 ? gol_kv_layout_n_following(layout, seq->n_tokens, n)
                 : gol_kv_layout_n_lacking(layout, seq->n_tokens, seq->n_blocks);
}

/* Blocks for one that starts, those of its prefix included that leave the free list. */
static int32_t n_needed(const gol_scheduler *s, const gol_seq *seq, const gol_prefix *prefix,
                        const gol_leader *leader)
{
    const gol_kv_layout *layout = &s->kv->layout;
    const int32_t n = n_followed(s, prefix->n_blocks, leader);
    if (n == 0)
        return gol_kv_layout_n_starting(layout, seq->n_tokens, prefix->n_blocks, prefix->n_free);
    int32_t sum = gol_kv_layout_n_following(layout, seq->n_tokens, n);
    for (int32_t g = 0; g < layout->n_groups; g++)
        sum += prefix->n_free[g];
    return sum;
}

/* A running sequence that has all full blocks it can share: it follows, or looks for the rest and is ready to compute. */
static void follow_or_settle(gol_scheduler *s, gol_seq *seq, const gol_leader *leader)
{
    if (leader->seq) {
        gol_follow_begin(seq, leader);
        gol_kv_states_await(s->kv, leader->seq, leader->n_tokens);
        seq->n_promised = n_promised(s, seq, leader);
        s->n_promised += seq->n_promised;
        return;
    }
    const int32_t n_groups = s->kv->layout.n_groups;
    assert(s->plan.n_copies + n_groups <= s->opts.max_seqs * n_groups);
    gol_block_copy *copies = &s->plan.copies[s->plan.n_copies];
    s->plan.n_copies += gol_kv_cache_settle(s->kv, seq, copies);
}

/* What the cache has of its next tokens becomes its own. */
static void share_prefix(gol_scheduler *s, gol_seq *seq)
{
    const int32_t n_before = seq->n_blocks;
    gol_kv_cache_share_prefix(s->kv, seq);
    if (seq->n_blocks == n_before)
        return;
    assert(s->plan.n_state_copies < s->opts.max_seqs);
    gol_state_copy *copy = &s->plan.state_copies[s->plan.n_state_copies];
    if (gol_kv_states_resume(s->kv, seq, copy))
        s->plan.n_state_copies++;
}

/* Followers hold what their leaders have filled, and stop when these have done, or are gone. */
static void update_followers(gol_scheduler *s)
{
    for (gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (!seq->is_following)
            continue;
        share_prefix(s, seq);
        if (!gol_follow_is_over(seq))
            continue;
        stop_following(s, seq);
        const gol_leader leader = find_leader(s, seq, seq->n_computed);
        follow_or_settle(s, seq, &leader);
    }
}

static bool takes_rows(const gol_seq *seq)
{
    return !seq->is_following && !seq->kept_row;
}

/* Those that lack one row get it, whatever it costs. */
static void schedule_decodes(gol_scheduler *s)
{
    gol_seq *seq = s->running.head;
    while (seq && s->budget.n_rows_left > 0) {
        if (gol_seq_n_pending(seq) == 1 && !seq->is_whole && takes_rows(seq)) {
            if (!reserve(s, seq, 1))
                return; /* it was the tail */
            seq->n_scheduled = 1;
            seq->is_decode = true;
            const gol_slice slice = {.first = seq->n_computed, .n = 1, .is_decode = true};
            gol_step_budget_take(&s->budget, &slice);
        }
        seq = seq->next; /* read only now: reserve() may have cut the tail off */
    }
}

/* Prompts, and what is recomputed. */
static void schedule_running(gol_scheduler *s)
{
    gol_seq *seq = s->running.head;
    while (seq && s->budget.n_rows_left > 0) {
        const int32_t n_left = gol_seq_n_pending(seq) - seq->n_scheduled;
        if (n_left > 0 && takes_rows(seq) && give(s, seq, n_left) < 0)
            return; /* it was the tail */
        seq = seq->next;
    }
}

/*
 * A new sequence starts only if all its tokens fit (not just the first slice), after what the running ones still need for
 * their known tokens and have been promised, and each of these can take one more block in each group, which is all they need within
 * the next block_size steps: admitting more would end in preemption. Blocks it shares cost nothing if somebody holds them, and otherwise
 * leave the free list. n_reserved: blocks for those that it overtakes.
 */
static bool has_room(const gol_scheduler *s, const gol_seq *seq, const gol_prefix *prefix,
                     const gol_leader *leader, int32_t n_reserved)
{
    int64_t n_left = (int64_t)gol_kv_cache_n_free(s->kv) - s->n_promised - n_reserved;
    for (const gol_seq *q = s->running.head; q; q = q->next)
        n_left -= s->kv->layout.n_groups + (q->is_following ? 0 : gol_kv_cache_n_lacking(s->kv, q));
    return n_needed(s, seq, prefix, leader) <= n_left;
}

/* Into the running ones; its row if one is all that it lacks, no other yet. False: no room for it. */
static bool try_start(gol_scheduler *s, gol_seq *seq, int32_t n_reserved)
{
    assert(seq->n_computed == 0 && seq->n_blocks == 0);
    if (s->running.n == s->opts.max_seqs || seq == s->refused)
        return false;
    const gol_prefix prefix = gol_kv_cache_find_prefix(s->kv, seq);
    const gol_leader leader = find_leader(s, seq, prefix.n_blocks * s->kv->block_size);
    if (!has_room(s, seq, &prefix, &leader, n_reserved)) {
        if (n_reserved == 0)
            s->refused = seq;
        return false;
    }
    gol_seq_queue_remove(&s->waiting, seq);
    insert_from_tail(s, &s->running, seq);
    seq->status = GOL_SEQ_RUNNING;
    gol_kv_states_start(s->kv, seq, leader.seq ? 0 : prefix.n_known);
    share_prefix(s, seq);
    follow_or_settle(s, seq, &leader);
    if (takes_rows(seq) && gol_seq_n_pending(seq) == 1)
        give(s, seq, 1);
    return true;
}

/* Nobody was preempted, and all running ones have their rows as far as there are some. */
static void schedule_waiting(gol_scheduler *s)
{
    const gol_slice one = {.n = 1};
    while (s->waiting.head && gol_step_budget_grant(&s->budget, &one) > 0) {
        gol_seq *seq = s->waiting.head;
        if (!try_start(s, seq, 0))
            return;
        if (!takes_rows(seq))
            continue;
        const int32_t n = give(s, seq, gol_seq_n_pending(seq) - seq->n_scheduled);
        assert(n >= 0); /* there was room for all of it */
    }
}

/* Whose prompt is next in policy order; it runs now if there is room for it. NULL: nobody's. */
static gol_seq *start_first_prompt(gol_scheduler *s)
{
    gol_seq *running = s->running.head;
    while (running &&
           ((gol_seq_n_pending(running) <= 1 && !running->is_whole) || !takes_rows(running)))
        running = running->next;
    gol_seq *waiting = s->waiting.head;
    while (waiting && (!running || is_before(s, waiting, running))) {
        const bool lacks_rows = !try_start(s, waiting, 0) ||
                                (takes_rows(waiting) && gol_seq_n_pending(waiting) > 1);
        if (lacks_rows)
            return waiting;
        waiting = s->waiting.head;
    }
    return running;
}

static int32_t n_rows_expected(const gol_seq *seq)
{
    return seq->status == GOL_SEQ_RUNNING ? gol_seq_n_pending(seq) : seq->n_rows_expected;
}

/* The shortest prompt that is shorter than the first one and has no rows yet; of those that wait, among the next few. NULL:
 * there is none. Blocks of those it overtakes in *n_reserved. */
static gol_seq *find_shortest(const gol_scheduler *s, const gol_seq *first, int32_t *n_reserved)
{
    enum { N_WAITING_SEEN = 64 };
    const bool is_strict = s->opts.policy == GOL_SCHED_PRIORITY;
    gol_seq *best = NULL;
    int32_t n_best = n_rows_expected(first);
    for (gol_seq *seq = s->running.head; seq; seq = seq->next) {
        const bool is_open = gol_seq_n_pending(seq) > 1 && seq->n_scheduled == 0 && takes_rows(seq);
        if (!is_open || (is_strict && seq->priority != first->priority))
            continue;
        if (n_rows_expected(seq) < n_best) {
            best = seq;
            n_best = n_rows_expected(seq);
        }
    }
    int32_t n_seen = 0;
    int32_t n_before = 0;
    for (gol_seq *seq = s->waiting.head; seq && n_seen < N_WAITING_SEEN; seq = seq->next) {
        if (is_strict && seq->priority != first->priority)
            break;
        if (n_rows_expected(seq) < n_best) {
            best = seq;
            n_best = n_rows_expected(seq);
            *n_reserved = n_before;
        }
        n_before += gol_kv_cache_blocks_for(s->kv, seq->n_tokens);
        n_seen++;
    }
    return best;
}

/* The first prompt has half of the rows that decodes leave before anybody else has one, and all that nobody shorter wants. So those
 * behind it delay it by a factor of two at most, however long a row of theirs takes, and each of them waits for shorter ones only. */
static void schedule_shortest(gol_scheduler *s)
{
    const uint64_t n_preemptions = s->n_preemptions;
    gol_seq *first = start_first_prompt(s);
    if (!first)
        return;
    const gol_slice most = slice_of(first, first->n_computed, s->budget.n_rows_left);
    const int32_t n_rows = gol_step_budget_grant(&s->budget, &most);
    int32_t n_left = n_rows / 2;
    if (n_rows_expected(first) <= n_left)
        return; /* it holds nobody up */
    if (first->status == GOL_SEQ_RUNNING)
        give(s, first, gol_min_i32(n_rows - n_left, gol_seq_n_pending(first)));
    while (n_left > 0 && s->n_preemptions == n_preemptions) {
        int32_t n_reserved = 0;
        gol_seq *seq = find_shortest(s, first, &n_reserved);
        if (!seq)
            return;
        if (seq->status != GOL_SEQ_RUNNING && !try_start(s, seq, n_reserved))
            return;
        n_left -= seq->n_scheduled;
        const int32_t n_lacking = gol_seq_n_pending(seq) - seq->n_scheduled;
        if (n_lacking == 0 || !takes_rows(seq))
            continue;
        const int32_t n = give(s, seq, gol_min_i32(n_lacking, n_left));
        if (n <= 0)
            return;
        n_left -= n;
    }
}

static void fill_plan(gol_scheduler *s)
{
    for (gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (seq->kept_row)
            s->plan.hits[s->plan.n_hits++] = seq;
        if (seq->n_scheduled == 0)
            continue;
        gol_kv_states_plan(s->kv, seq);
        s->plan.seqs[s->plan.n_seqs++] = seq;
        s->plan.n_tokens += seq->n_scheduled;
    }
    assert(s->plan.n_tokens == s->opts.max_batch_tokens - s->budget.n_rows_left);
}

const gol_plan *gol_scheduler_schedule(gol_scheduler *s)
{
    const uint64_t n_preemptions = s->n_preemptions;
    s->refused = NULL;
    gol_step_budget_init(&s->budget, s->opts.cost, s->opts.max_batch_tokens);
    update_followers(s);
    schedule_decodes(s);
    const bool has_decodes = s->budget.load.n_rows > 0;
    gol_step_budget_set_limit(&s->budget, has_decodes ? s->opts.max_itl_ns : s->opts.max_step_ns);
    /* In a step that had to preempt there is no room, and what budget came back is not handed out to others. */
    if (s->n_preemptions == n_preemptions)
        schedule_shortest(s);
    schedule_running(s);
    if (s->n_preemptions == n_preemptions)
        schedule_waiting(s);
    fill_plan(s);
    return &s->plan;
}

void gol_scheduler_update(gol_scheduler *s)
{
    for (int32_t i = 0; i < s->plan.n_seqs; i++) {
        gol_kv_cache_commit(s->kv, s->plan.seqs[i]);
        s->plan.seqs[i]->is_decode = false;
    }
    for (int32_t i = 0; i < s->plan.n_hits; i++)
        s->plan.hits[i]->kept_row = NULL;
    s->plan.n_copies = 0;
    s->plan.n_state_copies = 0;
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
