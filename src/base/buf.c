/*
 * The growing buffer. An append happens whole or not at all; after the first that does not happen all later ones are
 * ignored, so that data is always a prefix of what was meant. cap counts the byte for the NUL, len never does.
 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { CAP_MIN = 64 };

void gol_buf_init(gol_buf *buf, size_t len_max)
{
    *buf = (gol_buf){.len_max = len_max};
}

void gol_buf_deinit(gol_buf *buf)
{
    gol_free(buf->data);
    *buf = (gol_buf){.len_max = buf->len_max};
}

void gol_buf_clear(gol_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

bool gol_buf_reserve(gol_buf *buf, size_t n_more)
{
    if (buf->failed)
        return false;
    if (n_more > buf->len_max - buf->len || buf->len + n_more == SIZE_MAX) {
        buf->failed = true;
        return false;
    }
    const size_t need = buf->len + n_more + 1;
    if (need <= buf->cap)
        return true;
    /* Doubling keeps the total copying linear; the limit cuts the last step. */
    const size_t cap_max = buf->len_max == SIZE_MAX ? SIZE_MAX : buf->len_max + 1;
    size_t cap = buf->cap < CAP_MIN ? CAP_MIN : buf->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : 2 * cap;
    if (cap > cap_max)
        cap = cap_max;
    char *data = gol_try_realloc(buf->data, cap, 1);
    if (!data) {
        buf->failed = true;
        return false;
    }
    if (!buf->data)
        data[0] = '\0';
    buf->data = data;
    buf->cap = cap;
    return true;
}

void gol_buf_put(gol_buf *buf, const void *data, size_t len)
{
    if (!gol_buf_reserve(buf, len))
        return;
    if (len != 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void gol_buf_putc(gol_buf *buf, char c)
{
    gol_buf_put(buf, &c, 1);
}

void gol_buf_puts(gol_buf *buf, const char *c_string)
{
    gol_buf_put(buf, c_string, strlen(c_string));
}

void gol_buf_put_str(gol_buf *buf, gol_str s)
{
    gol_buf_put(buf, s.data, s.len);
}

void gol_buf_printf(gol_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    if (n < 0)
        buf->failed = true;
    else if (gol_buf_reserve(buf, (size_t)n)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void gol_buf_drop_front(gol_buf *buf, size_t n)
{
    assert(n <= buf->len);
    if (n == 0)
        return;
    memmove(buf->data, buf->data + n, buf->len - n + 1); /* with the NUL */
    buf->len -= n;
}
