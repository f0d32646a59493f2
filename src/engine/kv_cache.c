/*
 * Block tables of sequences over the pool. A table covers positions [0, n_blocks * block_size) of its sequence; position p
 * lives in block_table[p / block_size]. Tables only grow until they are given back as a whole; an entry is replaced only by a
 * block of the same content.
 *
 *     tokens   [ shared .. | shared .. | taken over or copied, then filled | fresh ... ]
 *     held by   many         many        one                                 one
 *
 * Models with recurrent layers need the state at a block's border beside its keys and values (kv_states.h): it belongs to full
 * blocks, under the same hashes, and find_prefix() is where blocks behind the last one are passed over.
 */
#include "engine/kv_cache.h"

#include <assert.h>

#include "base/minmax.h"
#include "engine/kv_states.h"

int gol_kv_cache_init(gol_kv_cache *kv, int32_t n_blocks, int32_t block_size,
                      gol_exact_cache *exact, gol_err *err)
{
    assert(block_size >= 1);
    *kv = (gol_kv_cache){.block_size = block_size, .exact = exact};
    int rc = gol_block_pool_init(&kv->pool, n_blocks, err);
    if (rc == 0)
        rc = gol_prefix_index_init(&kv->index, &kv->pool, block_size, err);
    if (rc != 0)
        gol_kv_cache_deinit(kv);
    return rc;
}

int gol_kv_cache_init_states(gol_kv_cache *kv, int32_t n_slots, gol_err *err)
{
    return gol_state_pool_init(&kv->states, n_slots, err);
}

void gol_kv_cache_deinit(gol_kv_cache *kv)
{
    gol_state_pool_deinit(&kv->states);
    gol_prefix_index_deinit(&kv->index);
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

/* A block for something new: what it held is gone. */
static gol_block *take_block(gol_kv_cache *kv)
{
    gol_block *block = gol_block_pool_take(&kv->pool);
    kv->stats.n_evictions += block->n_filled > 0;
    gol_state_pool_drop(&kv->states, block);
    gol_prefix_index_drop(&kv->index, block);
    return block;
}

static void append_block(gol_seq *seq, const gol_block *block)
{
    assert(seq->n_blocks < seq->n_blocks_max);
    seq->block_table[seq->n_blocks++] = block->block_id;
}

/* The full block that holds the sequence's tokens [i * block_size, (i + 1) * block_size). */
static gol_block *find_full(const gol_kv_cache *kv, gol_seq *seq, int32_t i)
{
    const gol_block_hash hash = gol_seq_hash(seq, i + 1);
    return gol_prefix_index_find(&kv->index, hash, gol_seq_hash(seq, i),
                                 seq->tokens + (int64_t)i * kv->block_size);
}

static bool is_at_border(const gol_kv_cache *kv, const gol_seq *seq)
{
    return seq->n_computed == seq->n_blocks * kv->block_size;
}

gol_prefix gol_kv_cache_find_prefix(const gol_kv_cache *kv, gol_seq *seq)
{
    gol_prefix prefix = {0};
    gol_prefix known = {0};
    if (!seq->hasher || !is_at_border(kv, seq))
        return prefix;
    /* Rows that are to be read must be computed. Those that were read before preemption need not be. */
    const int32_t n_max = gol_seq_is_scoring(seq) ? seq->n_rows_read : seq->n_tokens - 1;
    const int32_t n_blocks_max = n_max / kv->block_size;
    for (int32_t i = seq->n_blocks; i < n_blocks_max; i++) {
        const gol_block *block = find_full(kv, seq, i);
        if (!block)
            break;
        known.n_blocks++;
        known.n_free += block->ref_cnt == 0;
        if (!gol_kv_has_states(kv) || block->state_slot >= 0)
            prefix = known;
    }
    prefix.n_known = known.n_blocks;
    return prefix;
}

static void share_block(gol_kv_cache *kv, gol_seq *seq, gol_block *block)
{
    gol_block_pool_ref(&kv->pool, block);
    append_block(seq, block);
    seq->n_computed += kv->block_size;
}

void gol_kv_cache_share_prefix(gol_kv_cache *kv, gol_seq *seq)
{
    const gol_prefix prefix = gol_kv_cache_find_prefix(kv, seq);
    for (int32_t n = 0; n < prefix.n_blocks; n++)
        share_block(kv, seq, find_full(kv, seq, seq->n_blocks));
}

/* Its own block now holds n tokens of src: perhaps src itself, if nobody else holds it and nothing else is in it. True: *copy is
 * to be carried out. */
static bool adopt(gol_kv_cache *kv, gol_seq *seq, gol_block *src, bool is_all_common, int32_t n,
                  gol_block_copy *copy)
{
    const gol_block_hash parent = gol_seq_hash(seq, seq->n_blocks);
    gol_block *block = src;
    if (is_all_common && src->ref_cnt == 0) {
        gol_block_pool_ref(&kv->pool, src);
    } else {
        gol_block_pool_touch(&kv->pool, src); /* or it would be the first to be taken */
        block = take_block(kv);
    }
    /* Content of a block that is written is what the step will find there: less than full, even if it was. */
    gol_prefix_index_set(&kv->index, block, parent, seq->tokens + seq->n_computed, n);
    append_block(seq, block);
    seq->n_computed += n;
    if (block == src)
        return false;
    assert(src);
    *copy = (gol_block_copy){.dst_block = block->block_id, .src_block = src->block_id};
    kv->stats.n_copies++;
    return true;
}

/* The logits behind the prompt, if that is all that is left. */
static const float *find_row(gol_kv_cache *kv, const gol_seq *seq)
{
    const bool is_in_last_block = gol_seq_n_pending(seq) <= kv->block_size;
    if (!kv->exact || seq->n_tokens != seq->n_prompt || !is_in_last_block)
        return NULL;
    const gol_prompt_key key = gol_seq_prompt_key(seq);
    return gol_exact_cache_find(kv->exact, &key);
}

static bool find_rest(gol_kv_cache *kv, gol_seq *seq, gol_block_copy *copy)
{
    const int32_t n_pending = gol_seq_n_pending(seq);
    const float *row = find_row(kv, seq);
    gol_block *last = row && n_pending == kv->block_size ? find_full(kv, seq, seq->n_blocks) : NULL;
    if (last) {
        share_block(kv, seq, last);
        seq->kept_row = row;
        return false;
    }
    const gol_child_match match = gol_prefix_index_find_child(
        &kv->index, gol_seq_hash(seq, seq->n_blocks), seq->tokens + seq->n_computed,
        gol_min_i32(n_pending, kv->block_size));
    int32_t n = gol_min_i32(match.n_common, gol_min_i32(n_pending, kv->block_size) - 1);
    const bool is_whole = row && n_pending < kv->block_size && match.n_common == n_pending;
    if (is_whole)
        n = n_pending;
    const bool is_all_common = match.block && match.block->n_filled == match.n_common;
    const bool has_room = kv->pool.n_free > 0;
    if (n == 0 || !has_room)
        return false;
    seq->kept_row = is_whole ? row : NULL;
    return adopt(kv, seq, match.block, is_all_common, n, copy);
}

bool gol_kv_cache_settle(gol_kv_cache *kv, gol_seq *seq, gol_block_copy *copy)
{
    assert(seq->kept_row == NULL);
    if (!seq->hasher || gol_seq_is_scoring(seq)) {
        seq->n_cached = 0;
        return false;
    }
    const bool has_copy = !gol_kv_has_states(kv) && is_at_border(kv, seq) &&
                          find_rest(kv, seq, copy);
    if (seq->n_cached < 0) { /* not when it starts again after preemption */
        seq->n_cached = gol_min_i32(seq->n_computed, seq->n_prompt);
        kv->stats.n_queries += (uint64_t)seq->n_prompt;
        kv->stats.n_hits += (uint64_t)seq->n_cached;
        kv->stats.n_exact_hits += seq->kept_row != NULL;
    }
    return has_copy;
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
        append_block(seq, take_block(kv));
    return true;
}

/* Block i of the sequence, which nobody else holds, now has n_filled tokens. */
static void publish(gol_kv_cache *kv, gol_seq *seq, int32_t i, int32_t n_filled)
{
    gol_block *own = gol_block_pool_get(&kv->pool, seq->block_table[i]);
    assert(own->ref_cnt == 1);
    const gol_block_hash parent = gol_seq_hash(seq, i);
    const int32_t *tokens = seq->tokens + (int64_t)i * kv->block_size;
    if (n_filled < kv->block_size) {
        gol_prefix_index_set(&kv->index, own, parent, tokens, n_filled);
        return;
    }
    gol_block *twin = find_full(kv, seq, i);
    if (!twin) {
        gol_prefix_index_set_full(&kv->index, own, parent, tokens, gol_seq_hash(seq, i + 1));
        return;
    }
    assert(own->state_slot < 0); /* it was not full */
    gol_prefix_index_drop(&kv->index, own);
    gol_block_pool_ref(&kv->pool, twin);
    gol_block_pool_unref(&kv->pool, own);
    seq->block_table[i] = twin->block_id;
    kv->stats.n_merges++;
}

void gol_kv_cache_commit(gol_kv_cache *kv, gol_seq *seq)
{
    const int32_t bs = kv->block_size;
    const int32_t n_before = seq->n_computed;
    const int32_t first = n_before / bs;
    seq->n_computed += seq->n_scheduled;
    seq->n_scheduled = 0;
    assert(seq->n_computed <= seq->n_tokens);
    gol_seq_note_rows(seq);
    if (!seq->hasher)
        return;
    for (int32_t i = first; i * bs < seq->n_computed; i++)
        publish(kv, seq, i, gol_min_i32(seq->n_computed - i * bs, bs));
    gol_kv_states_commit(kv, seq, n_before);
}

void gol_kv_cache_free(gol_kv_cache *kv, gol_seq *seq)
{
    gol_kv_states_free(kv, seq);
    while (seq->n_blocks > 0)
        gol_block_pool_unref(&kv->pool,
                             gol_block_pool_get(&kv->pool, seq->block_table[--seq->n_blocks]));
}

uint64_t gol_kv_cache_bytes(int32_t n_blocks, int32_t block_size)
{
    return (uint64_t)n_blocks * sizeof(gol_block) + gol_prefix_index_bytes(n_blocks, block_size);
}
