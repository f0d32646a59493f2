/*
 * The one way to read bytes from outside. Reads are bounds-checked and little-endian; after the first bad read `failed`
 * stays set, every later read returns 0 and moves nothing, so a parser checks once per record. The cursor owns nothing.
 *
 *     gol_cursor c = gol_cursor_from(map.data, map.size);
 *     uint32_t magic = gol_cursor_u32(&c);
 *     uint64_t n = gol_cursor_u64(&c);
 *     const void *rows = gol_cursor_array(&c, n, 24);    // n * 24 is overflow-checked and must lie inside
 *     if (c.failed)
 *         return gol_fail(err, GOL_EMODEL, "header: ends after %zu bytes", c.fail_pos);
 */
#ifndef GOL_BASE_CURSOR_H
#define GOL_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct gol_cursor {
    const uint8_t *data;
    size_t size;
    size_t pos;
    size_t fail_pos; /* position of the read that failed */
    bool failed;
} gol_cursor;

gol_cursor gol_cursor_from(const void *data, size_t size);

uint8_t gol_cursor_u8(gol_cursor *c);
uint16_t gol_cursor_u16(gol_cursor *c);
uint32_t gol_cursor_u32(gol_cursor *c);
uint64_t gol_cursor_u64(gol_cursor *c);
int32_t gol_cursor_i32(gol_cursor *c);
int64_t gol_cursor_i64(gol_cursor *c);
float gol_cursor_f32(gol_cursor *c);
double gol_cursor_f64(gol_cursor *c);

/* A view of n bytes, or of n elements of `size` bytes; NULL (and failed) when they do not lie inside. A view of zero bytes
 * is a valid non-NULL pointer. Views are not aligned. */
const void *gol_cursor_bytes(gol_cursor *c, uint64_t n);
const void *gol_cursor_array(gol_cursor *c, uint64_t n, size_t size);
void gol_cursor_skip(gol_cursor *c, uint64_t n);
void gol_cursor_align(gol_cursor *c, size_t alignment); /* a power of two; moves pos up */
void gol_cursor_seek(gol_cursor *c, uint64_t pos);
size_t gol_cursor_left(const gol_cursor *c); /* 0 after a failure */

/* Loads from an unaligned little-endian position that is already known to be inside. Values are put together from bytes, so
 * neither alignment nor the machine's byte order matters (compilers make one load of it). */
static inline uint16_t gol_load_u16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t gol_load_u32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t gol_load_u64(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)gol_load_u32(b) | (uint64_t)gol_load_u32(b + 4) << 32;
}

float gol_load_f32(const void *p);
double gol_load_f64(const void *p);

#endif
