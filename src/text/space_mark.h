/* U+2581 LOWER ONE EIGHTH BLOCK, which SentencePiece's vocabularies write for a space. */
#ifndef GOL_TEXT_SPACE_MARK_H
#define GOL_TEXT_SPACE_MARK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

#define GOL_SPACE_MARK "\xE2\x96\x81"
enum { GOL_SPACE_MARK_LEN = sizeof GOL_SPACE_MARK - 1 };

static inline bool gol_space_mark_at(gol_str text, size_t pos)
{
    return text.len - pos >= GOL_SPACE_MARK_LEN &&
           memcmp(text.data + pos, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN) == 0;
}

/* The text with its marks as spaces: itself when it has none. 0 or GOL_ENOMEM. */
int gol_space_mark_unescape(gol_str *out, gol_arena *arena, gol_str text);

#endif
