/* Messages as clients send them: checked once, then written in the plain format or given to a template. */
#ifndef GOL_API_MESSAGE_CHECK_H
#define GOL_API_MESSAGE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "api/api_error.h"
#include "base/arena.h"
#include "base/str.h"

typedef struct gol_message {
    const json_t *json; /* the whole message, an object */
    gol_str role;
    gol_str content;  /* parts are joined by line ends */
    bool has_content; /* false: null or missing, as in an assistant's tool calls */
} gol_message;

/* *out: [*n] in the arena, with at least one message. allows_calls: an assistant may have tool_calls, an array of objects with
 * function.name. */
int gol_messages_check(gol_message **out, size_t *n, gol_arena *arena, const json_t *messages,
                       bool allows_calls, gol_api_error *error);

#endif
