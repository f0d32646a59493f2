/*
 * Who does what in one attention op. The work is a list of items: up to rows_per_item query rows of one sequence that read the
 * same KV head. The list's cost is cut evenly among the workers, in order; an item of few rows over a long context may itself be
 * cut at chunk borders. Every worker walks the list and finds its own part, so there is nothing to share.
 *
 *     rows of a sequence and KV head     0 1 2 3 | 4 5 6 7 | ...     token-major: row = token * group + head of the group
 */
#ifndef GOL_BACKEND_CPU_ATTENTION_PLAN_H
#define GOL_BACKEND_CPU_ATTENTION_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/cpu/kernels/attention_tile.h"

enum {
    /* Rows of an item. More rows share the reads of a chunk from L2, fewer keep their state and scores in L1. */
    GOL_ATTN_ITEM_ROWS = 8 * GOL_ATTN_ROWS,
    /* An item of at most so many rows may be cut. Beyond, arithmetic costs more than reading, and rows can be dealt instead. */
    GOL_ATTN_SPLIT_ROWS = 2 * GOL_ATTN_ROWS,
};

typedef struct gol_attn_plan {
    const gol_batch *batch;
    int32_t n_kv_heads;
    int32_t group; /* query heads of a KV head */
    int32_t window;
    bool is_full;
    int32_t rows_per_item;
    int64_t cost;
    bool is_split; /* perhaps some item is cut: workers meet once more to put it together */
} gol_attn_plan;

typedef struct gol_attn_item {
    const gol_batch_seq *seq;
    int32_t kv_head;
    int32_t first_row; /* of the sequence and KV head */
    int32_t n_rows;
    int32_t begin; /* positions that any of its rows sees: [begin, end) */
    int32_t end;
    int32_t first_chunk; /* the chunk of begin; parts to deal are [0, n_chunks) from there */
    int32_t n_chunks;
    int64_t cost_before; /* of all items before it */
    int64_t cost;
} gol_attn_item;

/* Before the first item all zero. */
typedef struct gol_attn_cursor {
    int32_t seq;
    int32_t kv_head;
    int32_t row;
    int64_t cost;
} gol_attn_cursor;

void gol_attn_plan_init(gol_attn_plan *plan, const gol_attention *a, int32_t n_kv_heads,
                        const gol_batch *batch, int n_threads);
/* false: there are no more. */
bool gol_attn_plan_next(const gol_attn_plan *plan, gol_attn_cursor *cursor, gol_attn_item *out);
/* Worker ith has the parts [border(ith), border(ith + 1)) of the item. */
int32_t gol_attn_plan_border(const gol_attn_plan *plan, const gol_attn_item *item, int ith,
                             int n_threads);
/* Positions [*begin, *end) that a row of a sequence and KV head sees. */
void gol_attn_plan_row(const gol_attn_plan *plan, const gol_batch_seq *seq, int32_t row,
                       int32_t *begin, int32_t *end);

#endif
