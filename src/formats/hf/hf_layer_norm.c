/* Llama's names with layer norms: StarCoder2, StableLM, Command-R and Command-A. */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"model.", "", NULL};
static const char anchor[] = "~embed_tokens.weight";

static const gol_hf_rule common_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.*", "~norm.*", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.*", "~layers.#.input_layernorm.*", NULL},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", NULL},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", NULL},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.ffn_norm.*", "~layers.#.post_attention_layernorm.*", NULL},
    {0},
};

static const gol_hf_rule gated_rules[] = {
    {"blk.#.ffn_gate.*", "~layers.#.mlp.gate_proj.*", NULL},
    {"blk.#.ffn_up.*", "~layers.#.mlp.up_proj.*", NULL},
    {"blk.#.ffn_down.*", "~layers.#.mlp.down_proj.*", NULL},
    {0},
};

static const gol_hf_rule starcoder_rules[] = {
    {"blk.#.ffn_up.*", "~layers.#.mlp.c_fc.*", NULL},
    {"blk.#.ffn_down.*", "~layers.#.mlp.c_proj.*", NULL},
    {0},
};

static const gol_hf_rule stablelm_rules[] = {
    {"blk.#.attn_q_norm.weight", "~layers.#.self_attn.q_layernorm.norms.%.weight", &gol_hf_f32},
    {"blk.#.attn_k_norm.weight", "~layers.#.self_attn.k_layernorm.norms.&.weight", &gol_hf_f32},
    {0},
};

/* One norm for each head. */
static const gol_hf_rule command_r_rules[] = {
    {"blk.#.attn_q_norm.weight", "~layers.#.self_attn.q_norm.weight", &gol_hf_f32},
    {"blk.#.attn_k_norm.weight", "~layers.#.self_attn.k_norm.weight", &gol_hf_f32},
    {0},
};

static void read_common(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rope(hf);
}

static void read_starcoder2(gol_hf *hf)
{
    read_common(hf);
    gol_hf_put_layer_eps(hf, "norm_epsilon");
    gol_hf_put_window(hf);
    gol_hf_require_act(hf, "hidden_act", "gelu_pytorch_tanh|gelu|gelu_new");
}

static void read_stablelm(gol_hf *hf)
{
    read_common(hf);
    gol_hf_put_layer_eps(hf, "layer_norm_eps");
    gol_hf_put_bool(hf, "use_parallel_residual",
                    gol_hf_bool_or(hf, "use_parallel_residual", false));
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
}

static void read_command_r(gol_hf *hf)
{
    read_common(hf);
    gol_hf_put_layer_eps(hf, "layer_norm_eps");
    gol_hf_put_f32(hf, "logit_scale", gol_hf_real_or(hf, "logit_scale", 0.0625));
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
    if (gol_hf_has(hf, "model_max_length")) /* of models that were trained on more than they say */
        gol_hf_put_u32(hf, "context_length", gol_hf_u32(hf, "model_max_length"));
}

static void read_cohere2(gol_hf *hf)
{
    read_command_r(hf);
    gol_hf_put_window(hf);
}

static const gol_hf_default stablelm_defaults[] = {{"partial_rotary_factor", 0.25}, {0}};

#define COMMON .prefixes = prefixes, .anchor = anchor

/* The Cohere classes rotate neighbours themselves: their q and k stay as they are. */
const gol_hf_family gol_hf_families_layer_norm[] = {
    {"Starcoder2ForCausalLM",
     "starcoder2",
     read_starcoder2,
     {common_rules, starcoder_rules},
     COMMON,
     .is_tied = true},
    {"StableLmForCausalLM",
     "stablelm",
     read_stablelm,
     {common_rules, gated_rules, stablelm_rules},
     COMMON,
     .defaults = stablelm_defaults},
    {"CohereForCausalLM",
     "command-r",
     read_command_r,
     {common_rules, gated_rules, command_r_rules},
     COMMON,
     .is_tied = true},
    {"Cohere2ForCausalLM",
     "cohere2",
     read_cohere2,
     {common_rules, gated_rules},
     COMMON,
     .is_tied = true},
    {0},
};
