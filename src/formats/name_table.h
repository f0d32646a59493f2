/*
 * Finds the index of a name: a hash table of indices into somebody's array, of a size fixed at the start. Names come from
 * outside, so the hash is keyed with bytes from the OS (SipHash-1-3): nobody can prepare names that all fall together.
 */
#ifndef GOL_FORMATS_NAME_TABLE_H
#define GOL_FORMATS_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Name number i of the owner's array. */
typedef gol_str gol_name_at(const void *owner, uint32_t i);

typedef struct gol_name_table {
    uint32_t *slots; /* index + 1; 0: free */
    size_t mask;
    uint64_t key[2];
    gol_name_at *name_at;
    const void *owner;
} gol_name_table;

/* For at most n_max names, n_max < 2^31. false: out of memory; *table is then zeroed. */
__attribute__((warn_unused_result)) bool gol_name_table_try_init(gol_name_table *table,
                                                                 size_t n_max, gol_name_at *name_at,
                                                                 const void *owner);
void gol_name_table_deinit(gol_name_table *table); /* zeroed is fine */

/* Enters name number i. Returns i, or the number of the equal name that is already there (nothing is entered then). */
uint32_t gol_name_table_insert(gol_name_table *table, uint32_t i);

/* The number of a name; -1: none. */
int64_t gol_name_table_find(const gol_name_table *table, gol_str name);

uint64_t gol_name_hash(const uint64_t key[2], gol_str name); /* SipHash-1-3 */

#endif
