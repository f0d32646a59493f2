/*
 * Who is worth waiting for. Waiting costs a sequence the time of the leader's slices, but the leader stands before it in policy
 * order and would get its tokens first anyway; and it is a step more, in which all weights are read once. So what is saved must
 * be worth a step, or be all that the sequence lacks: an equal prompt then takes no place in any forward pass.
 */
#include "engine/follow.h"

#include <assert.h>

#include "base/minmax.h"

/* Sequences of different salts have nothing in common. Whole blocks are compared by hash. */
static int32_t count_common(const gol_seq *a, const gol_seq *b)
{
    if (!gol_block_hash_eq(a->root, b->root))
        return 0;
    int32_t lo = 0;
    int32_t hi = gol_min_i32(a->n_hashed, b->n_hashed);
    while (lo < hi) { /* chains that agree in one place agree in all before it */
        const int32_t mid = hi - (hi - lo) / 2;
        if (gol_block_hash_eq(a->block_hashes[mid - 1], b->block_hashes[mid - 1]))
            lo = mid;
        else
            hi = mid - 1;
    }
    const int32_t n = gol_min_i32(a->n_tokens, b->n_tokens);
    int32_t i = lo * a->block_size;
    while (i < n && a->tokens[i] == b->tokens[i])
        i++;
    return i;
}

int32_t gol_follow_reach(const gol_seq *leader, const gol_seq *seq, int32_t n_shared,
                         bool keeps_rows)
{
    const bool is_decode = gol_seq_n_generated(leader) > 0 && gol_seq_n_pending(leader) <= 1;
    if (!leader->hasher || !seq->hasher || leader->is_following || is_decode ||
        gol_seq_is_scoring(seq))
        return 0;
    const int32_t n_common = count_common(leader, seq);
    const bool is_same_prompt = n_common == seq->n_tokens && n_common == leader->n_tokens &&
                                seq->n_tokens == seq->n_prompt &&
                                leader->n_tokens == leader->n_prompt;
    const int32_t n_useful = seq->n_tokens - (is_same_prompt && keeps_rows ? 0 : 1);
    const int32_t n_reach = gol_min_i32(n_common, n_useful);
    const int32_t n_saved = n_reach - n_shared;
    if (n_saved <= 0 || n_reach <= leader->n_computed)
        return 0;
    return n_saved >= GOL_FOLLOW_TOKENS_MIN || n_reach == seq->n_tokens ? n_reach : 0;
}

void gol_follow_begin(gol_seq *seq, const gol_leader *leader)
{
    assert(!seq->is_following && leader->seq);
    seq->is_following = true;
    seq->leader = leader->seq;
    seq->n_to_follow = leader->n_tokens;
    leader->seq->n_followers++;
}

void gol_follow_end(gol_seq *seq)
{
    if (seq->leader)
        seq->leader->n_followers--;
    seq->leader = NULL;
    seq->is_following = false;
}

void gol_follow_lose(gol_seq *leader)
{
    for (gol_seq *seq = leader->next; leader->n_followers > 0; seq = seq->next) {
        assert(seq);
        if (seq->leader == leader) {
            seq->leader = NULL;
            leader->n_followers--;
        }
    }
}
