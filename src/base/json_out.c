/*
 * One flag byte per open level says whether it is an object and whether it has an item already; that is all the state a
 * writer needs. begin_value() is called before every value and key() before every member, so commas come from two places.
 */
#include "base/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8_scan.h"

enum { LEVEL_IS_OBJECT = 1, LEVEL_HAS_ITEM = 2 };

void gol_json_init(gol_json *j, gol_buf *buf)
{
    *j = (gol_json){.buf = buf};
}

bool gol_json_is_done(const gol_json *j)
{
    return j->depth == 0 && !j->after_key;
}

static void put_comma(gol_json *j)
{
    uint8_t *level = &j->levels[j->depth - 1];
    if (*level & LEVEL_HAS_ITEM)
        gol_buf_putc(j->buf, ',');
    *level |= LEVEL_HAS_ITEM;
}

static void begin_value(gol_json *j)
{
    if (j->depth == 0)
        return;
    const bool in_object = j->levels[j->depth - 1] & LEVEL_IS_OBJECT;
    assert(in_object == j->after_key);
    if (in_object)
        j->after_key = false;
    else
        put_comma(j);
}

static void begin_level(gol_json *j, char bracket, uint8_t flags)
{
    begin_value(j);
    assert(j->depth < GOL_JSON_DEPTH_MAX);
    j->levels[j->depth++] = flags;
    gol_buf_putc(j->buf, bracket);
}

static void end_level(gol_json *j, char bracket, uint8_t flags)
{
    assert(j->depth > 0 && !j->after_key);
    j->depth--;
    assert((j->levels[j->depth] & LEVEL_IS_OBJECT) == flags);
    gol_buf_putc(j->buf, bracket);
}

void gol_json_begin_object(gol_json *j)
{
    begin_level(j, '{', LEVEL_IS_OBJECT);
}

void gol_json_end_object(gol_json *j)
{
    end_level(j, '}', LEVEL_IS_OBJECT);
}

void gol_json_begin_array(gol_json *j)
{
    begin_level(j, '[', 0);
}

void gol_json_end_array(gol_json *j)
{
    end_level(j, ']', 0);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* One byte that is no plain ASCII and begins no valid character longer than one byte. */
static void escape_byte(gol_buf *buf, uint8_t c)
{
    switch (c) {
    case '"':
        gol_buf_puts(buf, "\\\"");
        break;
    case '\\':
        gol_buf_puts(buf, "\\\\");
        break;
    case '\n':
        gol_buf_puts(buf, "\\n");
        break;
    case '\r':
        gol_buf_puts(buf, "\\r");
        break;
    case '\t':
        gol_buf_puts(buf, "\\t");
        break;
    default:
        if (c < 0x20)
            gol_buf_printf(buf, "\\u%04x", c);
        else
            gol_buf_puts(buf, "\xef\xbf\xbd"); /* U+FFFD for each byte that is no UTF-8 */
    }
}

/* The inside of a JSON string. */
/* The escape of a character that JSON allows as it is, but that many readers of event streams take for the end of a line:
 * U+0085, U+2028, U+2029. NULL for any other. len: of the character at s. */
static const char *line_end_escape(const char *s, size_t len)
{
    if (len == 2 && memcmp(s, "\xc2\x85", 2) == 0)
        return "\\u0085";
    if (len == 3 && memcmp(s, "\xe2\x80\xa8", 3) == 0)
        return "\\u2028";
    if (len == 3 && memcmp(s, "\xe2\x80\xa9", 3) == 0)
        return "\\u2029";
    return NULL;
}

static void put_escaped(gol_buf *buf, gol_str s)
{
    size_t plain = 0; /* where the run begins that can be copied as it is */
    for (size_t i = 0; i < s.len;) {
        const uint8_t c = (uint8_t)s.data[i];
        const size_t len = is_plain(c) ? 1 : gol_utf8_char_len(s.data + i, s.len - i);
        const char *escape = line_end_escape(s.data + i, len);
        if (escape == NULL && (len > 1 || is_plain(c))) {
            i += len;
            continue;
        }
        gol_buf_put(buf, s.data + plain, i - plain);
        if (escape != NULL)
            gol_buf_puts(buf, escape);
        else
            escape_byte(buf, c);
        i += escape != NULL ? len : 1;
        plain = i;
    }
    if (plain < s.len)
        gol_buf_put(buf, s.data + plain, s.len - plain);
}

static void put_quoted(gol_buf *buf, gol_str s)
{
    gol_buf_putc(buf, '"');
    put_escaped(buf, s);
    gol_buf_putc(buf, '"');
}

void gol_json_key_str(gol_json *j, gol_str key)
{
    assert(j->depth > 0 && (j->levels[j->depth - 1] & LEVEL_IS_OBJECT) && !j->after_key);
    put_comma(j);
    put_quoted(j->buf, key);
    gol_buf_putc(j->buf, ':');
    j->after_key = true;
}

void gol_json_key(gol_json *j, const char *key)
{
    gol_json_key_str(j, gol_str_from(key));
}

void gol_json_string(gol_json *j, gol_str s)
{
    begin_value(j);
    put_quoted(j->buf, s);
}

void gol_json_cstr(gol_json *j, const char *s)
{
    if (s)
        gol_json_string(j, gol_str_from(s));
    else
        gol_json_null(j);
}

void gol_json_int(gol_json *j, int64_t v)
{
    begin_value(j);
    gol_buf_printf(j->buf, "%" PRId64, v);
}

void gol_json_uint(gol_json *j, uint64_t v)
{
    begin_value(j);
    gol_buf_printf(j->buf, "%" PRIu64, v);
}

/* printf writes the locale's decimal mark, perhaps of several bytes; JSON knows the point alone. */
static void put_digits(gol_buf *buf, const char *digits)
{
    static const char ours[] = "0123456789-+e";
    const size_t n_before = strspn(digits, ours);
    const size_t n_mark = strcspn(digits + n_before, ours);
    gol_buf_put(buf, digits, n_before);
    if (n_mark > 0)
        gol_buf_putc(buf, '.');
    gol_buf_puts(buf, digits + n_before + n_mark);
}

void gol_json_double(gol_json *j, double v)
{
    if (!isfinite(v)) {
        gol_json_null(j);
        return;
    }
    begin_value(j);
    char digits[32];
    for (int n = 15; n <= 17; n++) { /* 17 always suffice (IEEE 754-2019, 5.12.2) */
        snprintf(digits, sizeof digits, "%.*g", n, v);
        if (memcmp(&(double){strtod(digits, NULL)}, &v, sizeof v) == 0)
            break;
    }
    put_digits(j->buf, digits);
}

void gol_json_float(gol_json *j, float v)
{
    if (!isfinite(v)) {
        gol_json_null(j);
        return;
    }
    begin_value(j);
    char digits[32];
    for (int n = 6; n <= 9; n++) {
        snprintf(digits, sizeof digits, "%.*g", n, (double)v);
        if (memcmp(&(float){strtof(digits, NULL)}, &v, sizeof v) == 0)
            break;
    }
    put_digits(j->buf, digits);
}

void gol_json_bool(gol_json *j, bool v)
{
    begin_value(j);
    gol_buf_puts(j->buf, v ? "true" : "false");
}

void gol_json_null(gol_json *j)
{
    begin_value(j);
    gol_buf_puts(j->buf, "null");
}

void gol_json_raw(gol_json *j, gol_str json)
{
    begin_value(j);
    gol_buf_put_str(j->buf, json);
}

void gol_json_put_string(gol_json *j, const char *key, gol_str s)
{
    gol_json_key(j, key);
    gol_json_string(j, s);
}

void gol_json_put_cstr(gol_json *j, const char *key, const char *s)
{
    gol_json_key(j, key);
    gol_json_cstr(j, s);
}

void gol_json_put_int(gol_json *j, const char *key, int64_t v)
{
    gol_json_key(j, key);
    gol_json_int(j, v);
}

void gol_json_put_uint(gol_json *j, const char *key, uint64_t v)
{
    gol_json_key(j, key);
    gol_json_uint(j, v);
}

void gol_json_put_bool(gol_json *j, const char *key, bool v)
{
    gol_json_key(j, key);
    gol_json_bool(j, v);
}

void gol_json_put_null(gol_json *j, const char *key)
{
    gol_json_key(j, key);
    gol_json_null(j);
}
