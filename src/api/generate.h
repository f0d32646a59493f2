/* What the two generating endpoints share: from prompts and parameters to submitted sequences. */
#ifndef GOL_API_GENERATE_H
#define GOL_API_GENERATE_H

#include <jansson.h>

#include "api/call.h"
#include "api/prompts.h"

/* Reads the fields into call->params; route as in gol_params_parse(). Checks "model" too. */
int gol_generate_read_params(gol_api_call *call, const json_t *root, unsigned route,
                             gol_api_error *error);

/* max_tokens as in gol_generation. */
gol_prompt_reader gol_generate_prompt_reader(gol_api_call *call, int32_t max_tokens);

typedef struct gol_generation {
    const gol_shape *shape;
    gol_prompts prompts;
    int32_t max_tokens;  /* when the request names none; -1: to the context's end */
    gol_str format_stop; /* of the chat format; len 0: none */
} gol_generation;

/* All of prompts times n sequences are submitted, or none. The call then streams, or becomes ready at its end. */
int gol_generate_start(gol_api_call *call, const gol_generation *g, gol_api_error *error);

#endif
