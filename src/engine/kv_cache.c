/*
 * Block tables of sequences over the pool. Tables cover positions [0, n_blocks * block_size) of their sequence; position p lives in
 * entry p / block_size. Entries are appended, and given back as a whole; an entry is replaced only by a block of the same
 * content, or by -1, when its group's window has passed it.
 *
 *     tokens   [ passed .. | shared .. | shared .. | taken over or copied, then filled | fresh ... ]
 *     held by   nobody here   many        many        one                                 one
 *
 * Models with recurrent layers need the state at a block's border beside its keys and values (kv_states.h): it belongs to full
 * blocks, under the same hashes, and find_prefix() is where blocks behind the last one are passed over.
 */
#include "engine/kv_cache.h"

#include <assert.h>
#include <string.h>

#include "base/minmax.h"
#include "engine/kv_states.h"

int gol_kv_cache_init(gol_kv_cache *kv, int32_t n_blocks, const gol_kv_layout *layout,
                      gol_exact_cache *exact, gol_err *err)
{
    const int32_t block_size = layout->block_size;
    *kv = (gol_kv_cache){.layout = *layout, .block_size = block_size, .exact = exact};
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
    return gol_kv_layout_blocks_for(&kv->layout, n_tokens);
}

int32_t gol_kv_cache_n_lacking(const gol_kv_cache *kv, const gol_seq *seq)
{
    return gol_kv_layout_n_lacking(&kv->layout, seq->n_tokens, seq->n_blocks);
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

/* The full block that holds the sequence's tokens [i * block_size, (i + 1) * block_size) in a group of layers. */
static gol_block *find_full(const gol_kv_cache *kv, gol_seq *seq, int32_t group, int32_t i)
{
    const gol_block_hash hash = gol_block_hash_in(gol_seq_hash(seq, i + 1), group);
    return gol_prefix_index_find(&kv->index, hash, gol_block_hash_in(gol_seq_hash(seq, i), group),
                                 seq->tokens + (int64_t)i * kv->block_size);
}

static bool has_window(const gol_kv_cache *kv, int32_t group)
{
    return kv->layout.n_seen[group] >= 0;
}

static int32_t n_full(const gol_kv_cache *kv, const gol_seq *seq)
{
    return seq->n_computed / kv->block_size;
}

/* Gives back what was kept when n_full_before blocks were computed and no later token sees now. */
static void pass_windows(gol_kv_cache *kv, gol_seq *seq, int32_t n_full_before)
{
    const int32_t n_full_now = n_full(kv, seq);
    for (int32_t g = 0; g < kv->layout.n_groups; g++) {
        int32_t *table = gol_seq_table(seq, g);
        const int32_t end = gol_kv_layout_first(&kv->layout, g, n_full_now);
        for (int32_t i = gol_kv_layout_first(&kv->layout, g, n_full_before); i < end; i++) {
            if (table[i] >= 0) /* or it was passed when it was shared */
                gol_block_pool_unref(&kv->pool, gol_block_pool_get(&kv->pool, table[i]));
            table[i] = -1;
        }
    }
}

static bool is_at_border(const gol_kv_cache *kv, const gol_seq *seq)
{
    return seq->n_computed == seq->n_blocks * kv->block_size;
}

/* The sequence's block i in all groups without a window. False: some group lacks it. */
static bool look_up(const gol_kv_cache *kv, gol_seq *seq, int32_t i, gol_prefix *known,
                    bool *has_state)
{
    const gol_block *blocks[GOL_KV_GROUPS_MAX] = {NULL};
    for (int32_t g = 0; g < kv->layout.n_groups; g++) {
        if (has_window(kv, g))
            continue;
        blocks[g] = find_full(kv, seq, g, i);
        if (!blocks[g])
            return false;
        *has_state = blocks[g]->state_slot >= 0;
    }
    for (int32_t g = 0; g < kv->layout.n_groups; g++)
        known->n_free[g] += blocks[g] && blocks[g]->ref_cnt == 0;
    known->n_blocks++;
    return true;
}

/* The sequence's block i in those groups that see it from behind n entries. */
typedef struct window_look {
    bool is_seen; /* by some group */
    bool is_there;
} window_look;

static window_look look_through_windows(const gol_kv_cache *kv, gol_seq *seq, int32_t i, int32_t n,
                                        int32_t *n_free)
{
    window_look look = {.is_there = true};
    for (int32_t g = 0; g < kv->layout.n_groups && look.is_there; g++) {
        if (!has_window(kv, g) || i < gol_kv_layout_first(&kv->layout, g, n))
            continue;
        const gol_block *block = find_full(kv, seq, g, i);
        look.is_seen = true;
        look.is_there = block != NULL;
        n_free[g] += block && block->ref_cnt == 0;
    }
    return look;
}

/* How many of n entries there may be for groups with windows to have all that is seen behind them. n_free: of their blocks. */
static int32_t fit_windows(const gol_kv_cache *kv, gol_seq *seq, int32_t n,
                           int32_t n_free[GOL_KV_GROUPS_MAX])
{
    memset(n_free, 0, GOL_KV_GROUPS_MAX * sizeof *n_free);
    for (int32_t i = n - 1; i >= seq->n_blocks; i--) {
        const window_look look = look_through_windows(kv, seq, i, n, n_free);
        if (!look.is_seen)
            break;
        if (!look.is_there) {
            n = i;
            memset(n_free, 0, GOL_KV_GROUPS_MAX * sizeof *n_free);
        }
    }
    return n;
}

gol_prefix gol_kv_cache_find_prefix(const gol_kv_cache *kv, gol_seq *seq)
{
    gol_prefix prefix = {0};
    gol_prefix known = {0};
    if (!seq->hasher || !is_at_border(kv, seq))
        return prefix;
    /* Rows that are to be read must be computed. Those that were read before preemption need not be. */
    const int32_t n_max = gol_seq_is_scoring(seq) ? seq->n_rows_read : seq->n_tokens - 1;
    const int32_t n_entries_max = n_max / kv->block_size;
    bool has_state = false;
    for (int32_t i = seq->n_blocks; i < n_entries_max && look_up(kv, seq, i, &known, &has_state);
         i++) {
        if (!gol_kv_has_states(kv) || has_state)
            prefix = known;
    }
    prefix.n_known = known.n_blocks;
    int32_t n_free[GOL_KV_GROUPS_MAX];
    const int32_t n = fit_windows(kv, seq, seq->n_blocks + prefix.n_blocks, n_free) - seq->n_blocks;
    if (n < prefix.n_blocks) {
        prefix = (gol_prefix){0};
        for (int32_t i = 0; i < n; i++)
            look_up(kv, seq, seq->n_blocks + i, &prefix, &has_state);
        prefix.n_known = n;
    }
    for (int32_t g = 0; g < kv->layout.n_groups; g++)
        prefix.n_free[g] += n_free[g];
    return prefix;
}

/* Entry i of the group's table: -1 where its window has passed. */
static void append_shared(gol_kv_cache *kv, gol_seq *seq, int32_t group, int32_t i, bool is_passed)
{
    int32_t *entry = &gol_seq_table(seq, group)[i];
    *entry = -1;
    if (is_passed)
        return;
    gol_block *block = find_full(kv, seq, group, i);
    assert(block);
    gol_block_pool_ref(&kv->pool, block);
    *entry = block->block_id;
}

/* All that is seen behind them, of n entries that are there. */
static void share_entries(gol_kv_cache *kv, gol_seq *seq, int32_t n)
{
    const int32_t n_before = n_full(kv, seq);
    const int32_t end = seq->n_blocks + n;
    assert(end <= seq->n_blocks_max);
    for (; seq->n_blocks < end; seq->n_blocks++)
        for (int32_t g = 0; g < kv->layout.n_groups; g++)
            append_shared(kv, seq, g, seq->n_blocks,
                          seq->n_blocks < gol_kv_layout_first(&kv->layout, g, end));
    seq->n_computed += n * kv->block_size;
    pass_windows(kv, seq, n_before);
}

void gol_kv_cache_share_prefix(gol_kv_cache *kv, gol_seq *seq)
{
    const gol_prefix prefix = gol_kv_cache_find_prefix(kv, seq);
    if (prefix.n_blocks > 0)
        share_entries(kv, seq, prefix.n_blocks);
}

/* Beginnings of the sequence's next block, in each group. */
typedef struct beginnings {
    gol_block *blocks[GOL_KV_GROUPS_MAX];
    bool is_all_common[GOL_KV_GROUPS_MAX]; /* nothing else is in it */
    int32_t n_common;                      /* tokens that all of them have */
} beginnings;

/* At most n_tokens of it. */
static beginnings find_beginnings(gol_kv_cache *kv, gol_seq *seq, int32_t n_tokens)
{
    beginnings found = {.n_common = n_tokens};
    const gol_block_hash parent = gol_seq_hash(seq, seq->n_blocks);
    for (int32_t g = 0; g < kv->layout.n_groups && found.n_common > 0; g++) {
        const gol_child_match match = gol_prefix_index_find_child(
            &kv->index, gol_block_hash_in(parent, g), seq->tokens + seq->n_computed, n_tokens);
        found.blocks[g] = match.block;
        found.is_all_common[g] = match.block && match.block->n_filled == match.n_common;
        found.n_common = gol_min_i32(found.n_common, match.n_common);
    }
    return found;
}

/* Which of them nobody holds and nothing else is in: they need not be copied. When there is too little room for copies, what else is
 * in those that nobody holds is given up. */
static void take_over(gol_kv_cache *kv, const beginnings *found, bool is_taken[GOL_KV_GROUPS_MAX])
{
    const int32_t n_groups = kv->layout.n_groups;
    int32_t n_sources = 0; /* free ones, that must not be taken for something else */
    for (int32_t g = 0; g < n_groups; g++) {
        assert(found->blocks[g]);
        n_sources += found->blocks[g]->ref_cnt == 0 && !found->is_all_common[g];
    }
    const bool can_copy = kv->pool.n_free >= n_groups + n_sources;
    for (int32_t g = 0; g < n_groups; g++) {
        gol_block *block = found->blocks[g];
        is_taken[g] = block->ref_cnt == 0 && (found->is_all_common[g] || !can_copy);
        if (is_taken[g])
            gol_block_pool_ref(&kv->pool, block);
        else /* or it would be the first to be taken */
            gol_block_pool_touch(&kv->pool, block);
    }
}

/* Its own blocks now hold n tokens of those found: perhaps they are the same. Returns the number of copies. */
static int32_t adopt(gol_kv_cache *kv, gol_seq *seq, const beginnings *found, int32_t n,
                     gol_block_copy *copies)
{
    const gol_block_hash parent = gol_seq_hash(seq, seq->n_blocks);
    bool is_taken[GOL_KV_GROUPS_MAX] = {false};
    int32_t n_copies = 0;
    assert(seq->n_blocks < seq->n_blocks_max);
    take_over(kv, found, is_taken);
    for (int32_t g = 0; g < kv->layout.n_groups; g++) {
        const gol_block *src = found->blocks[g];
        assert(src);
        gol_block *block = is_taken[g] ? found->blocks[g] : take_block(kv);
        assert(is_taken[g] || block != src);
        /* Content of a block that is written is what the step will find there: less than full, even if it was. */
        gol_prefix_index_set(&kv->index, block, gol_block_hash_in(parent, g),
                             seq->tokens + seq->n_computed, n);
        gol_seq_table(seq, g)[seq->n_blocks] = block->block_id;
        if (is_taken[g])
            continue;
        copies[n_copies++] = (gol_block_copy){.dst_block = block->block_id,
                                              .src_block = src->block_id};
        kv->stats.n_copies++;
    }
    seq->n_blocks++;
    seq->n_computed += n;
    return n_copies;
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

static bool has_next(const gol_kv_cache *kv, gol_seq *seq)
{
    for (int32_t g = 0; g < kv->layout.n_groups; g++)
        if (!find_full(kv, seq, g, seq->n_blocks))
            return false;
    return true;
}

static int32_t find_rest(gol_kv_cache *kv, gol_seq *seq, gol_block_copy *copies)
{
    const int32_t n_pending = gol_seq_n_pending(seq);
    const float *row = find_row(kv, seq);
    if (row && n_pending == kv->block_size && has_next(kv, seq)) {
        share_entries(kv, seq, 1);
        seq->kept_row = row;
        return 0;
    }
    const int32_t n_tokens = gol_min_i32(n_pending, kv->block_size);
    const beginnings found = find_beginnings(kv, seq, n_tokens);
    const bool is_whole = row && n_pending < kv->block_size && found.n_common == n_pending;
    const int32_t n = is_whole ? n_pending : gol_min_i32(found.n_common, n_tokens - 1);
    const bool has_room = kv->pool.n_free >= kv->layout.n_groups;
    if (n == 0 || !has_room)
        return 0;
    seq->kept_row = is_whole ? row : NULL;
    return adopt(kv, seq, &found, n, copies);
}

int32_t gol_kv_cache_settle(gol_kv_cache *kv, gol_seq *seq, gol_block_copy *copies)
{
    assert(seq->kept_row == NULL);
    if (!seq->hasher || gol_seq_is_scoring(seq)) {
        seq->n_cached = 0;
        return 0;
    }
    int32_t n_copies = 0;
    if (!gol_kv_has_states(kv) && is_at_border(kv, seq))
        n_copies = find_rest(kv, seq, copies);
    if (seq->n_cached < 0) { /* not when it starts again after preemption */
        seq->n_cached = gol_min_i32(seq->n_computed, seq->n_prompt);
        kv->stats.n_queries += (uint64_t)seq->n_prompt;
        kv->stats.n_hits += (uint64_t)seq->n_cached;
        kv->stats.n_exact_hits += seq->kept_row != NULL;
    }
    return n_copies;
}

bool gol_kv_cache_allocate_slots(gol_kv_cache *kv, gol_seq *seq, int32_t n_new)
{
    assert(n_new >= 1);
    assert(n_new <= gol_seq_n_pending(seq));
    const int32_t n_entries = gol_kv_layout_n_entries(&kv->layout, seq->n_computed + n_new);
    assert(n_entries <= seq->n_blocks_max);
    if ((int64_t)(n_entries - seq->n_blocks) * kv->layout.n_groups > kv->pool.n_free)
        return false;
    for (; seq->n_blocks < n_entries; seq->n_blocks++)
        for (int32_t g = 0; g < kv->layout.n_groups; g++)
            gol_seq_table(seq, g)[seq->n_blocks] = take_block(kv)->block_id;
    return true;
}

/* Block i of the sequence in a group, which nobody else holds, now has n_filled tokens. */
static void publish(gol_kv_cache *kv, gol_seq *seq, int32_t group, int32_t i, int32_t n_filled)
{
    gol_block *own = gol_block_pool_get(&kv->pool, gol_seq_table(seq, group)[i]);
    assert(own->ref_cnt == 1);
    const gol_block_hash parent = gol_block_hash_in(gol_seq_hash(seq, i), group);
    const int32_t *tokens = seq->tokens + (int64_t)i * kv->block_size;
    if (n_filled < kv->block_size) {
        gol_prefix_index_set(&kv->index, own, parent, tokens, n_filled);
        return;
    }
    gol_block *twin = find_full(kv, seq, group, i);
    if (!twin) {
        gol_prefix_index_set_full(&kv->index, own, parent, tokens,
                                  gol_block_hash_in(gol_seq_hash(seq, i + 1), group));
        return;
    }
    assert(own->state_slot < 0); /* it was not full */
    gol_prefix_index_drop(&kv->index, own);
    gol_block_pool_ref(&kv->pool, twin);
    gol_block_pool_unref(&kv->pool, own);
    gol_seq_table(seq, group)[i] = twin->block_id;
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
    if (seq->hasher) {
        for (int32_t i = first; i * bs < seq->n_computed; i++)
            for (int32_t g = 0; g < kv->layout.n_groups; g++)
                publish(kv, seq, g, i, gol_min_i32(seq->n_computed - i * bs, bs));
        gol_kv_states_commit(kv, seq, n_before);
    }
    pass_windows(kv, seq, first);
}

void gol_kv_cache_free(gol_kv_cache *kv, gol_seq *seq)
{
    gol_kv_states_free(kv, seq);
    for (; seq->n_blocks > 0; seq->n_blocks--) {
        for (int32_t g = 0; g < kv->layout.n_groups; g++) {
            const int32_t block_id = gol_seq_table(seq, g)[seq->n_blocks - 1];
            if (block_id >= 0)
                gol_block_pool_unref(&kv->pool, gol_block_pool_get(&kv->pool, block_id));
        }
    }
}

uint64_t gol_kv_cache_bytes(int32_t n_blocks, int32_t block_size)
{
    return (uint64_t)n_blocks * sizeof(gol_block) + gol_prefix_index_bytes(n_blocks, block_size);
}
