/* The engine's structs and the public ones are different types on purpose; what is there is copied once. See answer_scores.h. */
#include "lib/answer_scores.h"

#include <assert.h>

#include "base/mem.h"

static_assert((int)GOLLUM_TOP_MAX <= (int)GOL_LOGPROBS_MAX,
              "gollum.h promises no more than there is");
static_assert((int)GOLLUM_CACHE_SALT_MAX <= (int)GOL_CACHE_SALT_MAX,
              "gollum.h promises no more than there is");

int gol_answer_scores_init(gol_answer_scores *s, int32_t n_prompt, int32_t n_top, gol_err *err)
{
    *s = (gol_answer_scores){.n_top = n_top};
    const size_t n = (size_t)n_prompt;
    s->engine.n_top = n_top;
    s->engine.tokens = gol_try_calloc(n, sizeof *s->engine.tokens);
    s->tokens = gol_try_calloc(n, sizeof *s->tokens);
    if (n_top > 0) {
        s->engine.top = gol_try_calloc(n * (size_t)n_top, sizeof *s->engine.top);
        s->top = gol_try_calloc(n * (size_t)n_top, sizeof *s->top);
    }
    if (s->engine.tokens && s->tokens && (n_top == 0 || (s->engine.top && s->top)))
        return 0;
    gol_answer_scores_deinit(s);
    return gol_fail(err, GOL_ENOMEM, "out of memory for the scores of %d tokens", n_prompt);
}

void gol_answer_scores_deinit(gol_answer_scores *s)
{
    gol_free(s->engine.tokens);
    gol_free(s->engine.top);
    gol_free(s->tokens);
    gol_free(s->top);
    *s = (gol_answer_scores){0};
}

/* Row 0 stays as it is allocated: zeros. */
static void make(gol_answer_scores *s)
{
    const size_t n_top = (size_t)s->n_top;
    for (size_t i = 1; i < (size_t)s->engine.n_scored; i++) {
        s->tokens[i].logprob = s->engine.tokens[i].logprob;
        s->tokens[i].rank = s->engine.tokens[i].rank;
        for (size_t k = i * n_top; k < (i + 1) * n_top; k++) {
            s->top[k].token = s->engine.top[k].token;
            s->top[k].logprob = s->engine.top[k].logprob;
        }
    }
    s->is_made = true;
}

void gol_answer_scores_show(gol_answer_scores *s, gollum_event *event)
{
    if (!s->tokens)
        return;
    if (!s->is_made)
        make(s);
    event->prompt_scores = s->tokens;
    event->prompt_top = s->top;
    event->n_prompt_scores = s->engine.n_scored;
    event->n_prompt_top = s->n_top;
}
