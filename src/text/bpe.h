/*
 * Byte-pair encoding of one word (Sennrich et al. 2016): it begins as bytes or characters, and the neighbours whose merge has the
 * best rank become one, again and again. A word model, and what the "gpt2" kind is built on.
 *
 * Symbols are numbered: a token's id, or a number above the vocabulary for a text that only merges know: it can be built on the
 * way to a token, and is spelled in bytes when it is left over.
 */
#ifndef GOL_TEXT_BPE_H
#define GOL_TEXT_BPE_H

#include "text/word_model.h"

typedef struct gol_bpe_pair {
    int32_t left; /* -1: free */
    int32_t right;
    uint32_t rank;
    int32_t id; /* of the merged symbol */
} gol_bpe_pair;

enum { GOL_BPE_MERGES_MAX = 16 << 20, GOL_BPE_AFFIX_MAX = 32 };

typedef struct gol_bpe {
    gol_bpe_pair *pairs; /* open addressing, at most half full */
    size_t n_slots;      /* a power of two */
    uint64_t seed;

    bool
        by_bytes; /* words are bytes, written in the vocabulary as GPT-2 writes them; else characters */
    bool ignores_merges; /* a word that is a token is taken as it is, whatever the merges say */
    bool fuses_unknown;  /* neighbouring unknown characters are one token */
    bool
        byte_fallback; /* characters without a token are spelled in byte tokens, where there are all */
    char prefix[GOL_BPE_AFFIX_MAX]; /* written before every character of a word but the first */
    char suffix[GOL_BPE_AFFIX_MAX]; /* written behind its last */
    size_t n_prefix, n_suffix;
    int32_t symbols[256]; /* of bytes, or of ASCII characters without prefix and suffix; -1: none */
    int32_t byte_ids[256]; /* tokens "<0x00>" to "<0xFF>"; -1: none */
} gol_bpe;

/* Room for the merges; symbols and byte_ids are set to -1. 0 or GOL_ENOMEM; on failure *bpe needs no deinit. */
int gol_bpe_init(gol_bpe *bpe, size_t n_merges);
void gol_bpe_deinit(gol_bpe *bpe);

/* No more than n_merges times. Of equal pairs the first counts. */
void gol_bpe_add(gol_bpe *bpe, int32_t left, int32_t right, uint32_t rank, int32_t id);

/* As gol_word_model_class says. */
int gol_bpe_encode(const void *state, const gol_vocab *vocab, gol_word_scratch *scratch,
                   gol_ids *ids, gol_str word);

/* A heap-allocated gol_bpe as the model "BPE". */
extern const gol_word_model_class gol_word_bpe;

#endif
