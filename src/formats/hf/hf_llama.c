/*
 * Llama and those that differ from it in a few tensors: Mistral, Mixtral, SmolLM3; Qwen2, Qwen3; OLMo 2.
 *
 * Two worlds of the rotary embedding: the library rotates element i of a head with element i + half, GGUF's `llama` rotates
 * neighbours. Its rows of q and k are reordered once, which the product of both does not see.
 */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"model.", "", "model.language_model.",
                                       "language_model.model.", NULL};
static const char anchor[] = "~embed_tokens.weight";

static const gol_hf_rule model_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"output.weight", "language_model.lm_head.weight", NULL},
    {NULL, "~layers.#.self_attn.rotary_emb.inv_freq", NULL},
    {0},
};

/* A classifier in place of the matrix for logits: two rows of it, where it stands, or a tensor of its own. */
static const gol_hf_rule answer_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"cls.output.weight", "lm_head.weight", &gol_hf_answer_rows},
    {0},
};
static const gol_hf_rule tied_answer_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"cls.output.weight", "~embed_tokens.weight", &gol_hf_answer_rows},
    {NULL, "lm_head.weight", NULL},
    {0},
};
static const gol_hf_rule score_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"cls.output.weight", "score.weight", &gol_hf_answer_rows},
    {0},
};

/* Rows of q and k reordered. */
static const gol_hf_rule neighbour_rules[] = {
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", NULL},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", &gol_hf_permute_q},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", &gol_hf_permute_k},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.ffn_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {0},
};

/* Rows as they are; norms of q and k where a model has them. */
static const gol_hf_rule halves_rules[] = {
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", NULL},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.attn_q_norm.weight", "~layers.#.self_attn.q_norm.weight", NULL},
    {"blk.#.attn_k_norm.weight", "~layers.#.self_attn.k_norm.weight", NULL},
    {"blk.#.ffn_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {0},
};

/* Norms behind attention and feed-forward network alone. */
static const gol_hf_rule post_norm_rules[] = {
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.attn_q_norm.weight", "~layers.#.self_attn.q_norm.weight", NULL},
    {"blk.#.attn_k_norm.weight", "~layers.#.self_attn.k_norm.weight", NULL},
    {"blk.#.post_attention_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {"blk.#.post_ffw_norm.weight", "~layers.#.post_feedforward_layernorm.weight", NULL},
    {0},
};

static const gol_hf_rule ffn_rules[] = {
    {"blk.#.ffn_gate.*", "~layers.#.mlp.gate_proj.*", NULL},
    {"blk.#.ffn_up.*", "~layers.#.mlp.up_proj.*", NULL},
    {"blk.#.ffn_down.*", "~layers.#.mlp.down_proj.*", NULL},
    {0},
};

static const gol_hf_rule mixtral_rules[] = {
    {"blk.#.ffn_gate_inp.weight", "~layers.#.block_sparse_moe.gate.weight", &gol_hf_f32},
    {"blk.#.ffn_gate_exps.weight", "~layers.#.block_sparse_moe.experts.@.w1.weight", NULL},
    {"blk.#.ffn_down_exps.weight", "~layers.#.block_sparse_moe.experts.@.w2.weight", NULL},
    {"blk.#.ffn_up_exps.weight", "~layers.#.block_sparse_moe.experts.@.w3.weight", NULL},
    {0},
};

static const gol_hf_rule shared_expert_rules[] = {
    {"blk.#.ffn_gate_inp_shexp.weight", "~layers.#.mlp.shared_expert_gate.weight", &gol_hf_f32},
    {"blk.#.ffn_gate_shexp.weight", "~layers.#.mlp.shared_expert.gate_proj.weight", NULL},
    {"blk.#.ffn_up_shexp.weight", "~layers.#.mlp.shared_expert.up_proj.weight", NULL},
    {"blk.#.ffn_down_shexp.weight", "~layers.#.mlp.shared_expert.down_proj.weight", NULL},
    {0},
};

static const gol_hf_rule qwen_moe_rules[] = {
    {"blk.#.ffn_gate_inp.weight", "~layers.#.mlp.gate.weight", &gol_hf_f32},
    {"blk.#.ffn_gate_exps.weight", "~layers.#.mlp.experts.@.gate_proj.weight", NULL},
    {"blk.#.ffn_up_exps.weight", "~layers.#.mlp.experts.@.up_proj.weight", NULL},
    {"blk.#.ffn_down_exps.weight", "~layers.#.mlp.experts.@.down_proj.weight", NULL},
    {0},
};

static void read_llama(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
}

static void read_mistral(gol_hf *hf)
{
    read_llama(hf);
    gol_hf_put_window(hf);
}

/* Mistral 3's text. Its successors have another rotation, which their text_config says. */
static void read_mistral3(gol_hf *hf)
{
    const gol_str type = gol_hf_text_or(hf, "model_type", "mistral");
    if (hf->rc == 0 && !gol_str_is(type, "mistral"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "text_config.model_type: only mistral is supported");
    read_mistral(hf);
    gol_hf_leave_pictures_out(hf);
}

static void read_mixtral(gol_hf *hf)
{
    read_mistral(hf);
    gol_hf_put_experts(hf);
}

/* The window of these is off unless asked for, and then for the later layers only. Which ones is written down for each layer: others
 * take a window that has no pattern for a mistake, and do without. */
static void read_qwen(gol_hf *hf)
{
    bool has_window[GOL_HF_LAYERS_MAX];
    read_llama(hf);
    if (!gol_hf_bool_or(hf, "use_sliding_window", false) || !gol_hf_has(hf, "sliding_window"))
        return;
    if (!gol_hf_layer_types(hf, "sliding_attention", has_window)) {
        const uint32_t first = gol_hf_u32(hf, "max_window_layers");
        for (uint32_t i = 0; i < hf->n_layers; i++)
            has_window[i] = i >= first;
    }
    if (hf->rc != 0)
        return;
    gol_hf_put_u32(hf, "attention.sliding_window", gol_hf_u32(hf, "sliding_window"));
    gol_hf_put_window_layers(hf, has_window);
}

static void read_qwen_answers(gol_hf *hf)
{
    read_qwen(hf);
    gol_hf_put_answers(hf);
}

static void read_qwen_scores(gol_hf *hf)
{
    read_qwen(hf);
    gol_hf_put_scores(hf);
}

/* Every fourth layer is without positions: the architecture knows that, and no other pattern. */
static void read_smollm3(gol_hf *hf)
{
    read_llama(hf);
    if (gol_hf_bool_or(hf, "use_sliding_window", false))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "use_sliding_window is true; only false is supported");
    const json_t *list = gol_hf_find(hf, "no_rope_layers");
    for (uint32_t i = 0; list && i < hf->n_layers && hf->rc == 0; i++) {
        const json_t *has_rope = json_array_get(list, i);
        if (!json_is_integer(has_rope) || (json_integer_value(has_rope) != 0) != ((i + 1) % 4 != 0))
            gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                          "no_rope_layers: only 0 for every fourth layer is supported");
    }
}

static void read_qwen_moe(gol_hf *hf)
{
    read_qwen(hf);
    gol_hf_put_experts(hf);
    gol_hf_put_u32(hf, "expert_feed_forward_length", gol_hf_u32(hf, "moe_intermediate_size"));
    gol_hf_put_bool(hf, "expert_weights_norm", gol_hf_bool_or(hf, "norm_topk_prob", false));
    if (gol_hf_u32_or(hf, "decoder_sparse_step", 1) != 1 ||
        json_array_size(gol_hf_find(hf, "mlp_only_layers")) > 0)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "decoder_sparse_step, mlp_only_layers: only 1 and none are supported");
}

static void read_qwen2_moe(gol_hf *hf)
{
    read_qwen_moe(hf);
    gol_hf_put_u32(hf, "expert_shared_feed_forward_length",
                   gol_hf_u32(hf, "shared_expert_intermediate_size"));
}

/* OLMo 3: three of four layers have a window, which the architecture knows. */
static void read_olmo2(gol_hf *hf)
{
    read_llama(hf);
    gol_hf_put_window(hf);
    gol_hf_put_local_rope(hf, 0.0);
}

static const gol_hf_default mistral_defaults[] = {
    {"num_attention_heads", 32},
    {"num_key_value_heads", 8},
    {"max_position_embeddings", 131072},
    {"sliding_window", 4096},
    {0},
};

static void read_olmoe(gol_hf *hf)
{
    read_llama(hf);
    gol_hf_put_experts(hf);
    gol_hf_put_u32(hf, "expert_feed_forward_length", gol_hf_u32(hf, "intermediate_size"));
    gol_hf_put_bool(hf, "expert_weights_norm", gol_hf_bool_or(hf, "norm_topk_prob", false));
    if (gol_hf_has(hf, "clip_qkv"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "clip_qkv: only null is supported");
}

#define COMMON .prefixes = prefixes, .anchor = anchor

/* Rerankers come before the class that they have in common with others. */
#define TIED_ANSWERS                                                                               \
    "qwen3", read_qwen_answers, {tied_answer_rules, halves_rules, ffn_rules}, COMMON,              \
        .is_model = gol_hf_is_tied_reranker, .answers = true
#define ANSWERS                                                                                    \
    "qwen3", read_qwen_answers, {answer_rules, halves_rules, ffn_rules}, COMMON,                   \
        .is_model = gol_hf_is_reranker, .answers = true

const gol_hf_family gol_hf_families_llama[] = {
    {"LlamaForCausalLM", "llama", read_llama, {model_rules, neighbour_rules, ffn_rules}, COMMON},
    {"LlamaModel", "llama", read_llama, {model_rules, neighbour_rules, ffn_rules}, COMMON},
    {"MistralModel", "llama", read_mistral, {model_rules, neighbour_rules, ffn_rules}, COMMON},
    {"Mistral3ForConditionalGeneration",
     "llama",
     read_mistral3,
     {model_rules, neighbour_rules, ffn_rules},
     COMMON,
     .defaults = mistral_defaults},
    {"MistralForCausalLM",
     "llama",
     read_mistral,
     {model_rules, neighbour_rules, ffn_rules},
     COMMON},
    {"MixtralForCausalLM",
     "llama",
     read_mixtral,
     {model_rules, neighbour_rules, mixtral_rules},
     COMMON},
    {"SmolLM3ForCausalLM",
     "smollm3",
     read_smollm3,
     {model_rules, neighbour_rules, ffn_rules},
     COMMON,
     .is_tied = true},
    {"Qwen2ForCausalLM", "qwen2", read_qwen, {model_rules, halves_rules, ffn_rules}, COMMON},
    {"Qwen2Model", "qwen2", read_qwen, {model_rules, halves_rules, ffn_rules}, COMMON},
    {"Qwen3ForCausalLM", TIED_ANSWERS},
    {"Qwen3ForCausalLM", ANSWERS},
    {"Qwen3ForSequenceClassification", TIED_ANSWERS},
    {"Qwen3ForSequenceClassification", ANSWERS},
    {"Qwen3ForSequenceClassification",
     "qwen3",
     read_qwen_scores,
     {score_rules, halves_rules, ffn_rules},
     COMMON},
    {"Qwen3ForCausalLM", "qwen3", read_qwen, {model_rules, halves_rules, ffn_rules}, COMMON},
    {"Qwen3Model", "qwen3", read_qwen, {model_rules, halves_rules, ffn_rules}, COMMON},
    {"Qwen3MoeForCausalLM",
     "qwen3moe",
     read_qwen_moe,
     {model_rules, halves_rules, ffn_rules, qwen_moe_rules},
     COMMON},
    {"Qwen2MoeForCausalLM",
     "qwen2moe",
     read_qwen2_moe,
     {model_rules, halves_rules, qwen_moe_rules, shared_expert_rules},
     COMMON},
    {"OlmoeForCausalLM", "olmoe", read_olmoe, {model_rules, halves_rules, qwen_moe_rules}, COMMON},
    {"Olmo2ForCausalLM", "olmo2", read_olmo2, {model_rules, post_norm_rules, ffn_rules}, COMMON},
    {"Olmo3ForCausalLM", "olmo2", read_olmo2, {model_rules, post_norm_rules, ffn_rules}, COMMON},
    {0},
};
