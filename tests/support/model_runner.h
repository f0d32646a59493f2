/*
 * Runs a loaded model on one sequence, for tests: KV cache with scattered blocks, batches of any number of rows, logits of every
 * row. A failure ends the test's process with a message.
 */
#ifndef TESTS_SUPPORT_MODEL_RUNNER_H
#define TESTS_SUPPORT_MODEL_RUNNER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

enum {
    RUNNER_CTX_MAX = 128,
    RUNNER_BLOCK_SIZE = 16,
    RUNNER_BLOCKS = RUNNER_CTX_MAX / RUNNER_BLOCK_SIZE
};

typedef struct model_runner {
    const gol_model *model;
    gol_backend *be;
    gol_kv *kv;
    gol_state *state; /* NULL: the model has none */
    gol_forward *fwd;
    int32_t n_vocab;
    int32_t block_table[RUNNER_BLOCKS];
} model_runner;

static inline void runner_die(const char *what, const gol_err *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

static inline void runner_init(model_runner *r, const gol_model *model, gol_kv_type kv_type)
{
    gol_err err = {0};
    const gol_config *c = gol_model_config(model);
    *r = (model_runner){.model = model, .be = gol_model_backend(model), .n_vocab = c->n_vocab};
    gol_kv_layer_shape *layers = calloc((size_t)c->n_layers, sizeof *layers);
    gol_model_kv_layers(model, layers);
    const gol_kv_shape shape = {kv_type, c->n_layers, RUNNER_BLOCKS, RUNNER_BLOCK_SIZE, layers};
    if (r->be->ops->kv_create(r->be, &r->kv, &shape, &err) < 0)
        runner_die("kv_create", &err);
    if (gol_model_state_create(&r->state, model, 1, &err) < 0)
        runner_die("gol_model_state_create", &err);
    if (gol_forward_create(&r->fwd, model, RUNNER_CTX_MAX, RUNNER_CTX_MAX, RUNNER_CTX_MAX, &err) <
        0)
        runner_die("gol_forward_create", &err);
    for (int32_t i = 0; i < RUNNER_BLOCKS; i++) /* a permutation: 5 and 8 have no common factor */
        r->block_table[i] = (5 * i + 3) % RUNNER_BLOCKS;
    free(layers);
}

static inline void runner_deinit(model_runner *r)
{
    gol_forward_destroy(&r->fwd);
    r->be->ops->kv_destroy(r->be, &r->kv);
    r->be->ops->state_destroy(r->be, &r->state);
}

/* Rows [from, to) of the sequence; earlier ones are in the cache. Returns [n_outputs][n_vocab], the last n_outputs rows. */
static inline const float *runner_step(model_runner *r, const int32_t *tokens, int32_t from,
                                       int32_t to, int32_t n_outputs)
{
    int32_t positions[RUNNER_CTX_MAX];
    int32_t slots[RUNNER_CTX_MAX];
    int32_t outputs[RUNNER_CTX_MAX];
    const int32_t n = to - from;
    for (int32_t i = 0; i < n; i++) {
        const int32_t p = from + i;
        positions[i] = p;
        slots[i] = r->block_table[p / RUNNER_BLOCK_SIZE] * RUNNER_BLOCK_SIZE +
                   p % RUNNER_BLOCK_SIZE;
    }
    for (int32_t i = 0; i < n_outputs; i++)
        outputs[i] = n - n_outputs + i;
    const gol_batch_seq seq = {
        .n_rows = n, .n_past = from, .n_blocks = RUNNER_BLOCKS, .block_table = r->block_table};
    const gol_batch batch = {.n_tokens = n,
                             .tokens = tokens + from,
                             .positions = positions,
                             .slot_mapping = slots,
                             .n_seqs = 1,
                             .seqs = &seq,
                             .n_outputs = n_outputs,
                             .output_rows = outputs};
    return gol_forward_run(r->fwd, r->kv, r->state, &batch);
}

/* logits[n_tokens][n_vocab] of the whole sequence, computed `chunk` rows at a time. */
static inline void runner_logits(model_runner *r, float *logits, const int32_t *tokens,
                                 int32_t n_tokens, int32_t chunk)
{
    for (int32_t from = 0; from < n_tokens; from += chunk) {
        const int32_t to = from + chunk < n_tokens ? from + chunk : n_tokens;
        const float *rows = runner_step(r, tokens, from, to, to - from);
        memcpy(logits + (size_t)from * (size_t)r->n_vocab, rows,
               (size_t)(to - from) * (size_t)r->n_vocab * sizeof *rows);
    }
}

static inline int32_t runner_argmax(const float *x, int32_t n)
{
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

#endif
