/* What kind of character a code point is, as far as tokenizers ask: over utf8proc's tables, in the versions of Unicode
 * that unicode_newer.h names. */
#ifndef GOL_TEXT_UNICODE_PROPS_H
#define GOL_TEXT_UNICODE_PROPS_H

#include <stdbool.h>
#include <stdint.h>

bool gol_unicode_is_space(uint32_t cp);       /* White_Space, as of Unicode 6.3 and later */
bool gol_unicode_is_punctuation(uint32_t cp); /* categories P* */
bool gol_unicode_is_number(uint32_t cp);      /* N* */
bool gol_unicode_is_mark(uint32_t cp);        /* M* */
bool gol_unicode_is_nonspacing(uint32_t cp);  /* Mn */
bool gol_unicode_is_other(uint32_t cp);       /* Cc Cf Co Cs: what prints nothing of its own */
bool gol_unicode_is_word(uint32_t cp); /* \w of UTS 18: letters, marks, digits, joiners, "_" */
bool gol_unicode_is_cjk(uint32_t cp);  /* ideographs, by the ranges that BERT's tokenizer names */
bool gol_unicode_is_ascii_punctuation(uint32_t cp);

/* The full lower case mapping that needs no context: 1 or 2 code points. */
int gol_unicode_lower(uint32_t out[2], uint32_t cp);

#endif
