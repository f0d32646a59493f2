/*
 * Nomic Embed 1 and 1.5: BERT with rotated q and k and a gate. Two forms of config.json are about: that of the model's own code (n_embd,
 * n_layer, ...), and the library's, which has it since its version 5; both with tensors under the names of either.
 */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"", "bert.", "nomic_bert.", NULL};

static const gol_hf_rule own_rules[] = {
    {"token_embd.weight", "~embeddings.word_embeddings.weight", NULL},
    {"token_types.weight", "~embeddings.token_type_embeddings.weight", &gol_hf_f32},
    {"token_embd_norm.*", "~emb_ln.*", NULL},
    {"blk.#.attn_qkv.*", "~encoder.layers.#.attn.Wqkv.*", NULL},
    {"blk.#.attn_output.*", "~encoder.layers.#.attn.out_proj.*", NULL},
    {"blk.#.attn_output_norm.*", "~encoder.layers.#.norm1.*", NULL},
    {"blk.#.ffn_up.*", "~encoder.layers.#.mlp.fc11.*", NULL},
    {"blk.#.ffn_gate.*", "~encoder.layers.#.mlp.fc12.*", NULL},
    {"blk.#.ffn_down.*", "~encoder.layers.#.mlp.fc2.*", NULL},
    {"blk.#.layer_output_norm.*", "~encoder.layers.#.norm2.*", NULL},
    {0},
};

static const gol_hf_rule library_rules[] = {
    {"token_embd_norm.*", "~embeddings.LayerNorm.*", NULL},
    {"blk.#.attn_q.weight", "~layers.#.self_attn.q_proj.weight", NULL},
    {"blk.#.attn_k.weight", "~layers.#.self_attn.k_proj.weight", NULL},
    {"blk.#.attn_v.weight", "~layers.#.self_attn.v_proj.weight", NULL},
    {"blk.#.attn_output.weight", "~layers.#.self_attn.o_proj.weight", NULL},
    {"blk.#.attn_output_norm.*", "~layers.#.post_attention_layernorm.*", NULL},
    {"blk.#.ffn_up.weight", "~layers.#.mlp.up_proj.weight", NULL},
    {"blk.#.ffn_gate.weight", "~layers.#.mlp.gate_proj.weight", NULL},
    {"blk.#.ffn_down.weight", "~layers.#.mlp.down_proj.weight", NULL},
    {"blk.#.layer_output_norm.*", "~layers.#.post_mlp_layernorm.*", NULL},
    {0},
};

/* What the model's code can do and no published model of this architecture does. */
static void refuse_unusual(gol_hf *hf)
{
    static const char *const flags[] = {"prenorm", "use_rms_norm", "parallel_block", "causal",
                                        "rotary_emb_interleaved"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (gol_hf_bool_or(hf, flags[i], false))
            gol_hf_refuse(hf, GOL_EUNSUPPORTED, "%s is true; only false is supported", flags[i]);
    if (gol_hf_has(hf, "rotary_emb_scale_base"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "rotary_emb_scale_base: only null is supported");
    if (gol_hf_u32_or(hf, "moe_every_n_layers", 0) > 0)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "moe_every_n_layers: only 0 is supported");
}

/* Positions beyond those of the training are reached by stretching, which these files ask of the reader at run time. */
static uint32_t context_of(gol_hf *hf)
{
    const uint32_t n_positions = gol_hf_u32(hf, "n_positions");
    const uint32_t n_trained = gol_hf_u32_or(hf, "max_trained_positions", n_positions);
    return n_trained > 0 && n_trained < n_positions ? n_trained : n_positions;
}

static void put_own_form(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "n_layer");
    hf->n_embd = gol_hf_u32(hf, "n_embd");
    hf->n_heads = hf->n_kv_heads = gol_hf_u32(hf, "n_head");
    if (hf->rc == 0 && hf->n_heads == 0)
        gol_hf_refuse(hf, GOL_EMODEL, "n_head is 0");
    if (hf->rc != 0)
        return;
    const double share = gol_hf_real_or(hf, "rotary_emb_fraction", 1.0);
    if (!(share >= 0 && share <= 1))
        gol_hf_refuse(hf, GOL_EMODEL, "rotary_emb_fraction is %g; 0 to 1 is accepted", share);
    hf->head_dim = hf->n_embd / hf->n_heads;
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", context_of(hf));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32_or(hf, "n_inner", 4 * hf->n_embd));
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon",
                   gol_hf_real_or(hf, "layer_norm_epsilon", 1e-12));
    gol_hf_put_f32(hf, "rope.freq_base", gol_hf_real_or(hf, "rotary_emb_base", 10000.0));
    if (share < 1)
        gol_hf_put_u32(hf, "rope.dimension_count", (uint32_t)(share * hf->head_dim));
    gol_hf_require_act(hf, "activation_function", "swiglu");
    refuse_unusual(hf);
}

static void read_nomic(gol_hf *hf)
{
    if (gol_hf_has(hf, "n_embd")) {
        put_own_form(hf);
    } else {
        gol_hf_put_sizes(hf);
        gol_hf_put_ffn(hf, "intermediate_size");
        gol_hf_put_f32(hf, "attention.layer_norm_epsilon",
                       gol_hf_real_or(hf, "layer_norm_eps", 1e-12));
        gol_hf_put_rope(hf);
        gol_hf_require_act(hf, "hidden_act", "silu|swish");
    }
    gol_hf_put_types(hf);
}

static const gol_hf_default defaults[] = {{"rope_theta", 1000}, {0}};

const gol_hf_family gol_hf_families_nomic[] = {
    {"NomicBertModel",
     "nomic-bert",
     read_nomic,
     {own_rules, library_rules},
     .prefixes = prefixes,
     .anchor = "~embeddings.word_embeddings.weight",
     .is_tied = true,
     .defaults = defaults},
    {0},
};
