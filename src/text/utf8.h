/* UTF-8 beyond single characters (base/utf8_scan.h): encoding, whole texts, and a filter for byte streams. */
#ifndef GOL_TEXT_UTF8_H
#define GOL_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/utf8_scan.h"

int gol_utf8_encode(char out[4], uint32_t cp); /* returns 1..4; cp must be a scalar value */
/* The character at *pos < text.len of a valid text; *pos moves behind it. (Of an ill-formed one a byte is skipped: U+FFFD.) */
uint32_t gol_utf8_next(gol_str text, size_t *pos);
bool gol_utf8_is_valid(gol_str s);
size_t gol_utf8_count(gol_str s); /* characters of a valid text */
/* Bytes of whole, well-formed sequences at the front of s. */
size_t gol_utf8_valid_prefix(gol_str s);

/* Passes well-formed sequences on, holds back an unfinished one, replaces the rest by U+FFFD. */
typedef struct gol_utf8_filter {
    char held[4];
    int n_held;
} gol_utf8_filter;

void gol_utf8_filter_push(gol_utf8_filter *f, gol_str bytes, gol_buf *out);
void gol_utf8_filter_flush(gol_utf8_filter *f, gol_buf *out);

#endif
