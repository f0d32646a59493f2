/*
 * Space marks back to spaces: see the header.
 */
#include "text/space_mark.h"

#include "base/error.h"

int gol_space_mark_unescape(gol_str *out, gol_arena *arena, gol_str text)
{
    *out = text;
    if (text.len == 0 || memmem(text.data, text.len, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN) == NULL)
        return 0;
    char *copy = gol_arena_try_alloc(arena, text.len);
    if (copy == NULL)
        return GOL_ENOMEM;
    size_t n = 0;
    for (size_t pos = 0; pos < text.len;) {
        if (gol_space_mark_at(text, pos)) {
            copy[n++] = ' ';
            pos += GOL_SPACE_MARK_LEN;
        } else {
            copy[n++] = text.data[pos++];
        }
    }
    *out = (gol_str){copy, n};
    return 0;
}
