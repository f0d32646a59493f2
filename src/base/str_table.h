/*
 * A table from strings to small numbers: open addressing, linear probing, at most half full, nothing is ever removed. It keeps
 * views: the bytes belong to whoever added them and must outlive the table. Strings come from outside, so each table hashes
 * with a key of its own from the OS (SipHash-1-3): nobody can prepare strings that all fall together.
 *
 *     gol_str_table table;
 *     rc = gol_str_table_init(&table, n_expected);      // 0 or GOL_ENOMEM
 *     rc = gol_str_table_add(&table, text, 7, &found);  // found: 7, or what an equal text was added with before
 *     gol_str_table_find(&table, text);                 // 7, or -1
 *     gol_str_table_deinit(&table);
 */
#ifndef GOL_BASE_STR_TABLE_H
#define GOL_BASE_STR_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct gol_str_slot {
    const char *data;
    uint32_t len;
    uint32_t number; /* value + 1; 0: free */
} gol_str_slot;

typedef struct gol_str_table {
    gol_str_slot *slots;
    size_t n_slots; /* a power of two */
    size_t n;
    size_t len_max; /* longest string added: longer ones are not looked for */
    uint64_t key[2];
} gol_str_table;

/* The first n_expected different strings are added without an allocation. On failure *table is zeroed. */
__attribute__((warn_unused_result)) int gol_str_table_init(gol_str_table *table, size_t n_expected);
void gol_str_table_deinit(gol_str_table *table); /* zeroed is fine */

/* value >= 0; text shorter than 4 GiB. *found = value when new, else the value of the first equal text. 0, or GOL_ENOMEM with
 * the table as it was. */
__attribute__((warn_unused_result)) int gol_str_table_add(gol_str_table *table, gol_str text,
                                                          int32_t value, int32_t *found);
int32_t gol_str_table_find(const gol_str_table *table, gol_str text); /* -1: none */

uint64_t gol_str_hash(const uint64_t key[2], gol_str text); /* SipHash-1-3 */

#endif
