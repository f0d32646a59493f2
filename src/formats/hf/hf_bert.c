/* BERT and Nomic's variant: encoders. The pooler of the original is not used for embeddings and left out. */
#include "formats/hf/hf_model.h"

static const char *const bert_prefixes[] = {"bert.", "", NULL};
static const char *const nomic_prefixes[] = {"", "bert.", NULL};

static const gol_hf_rule bert_rules[] = {
    {"token_embd.weight", "~embeddings.word_embeddings.weight", NULL},
    {"token_types.weight", "~embeddings.token_type_embeddings.weight", &gol_hf_f32},
    {"position_embd.weight", "~embeddings.position_embeddings.weight", &gol_hf_f32},
    {"token_embd_norm.*", "~embeddings.LayerNorm.*", NULL},
    {"blk.#.attn_q.*", "~encoder.layer.#.attention.self.query.*", NULL},
    {"blk.#.attn_k.*", "~encoder.layer.#.attention.self.key.*", NULL},
    {"blk.#.attn_v.*", "~encoder.layer.#.attention.self.value.*", NULL},
    {"blk.#.attn_output.*", "~encoder.layer.#.attention.output.dense.*", NULL},
    {"blk.#.attn_output_norm.*", "~encoder.layer.#.attention.output.LayerNorm.*", NULL},
    {"blk.#.ffn_up.*", "~encoder.layer.#.intermediate.dense.*", NULL},
    {"blk.#.ffn_down.*", "~encoder.layer.#.output.dense.*", NULL},
    {"blk.#.layer_output_norm.*", "~encoder.layer.#.output.LayerNorm.*", NULL},
    {NULL, "~embeddings.position_ids", NULL},
    {NULL, "~pooler.dense.*", NULL},
    {0},
};

static const gol_hf_rule nomic_rules[] = {
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

static void put_types(gol_hf *hf)
{
    gol_hf_put_meta(
        hf, "tokenizer.ggml.token_type_count",
        &(gol_value){.type = GOL_VALUE_U32, .u = gol_hf_u32_or(hf, "type_vocab_size", 2)});
    gol_hf_put_bool(hf, "attention.causal", false);
    gol_hf_put_pooling(hf);
}

static void read_bert(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_heads);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon", gol_hf_real_or(hf, "layer_norm_eps", 1e-12));
    gol_hf_require_act(hf, "hidden_act", "gelu");
    const gol_str position = gol_hf_text_or(hf, "position_embedding_type", "absolute");
    if (hf->rc == 0 && !gol_str_is(position, "absolute"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "position_embedding_type: only absolute is supported");
    put_types(hf);
}

static void read_nomic(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "n_layer");
    hf->n_embd = gol_hf_u32(hf, "n_embd");
    hf->n_heads = hf->n_kv_heads = gol_hf_u32(hf, "n_head");
    if (hf->rc == 0 && hf->n_heads == 0)
        gol_hf_refuse(hf, GOL_EMODEL, "n_head is 0");
    if (hf->rc != 0)
        return;
    hf->head_dim = hf->n_embd / hf->n_heads;
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", gol_hf_u32(hf, "n_positions"));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32_or(hf, "n_inner", 4 * hf->n_embd));
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon",
                   gol_hf_real_or(hf, "layer_norm_epsilon", 1e-12));
    gol_hf_put_f32(hf, "rope.freq_base", gol_hf_real_or(hf, "rotary_emb_base", 10000.0));
    gol_hf_require_act(hf, "activation_function", "swiglu");
    if (gol_hf_u32_or(hf, "moe_every_n_layers", 0) > 0)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "moe_every_n_layers: only 0 is supported");
    put_types(hf);
}

const gol_hf_family gol_hf_families_bert[] = {
    {"BertModel",
     "bert",
     read_bert,
     {bert_rules},
     .prefixes = bert_prefixes,
     .anchor = "~embeddings.word_embeddings.weight",
     .is_tied = true},
    {"NomicBertModel",
     "nomic-bert",
     read_nomic,
     {nomic_rules},
     .prefixes = nomic_prefixes,
     .anchor = "~embeddings.word_embeddings.weight",
     .is_tied = true},
    {0},
};
