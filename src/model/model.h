/*
 * A loaded model: configuration, weights bound to their places, and the forward pass.
 *
 *     gol_model *model;
 *     gol_model_load(&model, file, backend, NULL, &err);          // file and backend must outlive it
 *     gol_forward *fwd;                                            // scratch for batches up to these sizes
 *     gol_forward_create(&fwd, model, n_tokens_max, n_outputs_max, n_ctx_max, &err);
 *     const float *logits = gol_forward_run(fwd, kv, NULL, &batch);      // [n_outputs][n_vocab], host memory, until the next run
 *     gol_forward_destroy(&fwd);
 *     gol_model_destroy(&model);
 *
 * A model is immutable after load. One thread runs a gol_forward at a time; run allocates nothing and cannot fail.
 */
#ifndef GOL_MODEL_MODEL_H
#define GOL_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "formats/model_file.h"
#include "model/config.h"

typedef struct gol_model gol_model;
typedef struct gol_forward gol_forward;

/* Called from the loading thread with bytes bound so far and in all. */
typedef void gol_load_progress(void *user, uint64_t n_done, uint64_t n_total);

typedef struct gol_load_opts {
    gol_load_progress *progress; /* NULL: none */
    void *progress_user;
    uint64_t mem_available; /* bytes the weights may take; 0: what the system says it has left */
} gol_load_opts;

/* Errors: GOL_EMODEL (a key or tensor is missing or has the wrong shape; says which and what was expected),
 * GOL_EUNSUPPORTED (architecture, tensor type), GOL_ENOMEM. opts may be NULL. */
int gol_model_load(gol_model **out, const gol_model_file *file, gol_backend *be,
                   const gol_load_opts *opts, gol_err *err);
void gol_model_destroy(gol_model **model);

const gol_config *gol_model_config(const gol_model *model);
gol_backend *gol_model_backend(const gol_model *model);
uint64_t gol_model_n_params(const gol_model *model);
uint64_t
gol_model_n_bytes(const gol_model *model); /* weights, resident; those in the file included */

/* Memory of weights: what load() allocates, and what it leaves in the file's mapping. */
typedef struct gol_weight_bytes {
    uint64_t owned;
    uint64_t mapped;
    uint64_t largest; /* tensor of the file: while it is repacked, it is there twice */
} gol_weight_bytes;

void gol_model_weight_bytes(const gol_model *model, gol_weight_bytes *out);
/* The same before loading: reads the file's header only. Errors: those of load() that need no data. */
int gol_model_plan_weights(gol_weight_bytes *out, const gol_config *config,
                           const gol_model_file *file, gol_backend *be, gol_err *err);

/* Fills layers[config->n_layers] for gol_kv_shape. */
void gol_model_kv_layers(const gol_model *model, gol_kv_layer_shape *layers);
void gol_config_kv_layers(const gol_config *config, gol_kv_layer_shape *layers);

/* Which layers of a model can give back blocks that others still need. */
typedef struct gol_kv_groups {
    int32_t n_groups;
    int32_t windows[GOL_KV_GROUPS_MAX]; /* of all layers of the group, in tokens; 0: none */
} gol_kv_groups;

/* The same with groups, for sequences of up to n_ctx tokens. */
void gol_config_kv_groups(gol_kv_groups *out, const gol_config *config, int32_t n_ctx,
                          gol_kv_layer_shape *layers);

/* The recurrent states of this model: n_slots of them. *out stays NULL where no layer has one. Errors: GOL_ENOMEM. */
int gol_model_state_create(gol_state **out, const gol_model *model, int32_t n_slots, gol_err *err);
/* What create() will take, 0 where no layer has one; UINT64_MAX on overflow. */
uint64_t gol_config_state_bytes(const gol_config *config, gol_backend *be, int32_t n_slots);

/* n_outputs_max <= n_tokens_max: rows of logits at hand at once; n_ctx_max: highest position + 1 that a batch may hold. Errors: GOL_ENOMEM, GOL_EINVAL. */
int gol_forward_create(gol_forward **out, const gol_model *model, int32_t n_tokens_max,
                       int32_t n_outputs_max, int32_t n_ctx_max, gol_err *err);
/* What create() and the backend's scratch for it will take, with a KV cache of this model beside it; UINT64_MAX on overflow. */
uint64_t gol_forward_bytes(const gol_config *config, gol_backend *be, int32_t n_tokens_max,
                           int32_t n_outputs_max, int32_t n_ctx_max);
void gol_forward_destroy(gol_forward **fwd);

/* state: NULL where the model has none. The logits of the batch's first outputs, as many as gol_forward_n_logits(fwd, batch, 0) says: all, up to n_outputs_max. Where
 * the configuration has no logits, there are states alone. */
const float *gol_forward_run(gol_forward *fwd, gol_kv *kv, gol_state *state,
                             const gol_batch *batch);
/* Those behind them, in slices: of outputs [first, first + n_logits) of the batch that was run last. Overwrites the slice before. */
const float *gol_forward_logits(gol_forward *fwd, const gol_batch *batch, int32_t first);
int32_t gol_forward_n_logits(const gol_forward *fwd, const gol_batch *batch, int32_t first);
/* The same for the rows whose state is wanted, [n][n_embd]: of the batch that was run last, from `first` on, n at once. */
const float *gol_forward_states(gol_forward *fwd, const gol_batch *batch, int32_t first);
int32_t gol_forward_n_states(const gol_forward *fwd, const gol_batch *batch, int32_t first);
/* What a model has behind the pooling, in place on values[n_embd], host memory. */
void gol_forward_embedding(gol_forward *fwd, float *values);
/* scores[n_classes] that the classifier gives for a row[n_embd] of gol_forward_states(), both host memory. */
void gol_forward_classify(gol_forward *fwd, float *scores, const float *row);
/* How much of the last run was attention, which unlike the rest grows with the context. */
uint64_t gol_forward_attention_ns(const gol_forward *fwd);
/* And how much was spent on rows that get logits or states, behind the last layer's attention, all slices so far. */
uint64_t gol_forward_logits_ns(const gol_forward *fwd);

#endif
