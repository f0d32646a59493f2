/*
 * Two families of allocation.
 *
 *   gol_x…    small, of our own size (an option list, a thread's struct): on failure the process ends with exit code 71.
 *             Used by cli and start-up only; the library never calls them after gollum_open() has begun to read a file.
 *   gol_try_… any size that a file or a client can set: NULL on failure or when n * size overflows. The result must be used.
 *
 * Everything is released by gol_free(), aligned blocks by gol_aligned_free(). Zero bytes are allocated as one byte.
 */
#ifndef GOL_BASE_MEM_H
#define GOL_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

void *gol_xalloc(size_t n_bytes);
void *gol_xcalloc(size_t n, size_t size);
void *gol_xrealloc(void *p, size_t n_bytes);
char *gol_xstrdup(const char *s);

__attribute__((warn_unused_result)) void *gol_try_alloc(size_t n_bytes);
__attribute__((warn_unused_result)) void *gol_try_calloc(size_t n, size_t size);
__attribute__((warn_unused_result)) void *gol_try_array(size_t n, size_t size); /* not zeroed */
/* p stays valid on failure. */
__attribute__((warn_unused_result)) void *gol_try_realloc(void *p, size_t n, size_t size);
__attribute__((warn_unused_result)) char *gol_try_strndup(gol_str s); /* NUL-terminated copy */
void gol_free(void *p);

/* 64-byte aligned, not zeroed: tensors, KV, scratch. At 4 MiB and more, huge pages are asked for. */
enum { GOL_MEM_ALIGN = 64 };
__attribute__((warn_unused_result)) void *gol_try_aligned(size_t n_bytes);
void gol_aligned_free(void *p);

/* a * b and a + b into *out; false (and *out = SIZE_MAX) on overflow. */
static inline bool gol_mul_size(size_t *out, size_t a, size_t b)
{
    if (__builtin_mul_overflow(a, b, out)) {
        *out = SIZE_MAX;
        return false;
    }
    return true;
}

static inline bool gol_add_size(size_t *out, size_t a, size_t b)
{
    if (__builtin_add_overflow(a, b, out)) {
        *out = SIZE_MAX;
        return false;
    }
    return true;
}

/* For tests: the n-th gol_try_… call from now (1 = the next) fails, and every later one too when `persistent`.
 * n = 0 switches it off. gol_mem_n_failed() tells how many calls were made to fail since. Process-wide, atomic. */
void gol_mem_fail_nth(uint64_t n, bool persistent);
uint64_t gol_mem_n_failed(void);

/* For tests: told of each allocation, with the bytes that were asked for, and of each release (0 bytes), from the thread that does
 * it; a block that moves is released first. NULL switches it off. Process-wide. */
typedef void gol_mem_watcher(void *p, size_t n_bytes);
void gol_mem_watch(gol_mem_watcher *watcher);

/* A thread between gol_mem_forbid(true) and gol_mem_forbid(false) must not allocate or free through this file: the
 * engine's step is such a place. A violation is our bug and aborts with a message (debug and sanitizer builds; in release
 * builds it is counted only). Thread-local. */
void gol_mem_forbid(bool forbidden);
uint64_t gol_mem_n_forbidden(void);

#endif
