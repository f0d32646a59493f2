/*
 * What few requests ask of the sampler: a part of gol_sampling_params (request.h says in which order all of it applies). Who uses
 * none of this carries no memory for it, and its draws do not look at it.
 */
#ifndef GOL_ENGINE_SAMPLING_EXTRAS_H
#define GOL_ENGINE_SAMPLING_EXTRAS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GOL_LOGIT_BIAS_MAX = 4096,  /* entries */
    GOL_PHRASES_MAX = 1 << 20,  /* token sequences: bad words, and sequence breakers of DRY */
    GOL_PHRASE_TOKENS_MAX = 64, /* tokens of one of them */
};

typedef enum gol_sampling_order {
    GOL_ORDER_TEMPERATURE_FIRST,
    GOL_ORDER_TEMPERATURE_LAST,
} gol_sampling_order;

typedef struct gol_logit_bias {
    int32_t token;
    float
        bias; /* [-100, 100], added; or -infinity: never drawn. Of several for one token all are added */
} gol_logit_bias;

/* Token sequences, one after the other. */
typedef struct gol_phrases {
    const int32_t *tokens;
    const int32_t *
        ends; /* [n] where each ends in tokens; it begins where the one before ends; 1 to GOL_PHRASE_TOKENS_MAX tokens */
    int32_t n;
} gol_phrases;

typedef struct gol_sampling_extras {
    const gol_logit_bias *logit_bias; /* [n_logit_bias] */
    int32_t n_logit_bias;
    const int32_t *allowed; /* [n_allowed] only these are drawn; n_allowed 0: all are */
    int32_t n_allowed;
    /* The last token of each is not drawn while the output ends with those before it; that of a single one never. */
    gol_phrases bad_words;

    /* >= -1: how many of the last tokens, prompt included, repetition_penalty looks at. -1: all; 0: none. The presence and frequency
     * penalties always look at the whole output (llama.cpp counts both in this window). */
    int32_t repeat_last_n;

    gol_sampling_order order;
    /* [0, 1e6]; 0: off. Drops logits more than this many standard deviations below the greatest (Tang et al., "Top-nsigma", 2024);
     * the deviation is that of all logits that are not banned. */
    float top_n_sigma;
    /* (0, 1]; 1: off. Smallest set of tokens whose probabilities sum to >= typical_p, taken in the order of how far their surprise
     * is from the distribution's entropy (Meister et al., "Locally typical sampling", 2022). */
    float typical_p;
    /* Exclude top choices (P. E. Weidmann, 2024). With this probability, [0, 1], of all tokens at least as likely as the threshold,
     * [0, 1], only the least likely stays. 0, or a threshold above 0.5: off. */
    float xtc_probability;
    float xtc_threshold;
    /* [0, 1e6]; 0: off. The temperature becomes low + (high - low) * (H / ln n)^exponent, with low and high the temperature less and
     * plus the range, low not below 0, and H the entropy of the n tokens that are then left, at temperature 1 (kalomaze, "dynamic
     * temperature", 2023). */
    float dynatemp_range;
    float dynatemp_exponent; /* [0, 100]; 1: as it is */

    /* Mirostat (Basu et al., 2021): 0: off; 1: the original; 2: its simpler successor. Per sequence it remembers one number, mu, which
     * begins as 2 tau and moves by eta times how much more surprising than tau the drawn token was, among those that were left
     * (as in llama.cpp; the paper measures surprise before the cut). */
    int32_t mirostat;
    float mirostat_tau; /* [0, 1000] bits */
    float mirostat_eta; /* [0, 100] */

    /* DRY, "don't repeat yourself" (P. E. Weidmann, 2024). A token that would make the longest repetition of the sequence's end one
     * longer, from n tokens to n + 1 with n >= allowed_length, loses multiplier * base^(n - allowed_length). */
    float dry_multiplier;       /* [0, 1e6]; 0: off */
    float dry_base;             /* [1, 1e6] */
    int32_t dry_allowed_length; /* >= 0 */
    int32_t dry_penalty_last_n; /* >= -1: looks at this many of the last tokens; -1: all; 0: off */
    /* No repetition reaches back over one of these. Those of one token are not penalized themselves. */
    gol_phrases dry_breakers;
} gol_sampling_extras;

/* Everything off; what has no effect by itself at the values that are usual. */
#define GOL_SAMPLING_EXTRAS_DEFAULT                                                                \
    ((gol_sampling_extras){.repeat_last_n = -1,                                                    \
                           .typical_p = 1.0f,                                                      \
                           .xtc_threshold = 0.1f,                                                  \
                           .dynatemp_exponent = 1.0f,                                              \
                           .mirostat_tau = 5.0f,                                                   \
                           .mirostat_eta = 0.1f,                                                   \
                           .dry_base = 1.75f,                                                      \
                           .dry_allowed_length = 2,                                                \
                           .dry_penalty_last_n = -1})

static inline bool gol_sampling_has_xtc(const gol_sampling_extras *x)
{
    return x->xtc_probability > 0.0f && x->xtc_threshold <= 0.5f;
}

static inline bool gol_sampling_has_dry(const gol_sampling_extras *x)
{
    return x->dry_multiplier > 0.0f && x->dry_penalty_last_n != 0;
}

/* Asks for more than the plain filters do, or for another order of them. */
static inline bool gol_sampling_has_chain(const gol_sampling_extras *x)
{
    return x->order != GOL_ORDER_TEMPERATURE_FIRST || x->top_n_sigma > 0.0f ||
           x->typical_p < 1.0f || gol_sampling_has_xtc(x) || x->dynatemp_range > 0.0f ||
           x->mirostat != 0;
}

static inline bool gol_sampling_has_extras(const gol_sampling_extras *x)
{
    return x->n_logit_bias > 0 || x->n_allowed > 0 || x->bad_words.n > 0 ||
           x->repeat_last_n != -1 || gol_sampling_has_dry(x) || gol_sampling_has_chain(x);
}

#endif
