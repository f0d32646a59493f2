/*
 * Pieces: first frequent ones of English, then every combination of letters of a few forms.
 */
#include "make_model/model_pieces.h"

#include <stdio.h>
#include <string.h>

static const char *const common[][2] = {
    {" ", "t"}, {"h", "e"},  {"i", "n"},   {" ", "a"},  {"e", "r"},  {"o", "n"},  {"r", "e"},
    {"n", "d"}, {"a", "t"},  {" t", "he"}, {"e", "n"},  {" ", "s"},  {"o", "r"},  {" ", "w"},
    {"e", "d"}, {"i", "s"},  {" ", "o"},   {"in", "g"}, {" ", "b"},  {"a", "n"},  {" a", "nd"},
    {"e", "s"}, {" o", "f"}, {"o", "u"},   {" t", "o"}, {" ", "in"}, {"a", "l"},  {" ", "c"},
    {" ", "m"}, {"l", "l"},  {"u", "s"},   {"i", "t"},  {" ", "h"},  {" h", "e"},
};

/* Letters stand for every letter of their case, a blank for itself. */
static const char *const families[][2] = {
    {"a", "a"},   {" ", "a"}, {"aa", "a"}, {" ", "aa"},
    {" ", "aaa"}, {"A", "a"}, {"A", "aa"}, {"aa", "aa"},
};

enum {
    N_COMMON = sizeof common / sizeof common[0],
    N_FAMILIES = sizeof families / sizeof families[0],
    N_LETTERS = 26
};

static size_t family_size(const char *const family[2])
{
    size_t n = 1;
    for (int side = 0; side < 2; side++) {
        for (const char *c = family[side]; *c; c++)
            n *= *c == ' ' ? 1 : N_LETTERS;
    }
    return n;
}

/* Fills the letters of a pattern from the last to the first and returns the rest of the index. */
static size_t fill_pattern(char out[8], const char *pattern, size_t index)
{
    const size_t len = strlen(pattern);
    memset(out, 0, 8);
    for (size_t i = len; i-- > 0;) {
        if (pattern[i] == ' ') {
            out[i] = ' ';
            continue;
        }
        out[i] = (char)(pattern[i] + (char)(index % N_LETTERS));
        index /= N_LETTERS;
    }
    return index;
}

static bool is_common(const make_model_piece *piece)
{
    char text[16];
    snprintf(text, sizeof text, "%s%s", piece->left, piece->right);
    for (int i = 0; i < N_COMMON; i++) {
        const size_t left_len = strlen(common[i][0]);
        if (strncmp(text, common[i][0], left_len) == 0 &&
            strcmp(text + left_len, common[i][1]) == 0)
            return true;
    }
    return false;
}

bool make_model_next_piece(make_model_pieces *pieces, make_model_piece *out)
{
    if (pieces->n_common < N_COMMON) {
        snprintf(out->left, sizeof out->left, "%s", common[pieces->n_common][0]);
        snprintf(out->right, sizeof out->right, "%s", common[pieces->n_common][1]);
        pieces->n_common++;
        return true;
    }
    while (pieces->family < N_FAMILIES) {
        const char *const *family = families[pieces->family];
        const size_t rest = fill_pattern(out->right, family[1], pieces->index);
        (void)fill_pattern(out->left, family[0], rest);
        pieces->index++;
        if (pieces->index == family_size(family)) {
            pieces->index = 0;
            pieces->family++;
        }
        if (!is_common(out))
            return true;
    }
    return false;
}
