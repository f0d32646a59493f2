/*
 * The feed-forward of one layer.
 */
#include "model/forward_impl.h"

void gol_forward_ffn(gol_forward *fwd, const float *in, int32_t n_rows, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_ff = (size_t)n_rows * (size_t)c->layers[il].n_ff;
    ops->matmul(fwd->be, fwd->up, in, &w->ffn_up, w->ffn_up_bias, n_rows);
    float *act = fwd->up;
    if (c->is_gated) {
        act = fwd->gate;
        ops->matmul(fwd->be, act, in, &w->ffn_gate, w->ffn_gate_bias, n_rows);
        ops->glu(fwd->be, act, act, fwd->up, c->act, n_ff);
    } else {
        ops->act(fwd->be, act, act, c->act, n_ff);
    }
    ops->matmul(fwd->be, fwd->h, act, &w->ffn_down, w->ffn_down_bias, n_rows);
}
