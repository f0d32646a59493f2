/*
 * A growing byte buffer with a sticky failure: append freely, ask once at the end. JSON, SSE frames, decoded text.
 *
 *     gol_buf b;
 *     gol_buf_init(&b, 1u << 20);              // never grows beyond 1 MiB
 *     gol_buf_put(&b, data, len);
 *     gol_buf_printf(&b, "%d", n);
 *     if (b.failed) ...                        // out of memory or over the limit; data holds what fitted
 *     gol_buf_deinit(&b);
 */
#ifndef GOL_BASE_BUF_H
#define GOL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct gol_buf {
    char *data; /* NULL before the first append, then NUL-terminated; len excludes the NUL */
    size_t len;
    size_t cap;
    size_t len_max;
    bool failed;
} gol_buf;

void gol_buf_init(gol_buf *buf, size_t len_max);
void gol_buf_deinit(gol_buf *buf);
void gol_buf_clear(gol_buf *buf); /* len = 0 and failed = false; keeps the memory */
void gol_buf_put(gol_buf *buf, const void *data, size_t len);
void gol_buf_putc(gol_buf *buf, char c);
void gol_buf_puts(gol_buf *buf, const char *c_string);
void gol_buf_put_str(gol_buf *buf, gol_str s);
void gol_buf_printf(gol_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gol_buf_drop_front(gol_buf *buf, size_t n);   /* n <= len */
bool gol_buf_reserve(gol_buf *buf, size_t n_more); /* false: failed is set */

static inline gol_str gol_buf_view(const gol_buf *buf)
{
    return (gol_str){buf->data, buf->len};
}

#endif
