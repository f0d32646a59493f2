/* The "messages" of a request as text for the model. */
#ifndef GOL_API_MESSAGES_H
#define GOL_API_MESSAGES_H

#include <jansson.h>
#include <stdbool.h>

#include "api/api_error.h"
#include "base/arena.h"
#include "base/buf.h"
#include "text/chat_template.h"

enum { GOL_CONVERSATION_MAX = 64 << 20 }; /* bytes of a prompt; http limits bodies far below */

/* How a server writes conversations. */
typedef struct gol_chat_setup {
    const gol_chat_template *format; /* NULL: plain */
    const gol_tokenizer *tok;
    bool trusts_requests; /* a request may bring its own template */
} gol_chat_setup;

typedef struct gol_chat_prompt {
    gol_buf text;   /* the caller's to deinit, also after a failure */
    unsigned flags; /* GOL_ENCODE_... */
    bool is_plain;  /* the answer begins with a blank and ends at the next "User:" */
} gol_chat_prompt;

/* root: the request; its fields messages, tools, tool_choice, documents, chat_template, chat_template_kwargs, add_generation_prompt,
 * continue_final_message and reasoning_effort are read. */
int gol_messages_render(gol_chat_prompt *out, const gol_chat_setup *setup, gol_arena *arena,
                        const json_t *root, gol_api_error *error);

#endif
