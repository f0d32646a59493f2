/*
 * Codes, their names and numbers for the outside (one table made from GOL_ERRORS), and the making of messages. No state.
 */
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8_scan.h"

typedef struct error_row {
    const char *name;
    const char *text;
    int code;
    int exit_code;
    int http_status;
} error_row;

static const error_row rows[] = {
#define ERROR_ROW(name, code, exit_code, http_status, text)                                        \
    {#name, text, code, exit_code, http_status},
    GOL_ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

static const error_row *find_row(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

const char *gol_error_name(int code)
{
    const error_row *row = find_row(code);
    if (row)
        return row->name;
    return code == 0 ? "GOL_OK" : "GOL_E?";
}

const char *gol_error_text(int code)
{
    const error_row *row = find_row(code);
    if (row)
        return row->text;
    return code == 0 ? "no error" : "unknown error";
}

int gol_error_exit_code(int code)
{
    const error_row *row = find_row(code);
    if (row)
        return row->exit_code;
    return code == 0 ? 0 : 70;
}

int gol_error_http_status(int code)
{
    const error_row *row = find_row(code);
    if (row)
        return row->http_status;
    return code == 0 ? 200 : 500;
}

/* vsnprintf that never leaves half a character; returns the length in buf. */
__attribute__((format(printf, 3, 0))) static size_t format_text(char *buf, size_t size,
                                                                const char *format, va_list args)
{
    const int n = vsnprintf(buf, size, format, args);
    /* An argument that this locale cannot print: the format alone still says where we are. */
    if (n < 0) {
        const size_t len = gol_utf8_cut(format, strnlen(format, size - 1));
        memcpy(buf, format, len);
        buf[len] = '\0';
        return len;
    }
    if ((size_t)n < size)
        return (size_t)n;
    const size_t len = gol_utf8_cut(buf, size - 1);
    buf[len] = '\0';
    return len;
}

int gol_fail(gol_err *err, int code, const char *format, ...)
{
    assert(code < 0);
    if (!err)
        return code;
    /* Not straight into *err: its old message may be one of the arguments. */
    char text[GOL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    const size_t len = format_text(text, sizeof text, format, args);
    va_end(args);
    err->code = code;
    memcpy(err->message, text, len + 1);
    return code;
}

int gol_fail_prefix(gol_err *err, const char *format, ...)
{
    if (!err)
        return GOL_EINTERNAL;
    char text[GOL_ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    size_t len = format_text(text, sizeof text, format, args);
    va_end(args);
    const char *const parts[] = {": ", err->message};
    for (size_t i = 0; i < 2; i++) {
        const size_t n_room = sizeof text - 1 - len;
        const size_t n_part = strnlen(parts[i], sizeof err->message);
        const size_t n = n_part <= n_room ? n_part : gol_utf8_cut(parts[i], n_room);
        memcpy(text + len, parts[i], n);
        len += n;
    }
    memcpy(err->message, text, len);
    err->message[len] = '\0';
    return err->code;
}

/* True for what a terminal or a log reader might obey: C0, DEL, and C1 in its two-byte UTF-8 form. */
static bool is_control(const char *s, size_t len)
{
    const uint8_t first = (uint8_t)s[0];
    if (len == 1)
        return first < 0x20 || first == 0x7f;
    return len == 2 && first == 0xc2 && (uint8_t)s[1] < 0xa0;
}

/* The printable form of the first character (or bad byte) of s; returns its length, *n_used is what it stands for. */
static size_t quote_one(char out[static 8], size_t *n_used, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const size_t len = gol_utf8_char_len(s, n);
    if (len != 0 && !is_control(s, len)) {
        memcpy(out, s, len);
        *n_used = len;
        return len;
    }
    const size_t n_bytes = len == 0 ? 1 : len;
    for (size_t i = 0; i < n_bytes; i++) {
        const uint8_t byte = (uint8_t)s[i];
        const char escape[4] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
        memcpy(out + 4 * i, escape, 4);
    }
    *n_used = n_bytes;
    return 4 * n_bytes;
}

const char *gol_quote(char *buf, size_t size, gol_str s)
{
    static const char dots[] = "…";
    const size_t n_dots = sizeof dots - 1;
    assert(size >= 8);
    size_t len = 0;
    size_t cut = 0; /* longest length so far that leaves room for the dots */
    for (size_t pos = 0; pos < s.len;) {
        char piece[8];
        size_t n_used;
        const size_t n = quote_one(piece, &n_used, s.data + pos, s.len - pos);
        if (len + n > size - 1) {
            memcpy(buf + cut, dots, n_dots);
            len = cut + n_dots;
            break;
        }
        memcpy(buf + len, piece, n);
        len += n;
        pos += n_used;
        if (len + n_dots <= size - 1)
            cut = len;
    }
    buf[len] = '\0';
    return buf;
}
