/*
 * Block tables of sequences over the pool. A table covers positions [0, n_blocks * block_size) of its sequence; position p
 * lives in block_table[p / block_size]. Tables only grow until they are given back as a whole.
 */
#include "engine/kv_cache.h"

#include <assert.h>

int gol_kv_cache_init(gol_kv_cache *kv, int32_t n_blocks, int32_t block_size, gol_err *err)
{
    assert(block_size >= 1);
    kv->block_size = block_size;
    return gol_block_pool_init(&kv->pool, n_blocks, err);
}

void gol_kv_cache_deinit(gol_kv_cache *kv)
{
    gol_block_pool_deinit(&kv->pool);
}

int32_t gol_kv_cache_n_free(const gol_kv_cache *kv)
{
    return kv->pool.n_free;
}

int32_t gol_kv_cache_blocks_for(const gol_kv_cache *kv, int32_t n_tokens)
{
    return n_tokens == 0 ? 0 : (n_tokens - 1) / kv->block_size + 1;
}

int32_t gol_kv_cache_n_lacking(const gol_kv_cache *kv, const gol_seq *seq)
{
    const int32_t n_lacking = gol_kv_cache_blocks_for(kv, seq->n_tokens) - seq->n_blocks;
    return n_lacking > 0 ? n_lacking : 0;
}

bool gol_kv_cache_allocate_slots(gol_kv_cache *kv, gol_seq *seq, int32_t n_new)
{
    assert(n_new >= 1);
    assert(n_new <= gol_seq_n_pending(seq));
    const int32_t n_blocks = gol_kv_cache_blocks_for(kv, seq->n_computed + n_new);
    assert(n_blocks <= seq->n_blocks_max);
    if (n_blocks - seq->n_blocks > kv->pool.n_free)
        return false;
    while (seq->n_blocks < n_blocks)
        seq->block_table[seq->n_blocks++] = gol_block_pool_take(&kv->pool);
    return true;
}

void gol_kv_cache_free(gol_kv_cache *kv, gol_seq *seq)
{
    while (seq->n_blocks > 0)
        gol_block_pool_unref(&kv->pool, seq->block_table[--seq->n_blocks]);
}
