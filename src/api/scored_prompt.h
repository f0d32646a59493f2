/*
 * What the model says about a prompt's own tokens, on its way from the engine's thread to the answers. Its arrays have their whole
 * length before submit; how much of them is filled is published under the call's lock, with the sequence's events.
 */
#ifndef GOL_API_SCORED_PROMPT_H
#define GOL_API_SCORED_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "engine/request.h"
#include "text/tokenizer.h"

typedef struct gol_scored_prompt {
    gol_prompt_scores scores; /* the engine's thread; below n_seen its arrays do not change */
    int32_t n_prompt;
    int32_t
        *offsets; /* [n_prompt] characters of the echoed text before each token; NULL: not echoed */
    int32_t n_scored; /* lock */
    bool is_over;     /* lock: nothing will be added */
    int32_t n_seen;   /* the call's thread, as the next */
    bool is_complete; /* all that will ever be is seen */
} gol_scored_prompt;

/* 0 or GOL_ENOMEM; *out is then NULL. */
int gol_scored_prompt_create(gol_scored_prompt **out, int32_t n_prompt, int32_t n_top);
void gol_scored_prompt_destroy(gol_scored_prompt **scored); /* NULL is fine */

/* The prompt that is echoed. */
typedef struct gol_echoed {
    const gol_tokenizer *tok;
    const int32_t *ids; /* [n_prompt] */
    gol_str text;       /* as it came; data NULL: it came as ids, and the echo is what they say */
    bool has_bos;       /* text: encoding put BOS in front */
    bool skip_special;  /* ids: control tokens were left out */
} gol_echoed;

/* echo: the text whose characters are counted. 0 or GOL_ENOMEM. */
int gol_scored_prompt_find_offsets(gol_scored_prompt *scored, const gol_echoed *prompt,
                                   gol_str echo);

/* Under the call's lock: the engine's thread, with an event, and the call's. */
void gol_scored_prompt_publish(gol_scored_prompt *scored, bool is_last);
void gol_scored_prompt_refresh(gol_scored_prompt *scored);

#endif
