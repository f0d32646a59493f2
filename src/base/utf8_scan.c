/* UTF-8 validity of one character, and the border for cutting. Assumes nothing about its input. */
#include "base/utf8_scan.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How long the character that starts with this byte has to be; 0 if no character starts so. */
static size_t announced_len(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf) /* c0 and c1 could only begin overlong forms */
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* RFC 3629 section 4: after some leads the second byte has a narrower range. */
static bool is_second(uint8_t lead, uint8_t byte)
{
    switch (lead) {
    case 0xe0: /* overlong below */
        return byte >= 0xa0 && byte <= 0xbf;
    case 0xed: /* surrogates above */
        return byte >= 0x80 && byte <= 0x9f;
    case 0xf0: /* overlong below */
        return byte >= 0x90 && byte <= 0xbf;
    case 0xf4: /* beyond U+10FFFF above */
        return byte >= 0x80 && byte <= 0x8f;
    default:
        return is_tail(byte);
    }
}

size_t gol_utf8_char_len(const char *s, size_t n)
{
    if (n == 0)
        return 0;
    const uint8_t lead = (uint8_t)s[0];
    const size_t len = announced_len(lead);
    if (len == 0 || len > n)
        return 0;
    if (len >= 2 && !is_second(lead, (uint8_t)s[1]))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_tail((uint8_t)s[i]))
            return 0;
    return len;
}

size_t gol_utf8_cut(const char *s, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        const uint8_t byte = (uint8_t)s[n - back];
        if (is_tail(byte))
            continue;
        return announced_len(byte) > back ? n - back : n;
    }
    return n;
}
