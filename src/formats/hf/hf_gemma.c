/*
 * Gemma 2 and 3, and EmbeddingGemma. Their norms multiply by 1 + weight: the 1 is added once, here. Four norms in each layer,
 * whose names say less than their places.
 */
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

/* What looks at pictures is left out: texts never reach it. */
static const char *const picture_prefixes[] = {"vision_tower.", "model.vision_tower.",
                                               "multi_modal_projector.",
                                               "model.multi_modal_projector.", NULL};

static void read_common(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_put_window(hf);
    gol_hf_require_act(hf, "hidden_activation", "gelu_pytorch_tanh|gelu_tanh");
}

/* Scores are divided by the root of a number that GGUF has no key for: readers know it by the model's size. */
static void check_scale(gol_hf *hf, uint32_t layers_of_27b)
{
    const uint32_t expected = hf->n_layers == layers_of_27b && hf->n_heads > 0
                                  ? hf->n_embd / hf->n_heads
                                  : hf->head_dim;
    const double scalar = gol_hf_real_or(hf, "query_pre_attn_scalar", expected);
    if (hf->rc == 0 && scalar != (double)expected)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "query_pre_attn_scalar is %g; only %u is supported",
                      scalar, expected);
}

static void put_cap(gol_hf *hf, const char *key)
{
    if (gol_hf_has(hf, key))
        gol_hf_put_f32(hf, key, gol_hf_real(hf, key));
}

static void read_gemma2(gol_hf *hf)
{
    read_common(hf);
    put_cap(hf, "attn_logit_softcapping");
    put_cap(hf, "final_logit_softcapping");
    check_scale(hf, 46);
}

static void put_local_rope(gol_hf *hf)
{
    const char *key = gol_hf_key(hf, "rope_parameters.sliding_attention.rope_theta",
                                 "rope_local_base_freq");
    gol_hf_put_f32(hf, "rope.freq_base_swa", key ? gol_hf_real(hf, key) : 10000.0);
}

static void leave_pictures_out(gol_hf *hf)
{
    for (size_t i = 0; i < hf->n_sources; i++) {
        const gol_str name = hf->sources[i].tensor->name;
        for (int k = 0; picture_prefixes[k]; k++) {
            const gol_str prefix = gol_str_from(picture_prefixes[k]);
            if (name.len > prefix.len && gol_str_eq((gol_str){name.data, prefix.len}, prefix))
                hf->sources[i].is_used = true;
        }
    }
}

static void read_gemma3(gol_hf *hf)
{
    read_common(hf);
    put_cap(hf, "final_logit_softcapping");
    put_local_rope(hf);
    check_scale(hf, 62);
    leave_pictures_out(hf);
}

static void read_embedding(gol_hf *hf)
{
    read_common(hf);
    put_local_rope(hf);
    gol_hf_put_pooling(hf);
}

#define COMMON {rules}, .prefixes = prefixes, .anchor = anchor, .is_tied = true

const gol_hf_family gol_hf_families_gemma[] = {
    {"Gemma2ForCausalLM", "gemma2", read_gemma2, COMMON},
    {"Gemma3ForCausalLM", "gemma3", read_gemma3, COMMON},
    {"Gemma3ForConditionalGeneration", "gemma3", read_gemma3, COMMON},
    {"Gemma3TextModel", "gemma-embedding", read_embedding, COMMON},
    {0},
};
