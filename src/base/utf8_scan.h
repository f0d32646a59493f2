/*
 * UTF-8, one character at a time: which it is, whether it is whole, and where a text may be cut. Strict as in RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef GOL_BASE_UTF8_SCAN_H
#define GOL_BASE_UTF8_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* Decodes one code point at data (len >= 1). Returns its length 1..4 and sets *cp; or 0 when the bytes are ill-formed, with
 * *n_bad = length of the maximal subpart to skip (1..3) and *cp = U+FFFD; or -1 when they are a proper prefix of a
 * well-formed sequence that goes beyond len. */
int gol_utf8_decode(const char *data, size_t len, uint32_t *cp, int *n_bad);

/* Bytes of the valid character at the start of s: 1 to 4; 0 when there is none (also for n = 0). */
size_t gol_utf8_char_len(const char *s, size_t n);

/* The longest n' <= n such that s[0..n') does not end inside a character. Looks at the last three bytes only; bytes that
 * can begin nothing are left alone. */
size_t gol_utf8_cut(const char *s, size_t n);

#endif
