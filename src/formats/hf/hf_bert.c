/*
 * BERT, RoBERTa, which is one with other positions, and DistilBERT, which is one under other names: encoders. The pooler of the original
 * is a classifier's first layer and nothing to embeddings; what predicts masked words is left out.
 */
#include "formats/hf/hf_model.h"

static const char *const prefixes[] = {"bert.", "", "roberta.", "distilbert.", NULL};

static const gol_hf_rule layer_rules[] = {
    {"token_embd.weight", "~embeddings.word_embeddings.weight", NULL},
    {"token_types.weight", "~embeddings.token_type_embeddings.weight", &gol_hf_f32},
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

/* Names of the oldest files. */
static const gol_hf_rule greek_rules[] = {
    {"token_embd_norm.weight", "~embeddings.LayerNorm.gamma", NULL},
    {"token_embd_norm.bias", "~embeddings.LayerNorm.beta", NULL},
    {"blk.#.attn_output_norm.weight", "~encoder.layer.#.attention.output.LayerNorm.gamma", NULL},
    {"blk.#.attn_output_norm.bias", "~encoder.layer.#.attention.output.LayerNorm.beta", NULL},
    {"blk.#.layer_output_norm.weight", "~encoder.layer.#.output.LayerNorm.gamma", NULL},
    {"blk.#.layer_output_norm.bias", "~encoder.layer.#.output.LayerNorm.beta", NULL},
    {0},
};

static const gol_hf_rule bert_rules[] = {
    {"position_embd.weight", "~embeddings.position_embeddings.weight", &gol_hf_f32},
    {NULL, "cls.predictions.*", NULL}, /* the bias alone */
    {NULL, "cls.predictions.transform.dense.*", NULL},
    {NULL, "cls.predictions.transform.LayerNorm.*", NULL},
    {NULL, "cls.predictions.transform.LayerNorm.gamma", NULL},
    {NULL, "cls.predictions.transform.LayerNorm.beta", NULL},
    {NULL, "cls.predictions.decoder.*", NULL},
    {NULL, "cls.seq_relationship.*", NULL},
    {0},
};

static const gol_hf_rule roberta_rules[] = {
    {"position_embd.weight", "~embeddings.position_embeddings.weight", &gol_hf_later_rows},
    {NULL, "lm_head.*", NULL},
    {NULL, "lm_head.dense.*", NULL},
    {NULL, "lm_head.layer_norm.*", NULL},
    {NULL, "lm_head.decoder.*", NULL},
    {0},
};

/* Classifiers, such as rerankers: two layers behind the first row, the first of which BERT calls its pooler. */
static const gol_hf_rule bert_class_rules[] = {
    {"cls.*", "~pooler.dense.*", NULL},
    {"cls.output.*", "classifier.*", NULL},
    {0},
};

static const gol_hf_rule roberta_class_rules[] = {
    {"cls.*", "classifier.dense.*", NULL},
    {"cls.output.*", "classifier.out_proj.*", NULL},
    {0},
};

static void read_bert(gol_hf *hf)
{
    gol_hf_put_sizes(hf);
    hf->n_kv_heads = hf->n_heads;
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_heads);
    gol_hf_put_ffn(hf, "intermediate_size");
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon", gol_hf_real_or(hf, "layer_norm_eps", 1e-12));
    gol_hf_require_act(hf, "hidden_act", "gelu");
    const gol_str position = gol_hf_text_or(hf, "position_embedding_type", "absolute");
    if (hf->rc == 0 && !gol_str_is(position, "absolute"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "position_embedding_type: only absolute is supported");
    if (gol_hf_bool_or(hf, "is_decoder", false))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "is_decoder is true; only false is supported");
    gol_hf_put_types(hf);
}

/* Its positions begin behind that of padding: the rows before are no text's. */
static void read_roberta(gol_hf *hf)
{
    read_bert(hf);
    const uint32_t n_rows = gol_hf_u32(hf, "max_position_embeddings");
    hf->n_skipped = gol_hf_u32_or(hf, "pad_token_id", 1) + 1;
    if (hf->rc == 0 && hf->n_skipped >= n_rows)
        gol_hf_refuse(hf, GOL_EMODEL, "max_position_embeddings is %u; more than %u is expected",
                      n_rows, hf->n_skipped);
    gol_hf_put_u32(hf, "context_length", n_rows - hf->n_skipped);
}

static const gol_hf_rule distil_rules[] = {
    {"token_embd.weight", "~embeddings.word_embeddings.weight", NULL},
    {"position_embd.weight", "~embeddings.position_embeddings.weight", &gol_hf_f32},
    {"token_embd_norm.*", "~embeddings.LayerNorm.*", NULL},
    {"blk.#.attn_q.*", "~transformer.layer.#.attention.q_lin.*", NULL},
    {"blk.#.attn_k.*", "~transformer.layer.#.attention.k_lin.*", NULL},
    {"blk.#.attn_v.*", "~transformer.layer.#.attention.v_lin.*", NULL},
    {"blk.#.attn_output.*", "~transformer.layer.#.attention.out_lin.*", NULL},
    {"blk.#.attn_output_norm.*", "~transformer.layer.#.sa_layer_norm.*", NULL},
    {"blk.#.ffn_up.*", "~transformer.layer.#.ffn.lin1.*", NULL},
    {"blk.#.ffn_down.*", "~transformer.layer.#.ffn.lin2.*", NULL},
    {"blk.#.layer_output_norm.*", "~transformer.layer.#.output_layer_norm.*", NULL},
    {NULL, "vocab_transform.*", NULL},
    {NULL, "vocab_layer_norm.*", NULL},
    {NULL, "vocab_projector.*", NULL},
    {0},
};

/* Names of its own for what BERT has, and no types of tokens. */
static void read_distil(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "n_layers");
    hf->n_heads = hf->n_kv_heads = gol_hf_u32(hf, "n_heads");
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", gol_hf_u32(hf, "dim"));
    gol_hf_put_u32(hf, "context_length", gol_hf_u32(hf, "max_position_embeddings"));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_ffn(hf, "hidden_dim");
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon", 1e-12);
    gol_hf_require_act(hf, "activation", "gelu");
    gol_hf_put_types(hf);
}

void gol_hf_put_types(gol_hf *hf)
{
    gol_hf_put_meta(
        hf, "tokenizer.ggml.token_type_count",
        &(gol_value){.type = GOL_VALUE_U32, .u = gol_hf_u32_or(hf, "type_vocab_size", 2)});
    gol_hf_put_bool(hf, "attention.causal", false);
}

#define COMMON  .prefixes = prefixes, .anchor = "~embeddings.word_embeddings.weight", .is_tied = true
#define BERT    "bert", read_bert, {layer_rules, greek_rules, bert_rules}, COMMON
#define DISTIL  "bert", read_distil, {distil_rules}, COMMON
#define ROBERTA "bert", read_roberta, {layer_rules, roberta_rules}, COMMON

#define BERT_CLASSES                                                                               \
    "bert", read_bert, {layer_rules, greek_rules, bert_rules, bert_class_rules}, COMMON
#define ROBERTA_CLASSES                                                                            \
    "bert", read_roberta, {layer_rules, roberta_rules, roberta_class_rules}, COMMON

const gol_hf_family gol_hf_families_bert[] = {
    {"BertModel", BERT},
    {"BertForMaskedLM", BERT},
    {"RobertaModel", ROBERTA},
    {"RobertaForMaskedLM", ROBERTA},
    {"XLMRobertaModel", ROBERTA},
    {"XLMRobertaForMaskedLM", ROBERTA},
    {"BertForSequenceClassification", BERT_CLASSES},
    {"RobertaForSequenceClassification", ROBERTA_CLASSES},
    {"XLMRobertaForSequenceClassification", ROBERTA_CLASSES},
    {"DistilBertModel", DISTIL},
    {"DistilBertForMaskedLM", DISTIL},
    {0},
};
