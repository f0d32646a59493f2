/*
 * WordPiece (Wu et al. 2016; Devlin et al. 2018): the longest token that begins the word, then the longest that goes on from there.
 * A word that cannot be spelled so, or has too many characters, is unknown as a whole. Also the model that knows whole words only.
 *
 * Two tries, of tokens that begin words and of those that go on, without their marks: a step of the walk costs the length of the
 * longest token.
 */
#include "text/word_model.h"

#include "base/mem.h"
#include "text/piece_trie.h"
#include "text/utf8.h"

typedef struct wordpiece_state {
    gol_piece_trie first;
    gol_piece_trie rest;
    size_t word_chars_max;
} wordpiece_state;

void gol_word_scratch_deinit(gol_word_scratch *scratch)
{
    gol_merger_deinit(&scratch->merger);
    gol_free(scratch->paths);
    *scratch = (gol_word_scratch){0};
}

static void destroy(void *opaque)
{
    wordpiece_state *state = opaque;
    gol_piece_trie_deinit(&state->first);
    gol_piece_trie_deinit(&state->rest);
    gol_free(state);
}

static bool begins_with(gol_str text, gol_str mark)
{
    return text.len > mark.len && (mark.len == 0 || memcmp(text.data, mark.data, mark.len) == 0);
}

/* The tokens with a mark, without it; those that begin with the other mark, which is not empty, are not of this kind. */
static int init_trie(gol_piece_trie *trie, const gol_vocab *vocab, gol_piece_entry *entries,
                     gol_str mark, gol_str other)
{
    size_t n = 0;
    for (int32_t id = 0; id < vocab->n; id++) {
        const gol_str text = vocab->tokens[id].text;
        if (!gol_vocab_is_plain(vocab, id) || !begins_with(text, mark) ||
            (other.len > 0 && begins_with(text, other)))
            continue;
        entries[n++] = (gol_piece_entry){{text.data + mark.len, text.len - mark.len}, id};
    }
    return gol_piece_trie_init(trie, entries, n);
}

/* The longest token of the trie at the start of word: its length, or 0. */
static size_t find_longest(const gol_piece_trie *trie, gol_str word, int32_t *id)
{
    size_t n_found = 0;
    uint32_t node = 0;
    for (size_t i = 0; i < word.len && gol_piece_trie_step(trie, &node, word.data[i]); i++) {
        if (trie->nodes[node].id >= 0) {
            n_found = i + 1;
            *id = trie->nodes[node].id;
        }
    }
    return n_found;
}

static int encode_wordpiece(const void *opaque, const gol_vocab *vocab, gol_word_scratch *scratch,
                            gol_ids *ids, gol_str word)
{
    (void)scratch;
    const wordpiece_state *state = opaque;
    const size_t n_before = ids->n;
    bool is_known = word.len <= state->word_chars_max || /* at least a byte each */
                    gol_utf8_count(word) <= state->word_chars_max;
    for (size_t pos = 0; is_known && pos < word.len;) {
        int32_t id;
        const size_t n = find_longest(pos == 0 ? &state->first : &state->rest,
                                      (gol_str){word.data + pos, word.len - pos}, &id);
        is_known = n > 0;
        if (is_known && gol_ids_push(ids, id) != 0)
            return GOL_ENOMEM;
        pos += n;
    }
    if (is_known)
        return 0;
    ids->n = n_before;
    return vocab->unk >= 0 ? gol_ids_push(ids, vocab->unk) : 0;
}

static const gol_word_model_class wordpiece = {"WordPiece", encode_wordpiece, destroy};

int gol_wordpiece_create(gol_word_model *out, const gol_vocab *vocab,
                         const gol_wordpiece_opts *opts, gol_err *err)
{
    wordpiece_state *state = gol_try_calloc(1, sizeof *state);
    gol_piece_entry *entries = gol_try_array((size_t)vocab->n, sizeof *entries);
    int rc = state != NULL && entries != NULL ? 0 : GOL_ENOMEM;
    /* A word that begins with "##" itself may begin with any token. */
    if (rc == 0)
        rc = init_trie(&state->first, vocab, entries, opts->first_mark, GOL_STR(""));
    if (rc == 0)
        rc = init_trie(&state->rest, vocab, entries, opts->rest_mark, opts->first_mark);
    gol_free(entries);
    if (rc != 0) {
        if (state != NULL)
            destroy(state);
        return gol_fail(err, rc == GOL_ENOMEM ? rc : GOL_EMODEL, "vocabulary: %s",
                        rc == GOL_ENOMEM ? "out of memory" : "its tokens have over 2^31 bytes");
    }
    state->word_chars_max = opts->word_chars_max;
    *out = (gol_word_model){&wordpiece, state};
    return 0;
}

static int encode_word_level(const void *state, const gol_vocab *vocab, gol_word_scratch *scratch,
                             gol_ids *ids, gol_str word)
{
    (void)state;
    (void)scratch;
    const int32_t found = gol_vocab_find_plain(vocab, word);
    const int32_t id = found >= 0 ? found : vocab->unk;
    return id >= 0 ? gol_ids_push(ids, id) : 0;
}

static void destroy_nothing(void *state)
{
    (void)state;
}

const gol_word_model_class gol_word_level = {"WordLevel", encode_word_level, destroy_nothing};
