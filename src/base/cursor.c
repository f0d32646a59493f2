/*
 * Bounds-checked reading. Every read goes through take(), the only place that moves pos: it either returns n bytes that
 * lie inside or sets failed.
 */
#include "base/cursor.h"

#include <assert.h>
#include <string.h>

gol_cursor gol_cursor_from(const void *data, size_t size)
{
    assert(data || size == 0);
    /* Never NULL, so that a view of zero bytes is not mistaken for a failure. */
    return (gol_cursor){.data = data ? data : (const void *)"", .size = size};
}

static void fail(gol_cursor *c)
{
    if (c->failed)
        return;
    c->failed = true;
    c->fail_pos = c->pos;
}

static const uint8_t *take(gol_cursor *c, uint64_t n)
{
    if (c->failed || n > c->size - c->pos) {
        fail(c);
        return NULL;
    }
    const uint8_t *p = c->data + c->pos;
    c->pos += (size_t)n;
    return p;
}

float gol_load_f32(const void *p)
{
    const uint32_t bits = gol_load_u32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double gol_load_f64(const void *p)
{
    const uint64_t bits = gol_load_u64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint8_t gol_cursor_u8(gol_cursor *c)
{
    const uint8_t *p = take(c, 1);
    return p ? *p : 0;
}

uint16_t gol_cursor_u16(gol_cursor *c)
{
    const uint8_t *p = take(c, 2);
    return p ? gol_load_u16(p) : 0;
}

uint32_t gol_cursor_u32(gol_cursor *c)
{
    const uint8_t *p = take(c, 4);
    return p ? gol_load_u32(p) : 0;
}

uint64_t gol_cursor_u64(gol_cursor *c)
{
    const uint8_t *p = take(c, 8);
    return p ? gol_load_u64(p) : 0;
}

int32_t gol_cursor_i32(gol_cursor *c)
{
    return (int32_t)gol_cursor_u32(c);
}

int64_t gol_cursor_i64(gol_cursor *c)
{
    return (int64_t)gol_cursor_u64(c);
}

float gol_cursor_f32(gol_cursor *c)
{
    const uint8_t *p = take(c, 4);
    return p ? gol_load_f32(p) : 0.0f;
}

double gol_cursor_f64(gol_cursor *c)
{
    const uint8_t *p = take(c, 8);
    return p ? gol_load_f64(p) : 0.0;
}

const void *gol_cursor_bytes(gol_cursor *c, uint64_t n)
{
    return take(c, n);
}

const void *gol_cursor_array(gol_cursor *c, uint64_t n, size_t size)
{
    uint64_t n_bytes;
    if (__builtin_mul_overflow(n, (uint64_t)size, &n_bytes)) {
        fail(c);
        return NULL;
    }
    return take(c, n_bytes);
}

void gol_cursor_skip(gol_cursor *c, uint64_t n)
{
    (void)take(c, n);
}

void gol_cursor_align(gol_cursor *c, size_t alignment)
{
    assert(alignment != 0 && (alignment & (alignment - 1)) == 0);
    const size_t n_over = c->pos & (alignment - 1);
    if (n_over != 0)
        (void)take(c, alignment - n_over);
}

void gol_cursor_seek(gol_cursor *c, uint64_t pos)
{
    if (c->failed || pos > c->size)
        fail(c);
    else
        c->pos = (size_t)pos;
}

size_t gol_cursor_left(const gol_cursor *c)
{
    return c->failed ? 0 : c->size - c->pos;
}
