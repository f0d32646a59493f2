/* The "messages" of a chat request as text for the model. */
#ifndef GOL_API_MESSAGES_H
#define GOL_API_MESSAGES_H

#include <jansson.h>

#include "api/api_error.h"
#include "base/arena.h"
#include "base/buf.h"

/* Appends the conversation in the plain format and the beginning of the answer to out; content parts are joined in the
 * arena. messages: the request's field, NULL when it has none. */
int gol_messages_render(gol_buf *out, gol_arena *arena, const json_t *messages,
                        bool add_generation_prompt, gol_api_error *error);

#endif
