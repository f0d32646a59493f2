/*
 * The two questions about UTF-8 that messages need: what is a whole character, and where may a text be cut. Strict as in
 * RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef GOL_BASE_UTF8_SCAN_H
#define GOL_BASE_UTF8_SCAN_H

#include <stddef.h>

/* Bytes of the valid character at the start of s: 1 to 4; 0 when there is none (also for n = 0). */
size_t gol_utf8_char_len(const char *s, size_t n);

/* The longest n' <= n such that s[0..n') does not end inside a character. Looks at the last three bytes only; bytes that
 * can begin nothing are left alone. */
size_t gol_utf8_cut(const char *s, size_t n);

#endif
