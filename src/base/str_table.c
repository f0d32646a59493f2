/*
 * String table: see the header. A probe ends at the first free slot, after about two steps; the table grows by doubling.
 * SipHash: Aumasson, Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012; here one round per word, three at the end.
 */
#include "base/str_table.h"

#include <assert.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

enum { SLOTS_MIN = 16 };

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

/* The last 0 to 7 bytes as a word. Tokens are short, so this is most of the reading: four at once. */
static inline uint64_t load_tail(const char *p, size_t n)
{
    uint64_t word = n >= 4 ? gol_load_u32(p) : 0;
    for (size_t i = n & 4; i < n; i++)
        word |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return word;
}

uint64_t gol_str_hash(const uint64_t key[2], gol_str text)
{
    /* the paper's constants: "somepseudorandomlygeneratedbytes" */
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    const char *p = text.data;
    size_t n_left = text.len;
    for (; n_left >= 8; p += 8, n_left -= 8) {
        const uint64_t word = gol_load_u64(p);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    const uint64_t last = (uint64_t)text.len << 56 | load_tail(p, n_left);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int gol_str_table_init(gol_str_table *table, size_t n_expected)
{
    *table = (gol_str_table){0};
    size_t n_slots = SLOTS_MIN;
    while (n_slots / 2 < n_expected) {
        if (n_slots > SIZE_MAX / 4)
            return GOL_ENOMEM;
        n_slots *= 2;
    }
    table->slots = gol_try_calloc(n_slots, sizeof *table->slots);
    if (table->slots == NULL)
        return GOL_ENOMEM;
    table->n_slots = n_slots;
    gol_rng_entropy(table->key, sizeof table->key);
    return 0;
}

void gol_str_table_deinit(gol_str_table *table)
{
    gol_free(table->slots);
    *table = (gol_str_table){0};
}

/* The slot that holds text, or the free one where it belongs. */
static gol_str_slot *probe(const gol_str_table *table, gol_str text)
{
    const size_t mask = table->n_slots - 1;
    size_t i = (size_t)gol_str_hash(table->key, text) & mask;
    for (;; i = (i + 1) & mask) {
        gol_str_slot *slot = &table->slots[i];
        if (slot->number == 0 || gol_str_eq((gol_str){slot->data, slot->len}, text))
            return slot;
    }
}

static int grow(gol_str_table *table)
{
    gol_str_table bigger = *table;
    bigger.n_slots = table->n_slots * 2;
    bigger.slots = gol_try_calloc(bigger.n_slots, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return GOL_ENOMEM;
    for (size_t i = 0; i < table->n_slots; i++) {
        const gol_str_slot *old = &table->slots[i];
        if (old->number != 0)
            *probe(&bigger, (gol_str){old->data, old->len}) = *old;
    }
    gol_free(table->slots);
    *table = bigger;
    return 0;
}

int gol_str_table_add(gol_str_table *table, gol_str text, int32_t value, int32_t *found)
{
    assert(value >= 0 && text.len <= UINT32_MAX);
    gol_str_slot *slot = probe(table, text);
    if (slot->number == 0) {
        if (table->n >= table->n_slots / 2) {
            const int rc = grow(table);
            if (rc != 0)
                return rc;
            slot = probe(table, text);
        }
        *slot = (gol_str_slot){text.data, (uint32_t)text.len, (uint32_t)value + 1};
        table->n++;
        if (text.len > table->len_max)
            table->len_max = text.len;
    }
    *found = (int32_t)(slot->number - 1);
    return 0;
}

int32_t gol_str_table_find(const gol_str_table *table, gol_str text)
{
    if (table->n == 0 || text.len > table->len_max)
        return -1;
    return (int32_t)(probe(table, text)->number - 1);
}
