/*
 * The names and shapes are Hugging Face's apply_chat_template(): messages keep every field they were sent with; tools and documents
 * are none when there are none.
 */
#include "api/chat_context.h"

#include <stddef.h>
#include <string.h>

#include "api/request_json.h"
#include "api/template_json.h"

static bool has_string_args(const json_t *calls)
{
    for (size_t i = 0; i < json_array_size(calls); i++) {
        const json_t *function = json_object_get(json_array_get(calls, i), "function");
        if (json_is_string(json_object_get(function, "arguments")))
            return true;
    }
    return false;
}

bool gol_chat_context_differs(const gol_chat_fields *fields, gol_chat_dialect dialect)
{
    for (size_t i = 0; i < fields->n; i++) {
        const gol_message *m = &fields->messages[i];
        if (dialect == GOL_CHAT_EMPTY_TEXT && !m->has_content)
            return true;
        if (dialect == GOL_CHAT_STRING_ARGS &&
            has_string_args(json_object_get(m->json, "tool_calls")))
            return true;
    }
    return dialect == GOL_CHAT_AS_SENT;
}

static int set(gol_jinja *j, gol_jvalue *dict, const char *name, gol_jvalue value)
{
    return gol_jdict_set_str(j, dict->dict, gol_str_from(name), value);
}

static int set_json(gol_jinja *j, gol_jvalue *dict, const char *name, const json_t *json)
{
    gol_jvalue value = gol_jvalue_none();
    const int rc = json ? gol_template_json_value(j, &value, json) : 0;
    return rc == 0 ? set(j, dict, name, value) : rc;
}

/* OpenAI sends arguments as a string of JSON, templates read an object. What is no JSON object stays a string. */
static int open_args(gol_jinja *j, gol_jvalue *calls)
{
    int rc = 0;
    for (size_t i = 0; i < calls->list->n && rc == 0; i++) {
        const gol_jvalue *call = &calls->list->items[i];
        const gol_jvalue *function = call->type == GOL_J_DICT
                                         ? gol_jdict_find_str(j, call->dict, GOL_STR("function"))
                                         : NULL;
        gol_jvalue *args = function && function->type == GOL_J_DICT
                               ? gol_jdict_find_str(j, function->dict, GOL_STR("arguments"))
                               : NULL;
        gol_jvalue opened;
        gol_err err = {0};
        if (!args || args->type != GOL_J_STRING)
            continue;
        rc = gol_template_json_parse(j, &opened, args->str, &err);
        if (rc == 0)
            *args = opened;
        else if (rc == GOL_EINVAL && j->err.code == 0)
            rc = 0;
    }
    return rc;
}

/* "content" and the mark that says where it ends. */
static int set_content(gol_jinja *j, gol_jvalue *message, const gol_message *m, gol_str mark,
                       gol_chat_dialect dialect)
{
    gol_jvalue content = gol_jvalue_str(m->content);
    if (!m->has_content && dialect == GOL_CHAT_AS_SENT)
        content = gol_jvalue_none();
    if (mark.len > 0) {
        char *marked = gol_jinja_alloc(j, m->content.len + mark.len, 1);
        if (!marked)
            return j->err.code;
        if (m->content.len > 0)
            memcpy(marked, m->content.data, m->content.len);
        memcpy(marked + m->content.len, mark.data, mark.len);
        content = gol_jvalue_str((gol_str){marked, m->content.len + mark.len});
    }
    return set(j, message, "content", content);
}

static int build_message(gol_jinja *j, gol_jvalue *out, const gol_chat_fields *fields, size_t i,
                         gol_chat_dialect dialect)
{
    const gol_message *m = &fields->messages[i];
    const gol_str mark = i + 1 == fields->n ? fields->continue_mark : GOL_STR("");
    int rc = gol_template_json_value(j, out, m->json);
    if (rc == 0)
        rc = set_content(j, out, m, mark, dialect);
    if (rc == 0 && fields->maps_developer && gol_str_is(m->role, "developer"))
        rc = set(j, out, "role", gol_jvalue_str(GOL_STR("system")));
    if (rc != 0)
        return rc;
    gol_jvalue *calls = gol_jdict_find_str(j, out->dict, GOL_STR("tool_calls"));
    if (!calls || dialect == GOL_CHAT_STRING_ARGS)
        return 0;
    /* Clients send "tool_calls": null or [] for none; templates ask whether it is there. */
    if (calls->type != GOL_J_LIST || calls->list->n == 0) {
        const size_t at = (size_t)((const gol_jentry *)((const char *)calls -
                                                        offsetof(gol_jentry, value)) -
                                   out->dict->entries);
        return gol_jdict_remove(j, out->dict, at);
    }
    return open_args(j, calls);
}

static int build_messages(gol_jinja *j, gol_jvalue *context, const gol_chat_fields *fields,
                          gol_chat_dialect dialect)
{
    gol_jvalue list;
    int rc = gol_jlist_create(j, &list, GOL_J_LIST, fields->n);
    for (size_t i = 0; i < fields->n && rc == 0; i++) {
        gol_jvalue message;
        rc = build_message(j, &message, fields, i, dialect);
        if (rc == 0)
            rc = gol_jlist_push(j, list.list, message);
    }
    return rc == 0 ? set(j, context, "messages", list) : rc;
}

int gol_chat_context_build(gol_jinja *j, gol_jvalue *out, const gol_chat_fields *fields,
                           gol_chat_dialect dialect)
{
    int rc = fields->kwargs ? gol_template_json_value(j, out, fields->kwargs)
                            : gol_jdict_create(j, out);
    if (rc == 0)
        rc = build_messages(j, out, fields, dialect);
    if (rc == 0)
        rc = set_json(j, out, "tools", fields->tools);
    if (rc == 0)
        rc = set_json(j, out, "documents", fields->documents);
    if (rc == 0)
        rc = set(j, out, "add_generation_prompt", gol_jvalue_bool(fields->add_generation_prompt));
    if (rc == 0 && fields->reasoning_effort)
        rc = set_json(j, out, "reasoning_effort", fields->reasoning_effort);
    return rc;
}
