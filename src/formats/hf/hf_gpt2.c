/* GPT-2. Its projections are stored as [in][out]; the products of gollum want [out][in]. */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"transformer.", "", NULL};

static const gol_hf_rule rules[] = {
    {"token_embd.weight", "~wte.weight", NULL},
    {"position_embd.weight", "~wpe.weight", &gol_hf_f32},
    {"output_norm.*", "~ln_f.*", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.*", "~h.#.ln_1.*", NULL},
    {"blk.#.attn_qkv.weight", "~h.#.attn.c_attn.weight", &gol_hf_transpose},
    {"blk.#.attn_qkv.bias", "~h.#.attn.c_attn.bias", NULL},
    {"blk.#.attn_output.weight", "~h.#.attn.c_proj.weight", &gol_hf_transpose},
    {"blk.#.attn_output.bias", "~h.#.attn.c_proj.bias", NULL},
    {"blk.#.ffn_norm.*", "~h.#.ln_2.*", NULL},
    {"blk.#.ffn_up.weight", "~h.#.mlp.c_fc.weight", &gol_hf_transpose},
    {"blk.#.ffn_up.bias", "~h.#.mlp.c_fc.bias", NULL},
    {"blk.#.ffn_down.weight", "~h.#.mlp.c_proj.weight", &gol_hf_transpose},
    {"blk.#.ffn_down.bias", "~h.#.mlp.c_proj.bias", NULL},
    {NULL, "~h.#.attn.bias", NULL}, /* the causal mask */
    {NULL, "~h.#.attn.masked_bias", NULL},
    {0},
};

static void read_gpt2(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "n_layer");
    hf->n_embd = gol_hf_u32(hf, "n_embd");
    hf->n_heads = hf->n_kv_heads = gol_hf_u32(hf, "n_head");
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "context_length",
                   gol_hf_u32(hf, gol_hf_has(hf, "n_positions") ? "n_positions" : "n_ctx"));
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32_or(hf, "n_inner", 4 * hf->n_embd));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_layer_eps(hf, "layer_norm_epsilon");
    gol_hf_require_act(hf, "activation_function", "gelu_new|gelu_pytorch_tanh|gelu_fast|gelu");
    if (gol_hf_bool_or(hf, "scale_attn_by_inverse_layer_idx", false) ||
        !gol_hf_bool_or(hf, "scale_attn_weights", true))
        gol_hf_refuse(
            hf, GOL_EUNSUPPORTED,
            "scale_attn_weights, scale_attn_by_inverse_layer_idx: only true and false are "
            "supported");
}

const gol_hf_family gol_hf_families_gpt2[] = {
    {"GPT2LMHeadModel",
     "gpt2",
     read_gpt2,
     {rules},
     .prefixes = prefixes,
     .anchor = "~wte.weight",
     .is_tied = true},
    {0},
};
