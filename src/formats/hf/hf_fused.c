/* Classes with fused projections: Phi-3 (q, k, v and gate, up one after the other), Falcon and GPT-NeoX (q, k, v by heads). */
#include "formats/hf/hf_model.h"

/* ------------------------------------------------------------------ Phi-3 ---- */

static const char *const phi3_prefixes[] = {"model.", "", NULL};

static const gol_hf_rule phi3_rules[] = {
    {"token_embd.weight", "~embed_tokens.weight", NULL},
    {"output_norm.weight", "~norm.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.weight", "~layers.#.input_layernorm.weight", NULL},
    {"blk.#.attn_qkv.weight", "~layers.#.self_attn.qkv_proj.weight", NULL},
    {"blk.#.attn_output.weight", "~layers.#.self_attn.o_proj.weight", NULL},
    {"blk.#.ffn_norm.weight", "~layers.#.post_attention_layernorm.weight", NULL},
    {"blk.#.ffn_up.weight", "~layers.#.mlp.gate_up_proj.weight", NULL},
    {"blk.#.ffn_down.weight", "~layers.#.mlp.down_proj.weight", NULL},
    {0},
};

static void read_phi3(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_rms_eps(hf);
    gol_hf_put_rope(hf);
    gol_hf_put_window(hf);
    gol_hf_require_act(hf, "hidden_act", "silu|swish");
}

/* ------------------------------------------------------------------ Falcon ---- */

static const char *const falcon_prefixes[] = {"transformer.", "", NULL};

static const gol_hf_rule falcon_rules[] = {
    {"token_embd.weight", "~word_embeddings.weight", NULL},
    {"output_norm.*", "~ln_f.*", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.*", "~h.#.input_layernorm.*", NULL}, /* one for both branches, or two: */
    {"blk.#.attn_norm.*", "~h.#.ln_mlp.*", NULL},
    {"blk.#.attn_norm_2.*", "~h.#.ln_attn.*", NULL},
    {"blk.#.attn_qkv.weight", "~h.#.self_attention.query_key_value.weight", &gol_hf_ungroup_qkv},
    {"blk.#.attn_output.weight", "~h.#.self_attention.dense.weight", NULL},
    {"blk.#.ffn_up.weight", "~h.#.mlp.dense_h_to_4h.weight", NULL},
    {"blk.#.ffn_down.weight", "~h.#.mlp.dense_4h_to_h.weight", NULL},
    {0},
};

static void read_falcon(gol_hf *hf)
{
    const bool is_new = gol_hf_bool_or(hf, "new_decoder_architecture", false);
    const char *layers = gol_hf_key(hf, "num_hidden_layers",
                                    "n_layer"); /* names of the oldest files */
    const char *heads = gol_hf_key(hf, "num_attention_heads", "n_head");
    hf->n_layers = gol_hf_u32(hf, layers ? layers : "num_hidden_layers");
    hf->n_heads = gol_hf_u32(hf, heads ? heads : "num_attention_heads");
    hf->n_embd = gol_hf_u32(hf, "hidden_size");
    const char *kv_heads = gol_hf_key(hf, "num_kv_heads", "n_head_kv");
    if (is_new)
        hf->n_kv_heads = kv_heads ? gol_hf_u32(hf, kv_heads) : hf->n_heads;
    else
        hf->n_kv_heads = gol_hf_bool_or(hf, "multi_query", true) ? 1 : hf->n_heads;
    if (gol_hf_bool_or(hf, "alibi", false) || gol_hf_bool_or(hf, "bias", false) ||
        !gol_hf_bool_or(hf, "parallel_attn", true))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "alibi, bias, parallel_attn: only false, false and true are supported");
    if (hf->rc != 0 || hf->n_heads == 0) {
        gol_hf_refuse(hf, GOL_EMODEL, "num_attention_heads is 0");
        return;
    }
    hf->head_dim = hf->n_embd / hf->n_heads;
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", gol_hf_u32_or(hf, "max_position_embeddings", 2048));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_kv_heads);
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32_or(hf, "ffn_hidden_size", 4 * hf->n_embd));
    gol_hf_put_layer_eps(hf, "layer_norm_epsilon");
    gol_hf_put_rope(hf);
}

/* ------------------------------------------------------------------ GPT-NeoX ---- */

static const char *const neox_prefixes[] = {"gpt_neox.", "", NULL};

static const gol_hf_rule neox_rules[] = {
    {"token_embd.weight", "~embed_in.weight", NULL},
    {"output_norm.*", "~final_layer_norm.*", NULL},
    {"output.weight", "embed_out.weight", NULL},
    {"output.weight", "lm_head.weight", NULL},
    {"blk.#.attn_norm.*", "~layers.#.input_layernorm.*", NULL},
    {"blk.#.attn_qkv.*", "~layers.#.attention.query_key_value.*", &gol_hf_ungroup_qkv},
    {"blk.#.attn_output.*", "~layers.#.attention.dense.*", NULL},
    {"blk.#.ffn_norm.*", "~layers.#.post_attention_layernorm.*", NULL},
    {"blk.#.ffn_up.*", "~layers.#.mlp.dense_h_to_4h.*", NULL},
    {"blk.#.ffn_down.*", "~layers.#.mlp.dense_4h_to_h.*", NULL},
    {NULL, "~layers.#.attention.bias", NULL}, /* the causal mask */
    {NULL, "~layers.#.attention.masked_bias", NULL},
    {NULL, "~layers.#.attention.rotary_emb.inv_freq", NULL},
    {0},
};

static void read_neox(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    hf->n_kv_heads = hf->n_heads;
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_heads);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_layer_eps(hf, "layer_norm_eps");
    gol_hf_put_rope(hf);
    gol_hf_put_bool(hf, "use_parallel_residual", gol_hf_bool_or(hf, "use_parallel_residual", true));
    gol_hf_require_act(hf, "hidden_act", "gelu|gelu_new|gelu_fast|gelu_pytorch_tanh");
}

static const gol_hf_default neox_defaults[] = {{"rotary_pct", 0.25}, {0}};

const gol_hf_family gol_hf_families_fused[] = {
    {"Phi3ForCausalLM",
     "phi3",
     read_phi3,
     {phi3_rules},
     .prefixes = phi3_prefixes,
     .anchor = "~embed_tokens.weight"},
    {"FalconForCausalLM",
     "falcon",
     read_falcon,
     {falcon_rules},
     .prefixes = falcon_prefixes,
     .anchor = "~word_embeddings.weight",
     .is_tied = true},
    {"GPTNeoXForCausalLM",
     "gptneox",
     read_neox,
     {neox_rules},
     .prefixes = neox_prefixes,
     .anchor = "~embed_in.weight",
     .defaults = neox_defaults},
    {0},
};
