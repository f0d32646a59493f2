/* Metadata of a made model, without the tokenizer. */
#include "make_model/model_plan.h"

#include <string.h>

/* general.file_type of llama.cpp: a hint for people, by the type of most tensors. */
static uint32_t file_type(const make_model_options *options)
{
    if (options->mix)
        return options->mix->file_type;
    uint32_t last = 0; /* of "Q4_K_M" and "Q4_K_S" the one with fewer exceptions */
    for (int i = 0; gol_mix_get(i); i++) {
        if (gol_mix_get(i)->type == options->type)
            last = gol_mix_get(i)->file_type;
    }
    return last;
}

static void add_arch_u32(gol_gguf_writer *w, model_plan *plan, const char *suffix, uint32_t value)
{
    const gol_str key = make_model_keep(plan, "%s.%s", plan->options->shape->arch, suffix);
    gol_gguf_writer_add_u32(w, key.data, value);
}

static void add_arch_f32(gol_gguf_writer *w, model_plan *plan, const char *suffix, float value)
{
    const gol_str key = make_model_keep(plan, "%s.%s", plan->options->shape->arch, suffix);
    gol_gguf_writer_add_f32(w, key.data, value);
}

/* EmbeddingGemma: mean of all tokens, then two dense layers. */
static void add_encoder_keys(gol_gguf_writer *w, model_plan *plan)
{
    const make_model_shape *s = plan->options->shape;
    enum { POOLING_MEAN = 1 };
    add_arch_u32(w, plan, "pooling_type", POOLING_MEAN);
    add_arch_u32(w, plan, "dense_2_feat_in", s->n_embd);
    add_arch_u32(w, plan, "dense_2_feat_out", s->n_dense);
    add_arch_u32(w, plan, "dense_3_feat_in", s->n_dense);
    add_arch_u32(w, plan, "dense_3_feat_out", s->n_embd);
}

/* Granite 4.0 H: which layers have attention, sizes of the others, four scales, no positions. */
static void add_hybrid_keys(gol_gguf_writer *w, model_plan *plan)
{
    const make_model_shape *s = plan->options->shape;
    int32_t *n_kv_heads = gol_arena_try_array(&plan->arena, s->n_layers, sizeof *n_kv_heads);
    if (!n_kv_heads) {
        plan->failed = true;
        return;
    }
    for (uint32_t i = 0; i < s->n_layers; i++)
        n_kv_heads[i] = make_model_is_recurrent(s, i) ? 0 : (int32_t)s->n_kv_heads;
    const gol_str heads = make_model_keep(plan, "%s.attention.head_count_kv", s->arch);
    gol_gguf_writer_add_array(w, heads.data, GOL_VALUE_I32, n_kv_heads, s->n_layers);
    add_arch_u32(w, plan, "ssm.conv_kernel", MAKE_MODEL_SSM_CONV);
    add_arch_u32(w, plan, "ssm.inner_size", s->ssm_heads * s->ssm_head_dim);
    add_arch_u32(w, plan, "ssm.state_size", s->ssm_state);
    add_arch_u32(w, plan, "ssm.time_step_rank", s->ssm_heads);
    add_arch_u32(w, plan, "ssm.group_count", 1);
    add_arch_f32(w, plan, "embedding_scale", 12.0f);
    add_arch_f32(w, plan, "residual_scale", 0.22f);
    add_arch_f32(w, plan, "attention.scale", 1.0f / (float)make_model_head_dim(s));
    add_arch_f32(w, plan, "logit_scale", 6.0f);
    const gol_str rope = make_model_keep(plan, "%s.rope.scaling.finetuned", s->arch);
    gol_gguf_writer_add_bool(w, rope.data, false);
}

void make_model_add_keys(gol_gguf_writer *w, model_plan *plan, uint32_t n_vocab)
{
    const make_model_shape *s = plan->options->shape;
    gol_gguf_writer_add_str(w, "general.architecture", gol_str_from(s->arch));
    gol_gguf_writer_add_str(w, "general.name",
                            make_model_keep(plan, "random %s %s", s->arch, s->name));
    gol_gguf_writer_add_u32(w, "general.file_type", file_type(plan->options));
    gol_gguf_writer_add_u32(w, "general.quantization_version", 2);
    add_arch_u32(w, plan, "context_length", s->n_ctx);
    add_arch_u32(w, plan, "embedding_length", s->n_embd);
    add_arch_u32(w, plan, "block_count", s->n_layers);
    add_arch_u32(w, plan, "feed_forward_length", s->n_ff);
    add_arch_u32(w, plan, "attention.head_count", s->n_heads);
    if (s->ssm_heads > 0)
        add_hybrid_keys(w, plan);
    else
        add_arch_u32(w, plan, "attention.head_count_kv", s->n_kv_heads);
    add_arch_u32(w, plan, "vocab_size", n_vocab);
    if (s->n_experts > 0) {
        add_arch_u32(w, plan, "expert_count", s->n_experts);
        add_arch_u32(w, plan, "expert_used_count", s->n_used);
        add_arch_u32(w, plan, "expert_feed_forward_length", s->n_ff_exp);
    }
    if (s->rope_base > 0) {
        add_arch_f32(w, plan, "attention.layer_norm_rms_epsilon", s->norm_epsilon);
        add_arch_f32(w, plan, "rope.freq_base", s->rope_base);
        add_arch_u32(w, plan, "rope.dimension_count", make_model_head_dim(s));
    } else {
        add_arch_f32(w, plan, "attention.layer_norm_epsilon", s->norm_epsilon);
    }
    if (s->head_dim > 0) {
        add_arch_u32(w, plan, "attention.key_length", s->head_dim);
        add_arch_u32(w, plan, "attention.value_length", s->head_dim);
    }
    if (s->yarn_factor > 0) {
        const gol_str type = make_model_keep(plan, "%s.rope.scaling.type", s->arch);
        gol_gguf_writer_add_str(w, type.data, GOL_STR("yarn"));
        add_arch_f32(w, plan, "rope.scaling.factor", s->yarn_factor);
        add_arch_u32(w, plan, "rope.scaling.original_context_length", s->n_ctx_orig);
    }
    if (s->sliding_window > 0)
        add_arch_u32(w, plan, "attention.sliding_window", s->sliding_window);
    if (s->n_dense > 0)
        add_encoder_keys(w, plan);
}
