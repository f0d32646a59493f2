/*
 * The recurrent state of a sequence, in models that have one: which slot holds it, and where snapshots of it are wanted. A snapshot
 * is taken in passing, by the step that computes the token at its end; so wanting one costs no step and cuts no slice.
 *
 * Marks, the borders of blocks behind which a snapshot is wanted:
 *   - the last one of the prompt, for the same prompt again, which leaves a token to compute;
 *   - where what the cache has of its tokens ends, although no snapshot is there: two prompts have parted there, and others may;
 *   - where a sequence that follows this one will go on by itself.
 * In the answer every border is one, and each snapshot replaces the one before: a conversation goes on at its end.
 */
#ifndef GOL_ENGINE_SEQ_STATE_H
#define GOL_ENGINE_SEQ_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/batch.h"

enum { GOL_STATE_MARKS_MAX = 6 };

typedef struct gol_seq_state {
    int32_t slot; /* -1: none, it does not run, or the model is not recurrent */
    int32_t marks[GOL_STATE_MARKS_MAX]; /* [n_marks] numbers of tokens, whole blocks, ascending */
    int32_t n_marks;
    /* Of the current plan; slots are taken for them. One more than marks: the answer's. */
    gol_state_snapshot snapshots[GOL_STATE_MARKS_MAX + 1];
    int32_t n_snapshots;
    int32_t answer_slot; /* of its last snapshot in the answer, if it is still there; -1: none */
    int32_t n_answered;  /* tokens in front of that */
} gol_seq_state;

/* Whether there is room for one more mark, or this one is there. */
bool gol_seq_state_can_mark(const gol_seq_state *state, int32_t n_tokens);
/* Without room nothing happens. */
void gol_seq_state_mark(gol_seq_state *state, int32_t n_tokens);
/* Marks up to n_computed are passed. */
void gol_seq_state_pass(gol_seq_state *state, int32_t n_computed);

#endif
