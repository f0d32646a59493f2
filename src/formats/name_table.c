/*
 * Open addressing, linear probing, at most half full, so that a search ends after about two steps.
 * SipHash: Aumasson, Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012; here one round per word, three at the end.
 */
#include "formats/name_table.h"

#include <assert.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/rng.h"

static inline uint64_t rotate(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t gol_name_hash(const uint64_t key[2], gol_str name)
{
    /* the paper's constants: "somepseudorandomlygeneratedbytes" */
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    const size_t n_whole = name.len & ~(size_t)7;
    for (size_t i = 0; i < n_whole; i += 8) {
        const uint64_t word = gol_load_u64(name.data + i);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)name.len << 56;
    for (size_t i = n_whole; i < name.len; i++)
        last |= (uint64_t)(uint8_t)name.data[i] << (8 * (i - n_whole));
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool gol_name_table_try_init(gol_name_table *table, size_t n_max, gol_name_at *name_at,
                             const void *owner)
{
    assert(n_max <= INT32_MAX);
    *table = (gol_name_table){0};
    size_t n_slots = 8;
    while (n_slots < 2 * n_max)
        n_slots *= 2;
    table->slots = gol_try_calloc(n_slots, sizeof *table->slots);
    if (!table->slots)
        return false;
    table->mask = n_slots - 1;
    table->name_at = name_at;
    table->owner = owner;
    gol_rng_entropy(table->key, sizeof table->key);
    return true;
}

void gol_name_table_deinit(gol_name_table *table)
{
    gol_free(table->slots);
    *table = (gol_name_table){0};
}

/* The slot that holds name, or the free one where it belongs. */
static size_t find_slot(const gol_name_table *table, gol_str name)
{
    size_t slot = (size_t)gol_name_hash(table->key, name) & table->mask;
    while (table->slots[slot] != 0) {
        if (gol_str_eq(table->name_at(table->owner, table->slots[slot] - 1), name))
            break;
        slot = (slot + 1) & table->mask;
    }
    return slot;
}

uint32_t gol_name_table_insert(gol_name_table *table, uint32_t i)
{
    const size_t slot = find_slot(table, table->name_at(table->owner, i));
    if (table->slots[slot] == 0)
        table->slots[slot] = i + 1;
    return table->slots[slot] - 1;
}

int64_t gol_name_table_find(const gol_name_table *table, gol_str name)
{
    if (!table->slots)
        return -1;
    return (int64_t)table->slots[find_slot(table, name)] - 1;
}
