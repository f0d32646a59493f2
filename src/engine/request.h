/*
 * What a client asks of the engine, and what comes back: token ids only, no text.
 */
#ifndef GOL_ENGINE_REQUEST_H
#define GOL_ENGINE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/sampling_extras.h"
#include "model/config.h"

enum {
    GOL_LOGPROBS_MAX = 20,     /* top log-probabilities per token */
    GOL_STOP_IDS_MAX = 64,     /* stop ids per request, the model's end tokens included */
    GOL_CACHE_SALT_MAX = 1024, /* bytes */
};

/*
 * How the next token is drawn from a row of logits.
 *
 *  1. Changes of logits, each after the one before: logit_bias; repetition, presence and frequency penalties; DRY; then bans:
 *     tokens outside of `allowed` or with a bias of -infinity, the last tokens of bad words, stop ids before min_tokens.
 *  2. Temperature, which is 0: the most likely token, and nothing of the rest has an effect.
 *  3. Filters, each on the distribution that the one before leaves, normalized anew.
 *     GOL_ORDER_TEMPERATURE_FIRST: temperature, top_n_sigma, min_p, top_k, typical_p, top_p, xtc. vLLM's order and that of
 *     Hugging Face's transformers in as far as they have these; llama.cpp differs.
 *     GOL_ORDER_TEMPERATURE_LAST: top_n_sigma, top_k, typical_p, top_p, min_p, xtc, temperature. llama.cpp's default order.
 *     mirostat, in place of all filters: temperature, then mirostat (llama.cpp leaves penalties and DRY out, too).
 *  4. One draw from what is left, by inverse distribution function, with the counter-based generator at (seed, position of the
 *     token); xtc's coin is that of another stream of the same generator.
 *
 * Ties go to the lower id.
 */
typedef struct gol_sampling_params {
    float temperature; /* [0, 1e6] */
    float top_p;   /* (0, 1]; 1: off. Smallest set of tokens whose probabilities sum to >= top_p */
    float min_p;   /* [0, 1]; 0: off. Drops tokens less likely than min_p times the likeliest */
    int32_t top_k; /* >= 0; 0: off */
    /* (0, 1e6]; 1: off. Logits of tokens in prompt or output: divided by it if positive, else multiplied (Keskar et al.,
     * "CTRL", 2019). */
    float repetition_penalty;
    float presence_penalty;  /* [-2, 2]; subtracted once from tokens in the output */
    float frequency_penalty; /* [-2, 2]; subtracted once per occurrence in the output */
    uint64_t seed;
    /* NULL: none. Copied by submit, which drops what is off altogether. */
    const struct gol_sampling_extras *extras;
} gol_sampling_params;

#define GOL_SAMPLING_DEFAULT                                                                       \
    ((gol_sampling_params){.temperature = 1.0f, .top_p = 1.0f, .repetition_penalty = 1.0f})

typedef enum gol_finish_reason {
    GOL_FINISH_NONE,   /* goes on */
    GOL_FINISH_STOP,   /* a stop id was drawn; it is the event's token */
    GOL_FINISH_LENGTH, /* max_tokens or the context's end */
    GOL_FINISH_ABORT,  /* gol_engine_abort() or shutdown */
    GOL_FINISH_ERROR,  /* logits were not finite: this request's computation failed, others go on */
} gol_finish_reason;

typedef struct gol_top_logprob {
    int32_t token;
    float logprob;
} gol_top_logprob;

/*
 * What the model says about a prompt's own tokens. The arrays are the caller's: the engine's thread writes into them up to the
 * request's last event. Whoever has seen an event may read the first n_scored tokens; the first event with a token comes when
 * all are there. Token 0 has no score: nothing stands before it.
 */
typedef struct gol_prompt_score {
    float logprob; /* under the model's own distribution, as in gol_output */
    int32_t rank;  /* among all tokens at its place; 1: the most likely */
} gol_prompt_score;

typedef struct gol_prompt_scores {
    gol_prompt_score *tokens; /* [n_prompt] */
    gol_top_logprob *top;     /* [n_prompt][n_top] most likely first; NULL when n_top is 0 */
    int32_t n_top;            /* 0 to GOL_LOGPROBS_MAX, at most n_vocab */
    int32_t n_scored; /* tokens 1 to n_scored - 1 have scores; n_prompt: all. 0 after ERROR */
} gol_prompt_scores;

/*
 * One vector for the whole prompt, or with RANK the scores of the model's classifier. It is the caller's, and the engine's thread writes into it up to the request's last event; it is
 * there when that says LENGTH. Not normalized.
 */
typedef struct gol_embedding {
    float *values;       /* [n_embd of the model], of scores: [classifier.n_classes] */
    gol_pooling pooling; /* NONE: the model's own */
    /* Of two texts in the prompt: tokens of the first one, with what parts them; the others get the token type 1, where the model
     * has such. 0: all is one text. */
    int32_t n_first;
} gol_embedding;

/* One event of a request. Pointers are valid during the callback only. */
typedef struct gol_output {
    uint64_t request_id;
    int32_t token; /* -1: this event brings none (ABORT, ERROR, and LENGTH when max_tokens is 0) */
    float logprob; /* of token, under the model's own distribution: no penalties, temperature 1 */
    int32_t n_top; /* entries of top: n_logprobs, fewer if the vocabulary is smaller */
    const gol_top_logprob *top; /* most likely first */
    gol_finish_reason finish;   /* other than NONE: the last event */
    int32_t n_prompt;           /* tokens of the prompt */
    int32_t n_cached;           /* of these: found in the cache; all of them: an exact repeat */
    int32_t n_generated;        /* up to and including token */
} gol_output;

/*
 * Called by the engine's thread, in order; the event with finish != NONE is the last, comes exactly once for every submitted
 * request, and after it the engine never touches `user` again. Must return quickly: it may lock a short mutex and wake
 * somebody, may call gol_engine_submit() and gol_engine_abort(), must not wait.
 */
typedef void gol_output_fn(void *user, const gol_output *output);

typedef struct gol_request {
    const int32_t *prompt; /* [n_prompt], copied by submit; n_prompt >= 1 */
    int32_t n_prompt;
    /* >= 0; the end of the context may come earlier, with LENGTH too. 0: the prompt is computed, nothing is drawn, and the one event
     * has no token. */
    int32_t max_tokens;
    int32_t min_tokens;      /* no stop id is drawn before this many tokens; 0 to max_tokens */
    const int32_t *stop_ids; /* [n_stop_ids], copied */
    int32_t n_stop_ids;
    /* -1: no log-probabilities; 0: the token's own; up to GOL_LOGPROBS_MAX: the most likely ones too. */
    int32_t n_logprobs;
    /* NULL: not asked for. Else what it points to lives until the last event; n_scored is set by submit. Every row of such a prompt
     * must be computed, so it takes nothing from the prefix cache; what it leaves there is like any other's. */
    gol_prompt_scores *scores;
    /* NULL: not asked for. Else what it points to lives until the last event; max_tokens is 0. Such a prompt neither uses nor leaves
     * anything in the prefix cache. An encoder answers no other requests, and reads a prompt in one step. */
    gol_embedding *embedding;
    int32_t priority; /* lower runs earlier under the priority policy */
    bool no_cache;    /* neither uses nor leaves anything in the prefix cache */
    /* [n_cache_salt] bytes, read by submit; only requests of the same salt find each other's prompts. n_cache_salt 0: none. */
    const void *cache_salt;
    size_t n_cache_salt;
    gol_sampling_params sampling;
    gol_output_fn *on_output;
    void *user;
} gol_request;

#endif
