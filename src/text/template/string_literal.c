/*
 * One pass; the result is never longer than what is written.
 */
#include "text/template/string_literal.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "text/utf8.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* n hex digits at data[*pos]; false: there are fewer. */
static bool take_hex(gol_str raw, size_t *pos, int n, uint32_t *cp)
{
    *cp = 0;
    for (int i = 0; i < n; i++, (*pos)++) {
        const int digit = *pos < raw.len ? hex_value(raw.data[*pos]) : -1;
        if (digit < 0)
            return false;
        *cp = *cp << 4 | (uint32_t)digit;
    }
    return true;
}

static uint32_t take_octal(gol_str raw, size_t *pos)
{
    uint32_t cp = 0;
    for (int i = 0; i < 3 && *pos < raw.len && raw.data[*pos] >= '0' && raw.data[*pos] <= '7'; i++)
        cp = cp * 8 + (uint32_t)(raw.data[(*pos)++] - '0');
    return cp;
}

/* The character that the escape behind the backslash stands for: 1, *cp; 0: it is no escape; -1: a bad one. */
static int take_escape(gol_str raw, size_t *pos, uint32_t *cp, const char **why)
{
    static const char letters[] = "abfnrtv\\'\"";
    static const char values[] = "\a\b\f\n\r\t\v\\'\"";
    const char c = raw.data[*pos];
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter) {
        *cp = (unsigned char)values[letter - letters];
        (*pos)++;
        return 1;
    }
    if (c >= '0' && c <= '7') {
        *cp = take_octal(raw, pos);
        return 1;
    }
    const int n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (c == 'N')
        *why = "names of characters (\\N{...}) are not supported; write \\u and the number:";
    if (n == 0)
        return c == 'N' ? -1 : 0;
    (*pos)++;
    if (!take_hex(raw, pos, n, cp)) {
        *why = "an escape with too few hex digits:";
        return -1;
    }
    if (*cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff)) {
        *why = "an escape for what is no character:";
        return -1;
    }
    return 1;
}

int gol_string_literal_parse(gol_str *out, gol_arena *arena, gol_str raw, const char **why)
{
    *out = raw;
    if (raw.len == 0 || !memchr(raw.data, '\\', raw.len))
        return 0;
    char *text = gol_arena_try_alloc(arena, raw.len);
    if (!text)
        return GOL_ENOMEM;
    size_t n = 0;
    for (size_t pos = 0; pos < raw.len;) {
        if (raw.data[pos] != '\\' || pos + 1 == raw.len) {
            text[n++] = raw.data[pos++];
            continue;
        }
        pos++;
        if (raw.data[pos] == '\n') { /* the line goes on */
            pos++;
            continue;
        }
        uint32_t cp = 0;
        const int found = take_escape(raw, &pos, &cp, why);
        if (found < 0)
            return GOL_EINVAL;
        if (found == 0)
            text[n++] = '\\';
        else
            n += (size_t)gol_utf8_encode(text + n, cp);
    }
    *out = (gol_str){text, n};
    return 0;
}
