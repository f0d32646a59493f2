/*
 * sentencepiece's precompiled_charsmap: which texts a normalizer replaces by which. The bytes come from a model file; every read is
 * checked.
 *
 *   u32 n_trie | n_trie bytes: a Darts double array, units of u32 | replacements, each ended by a NUL
 */
#ifndef GOL_TEXT_CHARSMAP_H
#define GOL_TEXT_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct gol_charsmap {
    char *data; /* a copy of the whole; NULL: empty, nothing is replaced */
    const uint8_t *units;
    size_t n_units;
    gol_str replacements;
} gol_charsmap;

enum { GOL_CHARSMAP_LEN_MAX = 16 << 20 };

/* Errors: GOL_EMODEL (begins with name), GOL_ENOMEM. */
int gol_charsmap_init(gol_charsmap *map, gol_str bytes, const char *name, gol_err *err);
void gol_charsmap_deinit(gol_charsmap *map);

/* The longest (or shortest) beginning of text that is replaced: its length, and by what; 0: none. */
size_t gol_charsmap_find(const gol_charsmap *map, gol_str text, bool shortest,
                         gol_str *replacement);

#endif
