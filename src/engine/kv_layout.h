/*
 * How many blocks of the KV cache a sequence needs, and which of them. Layers stand in groups (model/kv_groups.c), a block holds
 * block_size tokens of the layers of one group, and a sequence has a table for each group. Groups whose layers see a window only
 * keep the blocks that a later token sees, and what a sequence that goes on at the last border of a block would see:
 *
 *     block                    0   1   2   3   4   5   6   7
 *     group without window     x   x   x   x   x   x   x   x
 *     group that sees 2        -   -   -   -   -   x   x   x        block 7 is being filled
 *
 * Of a slice of a prompt all blocks are needed at once, those that each of its rows sees: so it is the longest slice that bounds
 * what a sequence of any length takes in such a group. Pure functions, for who plans and for who keeps the blocks.
 */
#ifndef GOL_ENGINE_KV_LAYOUT_H
#define GOL_ENGINE_KV_LAYOUT_H

#include <stdint.h>

#include "backend/backend.h"

typedef struct gol_kv_layout {
    int32_t block_size; /* tokens */
    int32_t n_groups;
    /* [n_groups] whole blocks before its own that a token sees at most; -1: all */
    int32_t n_seen[GOL_KV_GROUPS_MAX];
    int32_t n_slice_max; /* tokens of one sequence that are computed at once */
} gol_kv_layout;

/* windows: [n_groups] in tokens, 0: none. */
void gol_kv_layout_init(gol_kv_layout *l, int32_t block_size, int32_t n_groups,
                        const int32_t *windows, int32_t n_slice_max);
/* One group that sees everything. */
gol_kv_layout gol_kv_layout_plain(int32_t block_size);

/* Blocks that a table of all tokens has. */
static inline int32_t gol_kv_layout_n_entries(const gol_kv_layout *l, int32_t n_tokens)
{
    return n_tokens == 0 ? 0 : (n_tokens - 1) / l->block_size + 1;
}

/* The first block of the group's table that is kept when n_full blocks are computed. */
static inline int32_t gol_kv_layout_first(const gol_kv_layout *l, int32_t group, int32_t n_full)
{
    const int32_t n_seen = l->n_seen[group];
    return n_seen < 0 || n_full <= n_seen ? 0 : n_full - n_seen;
}

/*
 * Blocks of all groups by which the free ones may become fewer on a sequence's account until n_tokens tokens have places, if its
 * tables have n_entries entries: at most those that it takes, and in a group with a window at most as many as it holds at a time. No
 * block counts as coming back, for others may have it, too.
 */
int32_t gol_kv_layout_n_lacking(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries);
/* The same of one that starts with entries of which n_free[n_groups] blocks are free now. */
int32_t gol_kv_layout_n_starting(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries,
                                 const int32_t *n_free);
/* The same of one that will have entries whose blocks another holds until then: what it still sees of them counts in groups with
 * windows, because the other gives it back first. */
int32_t gol_kv_layout_n_following(const gol_kv_layout *l, int32_t n_tokens, int32_t n_entries);

/* Blocks of all groups that a sequence holds at most until it has n_tokens tokens. */
static inline int32_t gol_kv_layout_blocks_for(const gol_kv_layout *l, int32_t n_tokens)
{
    return gol_kv_layout_n_lacking(l, n_tokens, 0);
}

/* Tokens, at most n_max, of the longest sequence that n_blocks blocks are enough for. */
int32_t gol_kv_layout_longest(const gol_kv_layout *l, int32_t n_blocks, int32_t n_max);

/* Tokens that sequences of up to n_max tokens can have in n_blocks blocks together, when they are as long as possible. Without
 * windows it is the number of places. */
int64_t gol_kv_layout_n_tokens(const gol_kv_layout *l, int32_t n_blocks, int32_t n_max);

#endif
