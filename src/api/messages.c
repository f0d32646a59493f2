/*
 * Messages: role and content, where content is a string or text parts. What the model could not be shown (images, audio,
 * tool calls) is refused, not left out.
 */
#include "api/messages.h"

#include <stdio.h>
#include <string.h>

#include "api/request_json.h"
#include "text/chat_format.h"

typedef struct message_reader {
    gol_arena *arena;
    gol_api_error *error;
    size_t index; /* of the message */
} message_reader;

static int refuse(const message_reader *r, const char *code, const char *field, const json_t *value,
                  const char *accepted)
{
    char param[GOL_API_PARAM_MAX];
    char found[80] = "missing";
    snprintf(param, sizeof param, "messages[%zu]%s", r->index, field);
    if (value)
        gol_request_json_describe(found, sizeof found, value);
    return gol_api_refuse(r->error, 400, code, param, "%s is %s; accepted: %s", param, found,
                          accepted);
}

static int no_memory(const message_reader *r)
{
    gol_api_refuse(r->error, 503, "out_of_memory", NULL, "out of memory");
    return GOL_ENOMEM;
}

static int read_part(const message_reader *r, gol_str *out, const json_t *part, size_t i)
{
    char field[40];
    snprintf(field, sizeof field, ".content[%zu]", i);
    const json_t *type = json_object_get(part, "type"); /* NULL also for what is no object */
    if (!json_is_string(type) || !gol_str_is(gol_request_json_str(type), "text")) {
        snprintf(field, sizeof field, ".content[%zu].type", i);
        return refuse(r, "unsupported_parameter", field, type, "\"text\"");
    }
    const json_t *text = json_object_get(part, "text");
    if (!json_is_string(text)) {
        snprintf(field, sizeof field, ".content[%zu].text", i);
        return refuse(r, "invalid_type", field, text, "a string");
    }
    *out = gol_request_json_str(text);
    return 0;
}

/* Text parts become one text, a line each. */
static int join_parts(const message_reader *r, gol_str *out, const json_t *parts)
{
    const size_t n = json_array_size(parts);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        gol_str text = {NULL, 0};
        const int rc = read_part(r, &text, json_array_get(parts, i), i);
        if (rc != 0)
            return rc;
        len += text.len + 1;
    }
    char *joined = gol_arena_try_alloc(r->arena, len + 1);
    if (!joined)
        return no_memory(r);
    size_t pos = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *text = json_object_get(json_array_get(parts, i), "text");
        if (i > 0)
            joined[pos++] = '\n';
        memcpy(joined + pos, json_string_value(text), json_string_length(text));
        pos += json_string_length(text);
    }
    *out = (gol_str){joined, pos};
    return 0;
}

/* An assistant's content may be null, as clients send it. */
static int read_content(const message_reader *r, gol_chat_message *out, const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    if (json_is_string(content)) {
        out->content = gol_request_json_str(content);
        return 0;
    }
    if (json_is_array(content))
        return join_parts(r, &out->content, content);
    if ((!content || json_is_null(content)) && gol_str_is(out->role, "assistant")) {
        out->content = GOL_STR("");
        return 0;
    }
    return refuse(r, content ? "invalid_type" : "missing_required_parameter", ".content", content,
                  "a string or an array of text parts");
}

static bool is_used(const json_t *value)
{
    return value && !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

static int read_message(const message_reader *r, gol_chat_message *out, const json_t *message)
{
    if (!json_is_object(message))
        return refuse(r, "invalid_type", "", message, "an object");
    const json_t *role = json_object_get(message, "role");
    if (!json_is_string(role))
        return refuse(r, role ? "invalid_type" : "missing_required_parameter", ".role", role,
                      "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
    out->role = gol_request_json_str(role);
    static const char *const calls[] = {"tool_calls", "function_call"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const json_t *value = json_object_get(message, calls[i]);
        char field[24];
        snprintf(field, sizeof field, ".%s", calls[i]);
        if (is_used(value))
            return refuse(r, "unsupported_parameter", field, value, "nothing, it is not supported");
    }
    return read_content(r, out, message);
}

int gol_messages_render(gol_buf *out, gol_arena *arena, const json_t *messages,
                        bool add_generation_prompt, gol_api_error *error)
{
    if (!messages || json_is_null(messages))
        return gol_api_refuse(error, 400, "missing_required_parameter", "messages",
                              "messages is missing");
    const size_t n = json_array_size(messages); /* 0 for what is no array */
    char found[80];
    if (n == 0)
        return gol_api_refuse(error, 400, "invalid_type", "messages",
                              "messages is %s; accepted: an array of at least one message",
                              gol_request_json_describe(found, sizeof found, messages));
    gol_chat_message *list = gol_arena_try_calloc(arena, n, sizeof *list);
    message_reader r = {arena, error, 0};
    if (!list)
        return no_memory(&r);
    for (; r.index < n; r.index++) {
        const int rc = read_message(&r, &list[r.index], json_array_get(messages, r.index));
        if (rc != 0)
            return rc;
    }
    gol_err err = {0};
    if (gol_chat_plain_render(out, list, n, add_generation_prompt, &err) != 0)
        return gol_api_refuse_err(error, "messages", &err);
    return out->failed ? no_memory(&r) : 0;
}
