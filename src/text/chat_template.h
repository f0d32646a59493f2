/*
 * How a model wants its conversations written: its own template, one that the user names, a built-in one that fits its
 * vocabulary, or, when there is nothing of all this, the plain format (chat_format.h). docs/chat.md has the order.
 *
 *     gol_chat_template *chat;
 *     rc = gol_chat_template_load(&chat, file, tok, NULL, &err);
 *     ...
 *     gol_jinja j;
 *     gol_jinja_init(&j, NULL);
 *     ... context: a dict with "messages", "add_generation_prompt" and what else the template may read ...
 *     rc = gol_chat_template_render(chat, &out, &j, &context, false, &err);
 *
 * Immutable after load: any thread may render.
 */
#ifndef GOL_TEXT_CHAT_TEMPLATE_H
#define GOL_TEXT_CHAT_TEMPLATE_H

#include <stdbool.h>

#include "formats/model_file.h"
#include "text/template/template.h"
#include "text/tokenizer.h"

typedef struct gol_chat_template gol_chat_template;

/* What stands in place of the model's own template. */
typedef struct gol_chat_choice {
    const char *
        name; /* "plain", a built-in one ("chatml") or a variant of the model's ("tool_use"); NULL: none named */
    gol_str source;     /* the template itself, which wins; data NULL: none */
    const char *origin; /* where source is from, for messages */
} gol_chat_choice;

/* file may be NULL when choice has a source; tok must outlive *out; choice may be NULL. A template of the model that cannot be
 * parsed is a warning, and an error of each render; one that was chosen is an error here. Errors: GOL_ECONFIG (the choice),
 * GOL_EMODEL (the metadata's type), GOL_ENOMEM. */
int gol_chat_template_load(gol_chat_template **out, const gol_model_file *file,
                           const gol_tokenizer *tok, const gol_chat_choice *choice, gol_err *err);
void gol_chat_template_destroy(gol_chat_template **chat);

/* "model", "chatml", "plain", "file". */
const char *gol_chat_template_name(const gol_chat_template *chat);
/* No template: gol_chat_plain_render() writes the conversation. */
bool gol_chat_template_is_plain(const gol_chat_template *chat);
/* Whether the template speaks of this word at all: a variable, or part of a text ("developer"). */
bool gol_chat_template_mentions(const gol_chat_template *chat, gol_str word, bool has_tools);

/* Appends the prompt. Adds bos_token, eos_token and the like to context where it lacks them; has_tools picks the variant
 * "tool_use" if the model has one. Not for a plain one. Errors as gol_template_render(); GOL_EINVAL for a template that could not
 * be parsed. */
int gol_chat_template_render(const gol_chat_template *chat, gol_buf *out, gol_jinja *j,
                             const gol_jvalue *context, bool has_tools, gol_err *err);

/* GOL_ENCODE_... for a rendered prompt: BOS is added as the model wants it, but not to a prompt that begins with it. */
unsigned gol_chat_template_encode_flags(const gol_chat_template *chat, gol_str prompt);

#endif
