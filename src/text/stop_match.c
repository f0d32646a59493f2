/*
 * Knuth, Morris, Pratt, "Fast pattern matching in strings" (SIAM J. Comput. 6, 1977), run for a handful of patterns side by
 * side. n_matched[s] is the longest suffix of the text that is a prefix of string s: at the same time the automaton's state
 * and the number of bytes to hold back.
 */
#include "text/stop_match.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

static uint16_t next_state(const gol_stop_string *s, uint16_t state, char byte)
{
    while (state > 0 && s->text.data[state] != byte)
        state = s->fallback[state - 1];
    return s->text.data[state] == byte ? (uint16_t)(state + 1) : 0;
}

int gol_stop_set_add(gol_stop_set *set, gol_arena *arena, gol_str text)
{
    assert(set->n < GOL_STOP_STRINGS_MAX);
    assert(text.len >= 1 && text.len <= GOL_STOP_STRING_LEN_MAX);
    char *copy = gol_arena_try_strdup(arena, text);
    uint16_t *fallback = gol_arena_try_array(arena, text.len, sizeof *fallback);
    if (!copy || !fallback)
        return GOL_ENOMEM;

    const gol_stop_string s = {{copy, text.len}, fallback};
    fallback[0] = 0;
    for (size_t i = 1; i < text.len; i++)
        fallback[i] = next_state(&s, fallback[i - 1], copy[i]);
    set->strings[set->n++] = s;
    return 0;
}

int gol_stop_feed(const gol_stop_set *set, gol_stop_state *state, gol_str bytes, size_t *n_used)
{
    for (size_t i = 0; i < bytes.len; i++) {
        int found = -1;
        for (int k = 0; k < set->n; k++) {
            const gol_stop_string *s = &set->strings[k];
            state->n_matched[k] = next_state(s, state->n_matched[k], bytes.data[i]);
            const bool is_whole = state->n_matched[k] == s->text.len;
            if (is_whole && (found < 0 || s->text.len > set->strings[found].text.len))
                found = k;
        }
        if (found >= 0) {
            *n_used = i + 1;
            return found;
        }
    }
    return -1;
}

size_t gol_stop_n_held(const gol_stop_set *set, const gol_stop_state *state)
{
    size_t n_held = 0;
    for (int k = 0; k < set->n; k++)
        if (state->n_matched[k] > n_held)
            n_held = state->n_matched[k];
    return n_held;
}
