/*
 * Conversation -> prompt text for models without a usable chat template: the plain format, documented in docs/chat.md.
 *
 *     System: {content}\n\n          (developer messages too)
 *     User: {content}\n\n
 *     Assistant: {content}\n\n
 *     Tool: {content}\n\n
 *     Assistant:                     (generation prompt, no trailing space)
 *
 * An answer then also ends at "\n\nUser:" (gol_chat_plain_stop).
 */
#ifndef GOL_TEXT_CHAT_FORMAT_H
#define GOL_TEXT_CHAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct gol_chat_message {
    gol_str role; /* "system" "developer" "user" "assistant" "tool" */
    gol_str content;
} gol_chat_message;

/* Appends to out. Errors: GOL_EINVAL (unknown role, names the message's index), GOL_ENOMEM. */
int gol_chat_plain_render(gol_buf *out, const gol_chat_message *messages, size_t n,
                          bool add_generation_prompt, gol_err *err);

extern const char *const gol_chat_plain_stop; /* "\n\nUser:" */

#endif
