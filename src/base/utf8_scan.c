/*
 * UTF-8 character by character. Owns the one table of what may follow a lead byte (RFC 3629 section 4; Unicode 15, table 3-7);
 * everything else is a walk over it. Assumes nothing about its input.
 */
#include "base/utf8_scan.h"

#include <assert.h>
#include <stdbool.h>

enum { REPLACEMENT = 0xFFFD };

/* What a lead byte promises: its sequence's length (0: no lead byte), and the range of the second byte. Overlong forms,
 * surrogates and values above U+10FFFF are all excluded by the second byte; later ones are always 80..BF. */
typedef struct lead_info {
    int len;
    unsigned char second_min;
    unsigned char second_max;
} lead_info;

static lead_info classify_lead(unsigned char c)
{
    if (c < 0x80)
        return (lead_info){1, 0, 0};
    if (c < 0xC2 || c > 0xF4)
        return (lead_info){0, 0, 0};
    if (c < 0xE0)
        return (lead_info){2, 0x80, 0xBF};
    if (c < 0xF0)
        return (lead_info){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
    return (lead_info){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
}

int gol_utf8_decode(const char *data, size_t len, uint32_t *cp, int *n_bad)
{
    assert(len >= 1);
    const unsigned char *s = (const unsigned char *)data;
    const lead_info lead = classify_lead(s[0]);
    *cp = REPLACEMENT;
    *n_bad = 1;
    if (lead.len == 0)
        return 0;
    if (lead.len == 1) {
        *cp = s[0];
        return 1;
    }
    uint32_t value = s[0] & (0x7Fu >> lead.len);
    for (int i = 1; i < lead.len; i++) {
        if ((size_t)i >= len)
            return -1;
        const unsigned char min = i == 1 ? lead.second_min : 0x80;
        const unsigned char max = i == 1 ? lead.second_max : 0xBF;
        if (s[i] < min || s[i] > max) {
            *n_bad = i;
            return 0;
        }
        value = value << 6 | (s[i] & 0x3Fu);
    }
    *cp = value;
    return lead.len;
}

size_t gol_utf8_char_len(const char *s, size_t n)
{
    uint32_t cp;
    int n_bad;
    const int len = n > 0 ? gol_utf8_decode(s, n, &cp, &n_bad) : 0;
    return len > 0 ? (size_t)len : 0;
}

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t gol_utf8_cut(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        const unsigned char c = (unsigned char)s[n - back];
        if (is_tail(c))
            continue;
        return (size_t)classify_lead(c).len > back ? n - back : n;
    }
    return n;
}
