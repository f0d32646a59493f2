/*
 * The "gpt2" kind: byte-level BPE (Radford et al. 2019). The text is cut into words by the pre-tokenizer, a word begins as its
 * bytes, and neighbours are merged in the order of tokenizer.ggml.merges.
 *
 * Symbols are numbered: a token's id, and above the vocabulary numbers for texts that only the merges know (they can be built
 * on the way to a token, and are spelled in bytes when they are left over). All merging is then by pairs of numbers.
 */
#include "text/tokenizer_kind.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/byte_map.h"
#include "text/merger.h"
#include "text/pre_tokenizer.h"
#include "text/utf8.h"

enum { MERGES_MAX = 16 << 20 };

typedef struct pair_slot {
    int32_t left; /* -1: free */
    int32_t right;
    uint32_t rank;
    int32_t id; /* of the merged symbol */
} pair_slot;

typedef struct bpe_state {
    gol_pre_tokenizer *pre_tokenizer;
    const gol_pre_spec *spec;
    int32_t byte_symbols[256];
    pair_slot *pairs; /* open addressing, at most half full */
    size_t n_slots;   /* a power of two */
    uint64_t seed;
} bpe_state;

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

/* Keyed, since a model file's author chooses the merges: a 64x64 -> 128 bit product folded to 64 bits, as in wyhash. */
static uint64_t hash_pair(int32_t left, int32_t right, uint64_t seed)
{
    const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const unsigned __int128 product = (unsigned __int128)(pair ^ 0x9E3779B97F4A7C15u ^ seed) *
                                      (seed | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static pair_slot *probe_pair(const bpe_state *state, int32_t left, int32_t right)
{
    const size_t mask = state->n_slots - 1;
    size_t i = (size_t)hash_pair(left, right, state->seed) & mask;
    for (;; i = (i + 1) & mask) {
        pair_slot *slot = &state->pairs[i];
        if (slot->left < 0 || (slot->left == left && slot->right == right))
            return slot;
    }
}

static int alloc_pairs(bpe_state *state, uint64_t n_merges)
{
    state->n_slots = 16;
    while (state->n_slots / 2 < n_merges)
        state->n_slots *= 2;
    gol_rng_entropy(&state->seed, sizeof state->seed);
    state->pairs = gol_try_array(state->n_slots, sizeof *state->pairs);
    if (state->pairs == NULL)
        return GOL_ENOMEM;
    for (size_t i = 0; i < state->n_slots; i++)
        state->pairs[i] = (pair_slot){.left = -1};
    return 0;
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
    pair_slot *slot = probe_pair(state, left, right);
    if (slot->left < 0) /* else the pair had a better rank already */
        *slot = (pair_slot){left, right, rank, merged};
    return 0;
}

static int load_merges(bpe_state *state, symbol_table *symbols, const gol_model_file *file,
                       gol_err *err)
{
    const char *key = "tokenizer.ggml.merges";
    const gol_value *merges;
    const int rc = gol_meta_array(file, key, 1u << GOL_VALUE_STRING, &merges, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return gol_fail(err, GOL_EMODEL, "%s: missing, a tokenizer of kind 'gpt2' needs them", key);
    const uint64_t n = gol_value_n(merges);
    if (n > MERGES_MAX)
        return gol_fail(err, GOL_EMODEL, "%s: %llu merges, at most %d are accepted", key,
                        (unsigned long long)n, MERGES_MAX);
    if (alloc_pairs(state, n) != 0)
        return out_of_memory(err);
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
    int rc = symbol_table_init(&symbols, vocab);
    for (int byte = 0; rc == 0 && byte < 256; byte++) {
        char written[2];
        const int len = gol_byte_map_write(written, (uint8_t)byte);
        rc = intern(&symbols, (gol_str){written, (size_t)len}, &state->byte_symbols[byte]);
    }
    if (rc != 0)
        out_of_memory(err);
    else
        rc = load_merges(state, &symbols, file, err);
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

static bool find_pair(const void *ctx, const gol_symbol *left, const gol_symbol *right,
                      uint32_t *order, int32_t *id)
{
    const pair_slot *slot = probe_pair(ctx, left->id, right->id);
    *order = slot->rank;
    *id = slot->id;
    return slot->left >= 0;
}

static int merge_word(gol_merger *m, const bpe_state *state, gol_str word)
{
    gol_merger_clear(m);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < word.len; i++)
        rc = gol_merger_push(m, (uint32_t)i, 1, state->byte_symbols[(uint8_t)word.data[i]]);
    return rc == 0 ? gol_merger_run(m, find_pair, state) : rc;
}

static void destroy(void *opaque)
{
    bpe_state *state = opaque;
    gol_pre_tokenizer_destroy(&state->pre_tokenizer);
    gol_free(state->pairs);
    gol_free(state);
}

static int create(void **out, gol_vocab *vocab, const gol_model_file *file, gol_err *err)
{
    bpe_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return out_of_memory(err);
    int rc = find_spec(&state->spec, file, err);
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
    const bpe_state *state;
    const gol_vocab *vocab;
    gol_ids *ids;
    gol_merger merger;
} bpe_run;

/* A whole word as one token, for vocabularies that ask for it. */
static int32_t find_word(const gol_vocab *vocab, gol_str word)
{
    char written[2 * 256];
    size_t n = 0;
    if (word.len > sizeof written / 2)
        return -1;
    for (size_t i = 0; i < word.len; i++)
        n += (size_t)gol_byte_map_write(written + n, (uint8_t)word.data[i]);
    return gol_vocab_find_plain(vocab, (gol_str){written, n});
}

/* Some vocabularies lack tokens for bytes that hardly occur (falcon: most control characters). Without an unknown token
 * such a byte is left out, as the models' own tokenizers do. */
static int push_bytes(const bpe_run *run, gol_str text)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++) {
        const int32_t symbol = run->state->byte_symbols[(uint8_t)text.data[i]];
        const int32_t id = symbol < run->vocab->n ? symbol : run->vocab->unk;
        if (id >= 0)
            rc = gol_ids_push(run->ids, id);
    }
    return rc;
}

static int encode_word(void *user, gol_str word, gol_err *err)
{
    (void)err; /* running out of memory is told once, by encode */
    bpe_run *run = user;
    if (run->state->spec->ignore_merges) {
        const int32_t id = find_word(run->vocab, word);
        if (id >= 0)
            return gol_ids_push(run->ids, id);
    }
    gol_merger *m = &run->merger;
    int rc = merge_word(m, run->state, word);
    for (int32_t i = 0; rc == 0 && i >= 0; i = m->symbols[i].next) {
        const gol_symbol *symbol = &m->symbols[i];
        if (symbol->id < run->vocab->n)
            rc = gol_ids_push(run->ids, symbol->id);
        else
            rc = push_bytes(run, (gol_str){word.data + symbol->start, symbol->len});
    }
    return rc;
}

static int encode(const void *state, const gol_vocab *vocab, gol_ids *ids, gol_str text,
                  bool at_start, gol_err *err)
{
    (void)at_start;
    bpe_run run = {.state = state, .vocab = vocab, .ids = ids};
    const int rc = gol_pre_tokenizer_split(run.state->pre_tokenizer, text, encode_word, &run, err);
    if (rc == GOL_ENOMEM)
        gol_fail(err, rc, "tokenizer: out of memory for a text of %zu bytes", text.len);
    gol_merger_deinit(&run.merger);
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
