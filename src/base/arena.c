/*
 * Bump allocation in a chain of blocks. Only the head is filled further; a request too large for any shared block gets one
 * of its own, hung in behind the head so that the head's rest stays in use.
 *
 *     arena.head -> [header | used ........ | free ] -> [header | full ] -> [header | one large request ] -> NULL
 *                            aligned to 16
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { ARENA_ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

typedef struct gol_arena_block {
    struct gol_arena_block *next;
    size_t size; /* bytes after the header */
    size_t used; /* a multiple of ARENA_ALIGN, or size */
    alignas(ARENA_ALIGN) unsigned char data[];
} block;

_Static_assert(sizeof(block) % ARENA_ALIGN == 0, "data must stay aligned");

void gol_arena_init(gol_arena *arena, size_t n_bytes_max)
{
    *arena = (gol_arena){.n_bytes_max = n_bytes_max};
}

void gol_arena_deinit(gol_arena *arena)
{
    for (block *b = arena->head; b;) {
        block *next = b->next;
        gol_free(b);
        b = next;
    }
    arena->head = NULL;
    arena->n_bytes = 0;
}

/* Bytes (with header) for a new block that can hold need; at most n_left unless need itself is more. */
static size_t choose_block_bytes(const gol_arena *arena, size_t need, size_t n_left)
{
    size_t n_bytes = BLOCK_MIN;
    if (arena->head && arena->head->size >= BLOCK_MIN / 2)
        n_bytes = 2 * (arena->head->size + sizeof(block));
    if (n_bytes > BLOCK_MAX)
        n_bytes = BLOCK_MAX;
    while (n_bytes < need && n_bytes < BLOCK_MAX)
        n_bytes *= 2;
    if (n_bytes > n_left)
        n_bytes = n_left;
    return n_bytes < need ? need : n_bytes;
}

/* A new block with room for n_bytes, linked in; NULL over the limit or out of memory. */
static block *add_block(gol_arena *arena, size_t n_bytes)
{
    const size_t n_left = arena->n_bytes_max - arena->n_bytes;
    size_t need;
    if (!gol_add_size(&need, n_bytes, sizeof(block)) || need > n_left)
        return NULL;
    const size_t n_block = choose_block_bytes(arena, need, n_left);
    block *b = gol_try_alloc(n_block);
    if (!b)
        return NULL;
    arena->n_bytes += n_block;
    b->size = n_block - sizeof(block);
    b->used = 0;
    if (need > BLOCK_MAX && arena->head) {
        b->next = arena->head->next;
        arena->head->next = b;
    } else {
        b->next = arena->head;
        arena->head = b;
    }
    return b;
}

void *gol_arena_try_alloc(gol_arena *arena, size_t n_bytes)
{
    block *b = arena->head;
    if (!b || n_bytes > b->size - b->used) {
        b = add_block(arena, n_bytes);
        if (!b)
            return NULL;
    }
    void *p = b->data + b->used;
    /* Also for zero bytes: two results are never the same pointer while there is room. */
    const size_t n_taken = n_bytes == 0 ? ARENA_ALIGN : n_bytes;
    const size_t end = b->used + n_taken;
    const size_t aligned = (end + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    b->used = aligned < b->size ? aligned : b->size;
    return p;
}

void *gol_arena_try_array(gol_arena *arena, size_t n, size_t size)
{
    size_t n_bytes;
    if (!gol_mul_size(&n_bytes, n, size))
        return NULL;
    return gol_arena_try_alloc(arena, n_bytes);
}

void *gol_arena_try_calloc(gol_arena *arena, size_t n, size_t size)
{
    void *p = gol_arena_try_array(arena, n, size);
    if (p)
        memset(p, 0, n * size);
    return p;
}

char *gol_arena_try_strdup(gol_arena *arena, gol_str s)
{
    size_t n_bytes;
    if (!gol_add_size(&n_bytes, s.len, 1))
        return NULL;
    char *copy = gol_arena_try_alloc(arena, n_bytes);
    if (!copy)
        return NULL;
    if (s.len != 0)
        memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}
