/*
 * Token counts of one sequence. Linear probing over a power of two at least twice the number of entries, so a probe ends
 * after about 1.5 looks. Nothing is ever removed.
 */
#include "engine/token_counts.h"

#include <assert.h>

#include "base/mem.h"

int gol_token_counts_init(gol_token_counts *counts, int32_t n_entries_max, gol_err *err)
{
    assert(n_entries_max >= 1 && n_entries_max <= INT32_MAX / 4);
    uint32_t n_index = 8;
    while (n_index < 2 * (uint32_t)n_entries_max)
        n_index *= 2;
    *counts = (gol_token_counts){.n_entries_max = n_entries_max, .index_mask = n_index - 1};
    counts->entries = gol_try_array((size_t)n_entries_max, sizeof *counts->entries);
    counts->index = gol_try_calloc(n_index, sizeof *counts->index);
    if (!counts->entries || !counts->index) {
        gol_token_counts_deinit(counts);
        return gol_fail(err, GOL_ENOMEM, "out of memory for the token counts of %d tokens",
                        n_entries_max);
    }
    return 0;
}

void gol_token_counts_deinit(gol_token_counts *counts)
{
    gol_free(counts->entries);
    gol_free(counts->index);
    *counts = (gol_token_counts){0};
}

/* The token's entry, made if it is new. */
static gol_token_count *get_entry(gol_token_counts *counts, int32_t token)
{
    /* Fibonacci hashing: neighbouring ids, which prompts are full of, fall far apart. */
    const uint32_t hash = (uint32_t)token * 0x9e3779b1u;
    uint32_t i = (hash ^ hash >> 16) & counts->index_mask;
    while (counts->index[i] != 0) {
        gol_token_count *entry = &counts->entries[counts->index[i] - 1];
        if (entry->token == token)
            return entry;
        i = (i + 1) & counts->index_mask;
    }
    assert(counts->n_entries < counts->n_entries_max);
    gol_token_count *entry = &counts->entries[counts->n_entries++];
    *entry = (gol_token_count){.token = token};
    counts->index[i] = (uint32_t)counts->n_entries;
    return entry;
}

void gol_token_counts_add_prompt(gol_token_counts *counts, int32_t token)
{
    get_entry(counts, token)->n_window++;
}

void gol_token_counts_add_output(gol_token_counts *counts, int32_t token)
{
    gol_token_count *entry = get_entry(counts, token);
    entry->n_output++;
    entry->n_window++;
}

void gol_token_counts_leave_window(gol_token_counts *counts, int32_t token)
{
    gol_token_count *entry = get_entry(counts, token);
    assert(entry->n_window > 0);
    entry->n_window--;
}
