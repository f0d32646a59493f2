/*
 * An index from strings to small numbers: open addressing, linear probing, at most half full. It keeps views: the bytes
 * belong to whoever added them and must outlive the index.
 *
 *     gol_str_index index;
 *     rc = gol_str_index_init(&index, n_expected);      // 0 or GOL_ENOMEM
 *     rc = gol_str_index_add(&index, text, 7, &found);  // found: 7, or what an equal text was added with before
 *     gol_str_index_find(&index, text);                 // 7, or -1
 *     gol_str_index_deinit(&index);
 */
#ifndef GOL_TEXT_STR_INDEX_H
#define GOL_TEXT_STR_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct gol_str_slot {
    const char *data;
    uint32_t len;
    int32_t value; /* -1: free */
} gol_str_slot;

typedef struct gol_str_index {
    gol_str_slot *slots;
    size_t n_slots; /* a power of two */
    size_t n;
    size_t len_max; /* longest string added: longer ones are not looked for */
    uint64_t seed;
} gol_str_index;

int gol_str_index_init(gol_str_index *index, size_t n_expected);
void gol_str_index_deinit(gol_str_index *index); /* zeroed is fine */
/* value >= 0; text shorter than 4 GiB. *found = value when new, else the value of the first equal text. */
int gol_str_index_add(gol_str_index *index, gol_str text, int32_t value, int32_t *found);
int32_t gol_str_index_find(const gol_str_index *index, gol_str text);

#endif
