/*
 * The forward pass: one transformer layer, straight line, as calls to the backend's ops. Its buffers are sized once for the
 * largest batch.
 *
 *     x [n_tokens][n_embd], the residual stream
 *       -> norm -> q k v -> rope -> KV cache -> attention -> output projection -> + x
 *       -> norm -> up (gate) -> activation -> down -> + x
 *
 * In the last layer only the rows whose logits are wanted go beyond attention: the others are there for their K and V. They go in
 * slices of n_outputs_max rows, so that a batch may want the logits of all its rows, and scratch does not grow with them.
 */
#include "model/forward_impl.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"

int gol_forward_create(gol_forward **out, const gol_model *model, int32_t n_tokens_max,
                       int32_t n_outputs_max, int32_t n_ctx_max, gol_err *err)
{
    *out = NULL;
    const int32_t n_positions = model->config.n_positions;
    if (n_tokens_max < 1 || n_outputs_max < 0 || n_outputs_max > n_tokens_max || n_ctx_max < 1)
        return gol_fail(err, GOL_EINVAL,
                        "batches of %d tokens with %d outputs in a context of %d are not possible",
                        n_tokens_max, n_outputs_max, n_ctx_max);
    if (n_positions > 0 && n_ctx_max > n_positions)
        return gol_fail(err, GOL_EINVAL,
                        "a context of %d is asked for; the model knows %d positions", n_ctx_max,
                        n_positions);
    gol_forward *fwd = gol_try_calloc(1, sizeof *fwd);
    if (!fwd)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the forward pass");
    fwd->model = model;
    fwd->be = model->be;
    fwd->n_tokens_max = n_tokens_max;
    fwd->n_outputs_max = n_outputs_max;
    fwd->n_ctx_max = n_ctx_max;
    fwd->rope = gol_model_rope(model, n_ctx_max);
    const int rc = gol_forward_alloc_buffers(fwd, err);
    if (rc < 0) {
        gol_forward_destroy(&fwd);
        return rc;
    }
    *out = fwd;
    return 0;
}

void gol_forward_destroy(gol_forward **fwd)
{
    if (!*fwd)
        return;
    gol_forward_free_buffers(*fwd);
    gol_free(*fwd);
    *fwd = NULL;
}

/* out[n_rows][n_embd] = norm of x, in place or not. */
static void normalize(gol_forward *fwd, float *out, const float *x, const float *w, const float *b,
                      int32_t n_rows)
{
    const gol_config *c = &fwd->model->config;
    if (c->norm_kind == GOL_NORM_RMS)
        fwd->be->ops->rms_norm(fwd->be, out, x, w, c->norm_eps, n_rows, c->n_embd);
    else
        fwd->be->ops->layer_norm(fwd->be, out, x, w, b, c->norm_eps, n_rows, c->n_embd);
}

const float *gol_forward_norm(gol_forward *fwd, const float *x, const float *w, const float *b,
                              int32_t n_rows)
{
    if (!w)
        return x;
    normalize(fwd, fwd->h, x, w, b, n_rows);
    return fwd->h;
}

static void embed(gol_forward *fwd, const gol_batch *batch)
{
    const gol_config *c = &fwd->model->config;
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n = (size_t)batch->n_tokens * (size_t)c->n_embd;
    ops->embed(fwd->be, fwd->x, &w->token_embd, batch->tokens, batch->n_tokens);
    if (c->embd_scale != 1.0f)
        ops->scale(fwd->be, fwd->x, fwd->x, c->embd_scale, n);
    if (w->token_types.n_out > 0) {
        ops->embed(fwd->be, fwd->h, &w->token_types, batch->types ? batch->types : fwd->type_ids,
                   batch->n_tokens);
        ops->add(fwd->be, fwd->x, fwd->x, fwd->h, n);
    }
    if (w->position_embd.n_out > 0) {
        ops->embed(fwd->be, fwd->h, &w->position_embd, batch->positions, batch->n_tokens);
        ops->add(fwd->be, fwd->x, fwd->x, fwd->h, n);
    }
    if (w->token_embd_norm)
        normalize(fwd, fwd->x, fwd->x, w->token_embd_norm, w->token_embd_norm_bias,
                  batch->n_tokens);
}

/* x[n_rows][n_embd] += fwd->h, the output of attention or feed-forward, by way of the branch's own norm where there is one. */
static void add_branch(gol_forward *fwd, float *x, const float *post_norm, int32_t n_rows)
{
    const gol_config *c = &fwd->model->config;
    const size_t n = (size_t)n_rows * (size_t)c->n_embd;
    gol_forward_norm(fwd, fwd->h, post_norm, NULL, n_rows);
    if (c->residual_scale != 1.0f)
        fwd->be->ops->scale(fwd->be, fwd->h, fwd->h, c->residual_scale, n);
    fwd->be->ops->add(fwd->be, x, x, fwd->h, n);
}

/* x += feed-forward. */
static void feed_forward(gol_forward *fwd, float *x, int32_t n_rows, int32_t il)
{
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const bool has_own_norm = w->ffn_norm != NULL || !fwd->model->config.is_parallel;
    const float *in = has_own_norm
                          ? gol_forward_norm(fwd, x, w->ffn_norm, w->ffn_norm_bias, n_rows)
                          : gol_forward_norm(fwd, x, w->attn_norm, w->attn_norm_bias, n_rows);
    if (fwd->model->config.layers[il].n_experts > 0)
        gol_forward_moe(fwd, in, n_rows, il);
    else
        gol_forward_ffn(fwd, in, n_rows, il);
    add_branch(fwd, x, w->post_ffw_norm, n_rows);
}

/* What a layer's mixer makes of its rows goes through this before it is added. */
static const gol_weight *output_of(const gol_forward *fwd, int32_t il)
{
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const bool is_mamba = fwd->model->config.layers[il].kind == GOL_LAYER_MAMBA2;
    return is_mamba ? &w->ssm_out : &w->attn_output;
}

static bool has_ffn(const gol_forward *fwd, int32_t il)
{
    const gol_layer_config *l = &fwd->model->config.layers[il];
    return l->n_ff > 0 || l->n_experts > 0;
}

/* The rest of a layer on n_rows rows: x[n_rows][n_embd] += output projection of attn[n_rows][], then += feed-forward. A parallel
 * layer goes the other way round: its feed-forward reads x as it was before attention. */
static void finish_layer(gol_forward *fwd, float *x, const float *attn, int32_t n_rows, int32_t il)
{
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const bool is_parallel = fwd->model->config.is_parallel;
    if (is_parallel)
        feed_forward(fwd, x, n_rows, il);
    fwd->be->ops->matmul(fwd->be, fwd->h, attn, output_of(fwd, il), w->attn_output_bias, n_rows);
    add_branch(fwd, x, w->post_attention_norm, n_rows);
    if (w->attn_output_norm)
        normalize(fwd, x, x, w->attn_output_norm, w->attn_output_norm_bias, n_rows);
    if (!is_parallel && has_ffn(fwd, il))
        feed_forward(fwd, x, n_rows, il);
    if (w->layer_output_norm)
        normalize(fwd, x, x, w->layer_output_norm, w->layer_output_norm_bias, n_rows);
}

static void check_batch(const gol_forward *fwd, const gol_batch *batch)
{
    const gol_config *c = &fwd->model->config;
    assert(batch->n_tokens >= 1 && batch->n_tokens <= fwd->n_tokens_max);
    assert(batch->n_outputs >= 0 && batch->n_outputs <= batch->n_tokens);
    assert(batch->n_outputs == 0 || fwd->n_outputs_max > 0);
    for (int32_t i = 0; i < batch->n_tokens; i++) {
        assert(batch->tokens[i] >= 0 && batch->tokens[i] < c->n_vocab);
        assert(batch->positions[i] >= 0 && batch->positions[i] < fwd->n_ctx_max);
        assert(!batch->types || (batch->types[i] >= 0 && batch->types[i] < c->n_token_types));
    }
    assert(batch->n_states >= 0 && batch->n_states <= batch->n_tokens);
    assert(batch->n_states == 0 || fwd->n_outputs_max > 0);
    for (int32_t i = 0; i < batch->n_states; i++)
        assert(batch->state_rows[i] >= 0 && batch->state_rows[i] < batch->n_tokens);
    for (int32_t i = 0; i < batch->n_outputs; i++)
        assert(batch->output_rows[i] >= 0 && batch->output_rows[i] < batch->n_tokens);
}

/* fwd->attn of all rows, and what later rows will need of them. wants_output: false in a last layer whose rows nobody asks for. */
static void mix(gol_forward *fwd, gol_kv *kv, gol_state *state, const gol_batch *batch, int32_t il,
                bool wants_output)
{
    if (fwd->model->config.layers[il].kind == GOL_LAYER_MAMBA2) {
        gol_forward_mamba(fwd, state, batch, il);
        return;
    }
    gol_forward_project(fwd, kv, batch, il);
    if (wants_output)
        gol_forward_attend(fwd, kv, batch, il);
}

const float *gol_forward_run(gol_forward *fwd, gol_kv *kv, gol_state *state, const gol_batch *batch)
{
    const gol_config *c = &fwd->model->config;
    const int32_t last = c->n_layers - 1;
    check_batch(fwd, batch);
    fwd->attention_ns = 0;
    fwd->logits_ns = 0;

    embed(fwd, batch);
    fwd->be->ops->rope_angles(fwd->be, fwd->angles, fwd->rope, batch->positions, batch->n_tokens);
    fwd->be->ops->rope_angles(fwd->be, fwd->angles_local, &fwd->model->rope_local, batch->positions,
                              batch->n_tokens);
    for (int32_t il = 0; il < last; il++) {
        mix(fwd, kv, state, batch, il, true);
        finish_layer(fwd, fwd->x, fwd->attn, batch->n_tokens, il);
    }
    mix(fwd, kv, state, batch, last, batch->n_outputs + batch->n_states > 0);
    return batch->n_outputs > 0 ? gol_forward_logits(fwd, batch, 0) : NULL;
}

static int32_t n_in_slice(const gol_forward *fwd, int32_t n, int32_t first)
{
    return n - first < fwd->n_outputs_max ? n - first : fwd->n_outputs_max;
}

int32_t gol_forward_n_logits(const gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    return n_in_slice(fwd, batch->n_outputs, first);
}

int32_t gol_forward_n_states(const gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    return n_in_slice(fwd, batch->n_states, first);
}

/* Rows of the last run to the end of the last layer and through the last norm: [n_rows][n_embd]. What it reads, x and attn of all
 * rows, stays as it is, so it can be asked for one slice after the other. */
static const float *finish_rows(gol_forward *fwd, const int32_t *rows, int32_t n_rows)
{
    const gol_config *c = &fwd->model->config;
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const int32_t last = c->n_layers - 1;
    ops->gather_rows(fwd->be, fwd->attn_out, fwd->attn, rows, n_rows,
                     (int32_t)output_of(fwd, last)->n_in);
    ops->gather_rows(fwd->be, fwd->x_out, fwd->x, rows, n_rows, c->n_embd);
    finish_layer(fwd, fwd->x_out, fwd->attn_out, n_rows, last);
    return gol_forward_norm(fwd, fwd->x_out, w->output_norm, w->output_norm_bias, n_rows);
}

const float *gol_forward_logits(gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    const gol_config *c = &fwd->model->config;
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    assert(c->has_logits && first >= 0 && first < batch->n_outputs);
    const uint64_t begin_ns = gol_clock_ns();
    const int32_t n_out = gol_forward_n_logits(fwd, batch, first);
    const float *x = finish_rows(fwd, batch->output_rows + first, n_out);
    ops->matmul(fwd->be, fwd->logits, x, w->logits, w->output_bias, n_out);
    const size_t n_logits = (size_t)n_out * (size_t)c->n_vocab;
    if (c->logit_scale != 1.0f)
        ops->scale(fwd->be, fwd->logits, fwd->logits, c->logit_scale, n_logits);
    if (c->final_softcap > 0.0f)
        ops->softcap(fwd->be, fwd->logits, fwd->logits, c->final_softcap, n_logits);
    if (!ops->is_host_memory)
        ops->read(fwd->be, fwd->host_logits, fwd->logits, n_logits);
    fwd->logits_ns += gol_clock_ns() - begin_ns;
    return ops->is_host_memory ? fwd->logits : fwd->host_logits;
}

const float *gol_forward_states(gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    assert(first >= 0 && first < batch->n_states);
    const int32_t n = gol_forward_n_states(fwd, batch, first);
    const float *x = finish_rows(fwd, batch->state_rows + first, n);
    fwd->be->ops->read(fwd->be, fwd->host_states, x, (size_t)n * (size_t)fwd->model->config.n_embd);
    return fwd->host_states;
}

void gol_forward_embedding(gol_forward *fwd, float *values)
{
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_embd = (size_t)fwd->model->config.n_embd;
    if (w->dense_2.n_out == 0)
        return;
    ops->write(fwd->be, fwd->h, values, n_embd);
    ops->matmul(fwd->be, fwd->dense, fwd->h, &w->dense_2, NULL, 1);
    ops->matmul(fwd->be, fwd->h, fwd->dense, &w->dense_3, NULL, 1);
    ops->read(fwd->be, values, fwd->h, n_embd);
}

uint64_t gol_forward_attention_ns(const gol_forward *fwd)
{
    return fwd->attention_ns;
}

uint64_t gol_forward_logits_ns(const gol_forward *fwd)
{
    return fwd->logits_ns;
}
