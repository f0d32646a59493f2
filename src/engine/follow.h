/*
 * Equal beginnings that are being computed at this moment. A sequence whose next tokens another running one is just computing
 * waits for it, and then finds them in the prefix cache: so equal prompts in flight are computed once. It runs meanwhile, in
 * the sense that it has its place among the running ones, but takes no tokens of a step.
 */
#ifndef GOL_ENGINE_FOLLOW_H
#define GOL_ENGINE_FOLLOW_H

#include <stdint.h>

#include "engine/sequence.h"

/* What is saved must be so many tokens, or be all that the sequence lacks. Raising it computes more short beginnings twice;
 * lowering it delays sequences for the sake of a few tokens. */
enum { GOL_FOLLOW_TOKENS_MIN = 32 };

typedef struct gol_leader {
    gol_seq *seq;     /* NULL: nobody is worth waiting for */
    int32_t n_tokens; /* that it will have computed for both */
} gol_leader;

/* Up to where a leader helps a sequence that has n_shared tokens already; 0: not at all. keeps_rows: the leader's row of logits
 * will be there too, so that an equal prompt needs no token of its own. */
int32_t gol_follow_reach(const gol_seq *leader, const gol_seq *seq, int32_t n_shared,
                         bool keeps_rows);

void gol_follow_begin(gol_seq *seq, const gol_leader *leader);
/* It computes by itself from now on. */
void gol_follow_end(gol_seq *seq);
/* The leader stops running: its followers, who stand behind it in its queue, have none any more. */
void gol_follow_lose(gol_seq *leader);

static inline bool gol_follow_is_over(const gol_seq *seq)
{
    return !seq->leader || seq->leader->n_computed >= seq->n_to_follow;
}

#endif
