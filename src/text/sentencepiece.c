/*
 * The "llama" kind: SentencePiece's BPE (Kudo and Richardson 2018). Spaces become U+2581, the text's first word gets one in
 * front, characters are merged while the merged text is a token, highest score first (ties: leftmost), and characters
 * without a token are spelled in byte tokens "<0xNN>". Bytes that are not UTF-8 are spelled so too.
 *
 * Merging is done word by word where the vocabulary allows it: if no token holds a space mark behind something else, no merge
 * can cross the border in front of a mark. The result is the same, and a word's symbols stay in the cache.
 */
#include "text/tokenizer_kind.h"

#include "base/mem.h"
#include "text/space_mark.h"
#include "text/utf8.h"
#include "text/word_model.h"

typedef struct spm_state {
    int32_t byte_ids[256]; /* -1: the vocabulary has no token for this byte */
    bool words_apart;      /* no token crosses the border in front of a space mark */
    bool fuses_unknown;    /* neighbouring unknown characters are one token */
} spm_state;

typedef struct spm_run {
    const gol_vocab *vocab;
    const char *text; /* a word, escaped */
} spm_run;

/* Bytes up to the first border between something else and a space mark. */
static size_t word_len(gol_str text)
{
    size_t pos = 0;
    while (pos < text.len && gol_space_mark_at(text, pos))
        pos += GOL_SPACE_MARK_LEN;
    while (pos < text.len && !gol_space_mark_at(text, pos))
        pos++;
    return pos;
}

int gol_spm_set_pieces(gol_vocab *vocab, gol_err *err)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        gol_token *token = &vocab->tokens[id];
        int rc = 0;
        switch ((gol_token_type)token->type) {
        case GOL_TOKEN_BYTE:
            rc = gol_vocab_set_byte_piece(vocab, id, err);
            break;
        case GOL_TOKEN_NORMAL:
        case GOL_TOKEN_UNUSED:
        case GOL_TOKEN_UNDEFINED:
            if (gol_space_mark_unescape(&token->piece, &vocab->arena, token->text) != 0)
                rc = gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
            break;
        default: /* control, user-defined, unknown: as written */
            break;
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Files without token types know byte tokens by their names alone. */
static void find_byte_ids(spm_state *state, const gol_vocab *vocab)
{
    for (int byte = 0; byte < 256; byte++)
        state->byte_ids[byte] = -1;
    for (int32_t id = 0; id < vocab->n; id++) {
        const int byte = gol_vocab_parse_byte(vocab->tokens[id].text);
        const uint8_t type = vocab->tokens[id].type;
        if (byte < 0 || state->byte_ids[byte] >= 0 || type == GOL_TOKEN_CONTROL ||
            type == GOL_TOKEN_UNKNOWN)
            continue;
        state->byte_ids[byte] = id;
    }
}

static bool are_words_apart(const gol_vocab *vocab)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_str text = vocab->tokens[id].text;
        if (gol_vocab_is_plain(vocab, id) && word_len(text) != text.len)
            return false;
    }
    return true;
}

/* SentencePiece's own numbering, for files that name no ids: 0 <unk>, 1 <s>, 2 </s>. */
static void set_default_ids(gol_vocab *vocab)
{
    if (vocab->n < 3)
        return;
    if (vocab->tokens[0].type == GOL_TOKEN_UNKNOWN)
        vocab->unk = 0;
    if (vocab->tokens[1].type == GOL_TOKEN_CONTROL)
        vocab->bos = 1;
    if (vocab->tokens[2].type == GOL_TOKEN_CONTROL)
        vocab->eos = 2;
}

static int create_state(spm_state **out, const gol_vocab *vocab, gol_err *err)
{
    spm_state *state = gol_try_alloc(sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
    find_byte_ids(state, vocab);
    state->words_apart = are_words_apart(vocab);
    state->fuses_unknown = false;
    *out = state;
    return 0;
}

static int create(void **out, gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    if (!vocab->has_scores)
        return gol_fail(
            err, GOL_EMODEL,
            "tokenizer.ggml.scores: missing, a tokenizer of kind 'llama' merges by them");
    vocab->adds_bos = true;
    vocab->adds_space = true;
    if (gol_meta_bool(file, "tokenizer.ggml.add_space_prefix", &vocab->adds_space, err) < 0)
        return GOL_EMODEL;
    set_default_ids(vocab);
    spm_state *state = NULL;
    int rc = gol_spm_set_pieces(vocab, err);
    if (rc == 0)
        rc = create_state(&state, vocab, err);
    if (rc == 0)
        *out = state;
    return rc;
}

static void destroy(void *state)
{
    gol_free(state);
}

/* Floats in falling order as unsigned integers in rising order; -0 and 0 are the same. */
static uint32_t order_of_score(float score)
{
    const float positive_zero = score + 0.0f;
    uint32_t bits;
    memcpy(&bits, &positive_zero, sizeof bits);
    const uint32_t rising = bits >> 31 ? ~bits : bits | 0x80000000u;
    return ~rising;
}

static bool find_pair(const void *ctx, const gol_symbol *left, const gol_symbol *right,
                      uint32_t *order, int32_t *id)
{
    const spm_run *run = ctx;
    *id = gol_vocab_find_plain(run->vocab,
                               (gol_str){run->text + left->start, (size_t)left->len + right->len});
    if (*id < 0)
        return false;
    *order = order_of_score(run->vocab->tokens[*id].score);
    return true;
}

/* At most three bytes come out of each that goes in, and one mark more. */
static char *escape(gol_str text, bool add_mark, size_t *len)
{
    size_t n_max = 0;
    for (size_t i = 0; i < text.len; i++)
        n_max += text.data[i] == ' ' ? GOL_SPACE_MARK_LEN : 1;
    n_max += GOL_SPACE_MARK_LEN;
    char *out = gol_try_alloc(n_max);
    if (out == NULL)
        return NULL;
    size_t n = 0;
    if (add_mark) {
        memcpy(out, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN);
        n = GOL_SPACE_MARK_LEN;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ' ') {
            memcpy(out + n, GOL_SPACE_MARK, GOL_SPACE_MARK_LEN);
            n += GOL_SPACE_MARK_LEN;
        } else {
            out[n++] = text.data[i];
        }
    }
    *len = n;
    return out;
}

/* One symbol per character; each byte that is part of none is a symbol of its own. */
static int push_symbols(gol_merger *m, const gol_vocab *vocab, gol_str text)
{
    size_t pos = 0;
    while (pos < text.len) {
        uint32_t cp;
        int n_bad;
        const int n = gol_utf8_decode(text.data + pos, text.len - pos, &cp, &n_bad);
        const uint32_t len = n > 0 ? (uint32_t)n : 1;
        const int32_t id = n > 0 ? gol_vocab_find_plain(vocab, (gol_str){text.data + pos, len})
                                 : -1;
        const int rc = gol_merger_push(m, (uint32_t)pos, len, id);
        if (rc != 0)
            return rc;
        pos += len;
    }
    return 0;
}

/* A character without a token. One that byte tokens cannot spell either is unknown; vocabularies without an unknown token
 * leave it out. */
static int push_bytes(const spm_state *state, const gol_vocab *vocab, gol_ids *ids, size_t n_before,
                      gol_str text)
{
    bool can_spell = true;
    for (size_t i = 0; i < text.len; i++)
        can_spell = can_spell && state->byte_ids[(uint8_t)text.data[i]] >= 0;
    const bool is_same = state->fuses_unknown && ids->n > n_before &&
                         ids->data[ids->n - 1] == vocab->unk;
    if (!can_spell)
        return vocab->unk >= 0 && !is_same ? gol_ids_push(ids, vocab->unk) : 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++)
        rc = gol_ids_push(ids, state->byte_ids[(uint8_t)text.data[i]]);
    return rc;
}

static int encode_word(const spm_state *state, const gol_vocab *vocab, gol_merger *merger,
                       gol_ids *ids, size_t n_before, gol_str word)
{
    gol_merger_clear(merger);
    int rc = push_symbols(merger, vocab, word);
    const spm_run run = {vocab, word.data};
    if (rc == 0)
        rc = gol_merger_run(merger, find_pair, &run);
    for (int32_t i = 0; rc == 0 && i >= 0; i = merger->symbols[i].next) {
        const gol_symbol *symbol = &merger->symbols[i];
        if (symbol->id >= 0)
            rc = gol_ids_push(ids, symbol->id);
        else
            rc = push_bytes(state, vocab, ids, n_before,
                            (gol_str){word.data + symbol->start, symbol->len});
    }
    return rc;
}

static int encode_escaped(const void *opaque, const gol_vocab *vocab, gol_word_scratch *scratch,
                          gol_ids *ids, gol_str text)
{
    const spm_state *state = opaque;
    const size_t n_before = ids->n;
    int rc = 0;
    for (size_t pos = 0; rc == 0 && pos < text.len;) {
        gol_str word = {text.data + pos, text.len - pos};
        if (state->words_apart)
            word.len = word_len(word);
        rc = encode_word(state, vocab, &scratch->merger, ids, n_before, word);
        pos += word.len;
    }
    return rc;
}

static int encode(const void *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                  unsigned where, gol_err *err)
{
    gol_word_scratch scratch = {.n_paths = 0};
    size_t len = 0;
    char *escaped = escape(text, (where & GOL_RUN_AT_START) != 0 && vocab->adds_space, &len);
    int rc = GOL_ENOMEM;
    if (escaped != NULL)
        rc = encode_escaped(state, vocab, &scratch, ids, (gol_str){escaped, len});
    if (rc == GOL_ENOMEM)
        gol_fail(err, rc, "tokenizer: out of memory for a text of %zu bytes", text.len);
    gol_word_scratch_deinit(&scratch);
    gol_free(escaped);
    return rc;
}

static const char *pre(const void *state)
{
    (void)state;
    return "";
}

const gol_tokenizer_class gol_kind_sentencepiece = {
    .name = "llama",
    .create = create,
    .destroy = destroy,
    .encode = encode,
    .pre = pre,
};

static const gol_word_model_class spm_bpe = {"SentencePiece-BPE", encode_escaped, destroy};

int gol_spm_bpe_create(gol_word_model *out, const gol_vocab *vocab, gol_err *err)
{
    spm_state *state = NULL;
    const int rc = create_state(&state, vocab, err);
    if (rc != 0)
        return rc;
    state->fuses_unknown = true;
    *out = (gol_word_model){&spm_bpe, state};
    return 0;
}
