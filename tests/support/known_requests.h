/*
 * Random requests of all kinds for a tiny model, and the answer to each when it is alone: what a test of the engine compares with,
 * whatever it does around them. Everything follows from a seed.
 */
#ifndef TESTS_SUPPORT_KNOWN_REQUESTS_H
#define TESTS_SUPPORT_KNOWN_REQUESTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/engine.h"
#include "support/collector.h"
#include "support/loaded_model.h"

enum { KNOWN_ANSWER_MAX = 24, KNOWN_PROMPT_MAX = TINY_CTX - KNOWN_ANSWER_MAX, KNOWN_LISTED = 12 };

typedef struct known_request {
    int32_t prompt[KNOWN_PROMPT_MAX];
    int32_t stop_ids[2];
    gol_logit_bias biases[3];
    int32_t allowed[KNOWN_LISTED];
    gol_sampling_extras extras;
    gol_request request; /* user is to be set */
    collector alone;
} known_request;

static const int32_t known_phrase_tokens[] = {1, 2, 5, 11};
static const int32_t known_phrase_ends[] = {1, 4};

static inline int32_t known_pick(gol_rng *rng, int32_t min, int32_t max)
{
    return min + (int32_t)gol_rng_below(rng, (uint64_t)(max - min) + 1);
}

static inline float known_unit(gol_rng *rng)
{
    return (float)gol_rng_next_unit(rng);
}

static inline bool known_one_in(gol_rng *rng, int32_t n)
{
    return known_pick(rng, 1, n) == 1;
}

static inline void known_make_extras(known_request *k, gol_rng *rng)
{
    gol_sampling_extras *x = &k->extras;
    const gol_phrases phrases = {known_phrase_tokens, known_phrase_ends, 2};
    *x = GOL_SAMPLING_EXTRAS_DEFAULT;
    for (int i = 0; i < 3; i++)
        k->biases[i] = (gol_logit_bias){known_pick(rng, 0, TINY_VOCAB - 1),
                                        known_one_in(rng, 3) ? -INFINITY : 4 * known_unit(rng) - 2};
    const int32_t first = known_pick(rng, 0, TINY_VOCAB - 1);
    for (int32_t i = 0; i < KNOWN_LISTED; i++)
        k->allowed[i] = (first + 3 * i) % TINY_VOCAB;
    x->logit_bias = k->biases;
    x->n_logit_bias = known_one_in(rng, 3) ? 3 : 0;
    x->allowed = k->allowed;
    x->n_allowed = known_one_in(rng, 4) ? KNOWN_LISTED : 0;
    if (known_one_in(rng, 3))
        x->bad_words = phrases;
    x->repeat_last_n = known_one_in(rng, 3) ? known_pick(rng, 0, 20) : -1;
    if (known_one_in(rng, 2))
        x->order = GOL_ORDER_TEMPERATURE_LAST;
    if (known_one_in(rng, 4))
        x->top_n_sigma = 1.0f + known_unit(rng);
    if (known_one_in(rng, 4))
        x->typical_p = 0.5f + known_unit(rng) / 2;
    if (known_one_in(rng, 4))
        x->xtc_probability = known_unit(rng);
    if (known_one_in(rng, 4))
        x->dynatemp_range = known_unit(rng);
    x->mirostat = known_one_in(rng, 3) ? known_pick(rng, 1, 2) : 0;
    x->mirostat_tau = 1.0f + 4 * known_unit(rng);
    if (known_one_in(rng, 3)) {
        x->dry_multiplier = known_unit(rng);
        x->dry_allowed_length = known_pick(rng, 0, 3);
        x->dry_breakers = phrases;
    }
    k->request.sampling.extras = x;
}

static inline void known_make_sampling(gol_sampling_params *p, gol_rng *rng)
{
    *p = GOL_SAMPLING_DEFAULT;
    p->seed = gol_rng_next(rng);
    p->temperature = known_one_in(rng, 5) ? 0.0f : 0.3f + known_unit(rng);
    if (known_one_in(rng, 3))
        p->top_p = 0.5f + known_unit(rng) / 2;
    if (known_one_in(rng, 4))
        p->min_p = known_unit(rng) / 10;
    if (known_one_in(rng, 3))
        p->top_k = known_pick(rng, 1, TINY_VOCAB);
    if (known_one_in(rng, 4))
        p->repetition_penalty = 0.8f + known_unit(rng);
    if (known_one_in(rng, 4))
        p->presence_penalty = 2 * known_unit(rng) - 1;
    if (known_one_in(rng, 4))
        p->frequency_penalty = 2 * known_unit(rng) - 1;
}

/* Prompts are new, or begin like that of `other` or are equal to it; NULL: there is no other yet. */
static inline void known_make(known_request *k, const known_request *other, gol_rng *rng)
{
    const int32_t n_prompt = known_pick(rng, 1, known_one_in(rng, 2) ? KNOWN_PROMPT_MAX : 20);
    for (int32_t i = 0; i < n_prompt; i++)
        k->prompt[i] = known_pick(rng, 0, TINY_VOCAB - 1);
    int32_t n_shared = 0;
    if (other && known_one_in(rng, 2))
        n_shared = known_pick(rng, 0, other->request.n_prompt);
    memcpy(k->prompt, other ? other->prompt : k->prompt, (size_t)n_shared * sizeof *k->prompt);
    const bool is_equal = n_shared > 0 && known_one_in(rng, 3);
    const int32_t max_tokens = known_pick(rng, 1, KNOWN_ANSWER_MAX);
    for (int i = 0; i < 2; i++)
        k->stop_ids[i] = known_pick(rng, 0, TINY_VOCAB - 1);
    k->request = (gol_request){
        .prompt = k->prompt,
        .n_prompt = is_equal || n_shared > n_prompt ? n_shared : n_prompt,
        .max_tokens = max_tokens,
        .min_tokens = known_pick(rng, 0, max_tokens),
        .stop_ids = k->stop_ids,
        .n_stop_ids = known_pick(rng, 0, 2),
        .n_logprobs = known_one_in(rng, 5) ? -1 : known_pick(rng, 0, COLLECTOR_TOP_MAX),
        .priority = known_pick(rng, -1, 1),
        .no_cache = known_one_in(rng, 10),
        .cache_salt = "tenant",
        .n_cache_salt = known_one_in(rng, 10) ? 6 : 0,
        .on_output = collector_take,
    };
    known_make_sampling(&k->request.sampling, rng);
    if (known_one_in(rng, 3))
        known_make_extras(k, rng);
}

/* n requests and their answers, each alone on one thread without any cache. Freed by known_destroy(). */
static inline known_request *known_create(const loaded_model *tiny, int n, uint64_t seed)
{
    known_request *known = calloc((size_t)n, sizeof *known);
    assert(known);
    gol_rng rng = {.key = seed};
    gol_engine *engine;
    gol_err err = {0};
    const gol_engine_opts opts = {.no_prefix_caching = true, .max_itl_ms = -1};
    loaded_check(gol_engine_create(&engine, tiny->model, &opts, &err), &err);
    for (int i = 0; i < n; i++) {
        known_request *k = &known[i];
        known_make(k, i > 0 ? &known[known_pick(&rng, i > 8 ? i - 8 : 0, i - 1)] : NULL, &rng);
        collector_init(&k->alone);
        gol_request request = k->request;
        request.user = &k->alone;
        uint64_t id;
        loaded_check(gol_engine_submit(engine, &request, &id, &err), &err);
        const bool has_ended = collector_wait_end(&k->alone);
        assert(has_ended && k->alone.last.finish != GOL_FINISH_ERROR);
        (void)has_ended;
    }
    gol_engine_destroy(&engine);
    return known;
}

static inline void known_destroy(known_request **known, int n)
{
    for (int i = 0; i < n; i++)
        collector_deinit(&(*known)[i].alone);
    free(*known);
    *known = NULL;
}

/* What is wrong with the events of a request that has ended; NULL: nothing. An aborted one got the beginning of its answer. */
static inline const char *known_difference(const known_request *k, const collector *got)
{
    const collector *alone = &k->alone;
    const size_t n = (size_t)got->n_tokens;
    if (got->n_last_events != 1)
        return "there is not exactly one last event";
    if (got->last.finish != GOL_FINISH_ABORT &&
        (got->last.finish != alone->last.finish || got->n_tokens != alone->n_tokens))
        return "the end is another";
    if (got->n_tokens > alone->n_tokens)
        return "there are more tokens";
    if (memcmp(got->tokens, alone->tokens, n * sizeof *got->tokens) != 0)
        return "tokens differ";
    if (memcmp(got->logprobs, alone->logprobs, n * sizeof *got->logprobs) != 0)
        return "log-probabilities differ";
    if (memcmp(got->top, alone->top, n * sizeof *got->top) != 0)
        return "the likeliest tokens differ";
    return NULL;
}

#endif
