/* What templates under attack are given: a conversation with tool calls, and little room. */
#ifndef TESTS_FUZZ_TEXT_TEMPLATE_CONTEXT_H
#define TESTS_FUZZ_TEXT_TEMPLATE_CONTEXT_H

#include <assert.h>

#include "base/rng.h"
#include "support/template_run.h"

static const gol_jinja_limits template_fuzz_limits = {
    .memory_max = 4 << 20, .output_max = 1 << 18, .steps_max = 100000};

static inline void template_fuzz_set(gol_jinja *j, gol_jvalue *dict, const char *key, gol_jvalue v)
{
    const int rc = gol_jdict_set_str(j, dict->dict, gol_str_from(key), v);
    assert(rc == 0);
    (void)rc;
}

static inline gol_jvalue template_fuzz_text(const char *text)
{
    return gol_jvalue_str(gol_str_from(text));
}

static inline void template_fuzz_message(gol_jinja *j, gol_jvalue *list, const char *role,
                                         gol_jvalue content, const gol_jvalue *calls)
{
    gol_jvalue message;
    int rc = gol_jdict_create(j, &message);
    template_fuzz_set(j, &message, "role", template_fuzz_text(role));
    template_fuzz_set(j, &message, "content", content);
    if (calls)
        template_fuzz_set(j, &message, "tool_calls", *calls);
    rc |= gol_jlist_push(j, list->list, message);
    assert(rc == 0);
    (void)rc;
}

/* {"type": "object", "properties": {"city": {...}, "days": {...}}, "required": ["city"]} */
static inline gol_jvalue template_fuzz_parameters(gol_jinja *j)
{
    gol_jvalue parameters, properties, property, required;
    int rc = gol_jdict_create(j, &parameters);
    rc |= gol_jdict_create(j, &properties);
    rc |= gol_jlist_create(j, &required, GOL_J_LIST, 1);
    rc |= gol_jlist_push(j, required.list, template_fuzz_text("city"));
    rc |= gol_jdict_create(j, &property);
    assert(rc == 0);
    template_fuzz_set(j, &property, "type", template_fuzz_text("string"));
    template_fuzz_set(j, &property, "enum", required);
    template_fuzz_set(j, &properties, "city", property);
    rc = gol_jdict_create(j, &property);
    assert(rc == 0);
    (void)rc;
    template_fuzz_set(j, &property, "type", template_fuzz_text("integer"));
    template_fuzz_set(j, &property, "description", template_fuzz_text("how many"));
    template_fuzz_set(j, &property, "default", gol_jvalue_int(1));
    template_fuzz_set(j, &properties, "days", property);
    template_fuzz_set(j, &parameters, "type", template_fuzz_text("object"));
    template_fuzz_set(j, &parameters, "properties", properties);
    template_fuzz_set(j, &parameters, "required", required);
    return parameters;
}

/* A list of one, which serves as a call and as the description of what can be called. */
static inline gol_jvalue template_fuzz_calls(gol_jinja *j)
{
    gol_jvalue args, function, call, calls;
    int rc = gol_jlist_create(j, &calls, GOL_J_LIST, 1);
    rc |= gol_jdict_create(j, &args);
    rc |= gol_jdict_create(j, &function);
    rc |= gol_jdict_create(j, &call);
    assert(rc == 0);
    template_fuzz_set(j, &args, "city", template_fuzz_text("K\xc3\xb6ln \xf0\x9f\x98\x80"));
    template_fuzz_set(j, &args, "days", gol_jvalue_int(2));
    template_fuzz_set(j, &args, "exact", gol_jvalue_float(0.5));
    template_fuzz_set(j, &function, "name", template_fuzz_text("get_weather"));
    template_fuzz_set(j, &function, "description", template_fuzz_text("Tells <it>."));
    template_fuzz_set(j, &function, "parameters", template_fuzz_parameters(j));
    template_fuzz_set(j, &function, "arguments", args);
    template_fuzz_set(j, &call, "id", template_fuzz_text("call00001"));
    template_fuzz_set(j, &call, "function", function);
    rc = gol_jlist_push(j, calls.list, call);
    assert(rc == 0);
    (void)rc;
    return calls;
}

static inline void template_fuzz_context(gol_jinja *j, gol_jvalue *context)
{
    gol_jvalue messages;
    const gol_jvalue calls = template_fuzz_calls(j);
    int rc = gol_jdict_create(j, context);
    rc |= gol_jlist_create(j, &messages, GOL_J_LIST, 0);
    assert(rc == 0);
    (void)rc;
    template_fuzz_message(j, &messages, "system", template_fuzz_text(" Be terse. "), NULL);
    template_fuzz_message(j, &messages, "user", template_fuzz_text("one\ntwo <b> & \"x\""), NULL);
    template_fuzz_message(j, &messages, "assistant", gol_jvalue_none(), &calls);
    template_fuzz_message(j, &messages, "tool", template_fuzz_text("{\"t\": 21}"), NULL);
    template_fuzz_set(j, &messages.list->items[3], "name", template_fuzz_text("get_weather"));
    template_fuzz_set(j, &messages.list->items[3], "tool_call_id", template_fuzz_text("call00001"));
    template_fuzz_message(j, &messages, "assistant",
                          template_fuzz_text("<think>\nhm\n</think>\n\nSunny."), NULL);
    template_fuzz_set(j, context, "messages", messages);
    template_fuzz_set(j, context, "tools", calls);
    template_fuzz_set(j, context, "bos_token", template_fuzz_text("<s>"));
    template_fuzz_set(j, context, "eos_token", template_fuzz_text("</s>"));
    template_fuzz_set(j, context, "add_generation_prompt", gol_jvalue_bool(true));
}

/* A value of any kind that may stand where a message has its content or its role. */
static inline gol_jvalue template_fuzz_value(gol_jinja *j, gol_rng *rng)
{
    static const char *const texts[] = {
        "",
        "user",
        "assistant",
        "tool",
        "system",
        "developer",
        " \n",
        "<think>a</think>b<think>c",
        "</think>",
        "/no_think",
        "a%sb{0}{{ x }}{% if",
        "\xe2\x80\xa8\xcc\x81\xf0\x9f\x98\x80\xc4\xb0",
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000"};
    gol_jvalue value, inner;
    switch (gol_rng_below(rng, 9)) {
    case 0:
        return gol_jvalue_none();
    case 1:
        return gol_jvalue_int(gol_rng_below(rng, 2) ? INT64_MIN : (int64_t)gol_rng_below(rng, 9));
    case 2:
        return gol_jvalue_float(1e300);
    case 3:
        return gol_jvalue_bool(false);
    case 4: /* parts */
        (void)gol_jlist_create(j, &value, GOL_J_LIST, 2);
        (void)gol_jdict_create(j, &inner);
        template_fuzz_set(j, &inner, "type", template_fuzz_text("text"));
        template_fuzz_set(j, &inner, "text", template_fuzz_text("part"));
        (void)gol_jlist_push(j, value.list, inner);
        (void)gol_jlist_push(j, value.list, template_fuzz_value(j, rng));
        return value;
    case 5: /* deep */
        (void)gol_jlist_create(j, &value, GOL_J_LIST, 1);
        for (uint64_t depth = gol_rng_below(rng, 200); depth > 0; depth--) {
            (void)gol_jlist_create(j, &inner, GOL_J_LIST, 1);
            (void)gol_jlist_push(j, inner.list, value);
            value = inner;
        }
        return value;
    default:
        return template_fuzz_text(texts[gol_rng_below(rng, sizeof texts / sizeof *texts)]);
    }
}

/* Some of the context becomes another: contents, roles and calls of messages, which there are, and the switches that templates know. */
static inline void template_fuzz_change(gol_jinja *j, gol_jvalue *context, gol_rng *rng)
{
    static const char *const keys[] = {"content", "role", "tool_calls", "name",
                                       "reasoning_content"};
    static const char *const switches[] = {
        "tools",     "documents",   "enable_thinking", "thinking",        "add_generation_prompt",
        "bos_token", "date_string", "messages",        "reasoning_effort"};
    gol_jlist *messages = gol_jdict_find_str(j, context->dict, GOL_STR("messages"))->list;
    for (uint64_t n = gol_rng_below(rng, 4); n > 0 && messages->n > 0; n--) {
        const size_t i = (size_t)gol_rng_below(rng, messages->n);
        gol_jvalue *message = &messages->items[i];
        switch (gol_rng_below(rng, 8)) {
        case 0:
            gol_jlist_remove(messages, i);
            break;
        case 1:
            (void)gol_jlist_push(j, messages, *message);
            break;
        case 2:
            template_fuzz_set(j, context,
                              switches[gol_rng_below(rng, sizeof switches / sizeof *switches)],
                              template_fuzz_value(j, rng));
            break;
        default:
            template_fuzz_set(j, message, keys[gol_rng_below(rng, sizeof keys / sizeof *keys)],
                              template_fuzz_value(j, rng));
        }
    }
}

#endif
