/*
 * A sequence's own copy of gol_sampling_extras, and what these need between draws and during one. Made at submit, by whoever submits;
 * a step allocates nothing.
 */
#ifndef GOL_ENGINE_SEQ_EXTRAS_H
#define GOL_ENGINE_SEQ_EXTRAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/sampling_extras.h"

typedef struct gol_seq_extras {
    gol_arena arena;
    gol_sampling_extras params; /* its lists are in the arena */
    bool has_chain;
    bool has_dry;
    float mu; /* of mirostat; changes when a token is drawn */

    /* DRY only, otherwise NULL. */
    int32_t *repeats;       /* [n_tokens_max] scratch of a draw */
    uint64_t *is_breaker;   /* [n_vocab / 64 + 1] bits: breakers of one token */
    uint64_t *is_head;      /* likewise: first tokens of the longer ones */
    int32_t *long_breakers; /* [n_long_breakers] indexes of those, by their first token */
    int32_t n_long_breakers;
} gol_seq_extras;

/* extras: checked. *out is NULL when everything is off. Errors: GOL_ENOMEM. */
int gol_seq_extras_create(gol_seq_extras **out, const gol_sampling_extras *extras, int32_t n_vocab,
                          int32_t n_tokens_max, gol_err *err);
void gol_seq_extras_destroy(gol_seq_extras **extras); /* NULL is fine */

static inline bool gol_seq_extras_has_bit(const uint64_t *bits, int32_t i)
{
    return (bits[i / 64] >> (i % 64) & 1) != 0;
}

/* Tokens of one phrase: their number, and in *tokens the first. */
static inline int32_t gol_phrase_get(const gol_phrases *phrases, int32_t i, const int32_t **tokens)
{
    const int32_t begin = i > 0 ? phrases->ends[i - 1] : 0;
    *tokens = phrases->tokens + begin;
    return phrases->ends[i] - begin;
}

#endif
