/*
 * Who has which slot, and when snapshots are taken. The pool knows slots, the sequence its marks; here they meet the blocks.
 */
#include "engine/kv_states.h"

#include <assert.h>

#include "engine/follow.h"

static int32_t border_before(const gol_kv_cache *kv, int32_t n_tokens)
{
    return n_tokens / kv->block_size * kv->block_size;
}

/* The block of the sequence's table that ends at this border. */
static gol_block *block_before(gol_kv_cache *kv, const gol_seq *seq, int32_t border)
{
    assert(border > 0 && border % kv->block_size == 0);
    return gol_block_pool_get(&kv->pool, seq->block_table[border / kv->block_size - 1]);
}

void gol_kv_states_start(gol_kv_cache *kv, gol_seq *seq, int32_t n_known)
{
    if (!gol_kv_has_states(kv))
        return;
    gol_seq_state *state = &seq->state;
    assert(state->slot < 0 && state->n_snapshots == 0);
    state->slot = gol_state_pool_try_take(&kv->states);
    assert(state->slot >= 0); /* there are more than sequences that run */
    state->n_marks = 0;
    state->answer_slot = -1;
    if (!seq->hasher)
        return;
    gol_seq_state_mark(state, border_before(kv, seq->n_prompt - 1));
    gol_seq_state_mark(state, border_before(kv, seq->n_tokens - 1)); /* it was preempted */
    gol_seq_state_mark(state, n_known * kv->block_size);
}

bool gol_kv_states_resume(gol_kv_cache *kv, gol_seq *seq, gol_state_copy *copy)
{
    if (!gol_kv_has_states(kv))
        return false;
    const gol_block *block = block_before(kv, seq, seq->n_computed);
    assert(block->state_slot >= 0);
    gol_state_pool_touch(&kv->states, block);
    gol_seq_state_pass(&seq->state, seq->n_computed);
    *copy = (gol_state_copy){.dst_slot = seq->state.slot, .src_slot = block->state_slot};
    return true;
}

/* Of these tokens of the sequence, if nobody has left one. */
static void plan_snapshot(gol_kv_cache *kv, gol_seq *seq, int32_t border)
{
    const int32_t i = border / kv->block_size - 1;
    const gol_block *twin = gol_prefix_index_find(&kv->index, gol_seq_hash(seq, i + 1),
                                                  gol_seq_hash(seq, i),
                                                  seq->tokens + (int64_t)i * kv->block_size);
    if (twin && twin->state_slot >= 0) {
        gol_state_pool_touch(&kv->states, twin);
        return;
    }
    const int32_t slot = gol_state_pool_try_take(&kv->states);
    if (slot < 0)
        return;
    seq->state.snapshots[seq->state.n_snapshots++] = (gol_state_snapshot){
        .n_rows = border - seq->n_computed, .slot = slot};
}

void gol_kv_states_plan(gol_kv_cache *kv, gol_seq *seq)
{
    gol_seq_state *state = &seq->state;
    assert(state->n_snapshots == 0);
    if (!gol_kv_has_states(kv) || !seq->hasher)
        return;
    const int32_t end = seq->n_computed + seq->n_scheduled;
    int32_t last = 0;
    for (int32_t i = 0; i < state->n_marks && state->marks[i] <= end; i++) {
        last = state->marks[i];
        assert(last > seq->n_computed);
        plan_snapshot(kv, seq, last);
    }
    if (end > seq->n_prompt && end % kv->block_size == 0 && end > last)
        plan_snapshot(kv, seq, end);
}

/* The snapshot of the answer moves on with it: the one before has been of use to nobody else, or can be made again. */
static void replace_answer(gol_kv_cache *kv, gol_seq *seq, int32_t border, int32_t slot)
{
    gol_seq_state *state = &seq->state;
    if (state->answer_slot >= 0) {
        gol_block *block = block_before(kv, seq, state->n_answered);
        if (block->state_slot == state->answer_slot)
            gol_state_pool_drop(&kv->states, block);
    }
    state->answer_slot = slot;
    state->n_answered = border;
}

void gol_kv_states_commit(gol_kv_cache *kv, gol_seq *seq, int32_t n_before)
{
    gol_seq_state *state = &seq->state;
    for (int32_t i = 0; i < state->n_snapshots; i++) {
        const int32_t border = n_before + state->snapshots[i].n_rows;
        const int32_t slot = state->snapshots[i].slot;
        gol_block *block = block_before(kv, seq, border);
        if (block->state_slot >= 0) { /* of another sequence in the same step */
            gol_state_pool_give_back(&kv->states, slot);
            continue;
        }
        gol_state_pool_keep(&kv->states, slot, block);
        if (border > seq->n_prompt)
            replace_answer(kv, seq, border, slot);
    }
    state->n_snapshots = 0;
    gol_seq_state_pass(state, seq->n_computed);
}

void gol_kv_states_free(gol_kv_cache *kv, gol_seq *seq)
{
    gol_seq_state *state = &seq->state;
    assert(state->n_snapshots == 0);
    if (state->slot >= 0)
        gol_state_pool_give_back(&kv->states, state->slot);
    state->slot = -1;
    state->n_marks = 0;
    state->answer_slot = -1;
}

int32_t gol_kv_states_reach(const gol_kv_cache *kv, const gol_seq *leader, int32_t n_reach,
                            int32_t n_shared)
{
    if (!gol_kv_has_states(kv) || n_reach == 0)
        return n_reach;
    const int32_t border = border_before(kv, n_reach);
    const bool is_useful = border > leader->n_computed &&
                           border - n_shared >= GOL_FOLLOW_TOKENS_MIN;
    return is_useful && gol_seq_state_can_mark(&leader->state, border) ? border : 0;
}

void gol_kv_states_await(gol_kv_cache *kv, gol_seq *leader, int32_t n_tokens)
{
    if (gol_kv_has_states(kv))
        gol_seq_state_mark(&leader->state, n_tokens);
}
