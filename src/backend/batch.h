/*
 * One step's work: the narrow waist between engine and model. Rows are tokens; the rows of one sequence are adjacent and in
 * order of position. Prefill slices, whole prompts and single decode tokens are the same thing with different n_rows.
 *
 * The engine owns all arrays and keeps them unchanged until the forward pass returns. It lives in this layer and not in engine/,
 * because attention reads it and arrows between layers only point down.
 */
#ifndef GOL_BACKEND_BATCH_H
#define GOL_BACKEND_BATCH_H

#include <stdint.h>

/* The recurrent state behind the first n_rows rows of a sequence also goes into another slot. */
typedef struct gol_state_snapshot {
    int32_t n_rows; /* in [1, the sequence's n_rows] */
    int32_t slot;
} gol_state_snapshot;

typedef struct gol_batch_seq {
    int32_t first_row; /* its rows are [first_row, first_row + n_rows) */
    int32_t n_rows;    /* >= 1 */
    int32_t n_past;    /* tokens already in the KV cache: the position of its first row */
    int32_t n_blocks;  /* entries of block_table; n_blocks * block_size >= n_past + n_rows */
    /* [n_blocks] block ids; position p lives in block_table[p / block_size]. Of group g of layers: at block_table + g * table_stride.
     * Blocks of which no row of the batch sees anything may be missing: their ids are never read. */
    const int32_t *block_table;
    int32_t table_stride; /* any, if there is one group */
    /* Where its recurrent state is, behind n_past tokens before the step and behind all rows after it; -1: the model has none.
     * What is there does not matter when n_past is 0. No other sequence of the batch has the slot. */
    int32_t state_slot;
    int32_t n_snapshots;
    const gol_state_snapshot *snapshots; /* [n_snapshots] by n_rows, into slots of nobody */
} gol_batch_seq;

typedef struct gol_batch {
    int32_t n_tokens;
    const int32_t *tokens;    /* [n_tokens] ids in [0, n_vocab) */
    const int32_t *positions; /* [n_tokens] */
    /* [n_tokens] token types, of encoders that tell two texts apart; NULL: all are 0 */
    const int32_t *types;
    /* [n_groups][n_tokens] where the token's K and V go in layers of each group: block_id * block_size + offset */
    const int32_t *slot_mapping;
    int32_t n_seqs;
    const gol_batch_seq *seqs; /* [n_seqs] by first_row, together covering all rows */
    int32_t n_outputs;
    const int32_t *output_rows; /* [n_outputs] rows whose logits are wanted, ascending */
    int32_t n_states;
    const int32_t
        *state_rows; /* [n_states] rows whose state behind the last norm is wanted, ascending */
} gol_batch;

#endif
