/*
 * A tokenizer of sentencepiece's tokenizer.model: its normalizer, and unigram or BPE. Tokens that the files beside it add have ids
 * behind its own.
 */
#include "text/hf/hf_older.h"

#include "base/mem.h"
#include "text/hf/spm_model.h"
#include "text/tokenizer_kind.h"

enum { GAP_MAX = 1 << 20 };

static int add_entry(json_t *list, const gol_spm_piece *piece, size_t id)
{
    json_t *text = json_stringn(piece->text.data, piece->text.len);
    return json_array_append_new(
        list, json_pack("{s:o, s:I, s:b, s:b}", "content", text, "id", (json_int_t)id, "special",
                        piece->type != GOL_TOKEN_USER_DEFINED, "normalized", 0));
}

/* The model's own special pieces, in front of the tokens that were added later. */
static int make_list(json_t **out, const gol_spm_model *model, const gol_hftok_files *files,
                     const gol_hftok_config *config, gol_err *err)
{
    json_t *added = NULL;
    const int rc = gol_hftok_added_list(&added, files, NULL, config, err);
    if (rc != 0)
        return rc;
    json_t *list = json_array();
    int failed = 0;
    for (size_t i = 0; failed == 0 && i < model->n; i++) {
        const int32_t type = model->pieces[i].type;
        if (type == GOL_TOKEN_CONTROL || type == GOL_TOKEN_UNKNOWN ||
            type == GOL_TOKEN_USER_DEFINED)
            failed = add_entry(list, &model->pieces[i], i);
    }
    if (failed == 0)
        failed = json_array_extend(list, added);
    json_decref(added);
    if (failed == 0) {
        *out = json_pack("{s:o}", "added_tokens", list);
        return 0;
    }
    json_decref(list);
    return gol_fail(err, GOL_EMODEL, "tokenizer.model: a special piece that is no UTF-8");
}

static int64_t max_id(const gol_hftok_node *list)
{
    int64_t max = -1;
    for (size_t i = 0; i < gol_hftok_n(list); i++) {
        const gol_hftok_node node = gol_hftok_at(list, i);
        const json_t *id = json_object_get(node.json, "id");
        if (json_is_integer(id) && json_integer_value(id) > max)
            max = json_integer_value(id);
    }
    return max;
}

static int set_pieces(gol_vocab *vocab, const gol_spm_model *model, gol_err *err)
{
    for (size_t i = 0; i < model->n; i++) {
        const gol_spm_piece *piece = &model->pieces[i];
        bool is_new;
        const int rc = gol_vocab_set_text(vocab, (int32_t)i, piece->text, &is_new, err);
        if (rc != 0)
            return rc;
        vocab->tokens[i].type = (uint8_t)piece->type;
        vocab->tokens[i].score = piece->score;
    }
    vocab->has_scores = true;
    return 0;
}

static int set_added(gol_vocab *vocab, const gol_hftok_node *list, gol_err *err)
{
    for (size_t i = 0; i < gol_hftok_n(list); i++) {
        const gol_hftok_node node = gol_hftok_at(list, i);
        gol_str text;
        int64_t id = 0;
        bool is_special = false;
        int rc = gol_hftok_need_str(&node, "content", &text, err);
        if (rc != 0 || gol_hftok_int(&node, "id", 0, vocab->n - 1, &id, err) < 0 ||
            gol_hftok_bool(&node, "special", &is_special, err) < 0)
            return GOL_EMODEL;
        if (gol_str_table_find(&vocab->by_text, text) >= 0)
            continue;
        bool is_new;
        rc = gol_vocab_set_text(vocab, (int32_t)id, text, &is_new, err);
        if (rc != 0)
            return rc;
        vocab->tokens[id].type = is_special ? GOL_TOKEN_CONTROL : GOL_TOKEN_USER_DEFINED;
        vocab->tokens[id].is_added = true;
    }
    return 0;
}

static int set_vocab(gol_vocab *vocab, const gol_spm_model *model, const gol_hftok_node *list,
                     gol_err *err)
{
    const int64_t max = max_id(list);
    const int64_t n = max >= (int64_t)model->n ? max + 1 : (int64_t)model->n;
    if (n > GOL_VOCAB_TOKENS_MAX || n > (int64_t)model->n + GAP_MAX)
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer_config.json: an added token with the id %lld, tokenizer.model "
                        "has %zu pieces",
                        (long long)max, model->n);
    int rc = gol_vocab_init(vocab, (size_t)n, err);
    if (rc == 0)
        rc = set_pieces(vocab, model, err);
    if (rc == 0)
        rc = gol_spm_set_pieces(vocab, err);
    if (rc == 0)
        rc = set_added(vocab, list, err);
    vocab->unk = model->unk >= 0 && model->unk < vocab->n ? (int32_t)model->unk : -1;
    vocab->bos = model->bos >= 0 && model->bos < vocab->n ? (int32_t)model->bos : -1;
    vocab->eos = model->eos >= 0 && model->eos < vocab->n ? (int32_t)model->eos : -1;
    vocab->adds_space = model->adds_space;
    return rc;
}

static int set_pipeline(gol_pipeline *pipeline, const gol_vocab *vocab, const gol_spm_model *model,
                        gol_err *err)
{
    const gol_norm_spm_opts norm = {
        .charsmap = model->charsmap,
        .charsmap_name = "tokenizer.model: precompiled_charsmap",
        .adds_space = model->adds_space,
        .removes_extra_spaces = model->removes_extra_spaces,
    };
    const gol_unigram_opts unigram = {.byte_fallback = model->byte_fallback, .adds_floats = true};
    if (model->suffixes_space || !model->escapes_spaces)
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "tokenizer.model: treat_whitespace_as_suffix, or spaces not escaped");
    int rc = gol_norm_spm_create(&pipeline->norms[0], &norm, err);
    if (rc != 0)
        return rc;
    pipeline->n_norms = 1;
    if (model->kind == GOL_SPM_UNIGRAM)
        return gol_unigram_create(&pipeline->model, vocab, &unigram, err);
    if (model->kind == GOL_SPM_BPE)
        return gol_spm_bpe_create(&pipeline->model, vocab, err);
    return gol_fail(err, GOL_EUNSUPPORTED, "tokenizer.model: model_type %d, 1 and 2 are accepted",
                    model->kind);
}

/* What nobody says otherwise: Llama's and its like begin with BOS, T5's end with EOS. */
static int set_around(gol_tokenizer *tok, const gol_spm_model *model,
                      const gol_hftok_config *config, gol_err *err)
{
    const gol_str class = gol_hftok_config_class(config);
    const bool is_t5 = class.len >= 2 && memmem(class.data, class.len, "T5", 2) != NULL;
    int rc = 0;
    if (model->kind == GOL_SPM_BPE && tok->vocab.bos >= 0)
        rc = gol_ids_push(&tok->prefix, tok->vocab.bos);
    if (rc == 0 && is_t5 && tok->vocab.eos >= 0)
        rc = gol_ids_push(&tok->suffix, tok->vocab.eos);
    if (rc != 0)
        return gol_fail(err, rc, "tokenizer: out of memory");
    return gol_hftok_read_config(tok, config, true, err);
}

static int build(gol_tokenizer *tok, const gol_spm_model *model, const gol_hftok_files *files,
                 const gol_hftok_config *config, gol_err *err)
{
    json_t *json = NULL;
    tok->state = gol_try_calloc(1, sizeof(gol_pipeline));
    if (tok->state == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    int rc = make_list(&json, model, files, config, err);
    if (rc != 0)
        return rc;
    const gol_hftok_node root = gol_hftok_root(json, "tokenizer_config.json");
    const gol_hftok_node list = gol_hftok_get(&root, "added_tokens");
    rc = set_vocab(&tok->vocab, model, &list, err);
    if (rc == 0)
        rc = set_pipeline(tok->state, &tok->vocab, model, err);
    if (rc == 0)
        rc = gol_hftok_read_added_tokens(&root, &tok->vocab, &tok->special, tok->state, err);
    if (rc == 0)
        rc = set_around(tok, model, config, err);
    json_decref(json);
    return rc;
}

int gol_hftok_spm_create(gol_tokenizer **out, const gol_hftok_files *files, gol_err *err)
{
    *out = NULL;
    gol_spm_model model;
    gol_hftok_config config = {NULL, NULL};
    int rc = gol_spm_model_parse(&model, files->tokenizer_model, err);
    if (rc != 0)
        return rc;
    gol_tokenizer *tok = gol_try_calloc(1, sizeof *tok);
    rc = tok != NULL ? gol_hftok_config_init(&config, files, err)
                     : gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    if (rc == 0) {
        tok->kind = &gol_kind_pipeline;
        rc = build(tok, &model, files, &config, err);
    }
    if (rc == 0)
        *out = tok;
    else if (tok != NULL)
        gol_tokenizer_destroy(&tok);
    gol_hftok_config_deinit(&config);
    gol_spm_model_deinit(&model);
    return rc;
}
