/*
 * String index: see the header. Grows by doubling; nothing is ever removed, so a probe ends at the first free slot.
 */
#include "text/str_index.h"

#include <assert.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/byte_hash.h"

enum { SLOTS_MIN = 16 };

static gol_str_slot *alloc_slots(size_t n)
{
    gol_str_slot *slots = gol_try_array(n, sizeof *slots);
    if (slots == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        slots[i] = (gol_str_slot){NULL, 0, -1};
    return slots;
}

int gol_str_index_init(gol_str_index *index, size_t n_expected)
{
    *index = (gol_str_index){0};
    size_t n_slots = SLOTS_MIN;
    while (n_slots / 2 < n_expected) {
        if (n_slots > SIZE_MAX / 4)
            return GOL_ENOMEM;
        n_slots *= 2;
    }
    gol_rng_entropy(&index->seed, sizeof index->seed);
    index->slots = alloc_slots(n_slots);
    if (index->slots == NULL)
        return GOL_ENOMEM;
    index->n_slots = n_slots;
    return 0;
}

void gol_str_index_deinit(gol_str_index *index)
{
    gol_free(index->slots);
    *index = (gol_str_index){0};
}

/* The slot that holds text, or the free one where it belongs. */
static gol_str_slot *probe(const gol_str_index *index, gol_str text)
{
    const size_t mask = index->n_slots - 1;
    size_t i = (size_t)gol_hash_bytes(text.data, text.len, index->seed) & mask;
    for (;; i = (i + 1) & mask) {
        gol_str_slot *slot = &index->slots[i];
        if (slot->value < 0 || gol_str_eq((gol_str){slot->data, slot->len}, text))
            return slot;
    }
}

static int grow(gol_str_index *index)
{
    gol_str_index bigger = *index;
    bigger.n_slots = index->n_slots * 2;
    bigger.slots = alloc_slots(bigger.n_slots);
    if (bigger.slots == NULL)
        return GOL_ENOMEM;
    for (size_t i = 0; i < index->n_slots; i++) {
        const gol_str_slot *old = &index->slots[i];
        if (old->value >= 0)
            *probe(&bigger, (gol_str){old->data, old->len}) = *old;
    }
    gol_free(index->slots);
    *index = bigger;
    return 0;
}

int gol_str_index_add(gol_str_index *index, gol_str text, int32_t value, int32_t *found)
{
    assert(value >= 0 && text.len <= UINT32_MAX);
    if (index->n >= index->n_slots / 2) {
        const int rc = grow(index);
        if (rc != 0)
            return rc;
    }
    gol_str_slot *slot = probe(index, text);
    if (slot->value < 0) {
        *slot = (gol_str_slot){text.data, (uint32_t)text.len, value};
        index->n++;
        if (text.len > index->len_max)
            index->len_max = text.len;
    }
    *found = slot->value;
    return 0;
}

int32_t gol_str_index_find(const gol_str_index *index, gol_str text)
{
    if (index->n_slots == 0 || text.len > index->len_max)
        return -1;
    return probe(index, text)->value;
}
