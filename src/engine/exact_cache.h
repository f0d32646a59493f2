/*
 * The rows of logits behind whole prompts. The prefix cache can bring back the keys and values of a prompt but not what the model
 * said about its next token, so the last token would have to be computed again; with its row kept, a prompt that comes again
 * costs no forward pass at all. Least recently used rows go first. All memory is allocated by init.
 *
 * An entry is a promise about the answer only together with the blocks: who uses it has found all n_prompt tokens there, and
 * has compared them.
 */
#ifndef GOL_ENGINE_EXACT_CACHE_H
#define GOL_ENGINE_EXACT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/block_hash.h"

/* A whole prompt. */
typedef struct gol_prompt_key {
    gol_block_hash hash; /* of all its tokens, those of the last, partly filled block included */
    int32_t n_prompt;
    const int32_t *tail; /* [n_tail] the tokens behind its last full block */
    int32_t n_tail;
} gol_prompt_key;

typedef struct gol_exact_entry {
    gol_block_hash hash;
    int32_t n_prompt; /* 0: unused */
    int32_t n_tail;
    struct gol_exact_entry *next_in_bucket;
    struct gol_exact_entry *younger; /* in order of use; NULL at the ends */
    struct gol_exact_entry *older;
} gol_exact_entry;

typedef struct gol_exact_cache {
    int32_t n_rows; /* 0: it is off, nothing is ever found */
    int32_t n_vocab;
    int32_t block_size;
    uint64_t mask;             /* number of buckets - 1 */
    gol_exact_entry *entries;  /* [n_rows] */
    gol_exact_entry **buckets; /* [mask + 1] */
    gol_exact_entry *youngest;
    gol_exact_entry *oldest;
    int32_t *tails; /* [n_rows][block_size] */
    float *rows;    /* [n_rows][n_vocab] */
} gol_exact_cache;

/* Bytes of a cache of so many rows. */
uint64_t gol_exact_cache_bytes(int32_t n_rows, int32_t n_vocab, int32_t block_size);

/* n_rows 0 is fine. Errors: GOL_ENOMEM; *cache is then zeroed. */
int gol_exact_cache_init(gol_exact_cache *cache, int32_t n_rows, int32_t n_vocab,
                         int32_t block_size, gol_err *err);
void gol_exact_cache_deinit(gol_exact_cache *cache); /* zeroed is fine */

/* The row [n_vocab] of this prompt, now the youngest; valid until the next put(). NULL: none. */
const float *gol_exact_cache_find(gol_exact_cache *cache, const gol_prompt_key *key);

/* Keeps a copy of the row [n_vocab], in place of the oldest if it is full. A prompt that is there already keeps its row: it has
 * the same bits. */
void gol_exact_cache_put(gol_exact_cache *cache, const gol_prompt_key *key, const float *row);

#endif
