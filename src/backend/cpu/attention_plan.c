/*
 * Items of an attention op, their cost, and its division among workers. Pure functions of batch, shape and number of threads.
 */
#include "backend/cpu/attention_plan.h"

#include <assert.h>

#include "base/minmax.h"

/* Reading a key and its value costs about as much as the arithmetic of so many rows on them. */
enum { READ_COST = 4 };
/* Items for each worker, where there are rows enough: the last one to end is late by half an item. */
enum { ITEMS_PER_WORKER = 8 };

void gol_attn_plan_row(const gol_attn_plan *plan, const gol_batch_seq *seq, int32_t row,
                       int32_t *begin, int32_t *end)
{
    const int32_t own = seq->n_past + row / plan->group;
    const int32_t window = plan->window;
    *begin = window > 0 && own >= window ? own + 1 - window : 0;
    *end = own + 1;
    if (plan->is_full) {
        const int32_t n = seq->n_past + seq->n_rows;
        *end = window > 0 && n - own > window ? own + window : n;
    }
}

static int32_t choose_rows(const gol_attn_plan *plan, int n_threads)
{
    const int64_t n_rows = (int64_t)plan->batch->n_tokens * plan->n_kv_heads * plan->group;
    const int64_t n = n_rows / ((int64_t)n_threads * ITEMS_PER_WORKER);
    if (n >= GOL_ATTN_ITEM_ROWS)
        return GOL_ATTN_ITEM_ROWS;
    return n <= GOL_ATTN_SPLIT_ROWS ? GOL_ATTN_SPLIT_ROWS
                                    : (int32_t)(n / GOL_ATTN_ROWS * GOL_ATTN_ROWS);
}

void gol_attn_plan_init(gol_attn_plan *plan, const gol_attention *a, int32_t n_kv_heads,
                        const gol_batch *batch, int n_threads)
{
    *plan = (gol_attn_plan){
        .batch = batch,
        .n_kv_heads = n_kv_heads,
        .group = a->n_heads / n_kv_heads,
        .window = a->window,
        .is_full = a->is_full,
    };
    plan->rows_per_item = choose_rows(plan, n_threads);
    gol_attn_cursor cursor = {0};
    gol_attn_item item;
    while (gol_attn_plan_next(plan, &cursor, &item))
        plan->cost += item.cost;
    cursor = (gol_attn_cursor){0};
    for (int i = 1; i < n_threads && gol_attn_plan_next(plan, &cursor, &item);) {
        for (; i < n_threads && plan->cost * i / n_threads < cursor.cost; i++) {
            const int32_t border = gol_attn_plan_border(plan, &item, i, n_threads);
            plan->is_split |= border > 0 && border < item.n_chunks;
        }
    }
}

bool gol_attn_plan_next(const gol_attn_plan *plan, gol_attn_cursor *cursor, gol_attn_item *out)
{
    if (cursor->seq == plan->batch->n_seqs)
        return false;
    const gol_batch_seq *seq = &plan->batch->seqs[cursor->seq];
    const int32_t n_rows = seq->n_rows * plan->group;
    gol_attn_item item = {.seq = seq, .kv_head = cursor->kv_head, .first_row = cursor->row};
    item.n_rows = gol_min_i32(plan->rows_per_item, n_rows - item.first_row);
    int32_t unused;
    gol_attn_plan_row(plan, seq, item.first_row, &item.begin, &unused);
    gol_attn_plan_row(plan, seq, item.first_row + item.n_rows - 1, &unused, &item.end);
    item.first_chunk = item.begin / GOL_ATTN_CHUNK;
    item.n_chunks = (item.end - 1) / GOL_ATTN_CHUNK - item.first_chunk + 1;
    item.cost_before = cursor->cost;
    item.cost = (int64_t)(item.end - item.begin) * (item.n_rows + READ_COST);
    *out = item;

    cursor->cost += item.cost;
    cursor->row += item.n_rows;
    if (cursor->row == n_rows) {
        cursor->row = 0;
        cursor->kv_head++;
    }
    if (cursor->kv_head == plan->n_kv_heads) {
        cursor->kv_head = 0;
        cursor->seq++;
    }
    return true;
}

int32_t gol_attn_plan_border(const gol_attn_plan *plan, const gol_attn_item *item, int ith,
                             int n_threads)
{
    const int64_t border = plan->cost * ith / n_threads - item->cost_before;
    if (border <= 0)
        return 0;
    if (border >= item->cost)
        return item->n_chunks;
    if (item->n_rows > GOL_ATTN_SPLIT_ROWS) /* whole, to whom has its middle */
        return 2 * border > item->cost ? item->n_chunks : 0;
    return (int32_t)((border * item->n_chunks + item->cost / 2) / item->cost);
}
