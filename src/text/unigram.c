/*
 * The unigram model (Kudo 2018): of all ways to spell a text in tokens, the one whose scores (log-probabilities) add up best, found by
 * Viterbi's algorithm. A character that is no token may be unknown, at a score below all tokens'. Neighbouring unknown
 * characters are one unknown token, or each is spelled in byte tokens.
 *
 *     position  0    1    2    3    4     a text of 4 bytes; paths[i]: the best way from the last settled position to i,
 *               |----a----|--b--|         by its last token
 *               |-c--|----d-----|
 *
 * Where no token goes on beyond the present position, whatever follows cannot change what is before it: those tokens are settled,
 * and the table starts anew. So it stays short for texts of any length.
 */
#include "text/word_model.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "text/piece_trie.h"
#include "text/utf8.h"

static const double UNKNOWN_PENALTY = 10.0; /* kUnkPenalty of sentencepiece */

typedef struct unigram_state {
    gol_piece_trie trie;
    double *scores; /* [n_vocab] */
    double unknown_score;
    int32_t byte_ids[256]; /* -1: none */
    bool byte_fallback;
    bool adds_floats;
} unigram_state;

static void destroy(void *opaque)
{
    unigram_state *state = opaque;
    gol_piece_trie_deinit(&state->trie);
    gol_free(state->scores);
    gol_free(state);
}

/* The table of one word. */
typedef struct lattice {
    const unigram_state *state;
    const gol_vocab *vocab;
    gol_word_scratch *scratch;
    gol_ids *ids;
    gol_str word;
    size_t settled; /* bytes of word that are done; paths[i] is at settled + i */
    size_t reach;   /* the farthest end of a token so far, from settled */
    bool after_unknown;
} lattice;

static int grow(gol_word_scratch *s, size_t n)
{
    if (n > s->cap_paths) {
        const size_t cap = n * 2 + 64;
        gol_best_path *paths = gol_try_realloc(s->paths, cap, sizeof *paths);
        if (paths == NULL)
            return GOL_ENOMEM;
        s->paths = paths;
        s->cap_paths = cap;
    }
    for (; s->n_paths < n; s->n_paths++)
        s->paths[s->n_paths] = (gol_best_path){.id = -1};
    return 0;
}

/* A token of len bytes at i. */
static int offer(lattice *l, size_t i, size_t len, int32_t id, double score)
{
    if (grow(l->scratch, i + len + 1) != 0)
        return GOL_ENOMEM;
    gol_best_path *end = &l->scratch->paths[i + len];
    const double exact = l->scratch->paths[i].score + score;
    const double sum = l->state->adds_floats ? (double)(float)exact : exact;
    if (end->len == 0 || sum > end->score) {
        end->score = sum;
        end->id = id;
        end->len = (uint32_t)len;
    }
    if (i + len > l->reach)
        l->reach = i + len;
    return 0;
}

static int push_unknown(lattice *l, gol_str text)
{
    bool can_spell = l->state->byte_fallback;
    for (size_t i = 0; can_spell && i < text.len; i++)
        can_spell = l->state->byte_ids[(uint8_t)text.data[i]] >= 0;
    if (!can_spell) {
        const bool is_same = l->after_unknown || l->vocab->unk < 0;
        l->after_unknown = true;
        return is_same ? 0 : gol_ids_push(l->ids, l->vocab->unk);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++)
        rc = gol_ids_push(l->ids, l->state->byte_ids[(uint8_t)text.data[i]]);
    return rc;
}

/* Settles the first n bytes of the table: paths are turned round, then followed. */
static int settle(lattice *l, size_t n)
{
    gol_best_path *paths = l->scratch->paths;
    uint32_t len = 0;
    int32_t id = -1;
    for (size_t end = n; end > 0;) {
        const gol_best_path here = paths[end];
        assert(here.len > 0 && here.len <= end);
        paths[end].len = len; /* now: of the token behind it */
        paths[end].id = id;
        len = here.len;
        id = here.id;
        end -= here.len;
    }
    paths[0].len = len;
    paths[0].id = id;
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < n; at += len) {
        len = paths[at].len;
        if (paths[at].id >= 0) {
            rc = gol_ids_push(l->ids, paths[at].id);
            l->after_unknown = false;
        } else {
            rc = push_unknown(l, (gol_str){l->word.data + l->settled + at, len});
        }
    }
    paths[0] = (gol_best_path){.score = paths[n].score, .id = -1};
    l->scratch->n_paths = 1;
    l->settled += n;
    l->reach = 0;
    return rc;
}

/* Every token that begins at i, and the unknown one where none is the single character. */
static int extend(lattice *l, size_t i, size_t n_char)
{
    const unigram_state *state = l->state;
    const size_t start = l->settled + i;
    bool has_single = false;
    uint32_t node = 0;
    int rc = 0;
    for (size_t pos = start; rc == 0 && pos < l->word.len &&
                             gol_piece_trie_step(&state->trie, &node, l->word.data[pos]);
         pos++) {
        const int32_t id = state->trie.nodes[node].id;
        if (id < 0)
            continue;
        const size_t len = pos + 1 - start;
        has_single = has_single || len == n_char;
        rc = offer(l, i, len, id, state->scores[id]);
    }
    if (rc == 0 && !has_single)
        rc = offer(l, i, n_char, -1, state->unknown_score);
    return rc;
}

static int encode(const void *opaque, const gol_vocab *vocab, gol_word_scratch *scratch,
                  gol_ids *ids, gol_str word)
{
    lattice l = {opaque, vocab, scratch, ids, word, 0, 0, false};
    scratch->n_paths = 0;
    int rc = grow(scratch, 1);
    size_t i = 0;
    while (rc == 0 && l.settled + i < word.len) {
        size_t next = l.settled + i;
        gol_utf8_next(word, &next);
        rc = extend(&l, i, next - (l.settled + i));
        i = next - l.settled;
        if (rc == 0 && l.reach == i) {
            rc = settle(&l, i);
            i = 0;
        }
    }
    assert(rc != 0 || l.settled == word.len); /* no token goes beyond the end */
    return rc;
}

static const gol_word_model_class unigram = {"Unigram", encode, destroy};

static bool is_piece(const gol_vocab *vocab, const gol_unigram_opts *opts, int32_t id)
{
    const gol_token *token = &vocab->tokens[id];
    if (token->text.len == 0 || token->type == GOL_TOKEN_UNUSED)
        return false;
    return gol_vocab_is_plain(vocab, id) ||
           (token->type == GOL_TOKEN_BYTE && opts->reads_byte_tokens);
}

static int fill(unigram_state *state, const gol_vocab *vocab, const gol_unigram_opts *opts)
{
    const size_t n_vocab = (size_t)vocab->n;
    gol_piece_entry *entries = gol_try_array(n_vocab, sizeof *entries);
    state->scores = gol_try_array(n_vocab, sizeof *state->scores);
    if (entries == NULL || state->scores == NULL) {
        gol_free(entries);
        return GOL_ENOMEM;
    }
    for (int byte = 0; byte < 256; byte++)
        state->byte_ids[byte] = -1;
    size_t n = 0;
    double min_score = INFINITY;
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_token *token = &vocab->tokens[id];
        const double score = opts->scores != NULL ? opts->scores[id] : (double)token->score;
        state->scores[id] = score;
        const int byte = gol_vocab_parse_byte(token->text);
        if (byte >= 0 && token->type != GOL_TOKEN_CONTROL && state->byte_ids[byte] < 0)
            state->byte_ids[byte] = id;
        if (!is_piece(vocab, opts, id))
            continue;
        entries[n++] = (gol_piece_entry){token->text, id};
        if (score < min_score)
            min_score = score;
    }
    state->unknown_score = (isfinite(min_score) ? min_score : 0) - UNKNOWN_PENALTY;
    const int rc = gol_piece_trie_init(&state->trie, entries, n);
    gol_free(entries);
    return rc;
}

int gol_unigram_create(gol_word_model *out, const gol_vocab *vocab, const gol_unigram_opts *opts,
                       gol_err *err)
{
    unigram_state *state = gol_try_calloc(1, sizeof *state);
    if (state == NULL)
        return gol_fail(err, GOL_ENOMEM, "vocabulary: out of memory");
    state->byte_fallback = opts->byte_fallback;
    state->adds_floats = opts->adds_floats;
    const int rc = fill(state, vocab, opts);
    if (rc != 0) {
        destroy(state);
        return gol_fail(err, rc == GOL_ENOMEM ? rc : GOL_EMODEL, "vocabulary: %s",
                        rc == GOL_ENOMEM ? "out of memory" : "its tokens have over 2^31 bytes");
    }
    *out = (gol_word_model){&unigram, state};
    return 0;
}
