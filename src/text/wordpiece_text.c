/*
 * WordPiece tokens as running text: see the header. The list is that of the WordPiece decoder of tokenizer.json, which applies it
 * token by token.
 */
#include "text/wordpiece_text.h"

#include "base/error.h"

static const char *const joined[] = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};

static bool is_joined(gol_str text)
{
    for (size_t i = 0; i < sizeof joined / sizeof joined[0]; i++) {
        const size_t n = strlen(joined[i]);
        if (text.len >= n && memcmp(text.data, joined[i], n) == 0)
            return true;
    }
    return false;
}

int gol_wordpiece_text(gol_str *piece, gol_arena *arena, gol_str text, bool begins_word,
                       bool cleans_up)
{
    if (!begins_word || (cleans_up && is_joined(text))) {
        *piece = text;
        return 0;
    }
    char *spaced = gol_arena_try_alloc(arena, text.len + 1);
    if (spaced == NULL)
        return GOL_ENOMEM;
    spaced[0] = ' ';
    if (text.len > 0)
        memcpy(spaced + 1, text.data, text.len);
    *piece = (gol_str){spaced, text.len + 1};
    return 0;
}
