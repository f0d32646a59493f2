/*
 * The "gpt2" kind: byte-level BPE (Radford et al. 2019). The text is cut into words by the pre-tokenizer, a word begins as its
 * bytes, and neighbours are merged in the order of tokenizer.ggml.merges (bpe.h).
 */
#include "text/tokenizer_kind.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/bpe.h"
#include "text/byte_map.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/utf8.h"

typedef struct bpe_state {
    gol_pre_tokenizer *pre_tokenizer;
    const gol_pre_spec *spec;
    const gol_norm_class *form; /* a Unicode form that texts are put into; NULL: none */
    gol_bpe bpe;
} bpe_state;

/* A normalized text may have as many bytes. */
enum { NORMALIZED_MAX = 256 << 20 };

/* While loading: written texts of all symbols. */
typedef struct symbol_table {
    gol_arena arena; /* texts that are no tokens */
    gol_str_table by_text;
    int32_t n;
} symbol_table;

static int out_of_memory(gol_err *err)
{
    return gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory");
}

/* Bytes of a token's written text; characters outside the byte map stand for themselves. */
static int decode_piece(gol_str *out, gol_arena *arena, gol_str text)
{
    char *piece = gol_arena_try_alloc(arena, text.len);
    if (piece == NULL)
        return GOL_ENOMEM;
    size_t n = 0;
    for (size_t pos = 0; pos < text.len;) {
        uint32_t cp;
        int n_bad;
        const int len = gol_utf8_decode(text.data + pos, text.len - pos, &cp, &n_bad);
        const int byte = len > 0 ? gol_byte_map_byte(cp) : -1;
        const size_t n_read = len > 0 ? (size_t)len : 1;
        if (byte >= 0) {
            piece[n++] = (char)byte;
        } else {
            memcpy(piece + n, text.data + pos, n_read);
            n += n_read;
        }
        pos += n_read;
    }
    *out = (gol_str){piece, n};
    return 0;
}

static int set_pieces(gol_vocab *vocab, gol_err *err)
{
    for (int32_t id = 0; id < vocab->n; id++) {
        gol_token *token = &vocab->tokens[id];
        const gol_token_type type = (gol_token_type)token->type;
        if (type == GOL_TOKEN_CONTROL || type == GOL_TOKEN_USER_DEFINED ||
            type == GOL_TOKEN_UNKNOWN)
            continue; /* as written */
        if (type == GOL_TOKEN_BYTE) {
            const int rc = gol_vocab_set_byte_piece(vocab, id, err);
            if (rc != 0)
                return rc;
        } else if (decode_piece(&token->piece, &vocab->arena, token->text) != 0) {
            return out_of_memory(err);
        }
    }
    return 0;
}

/* The number of a written text, a new one if need be. text need not outlive the call. */
static int intern(symbol_table *symbols, gol_str text, int32_t *id)
{
    *id = gol_str_table_find(&symbols->by_text, text);
    if (*id >= 0)
        return 0;
    const char *copy = gol_arena_try_strdup(&symbols->arena, text);
    if (copy == NULL)
        return GOL_ENOMEM;
    const int rc = gol_str_table_add(&symbols->by_text, (gol_str){copy, text.len}, symbols->n, id);
    if (rc == 0)
        symbols->n++;
    return rc;
}

static int symbol_table_init(symbol_table *symbols, const gol_vocab *vocab)
{
    *symbols = (symbol_table){.n = vocab->n};
    gol_arena_init(&symbols->arena, SIZE_MAX);
    int rc = gol_str_table_init(&symbols->by_text, (size_t)vocab->n);
    for (int32_t id = 0; rc == 0 && id < vocab->n; id++) {
        int32_t found;
        if (vocab->tokens[id].text.len > 0 && gol_vocab_is_plain(vocab, id))
            rc = gol_str_table_add(&symbols->by_text, vocab->tokens[id].text, id, &found);
    }
    return rc;
}

static void symbol_table_deinit(symbol_table *symbols)
{
    gol_str_table_deinit(&symbols->by_text);
    gol_arena_deinit(&symbols->arena);
}

/* One line of the merges, "left right". Neither side holds a space: it is written U+0120. */
static int add_merge(bpe_state *state, symbol_table *symbols, gol_str line, uint32_t rank,
                     gol_err *err)
{
    const char *space = line.len > 2 ? memchr(line.data + 1, ' ', line.len - 2) : NULL;
    if (space == NULL || line.len > 2 * GOL_VOCAB_TEXT_MAX) {
        char quoted[64];
        return gol_fail(err, GOL_EMODEL,
                        "tokenizer.ggml.merges[%u]: '%s', two texts of at most %d bytes with a "
                        "space between are accepted",
                        rank, gol_quote(quoted, sizeof quoted, line), GOL_VOCAB_TEXT_MAX);
    }
    char merged_text[2 * GOL_VOCAB_TEXT_MAX];
    const size_t n_left = (size_t)(space - line.data);
    memcpy(merged_text, line.data, n_left);
    memcpy(merged_text + n_left, space + 1, line.len - n_left - 1);
    int32_t left, right, merged;
    if (intern(symbols, (gol_str){line.data, n_left}, &left) != 0 ||
        intern(symbols, (gol_str){space + 1, line.len - n_left - 1}, &right) != 0 ||
        intern(symbols, (gol_str){merged_text, line.len - 1}, &merged) != 0)
        return out_of_memory(err);
    gol_bpe_add(&state->bpe, left, right, rank, merged);
    return 0;
}

static int load_merges(bpe_state *state, symbol_table *symbols, const int32_t byte_symbols[256],
                       const gol_model_file *file, gol_err *err)
{
    const char *key = "tokenizer.ggml.merges";
    const gol_value *merges;
    const int rc = gol_meta_array(file, key, 1u << GOL_VALUE_STRING, &merges, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return gol_fail(err, GOL_EMODEL, "%s: missing, a tokenizer of kind 'gpt2' needs them", key);
    const uint64_t n = gol_value_n(merges);
    if (n > GOL_BPE_MERGES_MAX)
        return gol_fail(err, GOL_EMODEL, "%s: %llu merges, at most %d are accepted", key,
                        (unsigned long long)n, GOL_BPE_MERGES_MAX);
    if (gol_bpe_init(&state->bpe, n) != 0)
        return out_of_memory(err);
    state->bpe.by_bytes = true;
    state->bpe.ignores_merges = state->spec->ignore_merges;
    memcpy(state->bpe.symbols, byte_symbols, sizeof state->bpe.symbols);
    for (uint64_t i = 0; i < n; i++) {
        gol_str line;
        if (!gol_value_at_str(merges, i, &line))
            return gol_fail(err, GOL_EMODEL, "%s[%llu]: not a string", key, (unsigned long long)i);
        const int added = add_merge(state, symbols, line, (uint32_t)i, err);
        if (added != 0)
            return added;
    }
    return 0;
}

static int load_symbols(bpe_state *state, const gol_vocab *vocab, const gol_model_file *file,
                        gol_err *err)
{
    symbol_table symbols;
    int32_t byte_symbols[256];
    int rc = symbol_table_init(&symbols, vocab);
    for (int byte = 0; rc == 0 && byte < 256; byte++) {
        char written[2];
        const int len = gol_byte_map_write(written, (uint8_t)byte);
        rc = intern(&symbols, (gol_str){written, (size_t)len}, &byte_symbols[byte]);
    }
    if (rc != 0)
        out_of_memory(err);
    else
        rc = load_merges(state, &symbols, byte_symbols, file, err);
    symbol_table_deinit(&symbols);
    return rc;
}

static int find_spec(const gol_pre_spec **out, const gol_model_file *file, gol_err *err)
{
    gol_str name = {NULL, 0};
    const int rc = gol_meta_str(file, "tokenizer.ggml.pre", &name, err);
    if (rc < 0)
        return rc;
    *out = gol_pre_spec_find(name);
    if (*out == NULL) {
        char quoted[64];
        *out = gol_pre_spec_default();
        if (rc == 0)
            gol_log_warn("text",
                         "tokenizer.ggml.pre: missing; words are cut by the default pattern");
        else
            gol_log_warn(
                "text",
                "tokenizer.ggml.pre: unknown value '%s'; words are cut by the default pattern, "
                "answers may suffer",
                gol_quote(quoted, sizeof quoted, name));
    }
    return 0;
}

/* A key of ours, for which GGUF has none: what gollum convert found in tokenizer.json. */
static int find_form(const gol_norm_class **out, const gol_model_file *file, gol_err *err)
{
    static const gol_norm_class *const forms[] = {&gol_norm_nfc, &gol_norm_nfd, &gol_norm_nfkc,
                                                  &gol_norm_nfkd};
    gol_str name = {NULL, 0};
    const int rc = gol_meta_str(file, GOL_META_NORMALIZER, &name, err);
    if (rc <= 0)
        return rc;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (gol_str_is(name, forms[i]->name)) {
            *out = forms[i];
            return 0;
        }
    }
    char quoted[64];
    return gol_fail(err, GOL_EUNSUPPORTED, "%s: '%s', NFC, NFD, NFKC and NFKD are accepted",
                    GOL_META_NORMALIZER, gol_quote(quoted, sizeof quoted, name));
}

static void destroy(void *opaque)
{
    bpe_state *state = opaque;
    gol_pre_tokenizer_destroy(&state->pre_tokenizer);
    gol_bpe_deinit(&state->bpe);
    gol_free(state);
}

static int create(void **out, gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    bpe_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    int rc = find_spec(&state->spec, file, err);
    if (rc == 0)
        rc = find_form(&state->form, file, err);
    if (rc == 0)
        rc = gol_pre_tokenizer_create(&state->pre_tokenizer, state->spec, true, err);
    if (rc == 0)
        rc = set_pieces(vocab, err);
    if (rc == 0)
        rc = load_symbols(state, vocab, file, err);
    if (rc != 0) {
        destroy(state);
        return rc;
    }
    vocab->adds_bos = state->spec->adds_bos;
    *out = state;
    return 0;
}

/* One call of encode. */
typedef struct bpe_run {
    const gol_bpe *bpe;
    const gol_vocab *vocab;
    gol_ids *ids;
    gol_word_scratch scratch;
} bpe_run;

static int encode_word(void *user, gol_str word, gol_err *err)
{
    (void)err; /* running out of memory is told once, by encode */
    bpe_run *run = user;
    return gol_bpe_encode(run->bpe, run->vocab, &run->scratch, run->ids, word);
}

/* Runs of valid text are normalized, other bytes stay. */
static int normalize(const gol_norm_class *form, gol_buf *out, gol_str text, gol_err *err)
{
    int rc = 0;
    for (size_t pos = 0; rc == 0 && pos < text.len && !out->failed;) {
        const gol_str rest = {text.data + pos, text.len - pos};
        const size_t n_valid = gol_utf8_valid_prefix(rest);
        if (n_valid > 0)
            rc = form->apply(NULL, out, (gol_str){rest.data, n_valid}, pos == 0, err);
        else
            gol_buf_putc(out, rest.data[0]);
        pos += n_valid > 0 ? n_valid : 1;
    }
    if (rc == 0 && out->failed)
        rc = gol_fail(err, GOL_ENOMEM, "tokenizer: out of memory, or over %d bytes, normalized",
                      NORMALIZED_MAX);
    return rc;
}

static int encode_words(const bpe_state *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                        gol_err *err)
{
    bpe_run run = {.bpe = &state->bpe, .vocab = vocab, .ids = ids};
    const int rc = gol_pre_tokenizer_split(state->pre_tokenizer, text, encode_word, &run, err);
    if (rc == GOL_ENOMEM)
        gol_fail(err, rc, "tokenizer: out of memory for a text of %zu bytes", text.len);
    gol_word_scratch_deinit(&run.scratch);
    return rc;
}

static int encode(const void *opaque, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                  unsigned where, gol_err *err)
{
    (void)where;
    const bpe_state *state = opaque;
    if (state->form == NULL)
        return encode_words(state, vocab, ids, text, err);
    gol_buf normalized;
    gol_buf_init(&normalized, NORMALIZED_MAX);
    int rc = normalize(state->form, &normalized, text, err);
    if (rc == 0)
        rc = encode_words(state, vocab, ids, gol_buf_view(&normalized), err);
    gol_buf_deinit(&normalized);
    return rc;
}

static const char *pre(const void *state)
{
    return ((const bpe_state *)state)->spec->name;
}

const gol_tokenizer_class gol_kind_byte_bpe = {
    .name = "gpt2",
    .create = create,
    .destroy = destroy,
    .encode = encode,
    .pre = pre,
};
