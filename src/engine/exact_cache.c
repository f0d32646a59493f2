/* A hash table over a fixed array of entries, which also stand in a list by use. Entry i owns tails[i] and rows[i]. */
#include "engine/exact_cache.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

uint64_t gol_exact_cache_bytes(int32_t n_rows, int32_t n_vocab, int32_t block_size)
{
    const uint64_t row_bytes = (uint64_t)n_vocab * sizeof(float);
    const uint64_t tail_bytes = (uint64_t)block_size * sizeof(int32_t);
    const uint64_t entry_bytes = sizeof(gol_exact_entry) + 2 * sizeof(gol_exact_entry *);
    return (uint64_t)n_rows * (row_bytes + tail_bytes + entry_bytes);
}

static void push_youngest(gol_exact_cache *cache, gol_exact_entry *entry)
{
    entry->younger = NULL;
    entry->older = cache->youngest;
    if (cache->youngest)
        cache->youngest->younger = entry;
    else
        cache->oldest = entry;
    cache->youngest = entry;
}

static void remove_from_order(gol_exact_cache *cache, gol_exact_entry *entry)
{
    if (entry->younger)
        entry->younger->older = entry->older;
    else
        cache->youngest = entry->older;
    if (entry->older)
        entry->older->younger = entry->younger;
    else
        cache->oldest = entry->younger;
}

int gol_exact_cache_init(gol_exact_cache *cache, int32_t n_rows, int32_t n_vocab,
                         int32_t block_size, gol_err *err)
{
    *cache = (gol_exact_cache){0};
    if (n_rows == 0)
        return 0;
    size_t n_buckets = 1;
    while (n_buckets < (size_t)n_rows)
        n_buckets *= 2;
    *cache = (gol_exact_cache){
        .n_rows = n_rows, .n_vocab = n_vocab, .block_size = block_size, .mask = n_buckets - 1};
    /* Rows come from fresh pages: those never used cost nothing. */
    cache->rows = gol_try_array((size_t)n_rows, (size_t)n_vocab * sizeof *cache->rows);
    cache->tails = gol_try_array((size_t)n_rows, (size_t)block_size * sizeof *cache->tails);
    cache->entries = gol_try_calloc((size_t)n_rows, sizeof *cache->entries);
    cache->buckets = gol_try_calloc(n_buckets, sizeof(gol_exact_entry *));
    if (!cache->rows || !cache->tails || !cache->entries || !cache->buckets) {
        gol_exact_cache_deinit(cache);
        return gol_fail(err, GOL_ENOMEM, "out of memory for %d rows of %d logits", n_rows, n_vocab);
    }
    for (int32_t i = 0; i < n_rows; i++)
        push_youngest(cache, &cache->entries[i]);
    return 0;
}

void gol_exact_cache_deinit(gol_exact_cache *cache)
{
    gol_free(cache->buckets);
    gol_free(cache->entries);
    gol_free(cache->tails);
    gol_free(cache->rows);
    *cache = (gol_exact_cache){0};
}

static gol_exact_entry **bucket(const gol_exact_cache *cache, gol_block_hash hash)
{
    return &cache->buckets[hash.low & cache->mask];
}

static float *row_of(const gol_exact_cache *cache, const gol_exact_entry *entry)
{
    return cache->rows + (entry - cache->entries) * (ptrdiff_t)cache->n_vocab;
}

static int32_t *tail_of(const gol_exact_cache *cache, const gol_exact_entry *entry)
{
    return cache->tails + (entry - cache->entries) * (ptrdiff_t)cache->block_size;
}

static bool is_match(const gol_exact_cache *cache, const gol_exact_entry *entry,
                     const gol_prompt_key *key)
{
    return gol_block_hash_eq(entry->hash, key->hash) && entry->n_prompt == key->n_prompt &&
           entry->n_tail == key->n_tail &&
           memcmp(tail_of(cache, entry), key->tail, (size_t)key->n_tail * sizeof *key->tail) == 0;
}

const float *gol_exact_cache_find(gol_exact_cache *cache, const gol_prompt_key *key)
{
    if (cache->n_rows == 0)
        return NULL;
    gol_exact_entry *entry = *bucket(cache, key->hash);
    while (entry && !is_match(cache, entry, key))
        entry = entry->next_in_bucket;
    if (!entry)
        return NULL;
    remove_from_order(cache, entry);
    push_youngest(cache, entry);
    return row_of(cache, entry);
}

static void forget(gol_exact_cache *cache, gol_exact_entry *entry)
{
    if (entry->n_prompt == 0)
        return;
    gol_exact_entry **at = bucket(cache, entry->hash);
    while (*at != entry)
        at = &(*at)->next_in_bucket;
    *at = entry->next_in_bucket;
    entry->n_prompt = 0;
}

void gol_exact_cache_put(gol_exact_cache *cache, const gol_prompt_key *key, const float *row)
{
    if (cache->n_rows == 0 || gol_exact_cache_find(cache, key))
        return;
    assert(key->n_prompt >= 1 && key->n_tail < cache->block_size);
    gol_exact_entry *entry = cache->oldest;
    forget(cache, entry);
    entry->hash = key->hash;
    entry->n_prompt = key->n_prompt;
    entry->n_tail = key->n_tail;
    memcpy(tail_of(cache, entry), key->tail, (size_t)key->n_tail * sizeof *key->tail);
    memcpy(row_of(cache, entry), row, (size_t)cache->n_vocab * sizeof *row);
    entry->next_in_bucket = *bucket(cache, key->hash);
    *bucket(cache, key->hash) = entry;
    remove_from_order(cache, entry);
    push_youngest(cache, entry);
}
