/* What templates under attack are given: a conversation with tool calls, and little room. */
#ifndef TESTS_FUZZ_TEXT_TEMPLATE_CONTEXT_H
#define TESTS_FUZZ_TEXT_TEMPLATE_CONTEXT_H

#include <assert.h>

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

static inline void template_fuzz_context(gol_jinja *j, gol_jvalue *context)
{
    gol_jvalue messages, args, function, call, calls;
    int rc = gol_jdict_create(j, context);
    rc |= gol_jlist_create(j, &messages, GOL_J_LIST, 0);
    rc |= gol_jdict_create(j, &args);
    rc |= gol_jdict_create(j, &function);
    rc |= gol_jdict_create(j, &call);
    rc |= gol_jlist_create(j, &calls, GOL_J_LIST, 1);
    assert(rc == 0);
    template_fuzz_set(j, &args, "city", template_fuzz_text("K\xc3\xb6ln \xf0\x9f\x98\x80"));
    template_fuzz_set(j, &args, "days", gol_jvalue_int(2));
    template_fuzz_set(j, &args, "exact", gol_jvalue_float(0.5));
    template_fuzz_set(j, &function, "name", template_fuzz_text("get_weather"));
    template_fuzz_set(j, &function, "arguments", args);
    template_fuzz_set(j, &call, "id", template_fuzz_text("call00001"));
    template_fuzz_set(j, &call, "function", function);
    rc = gol_jlist_push(j, calls.list, call);
    assert(rc == 0);
    (void)rc;
    template_fuzz_message(j, &messages, "system", template_fuzz_text(" Be terse. "), NULL);
    template_fuzz_message(j, &messages, "user", template_fuzz_text("one\ntwo <b> & \"x\""), NULL);
    template_fuzz_message(j, &messages, "assistant", gol_jvalue_none(), &calls);
    template_fuzz_message(j, &messages, "tool", template_fuzz_text("{\"t\": 21}"), NULL);
    template_fuzz_message(j, &messages, "assistant",
                          template_fuzz_text("<think>\nhm\n</think>\n\nSunny."), NULL);
    template_fuzz_set(j, context, "messages", messages);
    template_fuzz_set(j, context, "tools", calls);
    template_fuzz_set(j, context, "bos_token", template_fuzz_text("<s>"));
    template_fuzz_set(j, context, "eos_token", template_fuzz_text("</s>"));
    template_fuzz_set(j, context, "add_generation_prompt", gol_jvalue_bool(true));
}

#endif
