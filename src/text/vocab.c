/*
 * Vocabulary: see the header. Assumes of the file only what its typed accessors promise; lengths of the parallel arrays,
 * element types, token types, scores and ids are all checked here.
 */
#include "text/vocab.h"

#include <assert.h>
#include <math.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    STRINGS = 1u << GOL_VALUE_STRING,
    INTEGERS = 1u << GOL_VALUE_U8 | 1u << GOL_VALUE_I8 | 1u << GOL_VALUE_U16 | 1u << GOL_VALUE_I16 |
               1u << GOL_VALUE_U32 | 1u << GOL_VALUE_I32 | 1u << GOL_VALUE_U64 |
               1u << GOL_VALUE_I64,
    NUMBERS = INTEGERS | 1u << GOL_VALUE_F32 | 1u << GOL_VALUE_F64,
};

int gol_vocab_init(gol_vocab *vocab, size_t n, gol_err *err)
{
    assert(n >= 1 && n <= GOL_VOCAB_TOKENS_MAX);
    *vocab = (gol_vocab){.bos = -1, .eos = -1, .unk = -1, .n = (int32_t)n};
    gol_arena_init(&vocab->arena, SIZE_MAX);
    vocab->tokens = gol_arena_try_calloc(&vocab->arena, n, sizeof *vocab->tokens);
    if (vocab->tokens == NULL || gol_str_table_init(&vocab->by_text, n) != 0) {
        gol_vocab_deinit(vocab);
        return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    }
    for (size_t i = 0; i < n; i++)
        vocab->tokens[i].type = GOL_TOKEN_UNUSED;
    return 0;
}

int gol_vocab_set_text(gol_vocab *vocab, int32_t id, gol_str text, bool *is_new, gol_err *err)
{
    *is_new = true;
    if (text.len > GOL_VOCAB_TEXT_MAX)
        return gol_fail(err, GOL_EMODEL, "token %d: %zu bytes, at most %d are accepted", id,
                        text.len, GOL_VOCAB_TEXT_MAX);
    const char *copy = gol_arena_try_strdup(&vocab->arena, text);
    if (copy == NULL)
        return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    gol_token *token = &vocab->tokens[id];
    *token = (gol_token){.text = {copy, text.len}, .type = GOL_TOKEN_NORMAL};
    token->piece = token->text;
    if (text.len == 0)
        return 0;
    int32_t found;
    if (gol_str_table_add(&vocab->by_text, token->text, id, &found) != 0)
        return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    *is_new = found == id;
    return 0;
}

static int load_texts(gol_vocab *vocab, const gol_value *texts, gol_err *err)
{
    int n_duplicates = 0;
    int32_t first_duplicate = 0;
    for (int32_t id = 0; id < vocab->n; id++) {
        gol_str text;
        if (!gol_value_at_str(texts, (uint64_t)id, &text))
            return gol_fail(err, GOL_EMODEL, "tokenizer.ggml.tokens[%d]: not a string", id);
        if (text.len > GOL_VOCAB_TEXT_MAX)
            return gol_fail(err, GOL_EMODEL,
                            "tokenizer.ggml.tokens[%d]: %zu bytes, at most %d are accepted", id,
                            text.len, GOL_VOCAB_TEXT_MAX);
        bool is_new;
        const int rc = gol_vocab_set_text(vocab, id, text, &is_new, err);
        if (rc != 0)
            return rc;
        if (!is_new && n_duplicates++ == 0)
            first_duplicate = id;
    }
    if (n_duplicates > 0) {
        char quoted[64];
        gol_log_warn(
            "text",
            "tokenizer.ggml.tokens: %d duplicates (first: %d, '%s'); text gives the lowest id",
            n_duplicates, first_duplicate,
            gol_quote(quoted, sizeof quoted, vocab->tokens[first_duplicate].text));
    }
    return 0;
}

/* An array that runs parallel to the tokens. 1 found, 0 absent. */
static int find_parallel(const gol_vocab *vocab, const gol_model_file *file, const char *key,
                         uint32_t types, const gol_value **out, gol_err *err)
{
    const int rc = gol_meta_array(file, key, types, out, err);
    if (rc <= 0)
        return rc;
    const uint64_t n = gol_value_n(*out);
    if (n != (uint64_t)vocab->n)
        return gol_fail(err, GOL_EMODEL, "%s: %llu elements, tokenizer.ggml.tokens has %d", key,
                        (unsigned long long)n, vocab->n);
    return 1;
}

static int load_types(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    const char *key = "tokenizer.ggml.token_type";
    const gol_value *types;
    const int rc = find_parallel(vocab, file, key, INTEGERS, &types, err);
    if (rc <= 0)
        return rc;
    for (int32_t id = 0; id < vocab->n; id++) {
        int64_t type;
        if (!gol_value_at_i64(types, (uint64_t)id, &type) || type < 0 || type >= GOL_TOKEN_N_TYPES)
            return gol_fail(err, GOL_EMODEL, "%s[%d]: not a token type, 0 to %d are accepted", key,
                            id, GOL_TOKEN_N_TYPES - 1);
        vocab->tokens[id].type = (uint8_t)type;
    }
    return 0;
}

static int load_scores(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    const char *key = "tokenizer.ggml.scores";
    const gol_value *scores;
    const int rc = find_parallel(vocab, file, key, NUMBERS, &scores, err);
    if (rc <= 0)
        return rc;
    for (int32_t id = 0; id < vocab->n; id++) {
        double score;
        if (!gol_value_at_f64(scores, (uint64_t)id, &score) || isnan(score))
            return gol_fail(err, GOL_EMODEL, "%s[%d]: not a number", key, id);
        vocab->tokens[id].score = (float)score;
    }
    vocab->has_scores = true;
    return 0;
}

int gol_vocab_load(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    *vocab = (gol_vocab){.bos = -1, .eos = -1, .unk = -1};
    const gol_value *texts;
    int rc = gol_meta_array(file, "tokenizer.ggml.tokens", STRINGS, &texts, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.tokens: missing, the file has no vocabulary");
    const uint64_t n = gol_value_n(texts);
    if (n < 1 || n > GOL_VOCAB_TOKENS_MAX)
        return gol_fail(err, GOL_EMODEL, "tokenizer.ggml.tokens: %llu tokens, 1 to %d are accepted",
                        (unsigned long long)n, GOL_VOCAB_TOKENS_MAX);

    rc = gol_vocab_init(vocab, (size_t)n, err);
    if (rc != 0)
        return rc;
    rc = load_texts(vocab, texts, err);
    if (rc == 0)
        rc = load_types(vocab, file, err);
    if (rc == 0)
        rc = load_scores(vocab, file, err);
    if (rc != 0)
        gol_vocab_deinit(vocab);
    return rc;
}

void gol_vocab_deinit(gol_vocab *vocab)
{
    gol_str_table_deinit(&vocab->by_text);
    gol_arena_deinit(&vocab->arena);
    *vocab = (gol_vocab){.bos = -1, .eos = -1, .unk = -1};
}

int gol_vocab_meta_id(const gol_vocab *vocab, const gol_model_file *file, const char *key,
                      int32_t *out, gol_err *err)
{
    const gol_value *value = gol_model_file_find_meta(file, key);
    if (value == NULL)
        return 0;
    int64_t id;
    if (!gol_value_as_i64(value, &id))
        return gol_fail(err, GOL_EMODEL, "%s: a value of type %s, a token id is accepted", key,
                        gol_value_type_name(value->type));
    if (id == -1 || id == UINT32_MAX)
        return 0;
    if (id < 0 || id >= vocab->n)
        return gol_fail(err, GOL_EMODEL, "%s: %lld, the vocabulary has the ids 0 to %d", key,
                        (long long)id, vocab->n - 1);
    *out = (int32_t)id;
    return 1;
}

int gol_vocab_load_special(gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    int rc = gol_vocab_meta_id(vocab, file, "tokenizer.ggml.bos_token_id", &vocab->bos, err);
    if (rc >= 0)
        rc = gol_vocab_meta_id(vocab, file, "tokenizer.ggml.eos_token_id", &vocab->eos, err);
    if (rc >= 0)
        rc = gol_vocab_meta_id(vocab, file, "tokenizer.ggml.unknown_token_id", &vocab->unk, err);
    if (rc < 0)
        return rc;

    /* A file that asks for BOS and names none is wrong; a kind's default without BOS just does not apply. */
    const int asks_bos = gol_meta_bool(file, "tokenizer.ggml.add_bos_token", &vocab->adds_bos, err);
    const int asks_eos = gol_meta_bool(file, "tokenizer.ggml.add_eos_token", &vocab->adds_eos, err);
    if (asks_bos < 0 || asks_eos < 0)
        return GOL_EMODEL;
    if (vocab->adds_bos && vocab->bos < 0) {
        if (asks_bos == 1)
            return gol_fail(err, GOL_EMODEL,
                            "tokenizer.ggml.add_bos_token: true, but tokenizer.ggml.bos_token_id "
                            "names no token");
        vocab->adds_bos = false;
    }
    if (vocab->adds_eos && vocab->eos < 0)
        return gol_fail(
            err, GOL_EMODEL,
            "tokenizer.ggml.add_eos_token: true, but tokenizer.ggml.eos_token_id names no token");
    return gol_vocab_load_end_tokens(vocab, file, err);
}

bool gol_vocab_is_plain(const gol_vocab *vocab, int32_t id)
{
    const uint8_t type = vocab->tokens[id].type;
    return !vocab->tokens[id].is_added && type != GOL_TOKEN_CONTROL && type != GOL_TOKEN_UNKNOWN &&
           type != GOL_TOKEN_BYTE;
}

int32_t gol_vocab_find_plain(const gol_vocab *vocab, gol_str text)
{
    const int32_t id = gol_str_table_find(&vocab->by_text, text);
    return id >= 0 && gol_vocab_is_plain(vocab, id) ? id : -1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int gol_vocab_parse_byte(gol_str text)
{
    if (text.len != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>')
        return -1;
    const int high = hex_digit(text.data[3]);
    const int low = hex_digit(text.data[4]);
    return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

int gol_vocab_set_byte_piece(gol_vocab *vocab, int32_t id, gol_err *err)
{
    gol_token *token = &vocab->tokens[id];
    const int byte = gol_vocab_parse_byte(token->text);
    if (byte < 0) {
        char quoted[64];
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.tokens[%d]: a byte token named '%s', '<0x00>' to '<0xFF>' "
                        "are accepted",
                        id, gol_quote(quoted, sizeof quoted, token->text));
    }
    char *piece = gol_arena_try_alloc(&vocab->arena, 1);
    if (piece == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    *piece = (char)byte;
    token->piece = (gol_str){piece, 1};
    return 0;
}
