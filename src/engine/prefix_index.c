/*
 * Two hash tables with lists through the blocks. Buckets are at least as many as blocks, so lists are short, except under a
 * parent with many children: a system prompt with all its conversations. Full children are found by their own hash; searches
 * under a parent look at a few recent ones only.
 */
#include "engine/prefix_index.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum {
    /* Children of one parent that are compared. Raising it finds a little more; the cost is one comparison of tokens each. */
    CHILDREN_MAX = 16,
    /* Blocks looked at in a bucket: those of other parents share it. */
    BUCKET_STEPS_MAX = 64,
};

static gol_block **bucket(const gol_prefix_index *index, gol_block **heads, gol_block_hash hash)
{
    return &heads[hash.low & index->mask];
}

static gol_block_link *sibling_of(gol_block *block)
{
    return &block->sibling;
}

static gol_block_link *twin_of(gol_block *block)
{
    return &block->twin;
}

static void link_first(gol_block **head, gol_block *block, gol_block_link *link_of(gol_block *))
{
    gol_block_link *link = link_of(block);
    assert(!link->at);
    *link = (gol_block_link){.next = *head, .at = head};
    if (*head)
        link_of(*head)->at = &link->next;
    *head = block;
}

static void unlink_block(gol_block *block, gol_block_link *link_of(gol_block *))
{
    gol_block_link *link = link_of(block);
    if (!link->at)
        return;
    *link->at = link->next;
    if (link->next)
        link_of(link->next)->at = link->at;
    *link = (gol_block_link){0};
}

static size_t count_buckets(size_t n_blocks)
{
    size_t n_buckets = 1;
    while (n_buckets < n_blocks)
        n_buckets *= 2;
    return n_buckets;
}

uint64_t gol_prefix_index_bytes(int32_t n_blocks, int32_t block_size)
{
    return 2 * count_buckets((size_t)n_blocks) * sizeof(gol_block *) +
           (uint64_t)n_blocks * (uint64_t)block_size * sizeof(int32_t);
}

int gol_prefix_index_init(gol_prefix_index *index, gol_block_pool *pool, int32_t block_size,
                          gol_err *err)
{
    const size_t n_blocks = (size_t)pool->n_blocks;
    const size_t n_buckets = count_buckets(n_blocks);
    *index = (gol_prefix_index){.pool = pool, .block_size = block_size, .mask = n_buckets - 1};
    index->by_hash = gol_try_calloc(n_buckets, sizeof(gol_block *));
    index->by_parent = gol_try_calloc(n_buckets, sizeof(gol_block *));
    index->tokens = gol_try_array(n_blocks, (size_t)block_size * sizeof *index->tokens);
    if (!index->by_hash || !index->by_parent || !index->tokens) {
        gol_prefix_index_deinit(index);
        return gol_fail(err, GOL_ENOMEM, "out of memory for an index of %d KV blocks",
                        pool->n_blocks);
    }
    return 0;
}

void gol_prefix_index_deinit(gol_prefix_index *index)
{
    gol_free(index->tokens);
    gol_free(index->by_parent);
    gol_free(index->by_hash);
    *index = (gol_prefix_index){0};
}

static int32_t *tokens_of(gol_prefix_index *index, const gol_block *block)
{
    return index->tokens + (int64_t)block->block_id * index->block_size;
}

/* Whatever its length becomes, the block is not full for now. */
static void set_tokens(gol_prefix_index *index, gol_block *block, gol_block_hash parent,
                       const int32_t *tokens, int32_t n_filled)
{
    const int32_t n_before = block->n_filled;
    unlink_block(block, twin_of);
    if (n_before == 0) {
        block->parent = parent;
        link_first(bucket(index, index->by_parent, parent), block, sibling_of);
        index->n_cached++;
    }
    assert(gol_block_hash_eq(block->parent, parent));
    if (n_filled > n_before)
        memcpy(tokens_of(index, block) + n_before, tokens + n_before,
               (size_t)(n_filled - n_before) * sizeof *tokens);
    block->n_filled = n_filled;
}

void gol_prefix_index_set(gol_prefix_index *index, gol_block *block, gol_block_hash parent,
                          const int32_t *tokens, int32_t n_filled)
{
    assert(n_filled >= 1 && n_filled < index->block_size);
    set_tokens(index, block, parent, tokens, n_filled);
}

void gol_prefix_index_set_full(gol_prefix_index *index, gol_block *block, gol_block_hash parent,
                               const int32_t *tokens, gol_block_hash hash)
{
    set_tokens(index, block, parent, tokens, index->block_size);
    block->hash = hash;
    link_first(bucket(index, index->by_hash, hash), block, twin_of);
}

void gol_prefix_index_drop(gol_prefix_index *index, gol_block *block)
{
    if (block->n_filled == 0)
        return;
    unlink_block(block, twin_of);
    unlink_block(block, sibling_of);
    block->n_filled = 0;
    index->n_cached--;
}

gol_block *gol_prefix_index_find(const gol_prefix_index *index, gol_block_hash hash,
                                 gol_block_hash parent, const int32_t *tokens)
{
    const size_t n_bytes = (size_t)index->block_size * sizeof *tokens;
    gol_block *b = *bucket(index, index->by_hash, hash);
    for (; b; b = b->twin.next) {
        if (gol_block_hash_eq(b->hash, hash) && gol_block_hash_eq(b->parent, parent) &&
            memcmp(gol_prefix_index_tokens(index, b), tokens, n_bytes) == 0)
            return b;
    }
    return NULL;
}

static int32_t count_common(const int32_t *a, const int32_t *b, int32_t n)
{
    int32_t i = 0;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static bool can_take_over(const gol_block *block, int32_t n_common)
{
    return block->ref_cnt == 0 && block->n_filled == n_common;
}

gol_child_match gol_prefix_index_find_child(const gol_prefix_index *index, gol_block_hash parent,
                                            const int32_t *tokens, int32_t n_tokens)
{
    gol_child_match best = {0};
    int32_t n_children = 0;
    gol_block *b = *bucket(index, index->by_parent, parent);
    for (int32_t i = 0; b && i < BUCKET_STEPS_MAX && n_children < CHILDREN_MAX; i++) {
        if (gol_block_hash_eq(b->parent, parent)) {
            const int32_t n = b->n_filled < n_tokens ? b->n_filled : n_tokens;
            const int32_t n_common = count_common(gol_prefix_index_tokens(index, b), tokens, n);
            const bool is_better = n_common > best.n_common ||
                                   (best.block && n_common == best.n_common &&
                                    can_take_over(b, n_common));
            if (is_better && n_common > 0)
                best = (gol_child_match){.block = b, .n_common = n_common};
            n_children++;
        }
        b = b->sibling.next;
    }
    return best;
}
