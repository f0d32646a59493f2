/*
 * The attention of one layer: projections, norms of q and k, rotation, KV cache, scores.
 */
#include "model/forward_impl.h"

#include "base/clock.h"

/* Head by head or over the whole width, before the rotation. */
static void normalize_qk(gol_forward *fwd, float *x, const float *w, int32_t n_rows,
                         int32_t n_heads)
{
    const gol_config *c = &fwd->model->config;
    if (c->qk_norm == GOL_QK_NORM_NONE)
        return;
    if (c->qk_norm == GOL_QK_NORM_EACH) {
        fwd->be->ops->layer_norm_heads(fwd->be, x, w, c->norm_eps, n_rows, n_heads, c->head_dim_k);
        return;
    }
    const bool is_wide = c->qk_norm == GOL_QK_NORM_WIDTH;
    const int64_t n_vectors = is_wide ? n_rows : (int64_t)n_rows * n_heads;
    const int32_t n = is_wide ? n_heads * c->head_dim_k : c->head_dim_k;
    fwd->be->ops->rms_norm(fwd->be, x, x, w, c->norm_eps, n_vectors, n);
}

static void rotate(gol_forward *fwd, float *x, int32_t n_rows, int32_t n_heads, gol_layer_rope rope)
{
    if (rope == GOL_LAYER_ROPE_NONE)
        return;
    const bool is_local = rope == GOL_LAYER_ROPE_LOCAL;
    fwd->be->ops->rope(fwd->be, x, is_local ? &fwd->model->rope_local : fwd->rope,
                       is_local ? fwd->angles_local : fwd->angles, n_rows, n_heads,
                       fwd->model->config.head_dim_k);
}

void gol_forward_project(gol_forward *fwd, gol_kv *kv, const gol_batch *batch, int32_t il)
{
    const gol_layer_config *l = &fwd->model->config.layers[il];
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const int32_t n = batch->n_tokens;
    const float *in = w->attn_norm_2
                          ? gol_forward_norm(fwd, fwd->x, w->attn_norm_2, w->attn_norm_2_bias, n)
                          : gol_forward_norm(fwd, fwd->x, w->attn_norm, w->attn_norm_bias, n);
    ops->matmul(fwd->be, fwd->q, in, &w->attn_q, w->attn_q_bias, n);
    ops->matmul(fwd->be, fwd->k, in, &w->attn_k, w->attn_k_bias, n);
    ops->matmul(fwd->be, fwd->v, in, &w->attn_v, w->attn_v_bias, n);
    normalize_qk(fwd, fwd->q, w->attn_q_norm, n, l->n_heads);
    normalize_qk(fwd, fwd->k, w->attn_k_norm, n, l->n_kv_heads);
    rotate(fwd, fwd->q, n, l->n_heads, l->rope);
    rotate(fwd, fwd->k, n, l->n_kv_heads, l->rope);
    ops->kv_write(fwd->be, kv, il, fwd->k, fwd->v, w->attn_k.n_out, w->attn_v.n_out, batch);
}

void gol_forward_attend(gol_forward *fwd, const gol_kv *kv, const gol_batch *batch, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_attention a = {
        .layer = il,
        .n_heads = c->layers[il].n_heads,
        .scale = c->attn_scale,
        .window = c->layers[il].window,
        .softcap = c->attn_softcap,
        .is_full = !c->is_causal,
        .sinks = fwd->model->weights.layers[il].attn_sinks,
    };
    const uint64_t begin_ns = gol_clock_ns();
    fwd->be->ops->attention(fwd->be, fwd->attn, fwd->q, fwd->model->weights.layers[il].attn_q.n_out,
                            kv, &a, batch);
    fwd->attention_ns += gol_clock_ns() - begin_ns;
}
