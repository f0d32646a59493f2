/*
 * Prompts that become vectors or scores: all given to the engine at once as far as its queue goes, and the calling thread waits until
 * the last one is there. What the numbers mean, embed.c and rerank.c say.
 */
#ifndef GOL_LIB_EMBED_CALL_H
#define GOL_LIB_EMBED_CALL_H

#include "lib/gollum_impl.h"

typedef struct gol_embed_call {
    gollum *g;
    gol_pooling pooling;
    const char *item; /* "text", for messages */
    /* Appends the tokens of the i-th to ids. *n_first is 0, or of two texts becomes the tokens of the first. */
    int (*encode)(void *user, size_t i, gol_ids *ids, size_t *n_first, gol_err *err);
    void *user;
} gol_embed_call;

/* Numbers that this pooling makes of a prompt, 0: it makes none with this model. */
size_t gol_embed_width(const gollum *g, gol_pooling pooling);

/* Fills values[n][width]. Returns when the engine is done with all of them, whatever happens: they lie in the caller's memory. */
int gol_embed_run(const gol_embed_call *call, size_t n, float *values, gol_err *err);

#endif
