/*
 * Granite 3 and 4: Llama with four scales; with experts, a shared expert, or layers of Mamba 2 among those of attention. Gate and up
 * are one matrix of two halves, for all experts together.
 */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"model.", "", NULL};
static const char anchor[] = "~embed_tokens.weight";

static const gol_hf_rule attention_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", NULL},
    {"blk.#.attn_q.*", "~layers.#.self_attn.q_proj.*", &gol_hf_permute_q},
    {"blk.#.attn_k.*", "~layers.#.self_attn.k_proj.*", &gol_hf_permute_k},
    {"blk.#.attn_v.*", "~layers.#.self_attn.v_proj.*", NULL},
    {"blk.#.attn_output.*", "~layers.#.self_attn.o_proj.*", NULL},
    {"blk.#.ffn_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {0},
};

static const gol_hf_rule dense_rules[] = {
    {"blk.#.ffn_gate.*", "~layers.#.mlp.gate_proj.*", NULL},
    {"blk.#.ffn_up.*", "~layers.#.mlp.up_proj.*", NULL},
    {"blk.#.ffn_down.*", "~layers.#.mlp.down_proj.*", NULL},
    {0},
};

/* Without experts the shared one is the whole feed-forward network: a family of its own below. */
#define SHARED(gate, up, down)                                                                     \
    {gate, "~layers.#.shared_mlp.input_linear.weight", &gol_hf_first_half},                        \
        {up, "~layers.#.shared_mlp.input_linear.weight", &gol_hf_second_half},                     \
    {                                                                                              \
        down, "~layers.#.shared_mlp.output_linear.weight", NULL                                    \
    }

static const gol_hf_rule expert_rules[] = {
    {"blk.#.ffn_gate_inp.weight", "~layers.#.block_sparse_moe.router.layer.weight", &gol_hf_f32},
    {"blk.#.ffn_gate_exps.weight", "~layers.#.block_sparse_moe.input_linear.weight",
     &gol_hf_first_half},
    {"blk.#.ffn_up_exps.weight", "~layers.#.block_sparse_moe.input_linear.weight",
     &gol_hf_second_half},
    {"blk.#.ffn_down_exps.weight", "~layers.#.block_sparse_moe.output_linear.weight", NULL},
    SHARED("blk.#.ffn_gate_shexp.weight", "blk.#.ffn_up_shexp.weight",
           "blk.#.ffn_down_shexp.weight"),
    {0},
};

static const gol_hf_rule mamba_rules[] = {
    {"blk.#.ssm_in.weight", "~layers.#.mamba.in_proj.weight", NULL},
    {"blk.#.ssm_conv1d.weight", "~layers.#.mamba.conv1d.weight", &gol_hf_squeeze},
    {"blk.#.ssm_conv1d.bias", "~layers.#.mamba.conv1d.bias", NULL},
    {"blk.#.ssm_dt.bias", "~layers.#.mamba.dt_bias", NULL},
    {"blk.#.ssm_a", "~layers.#.mamba.A_log", &gol_hf_minus_exp},
    {"blk.#.ssm_d", "~layers.#.mamba.D", &gol_hf_column},
    {"blk.#.ssm_norm.weight", "~layers.#.mamba.norm.weight", &gol_hf_rows_of_groups},
    {"blk.#.ssm_out.weight", "~layers.#.mamba.out_proj.weight", NULL},
    {0},
};

static const gol_hf_rule shared_as_dense_rules[] = {
    SHARED("blk.#.ffn_gate.weight", "blk.#.ffn_up.weight", "blk.#.ffn_down.weight"),
    {0},
};

static void read_granite(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_put_f32(hf, "embedding_scale", gol_hf_real_or(hf, "embedding_multiplier", 1.0));
    gol_hf_put_f32(hf, "residual_scale", gol_hf_real_or(hf, "residual_multiplier", 1.0));
    gol_hf_put_f32(hf, "attention.scale", gol_hf_real_or(hf, "attention_multiplier", 1.0));
    gol_hf_put_f32(hf, "logit_scale", gol_hf_real_or(hf, "logits_scaling", 1.0));
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
}

static void read_dense(gol_hf *hf)
{
    read_granite(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
}

/* Models of the hybrids' class have positions only where they say so. */
static void put_positions(gol_hf *hf)
{
    const gol_str position = gol_hf_text_or(hf, "position_embedding_type", "none");
    gol_hf_put_bool(hf, "rope.scaling.finetuned", gol_str_is(position, "rope"));
}

static void read_shared_as_dense(gol_hf *hf)
{
    read_granite(hf);
    gol_hf_put_ffn(hf, "shared_intermediate_size");
    put_positions(hf);
}

static void read_moe(gol_hf *hf)
{
    read_dense(hf);
    gol_hf_put_experts(hf);
    const uint32_t n_shared = gol_hf_u32_or(hf, "shared_intermediate_size", 0);
    if (n_shared > 0)
        gol_hf_put_u32(hf, "expert_shared_feed_forward_length", n_shared);
}

/* A layer is one of Mamba 2 when it has no key-value heads. */
static void put_layers(gol_hf *hf)
{
    bool has_attention[GOL_HF_LAYERS_MAX];
    uint32_t n_kv_heads[GOL_HF_LAYERS_MAX];
    if (!gol_hf_layer_types(hf, "attention|full_attention", has_attention)) {
        gol_hf_refuse(hf, GOL_EMODEL, "layer_types is missing");
        return;
    }
    for (uint32_t i = 0; i < hf->n_layers; i++)
        n_kv_heads[i] = has_attention[i] ? hf->n_kv_heads : 0;
    gol_hf_put_u32s(hf, "attention.head_count_kv", n_kv_heads, hf->n_layers);
}

static void put_mamba(gol_hf *hf)
{
    const uint32_t n_heads = gol_hf_u32_or(hf, "mamba_n_heads", 128);
    hf->n_groups = gol_hf_u32_or(hf, "mamba_n_groups", 1);
    gol_hf_put_u32(hf, "ssm.conv_kernel", gol_hf_u32_or(hf, "mamba_d_conv", 4));
    gol_hf_put_u32(hf, "ssm.state_size", gol_hf_u32_or(hf, "mamba_d_state", 256));
    gol_hf_put_u32(hf, "ssm.group_count", hf->n_groups);
    gol_hf_put_u32(hf, "ssm.time_step_rank", n_heads);
    gol_hf_put_u32(hf, "ssm.inner_size", gol_hf_u32_or(hf, "mamba_expand", 2) * hf->n_embd);
    put_positions(hf);
}

static void read_hybrid(gol_hf *hf)
{
    read_granite(hf);
    put_layers(hf);
    put_mamba(hf);
    gol_hf_put_experts(hf);
    gol_hf_put_ffn(hf, hf->n_experts > 0 ? "intermediate_size" : "shared_intermediate_size");
    if (hf->n_experts > 0)
        gol_hf_put_u32(hf, "expert_shared_feed_forward_length",
                       gol_hf_u32(hf, "shared_intermediate_size"));
}

#define COMMON .prefixes = prefixes, .anchor = anchor

/* ------------------------------------------------------------------ which of them ---- */

/* These are asked before any size has been read. */
static bool has_experts(gol_hf *hf)
{
    return gol_hf_u32_or(hf, "num_local_experts", 0) > 0;
}

static bool has_attention_alone(gol_hf *hf)
{
    const char *key = gol_hf_key(hf, "layer_types", "layers_block_type");
    const json_t *types = key ? gol_hf_find(hf, key) : NULL;
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *type = json_array_get(types, i);
        if (!json_is_string(type) || (!gol_str_is(gol_json_str(type), "attention") &&
                                      !gol_str_is(gol_json_str(type), "full_attention")))
            return false;
    }
    return json_array_size(types) > 0;
}

static bool is_attention_moe(gol_hf *hf)
{
    return has_attention_alone(hf) && has_experts(hf) &&
           gol_str_is(gol_hf_text_or(hf, "position_embedding_type", "none"), "rope");
}

/* Of the families of one class the first that fits: without Mamba's layers it is mostly one that others read, too. */
const gol_hf_family gol_hf_families_granite[] = {
    {"GraniteForCausalLM", "granite", read_dense, {attention_rules, dense_rules}, COMMON},
    {"GraniteMoeForCausalLM", "granitemoe", read_moe, {attention_rules, expert_rules}, COMMON},
    {"GraniteMoeSharedForCausalLM",
     "granitemoe",
     read_moe,
     {attention_rules, expert_rules},
     COMMON},
    {"GraniteMoeHybridForCausalLM",
     "granitemoe",
     read_moe,
     {attention_rules, expert_rules},
     COMMON,
     .is_model = is_attention_moe},
    {"GraniteMoeHybridForCausalLM",
     "granite",
     read_shared_as_dense,
     {attention_rules, shared_as_dense_rules},
     COMMON,
     .is_model = has_attention_alone},
    {"GraniteMoeHybridForCausalLM",
     "granitehybrid",
     read_hybrid,
     {attention_rules, expert_rules, mamba_rules},
     COMMON,
     .is_model = has_experts},
    {"GraniteMoeHybridForCausalLM",
     "granitehybrid",
     read_hybrid,
     {attention_rules, shared_as_dense_rules, mamba_rules},
     COMMON},
    {0},
};
