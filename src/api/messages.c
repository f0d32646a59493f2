/*
 * From a request's fields to a prompt: by the model's chat template, by one the request brings (where the server allows it), or in
 * the plain format.
 */
#include "api/messages.h"

#include <string.h>

#include "api/chat_context.h"
#include "api/message_check.h"
#include "api/request_json.h"
#include "text/chat_format.h"

/* Marks the end of a message that is to be continued. Templates that trim contents take the blank away. */
#define CONTINUE_MARK "\xEF\xBF\xB9gollum:continue\xEF\xBF\xBB "

static int no_memory(gol_api_error *error)
{
    gol_api_refuse(error, 503, "out_of_memory", NULL, "out of memory");
    return GOL_ENOMEM;
}

/* ---- the fields ---- */

static const json_t *find(const json_t *root, const char *name)
{
    const json_t *value = json_object_get(root, name);
    return value && !json_is_null(value) ? value : NULL;
}

static int refuse_value(gol_api_error *error, const char *code, const char *name,
                        const json_t *value, const char *accepted)
{
    char found[80];
    return gol_api_refuse(error, 400, code, name, "%s is %s; accepted: %s", name,
                          gol_request_json_describe(found, sizeof found, value), accepted);
}

static int read_flag(bool *out, const json_t *root, const char *name, gol_api_error *error)
{
    const json_t *value = find(root, name);
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return refuse_value(error, "invalid_type", name, value, "true or false");
    *out = json_is_true(value);
    return 0;
}

/* Arrays that are empty are as good as missing. */
static int read_array(const json_t **out, const json_t *root, const char *name,
                      gol_api_error *error)
{
    const json_t *value = find(root, name);
    if (value && !json_is_array(value))
        return refuse_value(error, "invalid_type", name, value, "an array");
    *out = json_array_size(value) > 0 ? value : NULL;
    return 0;
}

static int read_tools(const json_t **out, const json_t *root, gol_api_error *error)
{
    const int rc = read_array(out, root, "tools", error);
    for (size_t i = 0; rc == 0 && i < json_array_size(*out); i++) {
        const json_t *function = json_object_get(json_array_get(*out, i), "function");
        if (!json_is_string(json_object_get(function, "name")))
            return gol_api_refuse(error, 400, "invalid_value", "tools",
                                  "tools[%zu] has no function.name; accepted: {\"type\": "
                                  "\"function\", \"function\": {\"name\": ..., ...}}",
                                  i);
    }
    const json_t *choice = find(root, "tool_choice");
    if (json_is_string(choice) && strcmp(json_string_value(choice), "none") == 0)
        *out = NULL; /* the model is not to know them */
    return rc;
}

static int read_kwargs(const json_t **out, const json_t *root, gol_api_error *error)
{
    static const char *const taken[] = {
        "messages",     "tools", "documents", "add_generation_prompt", "continue_final_message",
        "chat_template"};
    const json_t *kwargs = find(root, "chat_template_kwargs");
    if (kwargs && !json_is_object(kwargs))
        return refuse_value(error, "invalid_type", "chat_template_kwargs", kwargs, "an object");
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (json_object_get(kwargs, taken[i]))
            return gol_api_refuse(error, 400, "invalid_value", "chat_template_kwargs",
                                  "chat_template_kwargs has '%s', which is a field of the request",
                                  taken[i]);
    }
    *out = json_object_size(kwargs) > 0 ? kwargs : NULL;
    return 0;
}

/* The answer goes on where the last message ends, or a new one begins. */
static int read_ends(gol_chat_fields *fields, bool *continues, const json_t *root,
                     gol_api_error *error)
{
    *continues = false;
    fields->add_generation_prompt = true;
    int rc = read_flag(continues, root, "continue_final_message", error);
    if (rc == 0 && *continues)
        fields->add_generation_prompt = false;
    if (rc == 0)
        rc = read_flag(&fields->add_generation_prompt, root, "add_generation_prompt", error);
    if (rc == 0 && *continues && fields->add_generation_prompt)
        return gol_api_refuse(error, 400, "invalid_value", "continue_final_message",
                              "continue_final_message and add_generation_prompt are both true: "
                              "only one can be");
    return rc;
}

static int read_fields(gol_chat_fields *fields, bool *continues, const json_t *root,
                       gol_api_error *error)
{
    int rc = read_tools(&fields->tools, root, error);
    if (rc == 0)
        rc = read_array(&fields->documents, root, "documents", error);
    if (rc == 0)
        rc = read_kwargs(&fields->kwargs, root, error);
    fields->reasoning_effort = find(root, "reasoning_effort");
    if (rc == 0 && fields->reasoning_effort && !json_is_string(fields->reasoning_effort))
        return refuse_value(error, "invalid_type", "reasoning_effort", fields->reasoning_effort,
                            "a string");
    return rc == 0 ? read_ends(fields, continues, root, error) : rc;
}

/* What asks for more than the format can give is refused, not dropped. */
static int check_use(const gol_chat_fields *fields, const gol_chat_template *format,
                     gol_api_error *error)
{
    const bool has_tools = fields->tools != NULL;
    const struct {
        const char *name;
        const json_t *value;
        bool is_read;
    } uses[] = {
        {"tools", fields->tools, format != NULL},
        {"documents", fields->documents,
         format && gol_chat_template_mentions(format, GOL_STR("documents"), has_tools)},
        {"chat_template_kwargs", fields->kwargs, format != NULL},
        {"reasoning_effort", fields->reasoning_effort,
         format && gol_chat_template_mentions(format, GOL_STR("reasoning_effort"), has_tools)},
    };
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        const bool asks_nothing = json_is_string(uses[i].value) &&
                                  strcmp(json_string_value(uses[i].value), "none") == 0;
        if (uses[i].value && !uses[i].is_read && !asks_nothing)
            return refuse_value(error, "unsupported_parameter", uses[i].name, uses[i].value,
                                format ? "nothing: the model's chat template does not read it"
                                       : "nothing: this model has no chat template");
    }
    return 0;
}

/* ---- rendering ---- */

static int render_plain(gol_chat_prompt *out, const gol_chat_fields *fields, bool continues,
                        gol_arena *arena, gol_api_error *error)
{
    gol_err err = {0};
    gol_chat_message *list = gol_arena_try_array(arena, fields->n, sizeof *list);
    if (!list)
        return no_memory(error);
    for (size_t i = 0; i < fields->n; i++)
        list[i] = (gol_chat_message){fields->messages[i].role, fields->messages[i].content};
    out->is_plain = true;
    out->flags = GOL_ENCODE_ADD_SPECIAL; /* control tokens in a message are text */
    if (gol_chat_plain_render(&out->text, list, fields->n, fields->add_generation_prompt, &err) !=
        0)
        return gol_api_refuse_err(error, "messages", &err);
    if (out->text.failed)
        return no_memory(error);
    if (continues)
        out->text.len -= 2; /* the empty line behind the last message */
    return 0;
}

static int refuse_template(gol_api_error *error, const gol_err *err, bool was_raised)
{
    if (err->code != GOL_EINVAL)
        return gol_api_refuse_err(error, "messages", err);
    return gol_api_refuse(error, 400,
                          was_raised ? "refused_by_chat_template" : "chat_template_error",
                          "messages", was_raised ? "%s" : "chat template: %s", err->message);
}

/* Cuts the prompt where the mark is. */
static int cut_at_mark(gol_buf *text, size_t start, gol_api_error *error)
{
    const gol_str mark = GOL_STR(CONTINUE_MARK);
    const size_t n_word = mark.len - 1; /* without the blank */
    for (size_t at = text->len; at >= start + n_word; at--) {
        if (memcmp(text->data + at - n_word, mark.data, n_word) != 0)
            continue;
        const bool has_blank = at < text->len && text->data[at] == ' ';
        size_t len = at - n_word;
        while (!has_blank && len > start && strchr(" \t\r\n", text->data[len - 1]))
            len--; /* a template that trims would have trimmed the message, too */
        text->len = len;
        return 0;
    }
    return gol_api_refuse(error, 400, "chat_template_error", "continue_final_message",
                          "the chat template does not write the last message's content, so it "
                          "cannot be continued");
}

/* Once in each dialect, until one is understood. What the template itself refuses is refused. */
static int render_template(gol_chat_prompt *out, const gol_chat_template *format,
                           const gol_chat_fields *fields, gol_api_error *error)
{
    gol_err first = {0};
    bool was_raised = false;
    const size_t start = out->text.len;
    for (int dialect = 0; dialect < GOL_CHAT_N_DIALECTS && !was_raised; dialect++) {
        if (!gol_chat_context_differs(fields, (gol_chat_dialect)dialect))
            continue;
        gol_jinja j;
        gol_jvalue context;
        gol_err err = {0};
        gol_jinja_init(&j, NULL);
        int rc = gol_chat_context_build(&j, &context, fields, (gol_chat_dialect)dialect);
        if (rc != 0)
            gol_fail(&err, rc, "%s", j.err.message);
        else
            rc = gol_chat_template_render(format, &out->text, &j, &context, fields->tools != NULL,
                                          &err);
        was_raised = j.was_raised;
        gol_jinja_deinit(&j);
        if (rc == 0)
            return fields->continue_mark.len > 0 ? cut_at_mark(&out->text, start, error) : 0;
        if (first.code == 0 || was_raised)
            first = err;
        if (rc != GOL_EINVAL)
            break;
    }
    return refuse_template(error, &first, was_raised);
}

/* The request's own template, or the model's; *own is to be destroyed. */
static int pick_format(const gol_chat_template **out, gol_chat_template **own,
                       const gol_chat_setup *setup, const json_t *root, gol_api_error *error)
{
    const json_t *source = find(root, "chat_template");
    *own = NULL;
    *out = setup->format && !gol_chat_template_is_plain(setup->format) ? setup->format : NULL;
    if (!source)
        return 0;
    if (!setup->trusts_requests)
        return refuse_value(error, "unsupported_parameter", "chat_template", source,
                            "nothing, as the server was started without "
                            "--trust-request-chat-template");
    if (!json_is_string(source))
        return refuse_value(error, "invalid_type", "chat_template", source, "a string");
    gol_err err = {0};
    const gol_chat_choice choice = {.source = gol_request_json_str(source),
                                    .origin = "chat_template"};
    const int rc = gol_chat_template_load(own, NULL, setup->tok, &choice, &err);
    if (rc == GOL_ENOMEM)
        return no_memory(error);
    if (rc != 0)
        return gol_api_refuse(error, 400, "chat_template_error", "chat_template", "%s",
                              err.message);
    *out = *own;
    return 0;
}

static int render_with(gol_chat_prompt *out, const gol_chat_template *format, gol_arena *arena,
                       const json_t *root, gol_api_error *error)
{
    gol_chat_fields fields = {0};
    gol_message *messages = NULL;
    bool continues = false;
    int rc = gol_messages_check(&messages, &fields.n, arena, json_object_get(root, "messages"),
                                format != NULL, error);
    fields.messages = messages;
    if (rc == 0)
        rc = read_fields(&fields, &continues, root, error);
    if (rc == 0)
        rc = check_use(&fields, format, error);
    if (rc != 0)
        return rc;
    if (!format)
        return render_plain(out, &fields, continues, arena, error);
    fields.maps_developer = !gol_chat_template_mentions(format, GOL_STR("developer"),
                                                        fields.tools != NULL);
    if (continues)
        fields.continue_mark = GOL_STR(CONTINUE_MARK);
    rc = render_template(out, format, &fields, error);
    if (rc == 0)
        out->flags = gol_chat_template_encode_flags(format, gol_buf_view(&out->text));
    return rc;
}

int gol_messages_render(gol_chat_prompt *out, const gol_chat_setup *setup, gol_arena *arena,
                        const json_t *root, gol_api_error *error)
{
    *out = (gol_chat_prompt){0};
    gol_buf_init(&out->text, GOL_CONVERSATION_MAX);
    const gol_chat_template *format;
    gol_chat_template *own;
    int rc = pick_format(&format, &own, setup, root, error);
    if (rc == 0)
        rc = render_with(out, format, arena, root, error);
    gol_chat_template_destroy(&own);
    return rc;
}
