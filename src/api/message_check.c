/*
 * Messages: role and content, where content is a string or text parts. What the model could not be shown (images, audio, and tool
 * calls where no template writes them) is refused, not left out.
 */
#include "api/message_check.h"

#include <stdio.h>
#include <string.h>

#include "api/request_json.h"

typedef struct message_reader {
    gol_arena *arena;
    gol_api_error *error;
    size_t index; /* of the message */
    bool allows_calls;
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
static int read_content(const message_reader *r, gol_message *out, const json_t *message)
{
    out->has_content = true;
    const json_t *content = json_object_get(message, "content");
    if (json_is_string(content)) {
        out->content = gol_request_json_str(content);
        return 0;
    }
    if (json_is_array(content))
        return join_parts(r, &out->content, content);
    if ((!content || json_is_null(content)) && gol_str_is(out->role, "assistant")) {
        out->content = GOL_STR("");
        out->has_content = false;
        return 0;
    }
    return refuse(r, content ? "invalid_type" : "missing_required_parameter", ".content", content,
                  "a string or an array of text parts");
}

static bool is_used(const json_t *value)
{
    return value && !json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0);
}

/* [{"function": {"name": ...}}, ...] */
static int check_calls(const message_reader *r, const json_t *calls)
{
    if (!json_is_array(calls))
        return refuse(r, "invalid_type", ".tool_calls", calls, "an array");
    for (size_t i = 0; i < json_array_size(calls); i++) {
        char field[48];
        const json_t *name = json_object_get(json_object_get(json_array_get(calls, i), "function"),
                                             "name");
        snprintf(field, sizeof field, ".tool_calls[%zu].function.name", i);
        if (!json_is_string(name))
            return refuse(r, name ? "invalid_type" : "missing_required_parameter", field, name,
                          "a string");
    }
    return 0;
}

static int check_call_fields(const message_reader *r, const json_t *message)
{
    const json_t *calls = json_object_get(message, "tool_calls");
    const json_t *call = json_object_get(message, "function_call");
    if (is_used(call))
        return refuse(r, "unsupported_parameter", ".function_call", call,
                      "nothing; use tool_calls");
    if (is_used(calls) && !r->allows_calls)
        return refuse(r, "unsupported_parameter", ".tool_calls", calls,
                      "nothing: this model has no chat template that could write them");
    return is_used(calls) ? check_calls(r, calls) : 0;
}

static int read_message(const message_reader *r, gol_message *out, const json_t *message)
{
    if (!json_is_object(message))
        return refuse(r, "invalid_type", "", message, "an object");
    const json_t *role = json_object_get(message, "role");
    if (!json_is_string(role))
        return refuse(r, role ? "invalid_type" : "missing_required_parameter", ".role", role,
                      "\"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
    out->json = message;
    out->role = gol_request_json_str(role);
    const int rc = check_call_fields(r, message);
    return rc == 0 ? read_content(r, out, message) : rc;
}

int gol_messages_check(gol_message **out, size_t *n, gol_arena *arena, const json_t *messages,
                       bool allows_calls, gol_api_error *error)
{
    if (!messages || json_is_null(messages))
        return gol_api_refuse(error, 400, "missing_required_parameter", "messages",
                              "messages is missing");
    *n = json_array_size(messages); /* 0 for what is no array */
    char found[80];
    if (*n == 0)
        return gol_api_refuse(error, 400, "invalid_type", "messages",
                              "messages is %s; accepted: an array of at least one message",
                              gol_request_json_describe(found, sizeof found, messages));
    *out = gol_arena_try_calloc(arena, *n, sizeof **out);
    message_reader r = {arena, error, 0, allows_calls};
    if (!*out)
        return no_memory(&r);
    for (; r.index < *n; r.index++) {
        const int rc = read_message(&r, &(*out)[r.index], json_array_get(messages, r.index));
        if (rc != 0)
            return rc;
    }
    return 0;
}
