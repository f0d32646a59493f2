/*
 * The test bed of `gollum bench`: a forward pass with its KV cache, driven like the engine's runner drives it (paged blocks,
 * steps of at most GOL_BENCH_STEP_TOKENS prompt tokens, logits of the last row only), without scheduler and sampler.
 *
 *     gol_bench_bed bed;
 *     gol_bench_bed_init(&bed, model, plan.tests, plan.n_tests, GOL_KV_F16, &err);   // memory for the largest test
 *     gol_bench_bed_set_up(&bed, &test);                                             // not timed
 *     double seconds = gol_bench_bed_run(&bed, &test);                               // as often as wanted
 *     gol_bench_bed_deinit(&bed);
 */
#ifndef GOL_CLI_BENCH_BED_H
#define GOL_CLI_BENCH_BED_H

#include "base/rng.h"
#include "cli/bench_plan.h"
#include "model/model.h"

/* The step of `gollum serve` and its block, unless told otherwise. */
enum { GOL_BENCH_STEP_TOKENS = 512, GOL_BENCH_BLOCK_SIZE = 16 };

typedef struct gol_bench_bed {
    const gol_model *model;
    gol_backend *be;
    gol_kv *kv;
    gol_state *state; /* a slot for each sequence; NULL: the model has none */
    gol_forward *fwd;
    gol_rng rng;
    gol_kv_layer_shape *layers; /* [n_layers] */
    int32_t n_rows_max;
    int32_t *tokens;       /* [n_rows_max] */
    int32_t *positions;    /* [n_rows_max] */
    int32_t *slot_mapping; /* [n_rows_max] */
    int32_t *output_rows;  /* [n_rows_max] */
    gol_batch_seq *seqs;   /* [n_seqs_max] */
    int32_t *block_tables; /* [n_seqs][n_blocks_per_seq] of the test that was set up */
    int32_t n_blocks_per_seq;
} gol_bench_bed;

/* The model must outlive it. Errors: GOL_ENOMEM, GOL_EINVAL (a test is longer than the model's positions). */
int gol_bench_bed_init(gol_bench_bed *bed, const gol_model *model, const gol_bench_test *tests,
                       int32_t n_tests, gol_kv_type kv_type, gol_err *err);
void gol_bench_bed_deinit(gol_bench_bed *bed); /* zeroed is fine */

/* Hands out blocks and fills the KV cache up to the test's depth. Errors: GOL_ENOMEM. */
int gol_bench_bed_set_up(gol_bench_bed *bed, const gol_bench_test *test, gol_err *err);

/* One repetition of the test that was set up: seconds. */
double gol_bench_bed_run(gol_bench_bed *bed, const gol_bench_test *test);

#endif
