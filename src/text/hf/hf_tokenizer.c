/*
 * A tokenizer of a Hugging Face folder: the parts of tokenizer.json in the order in which they need each other, then what the other
 * files say.
 */
#include "text/hf/hf_files.h"

#include "base/log.h"
#include "base/mem.h"
#include "text/hf/hf_older.h"
#include "text/hf/hf_parts.h"
#include "text/hf/hf_special_ids.h"
#include "text/tokenizer_kind.h"

static void destroy(void *state)
{
    gol_pipeline_deinit(state);
    gol_free(state);
}

static const char *pre(const void *state)
{
    return ((const gol_pipeline *)state)->pre_name;
}

const gol_tokenizer_class gol_kind_pipeline = {
    .name = "tokenizer.json",
    .destroy = destroy,
    .encode = gol_pipeline_encode,
    .pre = pre,
};

void gol_hftok_facts_init(gol_hftok_facts *facts)
{
    *facts = (gol_hftok_facts){.n_patterns = 0};
    for (int i = 0; i < GOL_HFTOK_PATTERNS_MAX; i++)
        gol_buf_init(&facts->patterns[i], GOL_REGEX_LEN_MAX);
    gol_buf_init(&facts->charsmap_bytes, GOL_HFTOK_JSON_LEN_MAX);
}

void gol_hftok_facts_deinit(gol_hftok_facts *facts)
{
    for (int i = 0; i < GOL_HFTOK_PATTERNS_MAX; i++)
        gol_buf_deinit(&facts->patterns[i]);
    gol_buf_deinit(&facts->charsmap_bytes);
    gol_free(facts->scores);
    *facts = (gol_hftok_facts){.n_patterns = 0};
}

static int read_parts(gol_tokenizer *tok, const gol_hftok_node *root, gol_hftok_facts *facts,
                      gol_err *err)
{
    gol_pipeline *pipeline = tok->state;
    const gol_hftok_node normalizer = gol_hftok_get(root, "normalizer");
    const gol_hftok_node pre_tokenizer = gol_hftok_get(root, "pre_tokenizer");
    const gol_hftok_node model = gol_hftok_get(root, "model");
    const gol_hftok_node post_processor = gol_hftok_get(root, "post_processor");
    const gol_hftok_node decoder = gol_hftok_get(root, "decoder");
    int rc = gol_hftok_read_vocab(root, &tok->vocab, facts, err);
    if (rc == 0)
        rc = gol_hftok_read_normalizer(&normalizer, pipeline, facts, err);
    if (rc == 0)
        rc = gol_hftok_read_pre_tokenizer(&pre_tokenizer, pipeline, facts, err);
    if (rc == 0)
        rc = gol_hftok_read_model(&model, &tok->vocab, pipeline, facts, err);
    if (rc == 0)
        rc = gol_hftok_read_added_tokens(root, &tok->vocab, &tok->special, pipeline, err);
    if (rc == 0)
        rc = gol_hftok_read_post_processor(&post_processor, &tok->vocab, &tok->prefix, &tok->suffix,
                                           &tok->middle, err);
    if (rc == 0)
        rc = gol_hftok_read_decoder(&decoder, &tok->vocab, facts, err);
    tok->vocab.adds_space = facts->strips_left;
    return rc;
}

static bool has_id(const gol_ids *ids, int32_t id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->data[i] == id)
            return true;
    }
    return false;
}

int gol_hftok_read_config(gol_tokenizer *tok, const gol_hftok_config *config, bool heeds_flags,
                          gol_err *err)
{
    gol_hftok_config_set_ids(config, &tok->vocab);
    const int rc = gol_hftok_config_set_around(config, &tok->vocab, heeds_flags, &tok->prefix,
                                               &tok->suffix, err);
    tok->vocab.adds_bos = tok->vocab.bos >= 0 && has_id(&tok->prefix, tok->vocab.bos);
    tok->vocab.adds_eos = tok->vocab.eos >= 0 && has_id(&tok->suffix, tok->vocab.eos);
    return rc == 0 ? gol_vocab_load_end_tokens(&tok->vocab, NULL, err) : rc;
}

int gol_hftok_build(gol_tokenizer **out, json_t *json, const gol_hftok_files *files,
                    gol_hftok_facts *facts, gol_err *err)
{
    *out = NULL;
    const gol_hftok_node root = gol_hftok_root(json, gol_hftok_json_name(files));
    gol_tokenizer *tok = gol_try_calloc(1, sizeof *tok);
    if (tok == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    tok->kind = &gol_kind_pipeline;
    tok->state = gol_try_calloc(1, sizeof(gol_pipeline));
    int rc = tok->state != NULL ? 0 : gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    if (rc == 0)
        rc = read_parts(tok, &root, facts, err);
    gol_hftok_config config = {NULL, NULL};
    if (rc == 0)
        rc = gol_hftok_config_init(&config, files, err);
    if (rc == 0)
        rc = gol_hftok_read_config(tok, &config, false, err);
    gol_hftok_config_deinit(&config);
    if (rc != 0)
        gol_tokenizer_destroy(&tok);
    else
        *out = tok;
    return rc;
}

int gol_hftok_create(gol_tokenizer **out, const gol_hftok_files *files, gol_err *err)
{
    *out = NULL;
    if (files->tokenizer_json.data == NULL && files->tokenizer_model.data != NULL)
        return gol_hftok_spm_create(out, files, err);
    json_t *json = NULL;
    int rc = gol_hftok_json_find(&json, files, err);
    if (rc != 0)
        return rc;
    gol_hftok_facts facts;
    gol_hftok_facts_init(&facts);
    rc = gol_hftok_build(out, json, files, &facts, err);
    gol_hftok_facts_deinit(&facts);
    json_decref(json);
    return rc;
}

int gol_hftok_files_find(gol_hftok_files *out, const gol_model_file *file, gol_err *err)
{
    *out = (gol_hftok_files){.tokenizer_json = {NULL, 0}};
#define FIND(field, key, file_name)                                                                \
    if (gol_meta_str(file, key, &out->field, err) < 0)                                             \
        return GOL_EMODEL;
    GOL_HFTOK_FILES(FIND)
#undef FIND
    return out->tokenizer_json.data != NULL || out->vocab_txt.data != NULL ||
           out->vocab_json.data != NULL || out->tokenizer_model.data != NULL;
}
