/* The rarer sampling fields of a public request as the engine's. */
#ifndef GOL_LIB_REQUEST_EXTRAS_H
#define GOL_LIB_REQUEST_EXTRAS_H

#include "lib/gollum_impl.h"
#include "text/phrase_tokens.h"

typedef struct gol_request_extras {
    gol_sampling_extras params;
    gol_logit_bias *biases;
    gol_phrase_list bad_words;
    gol_phrase_list breakers;
} gol_request_extras;

/* params refers to what it allocates, and to the request. Errors: GOL_EINVAL (names the field), GOL_ETOOLARGE, GOL_ENOMEM; deinit is fine
 * after all of them, and of a zeroed one. */
int gol_request_extras_init(gol_request_extras *x, const gollum *g, const gollum_request *r,
                            gol_err *err);
void gol_request_extras_deinit(gol_request_extras *x);

#endif
