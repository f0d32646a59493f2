/* What Python knows about a character: str.isspace(), str.isprintable(), str.upper() and their kin, one code point at a time. */
#ifndef GOL_TEXT_TEMPLATE_JCHAR_H
#define GOL_TEXT_TEMPLATE_JCHAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

bool gol_jchar_is_space(uint32_t cp); /* also \s of Python's regular expressions */
bool gol_jchar_is_printable(uint32_t cp);
bool gol_jchar_is_alpha(uint32_t cp);
bool gol_jchar_is_decimal(uint32_t cp);
bool gol_jchar_is_digit(uint32_t cp);   /* decimals and superscripts */
bool gol_jchar_is_numeric(uint32_t cp); /* and fractions */
bool gol_jchar_is_word(uint32_t cp);    /* \w */
bool gol_jchar_is_upper(uint32_t cp);
bool gol_jchar_is_lower(uint32_t cp);
bool gol_jchar_is_title(uint32_t cp);
bool gol_jchar_is_cased(uint32_t cp);

typedef enum gol_jcase {
    GOL_JCASE_LOWER,
    GOL_JCASE_UPPER,
    GOL_JCASE_TITLE,
} gol_jcase;

/* The character in another case: one to three characters. */
void gol_jchar_put_case(gol_buf *out, uint32_t cp, gol_jcase to);

/* The character at s.data[*pos] of valid UTF-8; moves *pos behind it. */
uint32_t gol_jchar_next(gol_str s, size_t *pos);
/* The character that ends at *pos > 0; moves *pos to its front. */
uint32_t gol_jchar_prev(gol_str s, size_t *pos);

/* Byte position of character number n; s.len when there are not so many. */
size_t gol_jchar_offset(gol_str s, size_t n);

/* s without white space at its ends. */
gol_str gol_jchar_strip(gol_str s, bool left, bool right);

#endif
