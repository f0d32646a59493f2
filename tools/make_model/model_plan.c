/*
 * Tensors of a made model: the list of an architecture's names, shapes, types and deviations.
 */
#include "make_model/model_plan.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { TENSORS_PER_LAYER_MAX = 20, TENSORS_OUTSIDE_MAX = 8 };

/* Weight of the final logits: their deviation is about this, so that the choice of a token is clear but no
 * certainty. */
static const float logit_gain = 3.0f;

gol_str make_model_keep(model_plan *plan, const char *format, ...)
{
    char text[GOL_GGUF_NAME_MAX + 1];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(n > 0 && (size_t)n < sizeof text);
    const char *copy = gol_arena_try_strdup(&plan->arena, (gol_str){text, (size_t)n});
    plan->failed |= !copy;
    return copy ? (gol_str){copy, (size_t)n} : GOL_STR("");
}

uint32_t make_model_head_dim(const make_model_shape *shape)
{
    return shape->head_dim ? shape->head_dim : shape->n_embd / shape->n_heads;
}

/* n_rows 0: one dimension. */
static plan_tensor *add_tensor(model_plan *plan, gol_str name, gol_type type, uint64_t n_row,
                               uint64_t n_rows)
{
    assert(plan->n < plan->n_max);
    plan_tensor *t = &plan->tensors[plan->n++];
    *t = (plan_tensor){
        .tensor = {.name = name,
                   .type = type,
                   .n_dims = n_rows ? 2 : 1,
                   .shape = {n_row, n_rows ? n_rows : 1, 1, 1},
                   .n_elements = n_row * (n_rows ? n_rows : 1)},
    };
    return t;
}

/* [n_out][n_in], such that inputs of unit variance give outputs of variance gain squared. */
static void add_matrix(model_plan *plan, gol_str name, uint64_t n_in, uint64_t n_out, float gain)
{
    plan_tensor *t = add_tensor(plan, name, plan->options->type, n_in, n_out);
    t->deviation = gain / sqrtf((float)n_in);
}

static void add_vector(model_plan *plan, gol_str name, uint64_t n, float mean)
{
    plan_tensor *t = add_tensor(plan, name, GOL_TYPE_F32, n, 0);
    t->mean = mean;
    t->deviation = 0.1f;
}

static void add_layer_matrix(model_plan *plan, uint32_t layer, const char *name, uint64_t n_in,
                             uint64_t n_out)
{
    add_matrix(plan, make_model_keep(plan, "blk.%u.%s.weight", layer, name), n_in, n_out, 1.0f);
}

/* n matrices [n_out][n_in] in one tensor. */
static void add_layer_stack(model_plan *plan, uint32_t layer, const char *name, uint64_t n_in,
                            uint64_t n_out, uint64_t n)
{
    add_layer_matrix(plan, layer, name, n_in, n_out);
    gol_tensor *t = &plan->tensors[plan->n - 1].tensor;
    t->n_dims = 3;
    t->shape[2] = n;
    t->n_elements *= n;
}

static void add_layer_norm_weight(model_plan *plan, uint32_t layer, const char *name, uint64_t n)
{
    add_vector(plan, make_model_keep(plan, "blk.%u.%s.weight", layer, name), n, 1.0f);
}

bool make_model_is_recurrent(const make_model_shape *s, uint32_t layer)
{
    return s->ssm_heads > 0 && layer % s->attn_period != s->attn_period / 2;
}

/* The matrix just added, small and never quantized. */
static void make_plain(model_plan *plan, float mean, float deviation)
{
    plan_tensor *t = &plan->tensors[plan->n - 1];
    t->tensor.type = GOL_TYPE_F32;
    t->is_plain = true;
    t->mean = mean;
    t->deviation = deviation;
}

/* Mamba2: decays between two tokens and some thousand, as trained models have them. */
static void plan_mamba(model_plan *plan, uint32_t i)
{
    const make_model_shape *s = plan->options->shape;
    const uint64_t n_inner = (uint64_t)s->ssm_heads * s->ssm_head_dim;
    const uint64_t n_channels = n_inner + 2ull * s->ssm_state;
    add_layer_matrix(plan, i, "ssm_in", s->n_embd, n_inner + n_channels + s->ssm_heads);
    add_layer_matrix(plan, i, "ssm_conv1d", MAKE_MODEL_SSM_CONV, n_channels);
    make_plain(plan, 0.0f, 0.5f);
    add_vector(plan, make_model_keep(plan, "blk.%u.ssm_conv1d.bias", i), n_channels, 0.0f);
    add_vector(plan, make_model_keep(plan, "blk.%u.ssm_dt.bias", i), s->ssm_heads, -4.0f);
    add_matrix(plan, make_model_keep(plan, "blk.%u.ssm_a", i), 1, s->ssm_heads, 1.0f);
    make_plain(plan, -8.0f, 1.0f);
    add_matrix(plan, make_model_keep(plan, "blk.%u.ssm_d", i), 1, s->ssm_heads, 1.0f);
    make_plain(plan, 1.0f, 0.1f);
    add_layer_matrix(plan, i, "ssm_norm", n_inner, 1);
    make_plain(plan, 1.0f, 0.1f);
    add_layer_matrix(plan, i, "ssm_out", n_inner, s->n_embd);
}

/* A layer's matrix and, where the shape has biases, its bias. */
static void add_layer_linear(model_plan *plan, uint32_t layer, const char *name, uint64_t n_in,
                             uint64_t n_out)
{
    add_layer_matrix(plan, layer, name, n_in, n_out);
    if (plan->options->shape->has_biases)
        add_vector(plan, make_model_keep(plan, "blk.%u.%s.bias", layer, name), n_out, 0.0f);
}

static void plan_attention(model_plan *plan, uint32_t i)
{
    const make_model_shape *s = plan->options->shape;
    const uint64_t head_dim = make_model_head_dim(s);
    const uint64_t n_q = head_dim * s->n_heads;
    const uint64_t n_kv = head_dim * s->n_kv_heads;
    add_layer_linear(plan, i, "attn_q", s->n_embd, n_q);
    add_layer_linear(plan, i, "attn_k", s->n_embd, n_kv);
    add_layer_linear(plan, i, "attn_v", s->n_embd, n_kv);
    add_layer_linear(plan, i, "attn_output", n_q, s->n_embd);
    if (s->is_gpt_oss)
        add_vector(plan, make_model_keep(plan, "blk.%u.attn_sinks.weight", i), s->n_heads, 0.0f);
    if (s->has_qk_norm) {
        add_layer_norm_weight(plan, i, "attn_q_norm", head_dim);
        add_layer_norm_weight(plan, i, "attn_k_norm", head_dim);
    }
}

/* A stack of matrices and, where the shape has biases, a bias for each. */
static void add_experts(model_plan *plan, uint32_t i, const char *name, uint64_t n_in,
                        uint64_t n_out)
{
    const make_model_shape *s = plan->options->shape;
    add_layer_stack(plan, i, name, n_in, n_out, s->n_experts);
    if (s->has_biases) {
        add_matrix(plan, make_model_keep(plan, "blk.%u.%s.bias", i, name), n_out, s->n_experts,
                   1.0f);
        make_plain(plan, 0.0f, 0.1f);
    }
}

static void plan_experts(model_plan *plan, uint32_t i)
{
    const make_model_shape *s = plan->options->shape;
    add_layer_matrix(plan, i, "ffn_gate_inp", s->n_embd, s->n_experts);
    plan->tensors[plan->n - 1].tensor.type = GOL_TYPE_F32;
    if (s->has_biases)
        add_vector(plan, make_model_keep(plan, "blk.%u.ffn_gate_inp.bias", i), s->n_experts, 0.0f);
    add_experts(plan, i, "ffn_gate_exps", s->n_embd, s->n_ff_exp);
    add_experts(plan, i, "ffn_up_exps", s->n_embd, s->n_ff_exp);
    add_experts(plan, i, "ffn_down_exps", s->n_ff_exp, s->n_embd);
}

/* Llama, Qwen3, Gemma, Granite and gpt-oss: one block with traits. */
static void plan_llama_layer(model_plan *plan, uint32_t i)
{
    const make_model_shape *s = plan->options->shape;
    add_layer_norm_weight(plan, i, "attn_norm", s->n_embd);
    if (make_model_is_recurrent(s, i))
        plan_mamba(plan, i);
    else
        plan_attention(plan, i);
    if (s->has_post_norm) {
        add_layer_norm_weight(plan, i, "post_attention_norm", s->n_embd);
        add_layer_norm_weight(plan, i, "post_ffw_norm", s->n_embd);
    }
    add_layer_norm_weight(plan, i, s->is_gpt_oss ? "post_attention_norm" : "ffn_norm", s->n_embd);
    if (s->n_experts > 0) {
        plan_experts(plan, i);
        return;
    }
    add_layer_matrix(plan, i, "ffn_gate", s->n_embd, s->n_ff);
    add_layer_matrix(plan, i, "ffn_up", s->n_embd, s->n_ff);
    add_layer_matrix(plan, i, "ffn_down", s->n_ff, s->n_embd);
}

static void plan_llama(model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    add_matrix(plan, make_model_keep(plan, "token_embd.weight"), s->n_embd, n_vocab, logit_gain);
    if (s->rope_factor > 0) {
        plan_tensor *t = add_tensor(plan, make_model_keep(plan, "rope_freqs.weight"), GOL_TYPE_F32,
                                    make_model_head_dim(s) / 2, 0);
        t->is_rope_freqs = true;
    }
    for (uint32_t i = 0; i < s->n_layers; i++)
        plan_llama_layer(plan, i);
    add_vector(plan, make_model_keep(plan, "output_norm.weight"), s->n_embd, 1.0f);
    if (!s->is_tied)
        add_matrix(plan, make_model_keep(plan, "output.weight"), s->n_embd, n_vocab, logit_gain);
    if (s->n_dense > 0) {
        add_matrix(plan, make_model_keep(plan, "dense_2.weight"), s->n_embd, s->n_dense, 1.0f);
        add_matrix(plan, make_model_keep(plan, "dense_3.weight"), s->n_dense, s->n_embd, 1.0f);
    }
}

static void add_layer_norm(model_plan *plan, const char *prefix)
{
    const uint32_t n_embd = plan->options->shape->n_embd;
    add_vector(plan, make_model_keep(plan, "%s.weight", prefix), n_embd, 1.0f);
    add_vector(plan, make_model_keep(plan, "%s.bias", prefix), n_embd, 0.0f);
}

static void add_linear(model_plan *plan, const char *prefix, uint64_t n_in, uint64_t n_out)
{
    add_matrix(plan, make_model_keep(plan, "%s.weight", prefix), n_in, n_out, 1.0f);
    add_vector(plan, make_model_keep(plan, "%s.bias", prefix), n_out, 0.0f);
}

static void plan_gpt2(model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    add_matrix(plan, make_model_keep(plan, "token_embd.weight"), s->n_embd, n_vocab, logit_gain);
    plan_tensor *positions = add_tensor(plan, make_model_keep(plan, "position_embd.weight"),
                                        GOL_TYPE_F32, s->n_embd, s->n_ctx);
    positions->deviation = 0.1f;
    for (uint32_t i = 0; i < s->n_layers; i++) {
        char prefix[64];
        const int n = snprintf(prefix, sizeof prefix, "blk.%u.", i);
        char *rest = prefix + n;
        const size_t size = sizeof prefix - (size_t)n;
        snprintf(rest, size, "attn_norm");
        add_layer_norm(plan, prefix);
        snprintf(rest, size, "attn_qkv");
        add_linear(plan, prefix, s->n_embd, 3ull * s->n_embd);
        snprintf(rest, size, "attn_output");
        add_linear(plan, prefix, s->n_embd, s->n_embd);
        snprintf(rest, size, "ffn_norm");
        add_layer_norm(plan, prefix);
        snprintf(rest, size, "ffn_up");
        add_linear(plan, prefix, s->n_embd, s->n_ff);
        snprintf(rest, size, "ffn_down");
        add_linear(plan, prefix, s->n_ff, s->n_embd);
    }
    add_layer_norm(plan, "output_norm");
    if (!s->is_tied)
        add_matrix(plan, make_model_keep(plan, "output.weight"), s->n_embd, n_vocab, logit_gain);
}

/* The mixture's types instead of the one that add_matrix() gave. */
static void assign_mix(model_plan *plan)
{
    const make_model_shape *s = plan->options->shape;
    const gol_mix_model model = {.n_layers = s->n_layers,
                                 .n_heads_per_kv = s->n_heads / s->n_kv_heads,
                                 .n_experts = s->n_experts};
    gol_mix_tensor *list = gol_try_array(plan->n, sizeof *list);
    if (!list) {
        plan->failed = true;
        return;
    }
    for (uint32_t i = 0; i < plan->n; i++) {
        const gol_tensor *t = &plan->tensors[i].tensor;
        list[i] = (gol_mix_tensor){.name = t->name, .n_dims = t->n_dims, .from = GOL_TYPE_F32};
        memcpy(list[i].shape, t->shape, sizeof list[i].shape);
    }
    gol_mix_assign(plan->options->mix, &model, list, plan->n);
    for (uint32_t i = 0; i < plan->n; i++)
        if (!plan->tensors[i].is_plain)
            plan->tensors[i].tensor.type = list[i].to;
    gol_free(list);
}

int make_model_plan_tensors(model_plan *plan, uint32_t n_vocab, gol_err *err)
{
    const make_model_shape *s = plan->options->shape;
    plan->n_max = s->n_layers * TENSORS_PER_LAYER_MAX + TENSORS_OUTSIDE_MAX;
    plan->tensors = gol_arena_try_array(&plan->arena, plan->n_max, sizeof *plan->tensors);
    if (!plan->tensors)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the list of tensors");
    if (strcmp(s->arch, "gpt2") == 0)
        plan_gpt2(plan, n_vocab);
    else
        plan_llama(plan, n_vocab);
    if (plan->options->mix && !plan->failed)
        assign_mix(plan);
    if (plan->failed)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the names of tensors");
    for (uint32_t i = 0; i < plan->n; i++) {
        const gol_tensor *t = &plan->tensors[i].tensor;
        size_t n_bytes;
        if (!gol_type_row_bytes(&n_bytes, t->type, t->shape[0]))
            return gol_fail(err, GOL_EINVAL,
                            "%.*s: rows of %llu elements are no whole blocks of %s (%d elements)",
                            GOL_STR_ARG(t->name), (unsigned long long)t->shape[0],
                            gol_type_get(t->type)->name, gol_type_get(t->type)->block_size);
    }
    return 0;
}
