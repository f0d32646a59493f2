/*
 * The mixer of a Mamba2 layer: projections, convolution, recurrence, gate and norm. Its three projections lie in one tensor of the
 * file, as rows of z, of x B C, and of dt.
 *
 *     norm(x) -> z ------------------------------> silu -> * -> norm by groups -> (output projection)
 *             -> x B C -> convolution -> silu -> recurrence -^
 *             -> dt -> softplus ------------------^
 */
#include "model/forward_impl.h"

#include <assert.h>

void gol_forward_mamba(gol_forward *fwd, gol_state *state, const gol_batch *batch, int32_t il)
{
    const gol_ssm_config *ssm = &fwd->model->config.ssm;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const int32_t n = batch->n_tokens;
    const gol_ssm_params params = {.a = w->ssm_a, .d = w->ssm_d, .dt_bias = w->ssm_dt_bias};
    assert(state);
    const float *in = gol_forward_norm(fwd, fwd->x, w->attn_norm, w->attn_norm_bias, n);
    ops->matmul(fwd->be, fwd->ssm_z, in, &w->ssm_in_z, NULL, n);
    ops->matmul(fwd->be, fwd->ssm_xbc, in, &w->ssm_in_xbc, NULL, n);
    ops->matmul(fwd->be, fwd->ssm_dt, in, &w->ssm_in_dt, NULL, n);
    ops->ssm_conv(fwd->be, fwd->ssm_conv, fwd->ssm_xbc, w->ssm_conv1d, w->ssm_conv1d_bias, state,
                  il, batch);
    ops->ssm_steps(fwd->be, fwd->ssm_dt, fwd->ssm_decay, &params, n, ssm->n_heads);
    float *y = fwd->ssm_xbc;
    ops->ssm_scan(fwd->be, y, fwd->ssm_conv, fwd->ssm_dt, fwd->ssm_decay, &params, state, il,
                  batch);
    ops->gated_norm(fwd->be, fwd->attn, y, fwd->ssm_z, w->ssm_norm, fwd->model->config.norm_eps, n,
                    ssm->n_groups, ssm->d_inner / ssm->n_groups);
}
