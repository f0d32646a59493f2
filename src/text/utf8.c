/*
 * UTF-8 of whole texts and of byte streams, character by character over gol_utf8_decode(). A truncated or broken sequence is
 * cut into maximal subparts (Unicode 15, table 3-8): the bytes before the first that cannot follow.
 */
#include "text/utf8.h"

#include <assert.h>

int gol_utf8_encode(char out[4], uint32_t cp)
{
    assert(cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF));
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

uint32_t gol_utf8_next(gol_str text, size_t *pos)
{
    const unsigned char first = (unsigned char)text.data[*pos];
    if (first < 0x80) {
        ++*pos;
        return first;
    }
    uint32_t cp;
    int n_bad;
    const int n = gol_utf8_decode(text.data + *pos, text.len - *pos, &cp, &n_bad);
    *pos += n > 0 ? (size_t)n : 1;
    return n > 0 ? cp : 0xFFFD;
}

size_t gol_utf8_valid_prefix(gol_str s)
{
    size_t pos = 0;
    while (pos < s.len) {
        uint32_t cp;
        int n_bad;
        const int n = gol_utf8_decode(s.data + pos, s.len - pos, &cp, &n_bad);
        if (n <= 0)
            break;
        pos += (size_t)n;
    }
    return pos;
}

size_t gol_utf8_count(gol_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.data[i] & 0xc0) != 0x80; /* every byte but a continuation */
    return n;
}

bool gol_utf8_is_valid(gol_str s)
{
    return gol_utf8_valid_prefix(s) == s.len;
}

static void put_replacement(gol_buf *out)
{
    gol_buf_put(out, "\xEF\xBF\xBD", 3);
}

/* Feeds one byte to the sequence being held. At most three bytes are held when it is called. */
static void push_byte(gol_utf8_filter *f, char c, gol_buf *out)
{
    f->held[f->n_held++] = c;
    uint32_t cp;
    int n_bad;
    int n = gol_utf8_decode(f->held, (size_t)f->n_held, &cp, &n_bad);
    if (n < 0)
        return;
    if (n == 0) {
        /* Only the newest byte can be the culprit: the ones before it were a proper prefix. It may begin anew. */
        put_replacement(out);
        const bool alone = f->n_held == 1;
        f->n_held = 0;
        if (!alone)
            push_byte(f, c, out);
        return;
    }
    gol_buf_put(out, f->held, (size_t)n);
    f->n_held = 0;
}

void gol_utf8_filter_push(gol_utf8_filter *f, gol_str bytes, gol_buf *out)
{
    size_t pos = 0;
    while (pos < bytes.len) {
        if (f->n_held == 0) {
            const size_t n = gol_utf8_valid_prefix((gol_str){bytes.data + pos, bytes.len - pos});
            if (n > 0)
                gol_buf_put(out, bytes.data + pos, n);
            pos += n;
            if (pos == bytes.len)
                break;
        }
        push_byte(f, bytes.data[pos++], out);
    }
}

void gol_utf8_filter_flush(gol_utf8_filter *f, gol_buf *out)
{
    if (f->n_held > 0)
        put_replacement(out);
    f->n_held = 0;
}
