/* The request fields of the two generating endpoints as numbers, checked. */
#ifndef GOL_API_PARAMS_H
#define GOL_API_PARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/api_error.h"
#include "base/arena.h"
#include "base/str.h"
#include "engine/request.h"

enum {
    GOL_PARAM_N_MAX = 128,      /* n; and the most that gol_api_opts.max_n can be */
    GOL_PARAM_FIELDS_MAX = 256, /* fields of a request */
    GOL_PARAM_STOPS_MAX = 16,
    GOL_PARAM_BAD_WORDS_MAX = 512,
    GOL_PARAM_BREAKERS_MAX = 32,
    GOL_PARAM_WORD_LEN_MAX = 256, /* bytes of one of those */
    GOL_PARAM_IGNORED_MAX = 512   /* bytes of the header that lists ignored fields */
};

typedef struct gol_params {
    gol_sampling_params sampling; /* without the seed, which differs between choices, and extras */
    gol_sampling_extras extras;   /* without bad_words and dry_breakers, which are text here */
    const json_t *bad_words;      /* array of strings; NULL: not given */
    const json_t *dry_breakers;   /* likewise; not given is another set than none */
    unsigned samplers;            /* bits of the samplers to use, and their order; 0: not given */
    bool has_seed;
    int64_t seed;
    int32_t max_tokens; /* -1: not given */
    int32_t max_completion_tokens;
    int32_t
        n_predict; /* llama.cpp's max_tokens: -1: to the end of the context; INT32_MIN: not given */
    int32_t min_tokens;
    int32_t n;
    int32_t best_of;    /* 0: not given */
    int32_t n_logprobs; /* -1: none; chat's two fields end here too */
    int32_t top_logprobs;
    int32_t n_prompt_logprobs; /* -1: none */
    int32_t
        n_prompt_keep; /* truncate_prompt_tokens: the last so many; -1: as many as fit; 0: not given */
    int32_t priority;
    bool chat_logprobs;
    bool stream;
    bool include_usage;
    bool echo;
    bool ignore_eos;
    bool include_stop;
    bool skip_special;
    bool add_special;
    bool return_token_ids;
    bool tokens_as_ids; /* "token_id:5" where log-probabilities name tokens */
    bool cache_prompt;
    gol_str cache_salt;                 /* empty: none; a view into the JSON, like stops */
    gol_str stops[GOL_PARAM_STOPS_MAX]; /* views into the JSON */
    int n_stops;
    int32_t stop_ids[GOL_STOP_IDS_MAX];
    int n_stop_ids;
    char ignored[GOL_PARAM_IGNORED_MAX]; /* "foo, bar": for a response header */
} gol_params;

/* Answers that are made of a prompt, of which the n best come back. */
static inline int32_t gol_params_n_candidates(const gol_params *p)
{
    return p->best_of > p->n ? p->best_of : p->n;
}

/* Log-probabilities of the prompt come back together with its text. */
static inline bool gol_params_echo_logprobs(const gol_params *p)
{
    return p->echo && p->n_logprobs >= 0;
}

/* What the fields are checked against besides the table. */
typedef struct gol_params_limits {
    int32_t max_n;
    int32_t n_vocab;
    int n_stop_ids_max;
    bool is_strict; /* unknown fields are refused */
    const gol_sampling_params
        *sampling;    /* what a request does not say; NULL: GOL_SAMPLING_DEFAULT */
    gol_arena *arena; /* for lists; lives as long as what was parsed */
} gol_params_limits;

/* route: GOL_PARAM_COMPLETIONS or GOL_PARAM_CHAT. max_tokens is settled from its two names, the endpoints' defaults are
 * theirs. */
int gol_params_parse(gol_params *out, const json_t *root, unsigned route,
                     const gol_params_limits *limits, gol_api_error *error);

#endif
