/*
 * Which Unicode a question is asked of. The tokenizers that models were trained with answer from tables of different age, step by step;
 * PCRE2 and utf8proc answer from those they were built with, version 14 or later. What lies between is known here, up to
 * version 17:
 *
 *   8    punctuation, control characters, accents in BertNormalizer (the unicode_categories package for Rust)
 *   9    normalization forms, marks in StripAccents, scripts (unicode_normalization_alignments; UnicodeScripts)
 *   16   regular expressions (Oniguruma 6.9.10; Rust's regex)
 *   17   numbers, white space, lower case, grapheme clusters (Rust's library, unicode-segmentation)
 *
 * as the `tokenizers` package 0.23.3 has them.
 */
#ifndef GOL_TEXT_UNICODE_NEWER_H
#define GOL_TEXT_UNICODE_NEWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

typedef enum gol_unicode_version {
    GOL_UNICODE_8 = 8,
    GOL_UNICODE_9 = 9,
    GOL_UNICODE_16 = 16,
    GOL_UNICODE_17 = 17,
} gol_unicode_version;

/* Assigned in this version, or in none that is known here. */
bool gol_unicode_has(uint32_t cp, gol_unicode_version version);

/* A character of version 14 that is in category, case, breaking and length in UTF-8 what cp is in this version (16 or 17): itself
 * mostly; a noncharacter for what the version does not have. */
uint32_t gol_unicode_stand_in(uint32_t cp, gol_unicode_version version);

/* The text with stand-ins of version 16, as regular expressions shall see it: byte by byte as long as before. Itself, or, where it has
 * newer characters, out's content, emptied before. out->failed says whether that fitted. */
gol_str gol_unicode_regex_subject(gol_buf *out, gol_str text);

/* A utf8proc_category_t. */
int gol_unicode_category(uint32_t cp, gol_unicode_version version);

/* The lower case of a capital that version 17 has and version 14 has not; other characters are their own. */
uint32_t gol_unicode_newer_lower(uint32_t cp);

#endif
