/*
 * What a program wants to know of its prompt: the engine writes it while it computes the prompt, events show it afterwards.
 * Allocated before the request is submitted, freed with its answer.
 */
#ifndef GOL_LIB_ANSWER_SCORES_H
#define GOL_LIB_ANSWER_SCORES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/request.h"
#include "gollum.h"

typedef struct gol_answer_scores {
    gol_prompt_scores engine; /* its arrays are the engine's up to the first event */
    int32_t n_top;
    gollum_prompt_score *tokens; /* [n_prompt] made by the first event */
    gollum_top_logprob *top;     /* [n_prompt][n_top] */
    bool is_made;
} gol_answer_scores;

/* Errors: GOL_ENOMEM; *s is then zeroed. */
int gol_answer_scores_init(gol_answer_scores *s, int32_t n_prompt, int32_t n_top, gol_err *err);
void gol_answer_scores_deinit(gol_answer_scores *s); /* zeroed is fine */

/* An event of this request was made by the engine: it writes no more scores. */
void gol_answer_scores_show(gol_answer_scores *s, gollum_event *event);

#endif
