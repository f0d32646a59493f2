/*
 * The heart of both BPE kinds: a row of symbols over a text, and the best neighbouring pair merged again and again. A
 * linked list and a heap of candidate pairs: O(n log n) in the number of symbols.
 *
 *     gol_merger m = {0};
 *     gol_merger_clear(&m);                                     // keeps the memory
 *     gol_merger_push(&m, start, len, id);                      // for each symbol of the text
 *     gol_merger_run(&m, find_pair, ctx);
 *     for (int32_t i = 0; i >= 0; i = m.symbols[i].next) ...    // what is left (if any was pushed)
 *     gol_merger_deinit(&m);
 */
#ifndef GOL_TEXT_MERGER_H
#define GOL_TEXT_MERGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gol_symbol {
    uint32_t start; /* in the text; symbols lie side by side */
    uint32_t len;   /* 0: merged into its left neighbour */
    int32_t prev;   /* -1: none */
    int32_t next;
    int32_t id; /* the kind's own number for it */
} gol_symbol;

/* A pair that could be merged. Ordered by key: the merge's order (lower is better) above the left symbol's index. */
typedef struct gol_merge {
    uint64_t key;
    int32_t right;
    uint32_t len; /* of both together: a different length now means that one of them has changed */
    int32_t id;   /* of the merged symbol */
} gol_merge;

typedef struct gol_merger {
    gol_symbol *symbols;
    size_t n;
    size_t cap;
    gol_merge *heap;
    size_t n_heap;
    size_t cap_heap;
} gol_merger;

/* Can these two become one? Sets the merge's order and the merged symbol's id. */
typedef bool gol_merger_find(const void *ctx, const gol_symbol *left, const gol_symbol *right,
                             uint32_t *order, int32_t *id);

void gol_merger_clear(gol_merger *m);
void gol_merger_deinit(gol_merger *m);
/* Both return 0 or GOL_ENOMEM. len >= 1. */
int gol_merger_push(gol_merger *m, uint32_t start, uint32_t len, int32_t id);
int gol_merger_run(gol_merger *m, gol_merger_find *find, const void *ctx);

#endif
