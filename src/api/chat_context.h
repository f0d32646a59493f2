/* What a chat template is given: the conversation and everything else of the request that it may read. */
#ifndef GOL_API_CHAT_CONTEXT_H
#define GOL_API_CHAT_CONTEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "api/message_check.h"
#include "text/template/jvalue.h"

typedef struct gol_chat_fields {
    const gol_message *messages; /* [n] */
    size_t n;
    const json_t *tools;     /* NULL: none */
    const json_t *documents; /* NULL: none */
    const json_t *kwargs;    /* of the template; NULL: none */
    const json_t *reasoning_effort;
    bool add_generation_prompt;
    bool maps_developer;   /* the template knows no developer: it becomes system */
    gol_str continue_mark; /* behind the last message's content; empty: the message is whole */
} gol_chat_fields;

/* Templates differ in what they can read; each step asks less of them. */
typedef enum gol_chat_dialect {
    GOL_CHAT_AS_SENT,     /* arguments of tool calls as objects, missing content as none */
    GOL_CHAT_EMPTY_TEXT,  /* missing content as "" */
    GOL_CHAT_STRING_ARGS, /* and arguments as the string that was sent */
    GOL_CHAT_N_DIALECTS
} gol_chat_dialect;

/* Whether the conversation looks different in this dialect than in the one before. */
bool gol_chat_context_differs(const gol_chat_fields *fields, gol_chat_dialect dialect);

/* The JSON must outlive the context. 0 or a negative code with j->err filled. */
int gol_chat_context_build(gol_jinja *j, gol_jvalue *out, const gol_chat_fields *fields,
                           gol_chat_dialect dialect);

#endif
