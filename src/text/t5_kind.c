/*
 * The "t5" kind: SentencePiece's unigram model as GGUF files have it. The text is normalized by the model's own character map, and
 * not cut: tokens may hold several words.
 */
#include "text/pipeline.h"
#include "text/tokenizer_kind.h"

#include "base/mem.h"

enum { CHARSMAP_TYPES = 1u << GOL_VALUE_U8 | 1u << GOL_VALUE_I8 };

static bool has_byte_tokens(const gol_vocab *vocab)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        if (vocab->tokens[id].type == GOL_TOKEN_BYTE)
            return true;
    }
    return false;
}

static int add_normalizer(gol_pipeline *pipeline, gol_vocab *vocab, const gol_model_file *file,
                          gol_err *err)
{
    const char *key = "tokenizer.ggml.precompiled_charsmap";
    gol_norm_spm_opts opts = {.charsmap_name = key};
    const gol_value *map = NULL;
    const int has_map = gol_meta_array(file, key, CHARSMAP_TYPES, &map, err);
    if (has_map < 0)
        return has_map;
    if (has_map == 1) /* bytes: they stand in the file as they are */
        opts.charsmap = (gol_str){(const char *)map->array.data, (size_t)map->array.n};
    vocab->adds_space = true;
    if (gol_meta_bool(file, "tokenizer.ggml.add_space_prefix", &vocab->adds_space, err) < 0 ||
        gol_meta_bool(file, "tokenizer.ggml.remove_extra_whitespaces", &opts.removes_extra_spaces,
                      err) < 0)
        return GOL_EMODEL;
    opts.adds_space = vocab->adds_space;
    const int rc = gol_norm_spm_create(&pipeline->norms[0], &opts, err);
    if (rc == 0)
        pipeline->n_norms = 1;
    return rc;
}

static void destroy(void *state)
{
    gol_pipeline_deinit(state);
    gol_free(state);
}

static int create(void **out, gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    if (!vocab->has_scores)
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.scores: missing, a tokenizer of kind 't5' needs them");
    for (int32_t id = 0; id < vocab->n && vocab->unk < 0; id++) {
        if (vocab->tokens[id].type == GOL_TOKEN_UNKNOWN)
            vocab->unk = id;
    }
    vocab->eos = gol_str_table_find(&vocab->by_text, GOL_STR("</s>"));
    vocab->adds_eos = vocab->eos >= 0;
    int rc = gol_spm_set_pieces(vocab, err);
    if (rc != 0)
        return rc;
    gol_pipeline *pipeline = gol_try_calloc(1, sizeof *pipeline);
    if (pipeline == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    rc = add_normalizer(pipeline, vocab, file, err);
    const gol_unigram_opts opts = {.byte_fallback = has_byte_tokens(vocab), .adds_floats = true};
    if (rc == 0)
        rc = gol_unigram_create(&pipeline->model, vocab, &opts, err);
    if (rc != 0) {
        destroy(pipeline);
        return rc;
    }
    *out = pipeline;
    return 0;
}

static const char *pre(const void *state)
{
    return ((const gol_pipeline *)state)->pre_name;
}

const gol_tokenizer_class gol_kind_t5 = {
    .name = "t5",
    .create = create,
    .destroy = destroy,
    .encode = gol_pipeline_encode,
    .pre = pre,
};
