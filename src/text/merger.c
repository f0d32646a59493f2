/*
 * Merging: see the header. The heap is binary, with stale entries left in and skipped when they come up. An entry is fresh
 * exactly when both symbols live and their lengths add up as before: a symbol only grows to the right, over neighbours that
 * die, so a living right symbol still begins where the left one ends.
 */
#include "text/merger.h"

#include <assert.h>

#include "base/error.h"
#include "base/mem.h"

void gol_merger_clear(gol_merger *m)
{
    m->n = 0;
    m->n_heap = 0;
}

void gol_merger_deinit(gol_merger *m)
{
    gol_free(m->symbols);
    gol_free(m->heap);
    *m = (gol_merger){0};
}

int gol_merger_push(gol_merger *m, uint32_t start, uint32_t len, int32_t id)
{
    assert(len >= 1 && m->n < INT32_MAX);
    if (m->n == m->cap) {
        const size_t cap = m->cap == 0 ? 64 : m->cap * 2;
        gol_symbol *symbols = gol_try_realloc(m->symbols, cap, sizeof *symbols);
        if (symbols == NULL)
            return GOL_ENOMEM;
        m->symbols = symbols;
        m->cap = cap;
    }
    const int32_t i = (int32_t)m->n;
    if (i > 0)
        m->symbols[i - 1].next = i;
    m->symbols[m->n++] = (gol_symbol){start, len, i - 1, -1, id};
    return 0;
}

static int heap_append(gol_merger *m, gol_merge merge)
{
    if (m->n_heap == m->cap_heap) {
        const size_t cap = m->cap_heap == 0 ? 64 : m->cap_heap * 2;
        gol_merge *heap = gol_try_realloc(m->heap, cap, sizeof *heap);
        if (heap == NULL)
            return GOL_ENOMEM;
        m->heap = heap;
        m->cap_heap = cap;
    }
    m->heap[m->n_heap++] = merge;
    return 0;
}

static void sift_up(gol_merger *m, size_t i)
{
    const gol_merge moving = m->heap[i];
    while (i > 0) {
        const size_t parent = (i - 1) / 2;
        if (m->heap[parent].key <= moving.key)
            break;
        m->heap[i] = m->heap[parent];
        i = parent;
    }
    m->heap[i] = moving;
}

static void sift_down(gol_merger *m, size_t i)
{
    const gol_merge moving = m->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= m->n_heap)
            break;
        if (child + 1 < m->n_heap && m->heap[child + 1].key < m->heap[child].key)
            child++;
        if (moving.key <= m->heap[child].key)
            break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = moving;
}

static gol_merge heap_pop(gol_merger *m)
{
    const gol_merge top = m->heap[0];
    m->heap[0] = m->heap[--m->n_heap];
    if (m->n_heap > 0)
        sift_down(m, 0);
    return top;
}

/* Appends the pair as a candidate without restoring the heap. 1 appended, 0 no such merge, GOL_ENOMEM. */
static int append_pair(gol_merger *m, int32_t left, int32_t right, gol_merger_find *find,
                       const void *ctx)
{
    uint32_t order;
    int32_t id;
    if (!find(ctx, &m->symbols[left], &m->symbols[right], &order, &id))
        return 0;
    const gol_merge merge = {
        .key = (uint64_t)order << 32 | (uint32_t)left,
        .right = right,
        .len = m->symbols[left].len + m->symbols[right].len,
        .id = id,
    };
    const int rc = heap_append(m, merge);
    return rc != 0 ? rc : 1;
}

static int offer_pair(gol_merger *m, int32_t left, int32_t right, gol_merger_find *find,
                      const void *ctx)
{
    if (left < 0 || right < 0)
        return 0;
    const int rc = append_pair(m, left, right, find, ctx);
    if (rc == 1)
        sift_up(m, m->n_heap - 1);
    return rc < 0 ? rc : 0;
}

int gol_merger_run(gol_merger *m, gol_merger_find *find, const void *ctx)
{
    for (size_t i = 1; i < m->n; i++) {
        const int rc = append_pair(m, (int32_t)i - 1, (int32_t)i, find, ctx);
        if (rc < 0)
            return rc;
    }
    for (size_t i = m->n_heap / 2; i-- > 0;)
        sift_down(m, i);

    while (m->n_heap > 0) {
        const gol_merge merge = heap_pop(m);
        const int32_t i = (int32_t)(uint32_t)merge.key;
        gol_symbol *left = &m->symbols[i];
        gol_symbol *right = &m->symbols[merge.right];
        if (left->len == 0 || right->len == 0 || left->len + right->len != merge.len)
            continue;
        left->len += right->len;
        left->id = merge.id;
        left->next = right->next;
        right->len = 0;
        if (left->next >= 0)
            m->symbols[left->next].prev = i;
        int rc = offer_pair(m, left->prev, i, find, ctx);
        if (rc == 0)
            rc = offer_pair(m, i, left->next, find, ctx);
        if (rc != 0)
            return rc;
    }
    return 0;
}
