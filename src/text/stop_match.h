/*
 * Stop strings in text that comes in pieces of any size: which one is complete first, and how many of the last bytes might
 * still become one and must be held back. One Knuth-Morris-Pratt automaton per string, so a byte costs O(strings) and the
 * pieces' borders cannot change the answer.
 *
 * When two strings end at the same byte the longer one counts. Strings and text are valid UTF-8, hence so is what is left
 * when a match or the held bytes are cut off: both begin where a character begins.
 */
#ifndef GOL_TEXT_STOP_MATCH_H
#define GOL_TEXT_STOP_MATCH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum {
    GOL_STOP_STRINGS_MAX = 17,    /* 16 of the client's, one of the chat format */
    GOL_STOP_STRING_LEN_MAX = 256 /* bytes */
};

typedef struct gol_stop_string {
    gol_str text;
    uint16_t *fallback; /* [text.len]: length of the longest proper border of text[0..i] */
} gol_stop_string;

typedef struct gol_stop_set {
    gol_stop_string strings[GOL_STOP_STRINGS_MAX];
    int n;
} gol_stop_set;

typedef struct gol_stop_state {
    uint16_t n_matched[GOL_STOP_STRINGS_MAX];
} gol_stop_state;

/* Copies text (1 to 256 bytes) into the arena. 0 or GOL_ENOMEM; the set must not be full. */
int gol_stop_set_add(gol_stop_set *set, gol_arena *arena, gol_str text);

/* Returns the index of the string that is complete within bytes, and how many bytes were needed; or -1. After a match the
 * state is not to be used again. */
int gol_stop_feed(const gol_stop_set *set, gol_stop_state *state, gol_str bytes, size_t *n_used);

/* Bytes at the end of what was fed that are the beginning of a stop string. */
size_t gol_stop_n_held(const gol_stop_set *set, const gol_stop_state *state);

#endif
