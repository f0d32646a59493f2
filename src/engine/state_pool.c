/* Bookkeeping of state slots. Every slot is either in the list, or held by who took it. */
#include "engine/state_pool.h"

#include <assert.h>

#include "base/mem.h"

static void insert(gol_state_pool *pool, gol_state_slot *slot, gol_state_slot *next)
{
    assert(!slot->prev && !slot->next);
    gol_state_slot *prev = next->prev;
    slot->prev = prev;
    slot->next = next;
    prev->next = slot;
    next->prev = slot;
    pool->n_listed++;
}

static void take_out(gol_state_pool *pool, gol_state_slot *slot)
{
    assert(slot->prev && slot->next);
    slot->prev->next = slot->next;
    slot->next->prev = slot->prev;
    slot->prev = NULL;
    slot->next = NULL;
    pool->n_listed--;
}

static gol_state_slot *get(gol_state_pool *pool, int32_t slot)
{
    assert(slot >= 0 && slot < pool->n_slots);
    return &pool->slots[slot];
}

int gol_state_pool_init(gol_state_pool *pool, int32_t n_slots, gol_err *err)
{
    *pool = (gol_state_pool){0};
    if (n_slots == 0)
        return 0;
    pool->slots = gol_try_calloc((size_t)n_slots, sizeof *pool->slots);
    if (!pool->slots)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the table of %d states", n_slots);
    pool->n_slots = n_slots;
    pool->head.next = &pool->tail;
    pool->tail.prev = &pool->head;
    for (int32_t i = 0; i < n_slots; i++)
        insert(pool, &pool->slots[i], &pool->tail);
    return 0;
}

void gol_state_pool_deinit(gol_state_pool *pool)
{
    gol_free(pool->slots);
    *pool = (gol_state_pool){0};
}

uint64_t gol_state_pool_bytes(int32_t n_slots)
{
    return (uint64_t)n_slots * sizeof(gol_state_slot);
}

/* It is in the list, and no longer a snapshot. */
static void forget(gol_state_pool *pool, gol_state_slot *slot)
{
    if (!slot->block)
        return;
    slot->block->state_slot = -1;
    slot->block = NULL;
    pool->n_snapshots--;
}

int32_t gol_state_pool_try_take(gol_state_pool *pool)
{
    if (pool->n_listed == 0)
        return -1;
    gol_state_slot *slot = pool->head.next;
    pool->n_evictions += slot->block != NULL;
    forget(pool, slot);
    take_out(pool, slot);
    return (int32_t)(slot - pool->slots);
}

void gol_state_pool_give_back(gol_state_pool *pool, int32_t slot)
{
    insert(pool, get(pool, slot), pool->head.next);
}

void gol_state_pool_keep(gol_state_pool *pool, int32_t slot, gol_block *block)
{
    gol_state_slot *s = get(pool, slot);
    assert(!s->block && block->state_slot < 0);
    s->block = block;
    block->state_slot = slot;
    pool->n_snapshots++;
    insert(pool, s, &pool->tail);
}

void gol_state_pool_touch(gol_state_pool *pool, const gol_block *block)
{
    gol_state_slot *slot = get(pool, block->state_slot);
    assert(slot->block == block);
    take_out(pool, slot);
    insert(pool, slot, &pool->tail);
}

void gol_state_pool_drop(gol_state_pool *pool, gol_block *block)
{
    if (block->state_slot < 0)
        return;
    gol_state_slot *slot = get(pool, block->state_slot);
    assert(slot->block == block);
    forget(pool, slot);
    take_out(pool, slot);
    insert(pool, slot, pool->head.next);
}
