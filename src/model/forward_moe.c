/*
 * The feed-forward of a layer of experts: the router's logits choose some experts for each row, all of those compute at once, a
 * row's results are summed with the router's weights. The shared expert, where there is one, sees every row.
 */
#include "model/forward_impl.h"

/* fwd->expert_y[n_rows * n_used][n_embd] = what each expert says to its rows of in. */
static void ask_experts(gol_forward *fwd, const float *in, int32_t n_rows, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_ff = (size_t)n_rows * (size_t)c->moe.n_used * (size_t)c->moe.n_ff_exp;
    gol_moe_matmul m = {
        .x = in,
        .n_products = 1,
        .products = {{fwd->up, &w->ffn_up_exps, w->ffn_up_exps_bias}},
    };
    float *act = fwd->up;
    if (c->is_gated) {
        act = fwd->gate;
        m.n_products = 2;
        m.products[1].out = act;
        m.products[1].w = &w->ffn_gate_exps;
        m.products[1].bias = w->ffn_gate_exps_bias;
    }
    ops->moe_matmul(fwd->be, fwd->moe, &m);
    if (c->is_gated)
        ops->glu(fwd->be, act, act, fwd->up, c->act, n_ff);
    else
        ops->act(fwd->be, act, act, c->act, n_ff);
    const gol_moe_matmul down = {
        .x = act,
        .is_sorted = true,
        .n_products = 1,
        .products = {{fwd->expert_y, &w->ffn_down_exps, w->ffn_down_exps_bias}},
    };
    ops->moe_matmul(fwd->be, fwd->moe, &down);
}

/* out[n_rows][n_embd] = the shared expert. Its gate needs a number for each row: the router's logits are not needed any more. */
static void ask_shared_expert(gol_forward *fwd, float *out, const float *in, int32_t n_rows,
                              int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_ff = (size_t)n_rows * (size_t)c->moe.n_ff_shexp;
    float *act = fwd->up;
    ops->matmul(fwd->be, fwd->up, in, &w->ffn_up_shexp, NULL, n_rows);
    if (c->is_gated) {
        act = fwd->gate;
        ops->matmul(fwd->be, act, in, &w->ffn_gate_shexp, NULL, n_rows);
        ops->glu(fwd->be, act, act, fwd->up, c->act, n_ff);
    } else {
        ops->act(fwd->be, act, act, c->act, n_ff);
    }
    ops->matmul(fwd->be, out, act, &w->ffn_down_shexp, NULL, n_rows);
    if (w->ffn_gate_inp_shexp.n_out > 0) {
        ops->matmul(fwd->be, fwd->expert_logits, in, &w->ffn_gate_inp_shexp, NULL, n_rows);
        ops->gate_rows(fwd->be, out, out, fwd->expert_logits, n_rows, c->n_embd);
    }
}

void gol_forward_moe(gol_forward *fwd, const float *in, int32_t n_rows, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const gol_routing routing = {
        .gating = c->moe.gating,
        .is_normed = c->moe.norm_weights,
        .scale = c->moe.weights_scale,
        .select_bias = w->exp_probs_b,
    };
    ops->matmul(fwd->be, fwd->expert_logits, in, &w->ffn_gate_inp, w->ffn_gate_inp_bias, n_rows);
    ops->moe_route(fwd->be, fwd->moe, fwd->expert_logits, &routing, n_rows);
    ask_experts(fwd, in, n_rows, il);
    if (c->moe.n_ff_shexp == 0) {
        ops->moe_combine(fwd->be, fwd->h, fwd->moe, fwd->expert_y, c->n_embd);
        return;
    }
    /* in may be fwd->h: the shared expert reads it before the sum goes there. */
    ops->moe_combine(fwd->be, fwd->expert_sum, fwd->moe, fwd->expert_y, c->n_embd);
    ask_shared_expert(fwd, fwd->expert_y, in, n_rows, il);
    ops->add(fwd->be, fwd->h, fwd->expert_sum, fwd->expert_y, (size_t)n_rows * (size_t)c->n_embd);
}
