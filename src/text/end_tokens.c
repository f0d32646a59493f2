/*
 * Which tokens end a generation. Files name one eos and sometimes eot and eom; chat models in the wild need more, so
 * well-known names count too, but only for tokens the file marks as control or user-defined.
 */
#include "text/vocab.h"

#include <assert.h>

#include "text/tokenizer.h"

/* Fullwidth bars and U+2581 between the words. The string is cut where a hex escape would eat a letter. */
#define DEEPSEEK_END                                                                               \
    "<\xEF\xBD\x9C"                                                                                \
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"

static const char *const keys[] = {
    "tokenizer.ggml.eot_token_id",     "tokenizer.ggml.eom_token_id",
    "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_rep_token_id",
    "tokenizer.ggml.fim_sep_token_id",
};

static const char *const names[] = {
    "</s>",       "<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",
    "<|end|>",    "<|return|>", /* gpt-oss: end of the answer, and of a tool call */
    "<|call|>",   "<|endoftext|>", "<|end_of_text|>", "<|eos|>",
    "<eos>",      "<end_of_turn>", "<|end_of_turn|>", "<end_of_utterance>",
    "<EOT>",      "_<EOT>",        "[EOT]",           "[EOS]",
    DEEPSEEK_END, "<|fim_pad|>",   "<|repo_name|>",   "<|file_sep|>",
};

enum { N_KEYS = sizeof keys / sizeof keys[0], N_NAMES = sizeof names / sizeof names[0] };

/* Each key and each name stands for one token at most, so no file can end generations in more ways than a request takes. */
static_assert(1 + N_KEYS + N_NAMES <= GOL_EOG_IDS_MAX, "eos, the keys and the names");

static int32_t find_special(const gol_vocab *vocab, const char *name)
{
    const int32_t id = gol_str_table_find(&vocab->by_text, gol_str_from(name));
    if (id < 0)
        return -1;
    const uint8_t type = vocab->tokens[id].type;
    return type == GOL_TOKEN_CONTROL || type == GOL_TOKEN_USER_DEFINED ? id : -1;
}

static int mark(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    if (vocab->eos >= 0)
        vocab->tokens[vocab->eos].is_eog = true;
    for (int i = 0; i < N_KEYS && file != NULL; i++) {
        int32_t id;
        const int rc = gol_vocab_meta_id(vocab, file, keys[i], &id, err);
        if (rc < 0)
            return rc;
        if (rc == 1)
            vocab->tokens[id].is_eog = true;
    }
    for (int i = 0; i < N_NAMES; i++) {
        const int32_t id = find_special(vocab, names[i]);
        if (id >= 0)
            vocab->tokens[id].is_eog = true;
    }
    /* gpt-oss (harmony) closes each of several messages of one answer with <|end|>. */
    const int32_t end = find_special(vocab, "<|end|>");
    if (end >= 0 && end != vocab->eos && find_special(vocab, "<|return|>") >= 0 &&
        find_special(vocab, "<|call|>") >= 0)
        vocab->tokens[end].is_eog = false;
    return 0;
}

int gol_vocab_load_end_tokens(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    const int rc = mark(vocab, file, err);
    if (rc != 0)
        return rc;
    size_t n = 0;
    for (int32_t id = 0; id < vocab->n; id++)
        n += vocab->tokens[id].is_eog;
    vocab->eog_ids = gol_arena_try_array(&vocab->arena, n, sizeof *vocab->eog_ids);
    if (vocab->eog_ids == NULL)
        return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    for (int32_t id = 0; id < vocab->n; id++) {
        if (vocab->tokens[id].is_eog)
            vocab->eog_ids[vocab->n_eog_ids++] = id;
    }
    return 0;
}
