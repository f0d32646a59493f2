/* See request_extras.h. Ranges of numbers are the engine's to check. */
#include "lib/request_extras.h"

#include "base/mem.h"

static void fill_numbers(gol_sampling_extras *out, const gollum_request *r)
{
    *out = (gol_sampling_extras){
        .repeat_last_n = r->repeat_last_n,
        .order = r->temperature_last ? GOL_ORDER_TEMPERATURE_LAST : GOL_ORDER_TEMPERATURE_FIRST,
        .top_n_sigma = r->top_n_sigma,
        .typical_p = r->typical_p,
        .xtc_probability = r->xtc_probability,
        .xtc_threshold = r->xtc_threshold,
        .dynatemp_range = r->dynatemp_range,
        .dynatemp_exponent = r->dynatemp_exponent,
        .mirostat = r->mirostat,
        .mirostat_tau = r->mirostat_tau,
        .mirostat_eta = r->mirostat_eta,
        .dry_multiplier = r->dry_multiplier,
        .dry_base = r->dry_base,
        .dry_allowed_length = r->dry_allowed_length,
        .dry_penalty_last_n = r->dry_penalty_last_n,
    };
}

static int check_list(const char *field, const void *list, size_t n, size_t n_max, gol_err *err)
{
    if (n > 0 && list == NULL)
        return gol_fail(err, GOL_EINVAL, "%s is NULL, but n_%s is %zu", field, field, n);
    if (n > n_max)
        return gol_fail(err, GOL_EINVAL, "n_%s is %zu, at most %zu is accepted", field, n, n_max);
    return 0;
}

static int copy_biases(gol_request_extras *x, const gollum_request *r, gol_err *err)
{
    const int rc = check_list("logit_bias", r->logit_bias, r->n_logit_bias, GOL_LOGIT_BIAS_MAX,
                              err);
    if (rc != 0 || r->n_logit_bias == 0)
        return rc;
    x->biases = gol_try_array(r->n_logit_bias, sizeof *x->biases);
    if (x->biases == NULL)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu biases", r->n_logit_bias);
    for (size_t i = 0; i < r->n_logit_bias; i++)
        x->biases[i] = (gol_logit_bias){r->logit_bias[i].token, r->logit_bias[i].bias};
    x->params.logit_bias = x->biases;
    x->params.n_logit_bias = (int32_t)r->n_logit_bias;
    return 0;
}

static int encode_bad_words(gol_request_extras *x, const gollum *g, const gollum_request *r,
                            gol_err *err)
{
    int rc = check_list("bad_words", r->bad_words, r->n_bad_words, GOLLUM_BAD_WORDS_MAX, err);
    for (size_t i = 0; i < r->n_bad_words && rc == 0; i++) {
        if (r->bad_words[i] == NULL)
            return gol_fail(err, GOL_EINVAL, "bad_words[%zu] is NULL", i);
        rc = gol_phrase_add_bad_word(&x->bad_words, g->parts.tok, gol_str_from(r->bad_words[i]),
                                     err);
    }
    return rc;
}

static int encode_breakers(gol_request_extras *x, const gollum *g, const gollum_request *r,
                           gol_err *err)
{
    const char *const *breakers = r->dry_breakers;
    size_t n = r->n_dry_breakers;
    if (breakers == NULL && n == 0) {
        breakers = gol_default_breakers;
        n = GOL_DEFAULT_BREAKERS_N;
    }
    int rc = check_list("dry_breakers", breakers, n, GOLLUM_BAD_WORDS_MAX, err);
    for (size_t i = 0; i < n && rc == 0 && gol_sampling_has_dry(&x->params); i++) {
        if (breakers[i] == NULL)
            return gol_fail(err, GOL_EINVAL, "dry_breakers[%zu] is NULL", i);
        rc = gol_phrase_add_breaker(&x->breakers, g->parts.tok, gollum_n_vocab(g),
                                    gol_str_from(breakers[i]), err);
    }
    return rc;
}

static gol_phrases phrases_of(const gol_phrase_list *list)
{
    return (gol_phrases){list->tokens.data, list->ends.data, (int32_t)list->ends.n};
}

int gol_request_extras_init(gol_request_extras *x, const gollum *g, const gollum_request *r,
                            gol_err *err)
{
    *x = (gol_request_extras){0};
    fill_numbers(&x->params, r);
    int rc = copy_biases(x, r, err);
    if (rc == 0)
        rc = check_list("allowed_ids", r->allowed_ids, r->n_allowed_ids, (size_t)gollum_n_vocab(g),
                        err);
    if (rc == 0)
        rc = encode_bad_words(x, g, r, err);
    if (rc == 0)
        rc = encode_breakers(x, g, r, err);
    if (rc != 0)
        return rc;
    x->params.allowed = r->allowed_ids;
    x->params.n_allowed = (int32_t)r->n_allowed_ids;
    x->params.bad_words = phrases_of(&x->bad_words);
    x->params.dry_breakers = phrases_of(&x->breakers);
    return 0;
}

void gol_request_extras_deinit(gol_request_extras *x)
{
    gol_free(x->biases);
    gol_phrase_list_deinit(&x->bad_words);
    gol_phrase_list_deinit(&x->breakers);
}
