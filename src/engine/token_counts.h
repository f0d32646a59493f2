/*
 * How often each token stands in a sequence: what penalties look at. A dense list of distinct tokens, so that applying a
 * penalty costs O(distinct tokens) and not O(vocabulary), and an open-addressing index into it. Sized once for the longest
 * the sequence can become; never grows.
 */
#ifndef GOL_ENGINE_TOKEN_COUNTS_H
#define GOL_ENGINE_TOKEN_COUNTS_H

#include <stdint.h>

#include "base/error.h"

typedef struct gol_token_count {
    int32_t token;
    int32_t n_output; /* times in the output; 0: it stands in the prompt only */
    int32_t n_window; /* times in prompt and output, those that have left the window not counted */
} gol_token_count;

typedef struct gol_token_counts {
    gol_token_count *entries; /* [n_entries], by first appearance */
    int32_t n_entries;
    int32_t n_entries_max;
    uint32_t *index; /* [index_mask + 1] position in entries plus one; 0: empty */
    uint32_t index_mask;
} gol_token_counts;

/* Room for n_entries_max distinct tokens. Errors: GOL_ENOMEM; *counts is then zeroed. */
int gol_token_counts_init(gol_token_counts *counts, int32_t n_entries_max, gol_err *err);
void gol_token_counts_deinit(gol_token_counts *counts); /* zeroed is fine */

void gol_token_counts_add_prompt(gol_token_counts *counts, int32_t token);
void gol_token_counts_add_output(gol_token_counts *counts, int32_t token);
/* One that was added is out of the repetition penalty's window. */
void gol_token_counts_leave_window(gol_token_counts *counts, int32_t token);

#endif
