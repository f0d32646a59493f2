/* WordPiece tokens as running text. */
#ifndef GOL_TEXT_WORDPIECE_TEXT_H
#define GOL_TEXT_WORDPIECE_TEXT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* A token without its mark: with a space in front when it begins a word. cleans_up: without one where English has none, before "." or
 * "n't". 0 or GOL_ENOMEM. */
int gol_wordpiece_text(gol_str *piece, gol_arena *arena, gol_str text, bool begins_word,
                       bool cleans_up);

#endif
