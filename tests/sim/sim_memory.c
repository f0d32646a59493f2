/* A memory that remembers everything, and comparisons with it. */
#include "sim/sim_memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void expect(const sim_place *place, const char *what, int64_t found, int64_t expected)
{
    if (found != expected)
        sim_violation(place, what, found, expected);
}

void sim_memory_init(sim_memory *m, int32_t n_blocks, int32_t block_size, int32_t n_groups,
                     const int32_t *windows)
{
    *m = (sim_memory){.n_blocks = n_blocks, .block_size = block_size, .n_groups = n_groups};
    memcpy(m->windows, windows, (size_t)n_groups * sizeof *windows);
    m->slots = gol_xcalloc((size_t)n_blocks * (size_t)block_size, sizeof *m->slots);
}

void sim_memory_deinit(sim_memory *m)
{
    gol_free(m->slots);
    *m = (sim_memory){0};
}

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014), the finalizer. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t sim_content(uint64_t before, int32_t token)
{
    return mix(before + (uint64_t)token + 1) | 1;
}

uint64_t sim_content_of_salt(uint64_t salt)
{
    return mix(salt) & ~(uint64_t)1;
}

void sim_memory_copy_blocks(sim_memory *m, const gol_plan *plan)
{
    const size_t n_bytes = (size_t)m->block_size * sizeof *m->slots;
    for (int32_t i = 0; i < plan->n_copies; i++)
        memcpy(m->slots + (ptrdiff_t)plan->copies[i].dst_block * m->block_size,
               m->slots + (ptrdiff_t)plan->copies[i].src_block * m->block_size, n_bytes);
}

static ptrdiff_t block_of(const gol_seq *seq, int32_t group, int32_t i)
{
    return seq->block_table[group * seq->n_blocks_max + i];
}

static sim_slot *slot_of(const sim_memory *m, const gol_seq *seq, int32_t group, int32_t position)
{
    const ptrdiff_t block_id = block_of(seq, group, position / m->block_size);
    return &m->slots[block_id * m->block_size + position % m->block_size];
}

/* The first position that the token at `position` sees. */
static int32_t first_seen(const sim_memory *m, int32_t group, int32_t position)
{
    const int32_t window = m->windows[group];
    return window > 0 && position + 1 > window ? position + 1 - window : 0;
}

void sim_memory_check_seq(const sim_memory *m, const gol_seq *seq, const uint64_t *contents,
                          const sim_place *place)
{
    for (int32_t g = 0; g < m->n_groups; g++) {
        const int32_t begin = first_seen(m, g, seq->n_computed);
        for (int32_t p = begin; p < seq->n_computed; p++) {
            if (block_of(seq, g, p / m->block_size) < 0)
                sim_violation(place, "a block that is seen is not there", p, begin);
            const sim_slot *slot = slot_of(m, seq, g, p);
            expect(place, "a table holds somebody else's keys", (int64_t)slot->content,
                   (int64_t)contents[p]);
            expect(place, "a table holds another group's keys", slot->group, g);
        }
        const int32_t border = seq->n_computed - seq->n_computed % m->block_size;
        const int32_t n_passed = first_seen(m, g, border) / m->block_size;
        for (int32_t i = 0; i < n_passed; i++)
            expect(place, "a block that is not seen is held", block_of(seq, g, i), -1);
    }
}

void sim_memory_compute(sim_memory *m, const gol_kv_cache *kv, const gol_seq *seq,
                        const uint64_t *contents, const sim_place *place)
{
    for (int32_t i = 0; i < seq->n_scheduled; i++) {
        const int32_t p = seq->n_computed + i;
        for (int32_t g = 0; g < m->n_groups; g++) {
            const ptrdiff_t block_id = block_of(seq, g, p / m->block_size);
            if (block_id < 0)
                sim_violation(place, "a token has no place", p, 0);
            expect(place, "a block that others hold is written", kv->pool.blocks[block_id].ref_cnt,
                   1);
            *slot_of(m, seq, g,
                     p) = (sim_slot){.content = contents[p], .token = seq->tokens[p], .group = g};
        }
    }
}

static void check_content(const sim_memory *m, const gol_prefix_index *index,
                          const gol_block *block, const sim_place *place)
{
    const sim_slot *slots = m->slots + (ptrdiff_t)block->block_id * m->block_size;
    const int32_t *tokens = gol_prefix_index_tokens(index, block);
    for (int32_t i = 0; i < block->n_filled; i++) {
        expect(place, "the index names a token that is not there", tokens[i], slots[i].token);
        expect(place, "a block is two groups'", slots[i].group, slots[0].group);
        if (i > 0)
            expect(place, "a block's contents do not follow each other", (int64_t)slots[i].content,
                   (int64_t)sim_content(slots[i - 1].content, slots[i].token));
    }
}

static int32_t count_in(gol_block *const *heads, uint64_t mask, gol_block_hash key,
                        const gol_block *block, bool by_hash)
{
    int32_t n = 0;
    for (const gol_block *b = heads[key.low & mask]; b;
         b = by_hash ? b->twin.next : b->sibling.next)
        n += b == block;
    return n;
}

static void check_block(const sim_memory *m, const gol_prefix_index *index, const gol_block *b,
                        const sim_place *place)
{
    if (b->n_filled == 0)
        return;
    expect(place, "block is not under its parent",
           count_in(index->by_parent, index->mask, b->parent, b, false), 1);
    if (b->n_filled == m->block_size)
        expect(place, "block is not under its hash",
               count_in(index->by_hash, index->mask, b->hash, b, true), 1);
    check_content(m, index, b, place);
}

static void check_lists(const gol_prefix_index *index, int32_t n_cached, int64_t n_full,
                        const sim_place *place)
{
    for (uint64_t i = 0; i <= index->mask; i++) {
        for (const gol_block *b = index->by_parent[i]; b; b = b->sibling.next)
            n_cached--;
        for (const gol_block *b = index->by_hash[i]; b; b = b->twin.next)
            n_full--;
    }
    expect(place, "the index lists blocks without content", n_cached, 0);
    expect(place, "the index lists blocks that are not full", n_full, 0);
}

void sim_memory_check_index(const sim_memory *m, const gol_kv_cache *kv, const sim_place *place)
{
    enum { BLOCKS_AT_ONCE = 64 };
    const gol_prefix_index *index = &kv->index;
    const int32_t n_turns = m->n_blocks / BLOCKS_AT_ONCE + 1;
    const int32_t turn = (int32_t)(place->step % n_turns);
    int32_t n_cached = 0;
    int64_t n_full = 0;
    for (int32_t i = 0; i < m->n_blocks; i++) {
        const gol_block *b = &kv->pool.blocks[i];
        const bool is_full = b->n_filled == m->block_size;
        expect(place, "block with content is not listed, or without is", b->sibling.at != NULL,
               b->n_filled > 0);
        expect(place, "full block is not listed, or another one is", b->twin.at != NULL, is_full);
        if (b->ref_cnt > 1)
            expect(place, "block in several tables is not full", b->n_filled, m->block_size);
        n_cached += b->n_filled > 0;
        n_full += is_full;
        if (i % n_turns == turn)
            check_block(m, index, b, place);
    }
    expect(place, "number of blocks with content", index->n_cached, n_cached);
    if (turn == 0)
        check_lists(index, n_cached, n_full, place);
}
