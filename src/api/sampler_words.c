/* See sampler_words.h. */
#include "api/sampler_words.h"

#include <assert.h>
#include <stdio.h>

#include "api/request_json.h"

static_assert((int)GOL_PARAM_WORD_LEN_MAX <= (int)GOL_PHRASE_LEN_MAX, "what parses is accepted");

static int refuse(gol_api_error *error, const char *name, size_t i, const gol_err *err)
{
    char param[GOL_API_PARAM_MAX];
    snprintf(param, sizeof param, "%s[%zu]", name, i);
    if (err->code == GOL_ENOMEM)
        return gol_api_refuse_err(error, param, err);
    return gol_api_refuse(error, 400, "invalid_value", param, "%s: %s", param, err->message);
}

static int encode_bad_words(gol_phrase_list *list, const gol_api_call *call, gol_api_error *error)
{
    const json_t *words = call->params.bad_words;
    for (size_t i = 0; i < json_array_size(words); i++) {
        gol_err err = {0};
        const gol_str word = gol_request_json_str(json_array_get(words, i));
        if (gol_phrase_add_bad_word(list, call->api->tok, word, &err) != 0)
            return refuse(error, "bad_words", i, &err);
    }
    return 0;
}

static int encode_breakers(gol_phrase_list *list, const gol_api_call *call, gol_api_error *error)
{
    const json_t *given = call->params.dry_breakers;
    const size_t n = given ? json_array_size(given) : GOL_DEFAULT_BREAKERS_N;
    for (size_t i = 0; i < n; i++) {
        gol_err err = {0};
        const gol_str breaker = given ? gol_request_json_str(json_array_get(given, i))
                                      : gol_str_from(gol_default_breakers[i]);
        if (gol_phrase_add_breaker(list, call->api->tok, call->api->n_vocab, breaker, &err) != 0)
            return refuse(error, "dry_sequence_breakers", i, &err);
    }
    return 0;
}

static gol_phrases phrases_of(const gol_phrase_list *list)
{
    return (gol_phrases){list->tokens.data, list->ends.data, (int32_t)list->ends.n};
}

int gol_sampler_words_encode(gol_sampler_words *words, gol_sampling_extras *extras,
                             const gol_api_call *call, gol_api_error *error)
{
    int rc = encode_bad_words(&words->bad_words, call, error);
    if (rc == 0 && gol_sampling_has_dry(extras))
        rc = encode_breakers(&words->breakers, call, error);
    extras->bad_words = phrases_of(&words->bad_words);
    extras->dry_breakers = phrases_of(&words->breakers);
    return rc;
}

void gol_sampler_words_deinit(gol_sampler_words *words)
{
    gol_phrase_list_deinit(&words->bad_words);
    gol_phrase_list_deinit(&words->breakers);
}
