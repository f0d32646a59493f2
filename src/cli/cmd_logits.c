/*
 * gollum logits: the raw output of the model at every position, for comparison with other implementations. Drives the forward pass
 * itself, in slices, with a KV cache of 32-bit floats unless told otherwise: a reference should not round.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"

enum { SLICE = 256, BLOCK_SIZE = 16 };

typedef struct evaluation {
    const gol_model *model;
    const gol_ids *ids;
    gol_kv *kv;
    gol_state *state; /* NULL: the model has none */
    gol_forward *fwd;
    int32_t *block_table; /* [n_blocks]: block i is block i */
    int32_t n_blocks;
} evaluation;

static int prepare(evaluation *e, gol_kv_type kv_type, gol_err *err)
{
    const gol_config *config = gol_model_config(e->model);
    gol_backend *be = gol_model_backend(e->model);
    const int32_t n_tokens = (int32_t)e->ids->n;
    e->n_blocks = (n_tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
    e->block_table = gol_try_array((size_t)e->n_blocks, sizeof *e->block_table);
    gol_kv_layer_shape *layers = gol_try_array((size_t)config->n_layers, sizeof *layers);
    int rc = e->block_table == NULL || layers == NULL
                 ? gol_fail(err, GOL_ENOMEM, "out of memory for the KV cache")
                 : 0;
    if (rc == 0) {
        for (int32_t i = 0; i < e->n_blocks; i++)
            e->block_table[i] = i;
        gol_model_kv_layers(e->model, layers);
        const gol_kv_shape shape = {.type = kv_type,
                                    .n_layers = config->n_layers,
                                    .n_blocks = e->n_blocks,
                                    .block_size = BLOCK_SIZE,
                                    .layers = layers};
        rc = be->ops->kv_create(be, &e->kv, &shape, err);
    }
    gol_free(layers);
    if (rc == 0)
        rc = gol_model_state_create(&e->state, e->model, 1, err);
    const int32_t n_slice = n_tokens < SLICE ? n_tokens : SLICE;
    return rc != 0 ? rc : gol_forward_create(&e->fwd, e->model, n_slice, n_slice, n_tokens, err);
}

/* Positions [first, first + n): their logits. */
static const float *run_slice(evaluation *e, int32_t first, int32_t n)
{
    int32_t positions[SLICE];
    int32_t rows[SLICE];
    for (int32_t i = 0; i < n; i++) {
        positions[i] = first + i; /* also the slot: blocks lie in order */
        rows[i] = i;
    }
    const gol_batch_seq seq = {
        .n_rows = n, .n_past = first, .n_blocks = e->n_blocks, .block_table = e->block_table};
    const gol_batch batch = {.n_tokens = n,
                             .tokens = e->ids->data + first,
                             .positions = positions,
                             .slot_mapping = positions,
                             .n_seqs = 1,
                             .seqs = &seq,
                             .n_outputs = n,
                             .output_rows = rows};
    return gol_forward_run(e->fwd, e->kv, e->state, &batch);
}

/* Float32, little-endian: as it is in memory on every machine that we build for. */
static int write_all(evaluation *e, FILE *file, const char *path, gol_err *err)
{
    const size_t n_vocab = (size_t)gol_model_config(e->model)->n_vocab;
    const int32_t n_tokens = (int32_t)e->ids->n;
    for (int32_t first = 0; first < n_tokens; first += SLICE) {
        const int32_t n = n_tokens - first < SLICE ? n_tokens - first : SLICE;
        const float *logits = run_slice(e, first, n);
        if (fwrite(logits, sizeof *logits * n_vocab, (size_t)n, file) != (size_t)n)
            return gol_fail(err, GOL_EIO, "%s: %s", path, strerror(errno));
    }
    return 0;
}

static int check_ids(const gol_ids *ids, const gol_config *config, gol_err *err)
{
    if (!config->has_logits)
        return gol_fail(
            err, GOL_EUNSUPPORTED,
            "the model is an encoder or a reranker and has no logits; 'gollum embed' gives its "
            "vector or its scores");
    if (ids->n == 0)
        return gol_fail(err, GOL_EUSAGE, "--tokens: no ids");
    if (ids->n > (size_t)config->n_ctx_train)
        return gol_fail(err, GOL_ECONTEXT, "--tokens: %zu ids, this model's context is %d", ids->n,
                        config->n_ctx_train);
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->data[i] >= config->n_vocab)
            return gol_fail(err, GOL_EUSAGE, "--tokens: %d, ids of this model go from 0 to %d",
                            ids->data[i], config->n_vocab - 1);
    }
    return 0;
}

static int run(const gol_settings *settings, const gol_instance *instance, const gol_ids *ids,
               gol_err *err)
{
    evaluation e = {.model = instance->model, .ids = ids};
    FILE *file = NULL;
    int rc = check_ids(ids, gol_model_config(instance->model), err);
    if (rc == 0)
        rc = prepare(&e, gol_cli_kv_type(settings, GOL_KV_F32), err);
    if (rc == 0) {
        const bool is_stdout = strcmp(settings->output, "-") == 0;
        file = is_stdout ? stdout : fopen(settings->output, "wb");
        rc = file == NULL ? gol_fail(err, GOL_EIO, "%s: %s", settings->output, strerror(errno))
                          : write_all(&e, file, settings->output, err);
    }
    if (file != NULL && (file == stdout ? fflush(file) : fclose(file)) != 0 && rc == 0)
        rc = gol_fail(err, GOL_EIO, "%s: %s", settings->output, strerror(errno));
    gol_forward_destroy(&e.fwd);
    if (e.kv != NULL)
        instance->backend->ops->kv_destroy(instance->backend, &e.kv);
    if (e.state != NULL)
        instance->backend->ops->state_destroy(instance->backend, &e.state);
    gol_free(e.block_table);
    return rc;
}

int gol_cmd_logits(const gol_settings *settings)
{
    gol_err err = {0};
    gol_instance instance = {0};
    gol_ids ids = {0};
    char path[GOL_PATH_MAX];
    int rc = 0;
    if (settings->tokens == NULL || settings->output == NULL)
        rc = gol_fail(&err, GOL_EUSAGE, "--tokens and --output are needed");
    if (rc == 0)
        rc = gol_cli_parse_ids(&ids, gol_str_from(settings->tokens), "--tokens", &err);
    if (rc == 0)
        rc = gol_cli_find_model(settings, path, &err);
    if (rc == 0) {
        const gol_instance_opts opts = {
            .model_path = path,
            .n_threads = (int)settings->threads,
            .load = {.progress = gol_cli_wants_progress(settings) ? gol_cli_progress : NULL},
        };
        rc = gol_instance_open_model(&instance, &opts, &err);
    }
    if (rc == 0)
        rc = run(settings, &instance, &ids, &err);
    gol_instance_close(&instance);
    gol_ids_deinit(&ids);
    return rc != 0 ? gol_cli_fail(&err) : 0;
}
