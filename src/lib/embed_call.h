/*
 * Prompts that become vectors or scores: all given to the engine at once as far as its queue goes, and the calling thread waits until
 * the last one is there. What the numbers mean, embed.c and rerank.c say.
 */
#ifndef GOL_LIB_EMBED_CALL_H
#define GOL_LIB_EMBED_CALL_H

#include "lib/gollum_impl.h"

/* The tokens of one. What is made for it lies in owned, which the caller releases. */
typedef struct gol_embed_tokens {
    const int32_t *ids; /* [n]: owned.data, or lent by who asks for the embedding */
    size_t n;
    size_t n_first; /* of two texts the tokens of the first; 0: there is one */
    gol_ids owned;
} gol_embed_tokens;

typedef struct gol_embed_call {
    gollum *g;
    gol_pooling pooling;
    const char *item;  /* "text", for messages */
    const char *array; /* "texts", whose elements these are: messages begin with "texts[1]: " */
    /* Finds the tokens of the i-th; *tokens is zeroed. */
    int (*encode)(void *user, size_t i, gol_embed_tokens *tokens, gol_err *err);
    void *user;
} gol_embed_call;

/* Numbers that this pooling makes of a prompt, 0: it makes none with this model. */
size_t gol_embed_width(const gollum *g, gol_pooling pooling);

/* Fills values[n][width]. Returns when the engine is done with all of them, whatever happens: they lie in the caller's memory. */
int gol_embed_run(const gol_embed_call *call, size_t n, float *values, gol_err *err);

#endif
