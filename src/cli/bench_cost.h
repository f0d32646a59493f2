/*
 * What a test must at least read and compute, so that a result can be held against the machine's limits: bytes of weights and KV
 * cache that pass through the processor, and multiplications and additions of matrix products and attention. Norms, rotation
 * and activations are left out: together they are under one percent.
 */
#ifndef GOL_CLI_BENCH_COST_H
#define GOL_CLI_BENCH_COST_H

#include "cli/bench_plan.h"
#include "formats/model_file.h"
#include "model/model.h"

/* The matrices that every row passes, and those that only rows with logits pass: the output matrix, and the last layer behind
 * its attention. */
typedef struct gol_bench_weights {
    double row_params, row_bytes;
    double output_params, output_bytes;
    /* Of both, what experts have: a row passes n_used of n_experts. */
    double row_expert_bytes, output_expert_bytes;
    double used_share; /* n_used / n_experts; params are counted by it already */
} gol_bench_weights;

typedef struct gol_bench_cost {
    double n_bytes;
    double n_ops;
} gol_bench_cost;

void gol_bench_weights_count(gol_bench_weights *out, const gol_model_file *file,
                             const gol_config *config);

/* Of one repetition. kv_type and the model's layers give the bytes of the cache. */
gol_bench_cost gol_bench_cost_of(const gol_bench_test *test, const gol_bench_weights *weights,
                                 const gol_model *model, gol_kv_type kv_type);

#endif
