/*
 * Byte-pair encoding: see the header. All merging is by pairs of numbers, in a table that hashes with a seed of its own, since a
 * model file's author chooses the merges.
 */
#include "text/bpe.h"

#include <assert.h>

#include "base/mem.h"
#include "base/rng.h"
#include "text/byte_map.h"
#include "text/utf8.h"

/* A 64x64 -> 128 bit product folded to 64 bits, as in wyhash. */
static uint64_t hash_pair(int32_t left, int32_t right, uint64_t seed)
{
    const uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const unsigned __int128 product = (unsigned __int128)(pair ^ 0x9E3779B97F4A7C15u ^ seed) *
                                      (seed | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The pair's slot, or the free one where it belongs. */
static gol_bpe_pair *probe(const gol_bpe *bpe, int32_t left, int32_t right)
{
    for (size_t i = (size_t)hash_pair(left, right, bpe->seed);; i++) {
        gol_bpe_pair *slot = &bpe->pairs[i & (bpe->n_slots - 1)];
        if (slot->left < 0 || (slot->left == left && slot->right == right))
            return slot;
    }
}

int gol_bpe_init(gol_bpe *bpe, size_t n_merges)
{
    *bpe = (gol_bpe){.n_slots = 16};
    while (bpe->n_slots / 2 < n_merges)
        bpe->n_slots *= 2;
    gol_rng_entropy(&bpe->seed, sizeof bpe->seed);
    bpe->pairs = gol_try_array(bpe->n_slots, sizeof *bpe->pairs);
    if (bpe->pairs == NULL)
        return GOL_ENOMEM;
    for (size_t i = 0; i < bpe->n_slots; i++)
        bpe->pairs[i] = (gol_bpe_pair){.left = -1};
    for (int i = 0; i < 256; i++)
        bpe->symbols[i] = bpe->byte_ids[i] = -1;
    return 0;
}

void gol_bpe_deinit(gol_bpe *bpe)
{
    gol_free(bpe->pairs);
    *bpe = (gol_bpe){0};
}

void gol_bpe_add(gol_bpe *bpe, int32_t left, int32_t right, uint32_t rank, int32_t id)
{
    gol_bpe_pair *slot = probe(bpe, left, right);
    if (slot->left < 0)
        *slot = (gol_bpe_pair){left, right, rank, id};
}

static bool find_pair(const void *ctx, const gol_symbol *left, const gol_symbol *right,
                      uint32_t *order, int32_t *id)
{
    const gol_bpe_pair *slot = probe(ctx, left->id, right->id);
    *order = slot->rank;
    *id = slot->id;
    return slot->left >= 0;
}

/* One call of encode. */
typedef struct bpe_run {
    const gol_bpe *bpe;
    const gol_vocab *vocab;
    gol_merger *merger;
    uint32_t n_unknown; /* bytes of the unknown character before here, or of several */
} bpe_run;

static int flush_unknown(bpe_run *run, size_t pos)
{
    const uint32_t n = run->n_unknown;
    run->n_unknown = 0;
    return n == 0 ? 0 : gol_merger_push(run->merger, (uint32_t)(pos - n), n, run->vocab->unk);
}

/* A character or byte that has no symbol; those without an unknown token are left out. */
static int push_unknown(bpe_run *run, size_t pos, size_t len)
{
    if (run->vocab->unk < 0)
        return 0;
    int rc = 0;
    if (!run->bpe->fuses_unknown)
        rc = flush_unknown(run, pos);
    run->n_unknown += (uint32_t)len;
    return rc;
}

static int push_known(bpe_run *run, size_t pos, size_t len, int32_t id)
{
    const int rc = flush_unknown(run, pos);
    return rc == 0 ? gol_merger_push(run->merger, (uint32_t)pos, (uint32_t)len, id) : rc;
}

static int push_bytes(bpe_run *run, gol_str word)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < word.len; i++) {
        const int32_t symbol = run->bpe->symbols[(uint8_t)word.data[i]];
        rc = symbol >= 0 ? push_known(run, i, 1, symbol) : push_unknown(run, i, 1);
    }
    return rc == 0 ? flush_unknown(run, word.len) : rc;
}

/* The token of a character, as it is written at its place in the word. */
static int32_t find_char(const bpe_run *run, gol_str c, bool is_first, bool is_last)
{
    const gol_bpe *bpe = run->bpe;
    const size_t n_prefix = is_first ? 0 : bpe->n_prefix;
    const size_t n_suffix = is_last ? bpe->n_suffix : 0;
    if (n_prefix + n_suffix == 0)
        return c.len == 1 ? bpe->symbols[(uint8_t)c.data[0]] : gol_vocab_find_plain(run->vocab, c);
    char written[4 + 2 * GOL_BPE_AFFIX_MAX];
    memcpy(written, bpe->prefix, n_prefix);
    memcpy(written + n_prefix, c.data, c.len);
    memcpy(written + n_prefix + c.len, bpe->suffix, n_suffix);
    return gol_vocab_find_plain(run->vocab, (gol_str){written, n_prefix + c.len + n_suffix});
}

static bool can_spell(const gol_bpe *bpe, gol_str c)
{
    bool can = bpe->byte_fallback;
    for (size_t i = 0; can && i < c.len; i++)
        can = bpe->byte_ids[(uint8_t)c.data[i]] >= 0;
    return can;
}

static int push_chars(bpe_run *run, gol_str word)
{
    int rc = 0;
    for (size_t pos = 0; rc == 0 && pos < word.len;) {
        const size_t start = pos;
        gol_utf8_next(word, &pos);
        const gol_str c = {word.data + start, pos - start};
        const int32_t id = find_char(run, c, start == 0, pos == word.len);
        if (id >= 0) {
            rc = push_known(run, start, c.len, id);
        } else if (!can_spell(run->bpe, c)) {
            rc = push_unknown(run, start, c.len);
        } else {
            for (size_t i = 0; rc == 0 && i < c.len; i++)
                rc = push_known(run, start + i, 1, run->bpe->byte_ids[(uint8_t)c.data[i]]);
        }
    }
    return rc == 0 ? flush_unknown(run, word.len) : rc;
}

/* A whole word as one token. */
static int32_t find_word(const gol_bpe *bpe, const gol_vocab *vocab, gol_str word)
{
    if (!bpe->by_bytes)
        return gol_vocab_find_plain(vocab, word);
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
static int spell(const bpe_run *run, gol_ids *ids, gol_str text)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++) {
        const int32_t symbol = run->bpe->symbols[(uint8_t)text.data[i]];
        const int32_t id = symbol >= 0 && symbol < run->vocab->n ? symbol : run->vocab->unk;
        if (id >= 0)
            rc = gol_ids_push(ids, id);
    }
    return rc;
}

int gol_bpe_encode(const void *state, const gol_vocab *vocab, gol_word_scratch *scratch,
                   gol_ids *ids, gol_str word)
{
    const gol_bpe *bpe = state;
    if (bpe->ignores_merges) {
        const int32_t id = find_word(bpe, vocab, word);
        if (id >= 0)
            return gol_ids_push(ids, id);
    }
    gol_merger *m = &scratch->merger;
    bpe_run run = {bpe, vocab, m, 0};
    gol_merger_clear(m);
    int rc = bpe->by_bytes ? push_bytes(&run, word) : push_chars(&run, word);
    if (rc == 0)
        rc = gol_merger_run(m, find_pair, bpe);
    for (int32_t i = m->n > 0 ? 0 : -1; rc == 0 && i >= 0; i = m->symbols[i].next) {
        const gol_symbol *symbol = &m->symbols[i];
        if (symbol->id < vocab->n)
            rc = gol_ids_push(ids, symbol->id);
        else
            rc = spell(&run, ids, (gol_str){word.data + symbol->start, symbol->len});
    }
    return rc;
}

static void destroy(void *opaque)
{
    gol_bpe_deinit(opaque);
    gol_free(opaque);
}

const gol_word_model_class gol_word_bpe = {"BPE", gol_bpe_encode, destroy};
