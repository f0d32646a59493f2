/*
 * The "bert" kind: WordPiece as GGUF files have it. Tokens that begin a word are written with U+2581 in front, the others without
 * a mark ("##" in the models' own files). CLS and SEP stand in for BOS and EOS.
 *
 * Files do not say whether the model knows upper case. Its vocabulary does: one with capital letters was made from text that kept
 * them, and such models keep accents, too. Where llama.cpp and the models' own tokenizers differ (accents of scripts other than
 * Latin, words of over 100 characters), this kind follows llama.cpp, which made the files; tokenizer.json gives the others.
 */
#include "text/pipeline.h"
#include "text/tokenizer_kind.h"
#include "text/wordpiece_text.h"

#include "base/mem.h"
#include "text/space_mark.h"

static bool has_capitals(const gol_vocab *vocab)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_str text = vocab->tokens[id].text;
        if (!gol_vocab_is_plain(vocab, id) || (text.len > 0 && text.data[0] == '['))
            continue; /* "[unused7]" is said to be plain in many files, and "[PAD]" in some */
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] >= 'A' && text.data[i] <= 'Z')
                return true;
        }
    }
    return false;
}

static int set_pieces(gol_vocab *vocab, gol_err *err)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        gol_token *token = &vocab->tokens[id];
        if (!gol_vocab_is_plain(vocab, id) || token->type == GOL_TOKEN_USER_DEFINED)
            continue;
        gol_str text = token->text;
        const bool begins_word = text.len > 0 && gol_space_mark_at(text, 0);
        if (begins_word)
            text = (gol_str){text.data + GOL_SPACE_MARK_LEN, text.len - GOL_SPACE_MARK_LEN};
        if (gol_wordpiece_text(&token->piece, &vocab->arena, text, begins_word, true) != 0)
            return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    }
    return 0;
}

/* "seperator" is how GGUF spells it. */
static int set_default_ids(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    const int has_cls = gol_vocab_meta_id(vocab, file, "tokenizer.ggml.cls_token_id", &vocab->bos,
                                          err);
    if (has_cls < 0)
        return has_cls;
    const int has_sep = gol_vocab_meta_id(vocab, file, "tokenizer.ggml.seperator_token_id",
                                          &vocab->eos, err);
    if (has_sep < 0)
        return has_sep;
    if (has_cls == 0)
        vocab->bos = gol_str_table_find(&vocab->by_text, GOL_STR("[CLS]"));
    if (has_sep == 0)
        vocab->eos = gol_str_table_find(&vocab->by_text, GOL_STR("[SEP]"));
    vocab->unk = gol_str_table_find(&vocab->by_text, GOL_STR("[UNK]"));
    vocab->adds_bos = vocab->bos >= 0;
    vocab->adds_eos = vocab->eos >= 0;
    vocab->adds_space = true; /* pieces that begin words do */
    return 0;
}

static void destroy(void *state)
{
    gol_pipeline_deinit(state);
    gol_free(state);
}

static int fill(gol_pipeline *pipeline, const gol_vocab *vocab, gol_err *err)
{
    const bool is_cased = has_capitals(vocab);
    const gol_norm_bert_opts opts = {
        .clean_text = true,
        .spaces_cjk = true,
        .strip_accents = !is_cased,
        .lowercase = !is_cased,
        .keeps_marks = true,
    };
    int rc = gol_norm_bert_create(&pipeline->norms[0], opts, err);
    if (rc != 0)
        return rc;
    pipeline->n_norms = 1;
    pipeline->pres[pipeline->n_pres++] = (gol_pre_step){&gol_pre_bert, NULL};
    const gol_wordpiece_opts pieces = {GOL_STR(GOL_SPACE_MARK), GOL_STR(""), SIZE_MAX};
    return gol_wordpiece_create(&pipeline->model, vocab, &pieces, err);
}

static int create(void **out, gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    int rc = set_default_ids(vocab, file, err);
    if (rc == 0)
        rc = set_pieces(vocab, err);
    if (rc != 0)
        return rc;
    gol_pipeline *pipeline = gol_try_calloc(1, sizeof *pipeline);
    if (pipeline == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    rc = fill(pipeline, vocab, err);
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

const gol_tokenizer_class gol_kind_bert = {
    .name = "bert",
    .create = create,
    .destroy = destroy,
    .encode = gol_pipeline_encode,
    .pre = pre,
};
