/* The invariants of src/engine/README.md as code, written from the text and not from the scheduler. */
#include "sim/sim_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void sim_violation(const sim_place *place, const char *what, int64_t found,
                             int64_t expected)
{
    fprintf(stderr,
            "sim: seed %" PRIu64 ", step %" PRId64 ": %s: found %" PRId64 ", expected %" PRId64
            "\n",
            place->seed, place->step, what, found, expected);
    exit(1);
}

static void expect(const sim_place *place, const char *what, int64_t found, int64_t expected)
{
    if (found != expected)
        sim_violation(place, what, found, expected);
}

static void expect_at_most(const sim_place *place, const char *what, int64_t found, int64_t max)
{
    if (found > max)
        sim_violation(place, what, found, max);
}

static bool is_ordered(const gol_scheduler *s, const gol_seq *a, const gol_seq *b)
{
    if (s->opts.policy == GOL_SCHED_PRIORITY && a->priority != b->priority)
        return a->priority < b->priority;
    return a->id < b->id;
}

static void check_queue(const gol_scheduler *s, const gol_seq_queue *queue, const sim_place *place)
{
    int32_t n = 0;
    const gol_seq *prev = NULL;
    for (const gol_seq *seq = queue->head; seq; seq = seq->next) {
        expect(place, "backward link is wrong", seq->prev == prev, true);
        expect(place, "queue pointer is wrong", seq->queue == queue, true);
        const bool is_running = seq->status == GOL_SEQ_RUNNING;
        expect(place, "status does not suit the queue", is_running, queue == &s->running);
        if (prev)
            expect(place, "queue is out of policy order", is_ordered(s, prev, seq), true);
        if (!is_running) {
            expect(place, "waiting sequence holds blocks", seq->n_blocks, 0);
            expect(place, "waiting sequence has computed tokens", seq->n_computed, 0);
        }
        expect_at_most(place, "sequence is longer than allowed", seq->n_tokens, seq->n_tokens_max);
        prev = seq;
        n++;
    }
    expect(place, "queue's tail is wrong", queue->tail == prev, true);
    expect(place, "queue's count is wrong", queue->n, n);
}

void sim_check_queues(const gol_scheduler *s, const sim_place *place)
{
    check_queue(s, &s->waiting, place);
    check_queue(s, &s->running, place);
    expect_at_most(place, "too many sequences run", s->running.n, s->opts.max_seqs);
}

void sim_check_blocks(const gol_scheduler *s, int32_t *ref_cnts, const sim_place *place)
{
    const gol_block_pool *pool = &s->kv->pool;
    const int32_t block_size = s->kv->block_size;
    memset(ref_cnts, 0, (size_t)pool->n_blocks * sizeof *ref_cnts);
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        for (int32_t g = 0; g < s->kv->layout.n_groups; g++) {
            const int32_t *table = seq->block_table + (ptrdiff_t)g * seq->n_blocks_max;
            for (int32_t i = 0; i < seq->n_blocks; i++)
                if (table[i] >= 0)
                    ref_cnts[table[i]]++;
        }
        const int64_t n_places = (int64_t)seq->n_blocks * block_size;
        const int64_t n_needed = seq->n_computed + seq->n_scheduled;
        expect_at_most(place, "tokens without a place", n_needed, n_places);
        expect_at_most(place, "blocks held without need", n_places, n_needed + block_size - 1);
    }
    int32_t n_used = 0;
    for (int32_t i = 0; i < pool->n_blocks; i++) {
        expect(place, "block has another ref_cnt than holders", pool->blocks[i].ref_cnt,
               ref_cnts[i]);
        n_used += ref_cnts[i] > 0;
    }
    int32_t n_free = 0;
    for (const gol_block *b = pool->free_head.next_free; b != &pool->free_tail; b = b->next_free) {
        expect(place, "block in the free list is held", b->ref_cnt, 0);
        n_free++;
    }
    expect(place, "free list and count differ", pool->n_free, n_free);
    expect(place, "free + used blocks", n_free + n_used, pool->n_blocks);
}

void sim_check_start(const gol_scheduler *s, const gol_seq *started, const sim_place *place)
{
    for (const gol_seq *seq = s->waiting.head; seq; seq = seq->next) {
        if (!is_ordered(s, seq, started))
            return;
        expect_at_most(place, "somebody is overtaken by who has more to compute",
                       started->n_rows_expected, seq->n_rows_expected - 1);
        if (s->opts.policy == GOL_SCHED_PRIORITY)
            expect(place, "somebody is overtaken by a lower rank", started->priority,
                   seq->priority);
    }
}

/* Blocks that the sequence alone holds of a table. */
static int32_t n_alone(const gol_scheduler *s, int32_t group, const gol_seq *seq)
{
    const int32_t *table = seq->block_table + (ptrdiff_t)group * seq->n_blocks_max;
    int32_t n = 0;
    for (int32_t i = 0; i < seq->n_blocks; i++)
        n += table[i] >= 0 && s->kv->pool.blocks[table[i]].ref_cnt == 1;
    return n;
}

/* Blocks by which the free ones may become fewer until all tokens of a running or waiting sequence have places. */
static int64_t n_lacking(const gol_scheduler *s, const int32_t *windows, const gol_seq *seq)
{
    const int32_t block_size = s->kv->block_size;
    const int32_t n_more = (seq->n_tokens + block_size - 1) / block_size - seq->n_blocks;
    const int32_t n_rows = seq->n_tokens - seq->n_blocks * block_size;
    const int32_t n_slice = n_rows < s->opts.max_batch_tokens ? n_rows : s->opts.max_batch_tokens;
    int64_t n = 0;
    for (int32_t g = 0; g < s->kv->layout.n_groups && n_more > 0; g++) {
        /* The longest slice and what its first row sees, wherever in a block that begins. */
        const int32_t n_held = (windows[g] + block_size - 2) / block_size +
                               (n_slice + block_size - 2) / block_size + 1;
        const int32_t n_window = n_held - n_alone(s, g, seq);
        n += windows[g] > 0 && n_window < n_more ? n_window : n_more;
    }
    return n;
}

void sim_check_room(const gol_scheduler *s, const int32_t *windows, const gol_seq *only,
                    const sim_place *place)
{
    int64_t n_needed = (int64_t)(s->running.n - 1) * s->kv->layout.n_groups;
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next)
        n_needed += seq->is_following ? seq->n_promised : n_lacking(s, windows, seq);
    for (const gol_seq *seq = s->waiting.head; only && seq && is_ordered(s, seq, only);
         seq = seq->next)
        n_needed += n_lacking(s, windows, seq);
    expect_at_most(place, "somebody starts without room for all", n_needed, s->kv->pool.n_free);
}

void sim_check_followers(const gol_scheduler *s, const sim_place *place)
{
    int32_t n_promised = 0;
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        int32_t n_followers = 0;
        for (const gol_seq *other = seq->next; other; other = other->next)
            n_followers += other->leader == seq;
        expect(place, "leader's followers are miscounted", seq->n_followers, n_followers);
        n_promised += seq->n_promised;
        if (!seq->is_following) {
            expect(place, "sequence has a leader and does not follow", seq->leader != NULL, false);
            expect(place, "sequence is promised blocks and does not follow", seq->n_promised, 0);
            continue;
        }
        expect(place, "follower computes", seq->n_scheduled, 0);
        if (!seq->leader)
            continue;
        expect(place, "leader does not run", seq->leader->queue == &s->running, true);
        expect(place, "leader follows itself", seq->leader->is_following, false);
        expect(place, "leader has another salt", gol_block_hash_eq(seq->leader->root, seq->root),
               true);
        expect(place, "leader comes later", is_ordered(s, seq->leader, seq), true);
        for (int32_t i = 0; i < seq->n_to_follow; i++)
            expect(place, "leader has other tokens", seq->leader->tokens[i], seq->tokens[i]);
    }
    expect(place, "promised blocks are miscounted", s->n_promised, n_promised);
    for (const gol_seq *seq = s->waiting.head; seq; seq = seq->next)
        expect(place, "waiting sequence follows or leads",
               seq->is_following || seq->n_followers > 0, false);
}

/* The first prompt in policy order has half of all rows of prompts, or all that it wants. */
static void check_shares(const gol_scheduler *s, bool has_preempted, const sim_place *place)
{
    const gol_seq *first = NULL;
    int32_t n_rows = 0;
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        const bool is_prompt = !seq->is_following && gol_seq_n_pending(seq) > 1;
        if (is_prompt && !first)
            first = seq;
        n_rows += is_prompt ? seq->n_scheduled : 0;
    }
    if (!first || has_preempted || first->n_scheduled == gol_seq_n_pending(first))
        return;
    /* By time, rows of a long context weigh more than those of the short prompts behind it. */
    const int32_t n_least = s->opts.cost ? 1 : n_rows / 2;
    expect_at_most(place, "the first prompt has too few rows", n_least, first->n_scheduled);
}

/* Followers hold all full blocks that their leaders have computed. */
static void check_sharing(const gol_scheduler *s, const sim_place *place)
{
    const int32_t block_size = s->kv->block_size;
    for (int32_t g = 0; g < s->kv->layout.n_groups; g++)
        if (s->kv->layout.n_seen[g] >= 0)
            return; /* what a leader has passed may have been taken for something else */
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (!seq->leader)
            continue;
        int32_t n = seq->leader->n_computed;
        n = n < seq->n_to_follow ? n : seq->n_to_follow;
        n = n < seq->n_tokens - 1 ? n : seq->n_tokens - 1;
        if (s->kv->states.n_slots > 0 && n < seq->n_to_follow)
            continue; /* there need not be a state so far */
        expect_at_most(place, "follower lacks a block that is there", n / block_size,
                       seq->n_blocks);
    }
}

/* Tokens that rows look at, and rows that are scored, which is what time is predicted from. */
static void check_load(const gol_scheduler *s, const sim_place *place)
{
    int64_t n_pairs[2] = {0};
    int32_t n_scored = 0;
    for (int32_t i = 0; i < s->plan.n_seqs; i++) {
        const gol_seq *seq = s->plan.seqs[i];
        for (int32_t k = 1; k <= seq->n_scheduled; k++) {
            n_pairs[seq->is_decode] += seq->n_computed + k;
            n_scored += gol_seq_scores_row(seq, seq->n_computed + k - 1);
        }
    }
    expect(place, "pairs of prompts", s->budget.load.n_prefill_pairs, n_pairs[0]);
    expect(place, "pairs of decodes", s->budget.load.n_decode_pairs, n_pairs[1]);
    expect(place, "rows that are scored", s->budget.load.n_scored_rows, n_scored);
}

static void check_time(const gol_scheduler *s, const sim_place *place)
{
    const gol_step_budget *b = &s->budget;
    const gol_step_load load = b->load;
    expect(place, "rows of the load", load.n_rows, s->plan.n_tokens);
    if (!s->opts.cost || b->n_prompt_rows <= GOL_STEP_PROMPT_ROWS_MIN)
        return;
    const double limit_ns = load.n_decode_pairs > 0 ? s->opts.max_itl_ns : s->opts.max_step_ns;
    const double ns = gol_step_cost_predict(s->opts.cost, &load);
    expect_at_most(place, "the step is predicted to be too long", (int64_t)ns,
                   (int64_t)limit_ns + 1);
}

void sim_check_plan(const gol_scheduler *s, const gol_plan *plan, bool has_preempted,
                    const sim_place *place)
{
    expect_at_most(place, "step is over the budget", plan->n_tokens, s->opts.max_batch_tokens);
    expect_at_most(place, "plan has too many sequences", plan->n_seqs, s->running.n);
    int64_t n_tokens = 0;
    for (int32_t i = 0; i < plan->n_seqs; i++) {
        const gol_seq *seq = plan->seqs[i];
        expect(place, "planned sequence is not running", seq->status, GOL_SEQ_RUNNING);
        expect_at_most(place, "planned sequence without work", 1, seq->n_scheduled);
        expect_at_most(place, "sequence computes tokens it does not have",
                       seq->n_computed + seq->n_scheduled, seq->n_tokens);
        n_tokens += seq->n_scheduled;
    }
    expect(place, "plan's sum is wrong", plan->n_tokens, n_tokens);
    if (!s->running.head)
        sim_violation(place, "sequences wait and none runs", 0, 1);
    if (!s->running.head->kept_row)
        expect_at_most(place, "the first running sequence is not served", 1,
                       s->running.head->n_scheduled);
    int32_t n_hits = 0;
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (!seq->kept_row)
            continue;
        n_hits++;
        expect(place, "hit has something to compute", gol_seq_n_pending(seq), 0);
        expect(place, "hit is scheduled", seq->n_scheduled, 0);
    }
    expect(place, "plan's hits are miscounted", plan->n_hits, n_hits);
    int32_t n_half = 0;
    for (const gol_seq *seq = s->running.head; seq; seq = seq->next) {
        if (seq->is_following)
            continue;
        n_half += seq->n_scheduled < gol_seq_n_pending(seq);
    }
    const bool is_full = plan->n_tokens == s->opts.max_batch_tokens;
    if (!s->opts.cost)
        expect_at_most(place, "budget is left and prompts are half computed",
                       has_preempted || is_full ? 0 : n_half, 0);
    check_shares(s, has_preempted, place);
    check_sharing(s, place);
    check_load(s, place);
    check_time(s, place);
}
