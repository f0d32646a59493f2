/* Block bookkeeping. Every block is either in the free list with ref_cnt 0, or in none with ref_cnt > 0. */
#include "engine/block_pool.h"

#include <assert.h>

#include "base/mem.h"

static void insert_free(gol_block_pool *pool, gol_block *block, gol_block *next)
{
    gol_block *prev = next->prev_free;
    block->prev_free = prev;
    block->next_free = next;
    prev->next_free = block;
    next->prev_free = block;
    pool->n_free++;
}

static void remove_free(gol_block_pool *pool, gol_block *block)
{
    assert(block->prev_free && block->next_free);
    block->prev_free->next_free = block->next_free;
    block->next_free->prev_free = block->prev_free;
    block->prev_free = NULL;
    block->next_free = NULL;
    pool->n_free--;
}

gol_block *gol_block_pool_get(gol_block_pool *pool, int32_t block_id)
{
    assert(block_id >= 0 && block_id < pool->n_blocks);
    return &pool->blocks[block_id];
}

int gol_block_pool_init(gol_block_pool *pool, int32_t n_blocks, gol_err *err)
{
    assert(n_blocks >= 1);
    *pool = (gol_block_pool){.n_blocks = n_blocks};
    pool->blocks = gol_try_calloc((size_t)n_blocks, sizeof *pool->blocks);
    if (!pool->blocks)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the table of %d KV blocks", n_blocks);
    pool->free_head.block_id = -1;
    pool->free_tail.block_id = -1;
    pool->free_head.next_free = &pool->free_tail;
    pool->free_tail.prev_free = &pool->free_head;
    for (int32_t i = 0; i < n_blocks; i++) {
        pool->blocks[i].block_id = i;
        pool->blocks[i].state_slot = -1;
        insert_free(pool, &pool->blocks[i], &pool->free_tail);
    }
    return 0;
}

void gol_block_pool_deinit(gol_block_pool *pool)
{
    gol_free(pool->blocks);
    *pool = (gol_block_pool){0};
}

gol_block *gol_block_pool_take(gol_block_pool *pool)
{
    assert(pool->n_free > 0);
    gol_block *block = pool->free_head.next_free;
    gol_block_pool_ref(pool, block);
    return block;
}

void gol_block_pool_ref(gol_block_pool *pool, gol_block *block)
{
    if (block->ref_cnt == 0)
        remove_free(pool, block);
    block->ref_cnt++;
}

void gol_block_pool_unref(gol_block_pool *pool, gol_block *block)
{
    assert(block->ref_cnt > 0);
    block->ref_cnt--;
    if (block->ref_cnt > 0)
        return;
    insert_free(pool, block, block->n_filled > 0 ? &pool->free_tail : pool->free_head.next_free);
}

void gol_block_pool_touch(gol_block_pool *pool, gol_block *block)
{
    if (block->ref_cnt > 0)
        return;
    remove_free(pool, block);
    insert_free(pool, block, &pool->free_tail);
}
