/* Few marks, in order: a short array. */
#include "engine/seq_state.h"

#include <string.h>

static bool has_mark(const gol_seq_state *state, int32_t n_tokens)
{
    for (int32_t i = 0; i < state->n_marks; i++)
        if (state->marks[i] == n_tokens)
            return true;
    return false;
}

bool gol_seq_state_can_mark(const gol_seq_state *state, int32_t n_tokens)
{
    return state->n_marks < GOL_STATE_MARKS_MAX || has_mark(state, n_tokens);
}

void gol_seq_state_mark(gol_seq_state *state, int32_t n_tokens)
{
    if (n_tokens == 0 || has_mark(state, n_tokens) || state->n_marks == GOL_STATE_MARKS_MAX)
        return;
    int32_t i = state->n_marks++;
    for (; i > 0 && state->marks[i - 1] > n_tokens; i--)
        state->marks[i] = state->marks[i - 1];
    state->marks[i] = n_tokens;
}

void gol_seq_state_pass(gol_seq_state *state, int32_t n_computed)
{
    int32_t n_passed = 0;
    while (n_passed < state->n_marks && state->marks[n_passed] <= n_computed)
        n_passed++;
    state->n_marks -= n_passed;
    memmove(state->marks, state->marks + n_passed, (size_t)state->n_marks * sizeof *state->marks);
}
