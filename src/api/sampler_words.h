/* The words of a request's sampling parameters as token sequences. */
#ifndef GOL_API_SAMPLER_WORDS_H
#define GOL_API_SAMPLER_WORDS_H

#include "api/call.h"
#include "text/phrase_tokens.h"

typedef struct gol_sampler_words {
    gol_phrase_list bad_words;
    gol_phrase_list breakers;
} gol_sampler_words;

/* Encodes call->params' words and lets extras refer to them: *words must live as long as it is used. Zero-initialized *words;
 * deinit is fine after an error, too. */
int gol_sampler_words_encode(gol_sampler_words *words, gol_sampling_extras *extras,
                             const gol_api_call *call, gol_api_error *error);
void gol_sampler_words_deinit(gol_sampler_words *words);

#endif
