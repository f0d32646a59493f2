/*
 * Gemma, and EmbeddingGemma. Their norms multiply by 1 + weight: the 1 is added once, here. From the second on there are four norms in
 * each layer, whose names say less than their places.
 */
#include <math.h>

#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"model.", "", "model.language_model.",
                                       "language_model.model.", NULL};
static const char anchor[] = "~embed_tokens.weight";

static const gol_hf_rule rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", &gol_hf_plus_one},
    {"output.weight", "lm_head.weight", NULL},
    {"output.weight", "language_model.lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", &gol_hf_plus_one},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.attn_q_norm.weight", "~layers.#.self_attn.q_norm.weight", &gol_hf_plus_one},
    {"blk.#.attn_k_norm.weight", "~layers.#.self_attn.k_norm.weight", &gol_hf_plus_one},
    {"blk.#.post_attention_norm.weight", "~layers.#.post_attention_layernorm.weight",
     &gol_hf_plus_one},
    {"blk.#.ffn_norm.weight", "~layers.#.pre_feedforward_layernorm.weight", &gol_hf_plus_one},
    {"blk.#.post_ffw_norm.weight", "~layers.#.post_feedforward_layernorm.weight", &gol_hf_plus_one},
    {"blk.#.ffn_gate.weight", "~layers.#.mlp.gate_proj.weight", NULL},
    {"blk.#.ffn_up.weight", "~layers.#.mlp.up_proj.weight", NULL},
    {"blk.#.ffn_down.weight", "~layers.#.mlp.down_proj.weight", NULL},
    {0},
};

static void read_common(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_put_window(hf);
    gol_hf_require_act(hf, "hidden_activation", "gelu_pytorch_tanh|gelu_tanh");
}

/* Scores are divided by the root of query_pre_attn_scalar. GGUF's readers know it by the model's size; gollum's takes a scale where
 * one is written, which others overlook. */
static void put_scale(gol_hf *hf, uint32_t layers_of_27b)
{
    if (hf->rc != 0)
        return;
    const uint32_t expected = hf->n_layers == layers_of_27b ? hf->n_embd / hf->n_heads
                                                            : hf->head_dim;
    const double scalar = gol_hf_real_or(hf, "query_pre_attn_scalar", expected);
    if (hf->rc == 0 && !(scalar > 0))
        gol_hf_refuse(hf, GOL_EMODEL, "query_pre_attn_scalar is %g; a positive number is expected",
                      scalar);
    else if (scalar != (double)expected)
        gol_hf_put_f32(hf, "attention.scale", 1.0 / sqrt(scalar));
}

static void put_cap(gol_hf *hf, const char *key)
{
    if (gol_hf_has(hf, key))
        gol_hf_put_f32(hf, key, gol_hf_real(hf, key));
}

/* The first Gemma says "gelu" and means its tanh form. */
static void read_gemma(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_require_act(hf, "hidden_activation", "gelu_pytorch_tanh|gelu_tanh");
    gol_hf_require_act(hf, "hidden_act", "gelu|gelu_pytorch_tanh|gelu_tanh");
}

static void read_gemma2(gol_hf *hf)
{
    read_common(hf);
    put_cap(hf, "attn_logit_softcapping");
    put_cap(hf, "final_logit_softcapping");
    put_scale(hf, 46);
}

/* Scores of this one are not capped, and GGUF has no key for it. */
static void refuse_capped_scores(gol_hf *hf)
{
    if (gol_hf_real_or(hf, "attn_logit_softcapping", 0.0) != 0)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "attn_logit_softcapping: only null is supported");
}

static void read_gemma3(gol_hf *hf)
{
    read_common(hf);
    put_cap(hf, "final_logit_softcapping");
    refuse_capped_scores(hf);
    gol_hf_put_local_rope(hf, 10000.0);
    put_scale(hf, 62);
    gol_hf_leave_pictures_out(hf);
    if (gol_hf_bool_or(hf, "use_bidirectional_attention", false))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "use_bidirectional_attention is true; only a Gemma3TextModel may have it");
}

static void read_embedding(gol_hf *hf)
{
    read_common(hf);
    refuse_capped_scores(hf);
    gol_hf_put_local_rope(hf, 10000.0);
    put_scale(hf, 0);
    gol_hf_put_dense(hf);
    if (!gol_hf_bool_or(hf, "use_bidirectional_attention", false))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "use_bidirectional_attention is false; only true is supported");
}

/* The first Gemma has but one norm before each branch. */
static const gol_hf_rule gemma_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", &gol_hf_plus_one},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", &gol_hf_plus_one},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.ffn_norm.weight", "~layers.#.post_attention_layernorm.weight", &gol_hf_plus_one},
    {"blk.#.ffn_gate.weight", "~layers.#.mlp.gate_proj.weight", NULL},
    {"blk.#.ffn_up.weight", "~layers.#.mlp.up_proj.weight", NULL},
    {"blk.#.ffn_down.weight", "~layers.#.mlp.down_proj.weight", NULL},
    {NULL, "~layers.#.self_attn.rotary_emb.inv_freq", NULL},
    {0},
};

static const gol_hf_default gemma_defaults[] = {{"head_dim", 256}, {0}};

static const gol_hf_rule dense_rules[] = {
    {"dense_2.weight", "2_Dense/linear.weight", NULL},
    {"dense_3.weight", "3_Dense/linear.weight", NULL},
    {0},
};

static const gol_hf_default gemma2_defaults[] = {
    {"num_attention_heads", 8},     {"num_key_value_heads", 4},        {"head_dim", 256},
    {"query_pre_attn_scalar", 256}, {"max_position_embeddings", 8192}, {"sliding_window", 4096},
    {"attn_logit_softcapping", 50}, {"final_logit_softcapping", 30},   {0},
};

static const gol_hf_default gemma3_defaults[] = {
    {"num_hidden_layers", 26},
    {"hidden_size", 2304},
    {"intermediate_size", 9216},
    {"num_attention_heads", 8},
    {"num_key_value_heads", 4},
    {"head_dim", 256},
    {"query_pre_attn_scalar", 256},
    {"max_position_embeddings", 131072},
    {"sliding_window", 4096},
    {"rope_theta", 1000000},
    {0},
};

#define COMMON .prefixes = prefixes, .anchor = anchor, .is_tied = true

const gol_hf_family gol_hf_families_gemma[] = {
    {"GemmaForCausalLM", "gemma", read_gemma, {gemma_rules}, COMMON, .defaults = gemma_defaults},
    {"Gemma2ForCausalLM", "gemma2", read_gemma2, {rules}, COMMON, .defaults = gemma2_defaults},
    {"Gemma3ForCausalLM", "gemma3", read_gemma3, {rules}, COMMON, .defaults = gemma3_defaults},
    {"Gemma3ForConditionalGeneration",
     "gemma3",
     read_gemma3,
     {rules},
     COMMON,
     .defaults = gemma3_defaults},
    {"Gemma3TextModel",
     "gemma-embedding",
     read_embedding,
     {rules, dense_rules},
     COMMON,
     .defaults = gemma3_defaults},
    {0},
};
