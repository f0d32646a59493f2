/* Chat requests through a template: what it is given, what the engine gets, what is refused. */
#include "unit/api/api_fixture.h"

#include "text/chat_template.h"

#define PATH "/v1/chat/completions"
#define USER "{\"role\":\"user\",\"content\":\"Hi\"}"

static gol_chat_template *chat;

/* An api whose conversations this template writes. */
static void use_template(const char *source, bool trusts)
{
    gol_err err = {0};
    const gol_chat_choice choice = {.source = gol_str_from(source), .origin = "test"};
    gol_chat_template_destroy(&chat);
    if (gol_chat_template_load(&chat, file, tok, &choice, &err) != 0)
        fail_msg("%s", err.message);
    gol_api_destroy(&api);
    make_api(&(gol_api_opts){.chat = chat, .trusts_chat_templates = trusts});
}

static int teardown(void **state)
{
    const int rc = teardown_api(state);
    gol_chat_template_destroy(&chat);
    return rc;
}

/* The prompt that the engine got for this body, control tokens written out. */
static void assert_prompt(const char *body, const char *expected)
{
    const int n_before = engine.n_seqs;
    gol_api_call *call = post(PATH, body);
    if (engine.n_seqs == n_before)
        fail_msg("%s: %.*s", body, GOL_STR_ARG(gol_api_call_reply(call)->body));
    const fake_seq *s = &engine.seqs[n_before];
    gol_buf text;
    gol_buf_init(&text, 1 << 16);
    assert_int_equal(
        gol_tokenizer_decode(tok, &text, s->prompt, (size_t)s->request.n_prompt, false, NULL), 0);
    gol_buf_putc(&text, '\0');
    assert_string_equal(text.data, expected);
    gol_buf_deinit(&text);
    end_call(&call);
    fake_settle(&engine);
}

static void test_the_template_writes_the_prompt_and_bos_stands_once(void **state)
{
    (void)state;
    use_template(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% "
        "endfor %}{{ '[A]' if add_generation_prompt }}",
        false);
    assert_prompt("{\"messages\":[" USER "]}", "<s>[user]Hi</s> [A]");
    assert_int_equal(engine.seqs[0].prompt[0], TOK_BOS);
    assert_int_not_equal(engine.seqs[0].prompt[1], TOK_BOS);
    assert_prompt("{\"messages\":[" USER "],\"add_generation_prompt\":false}", "<s>[user]Hi</s>");
}

static void test_bos_is_added_where_the_template_writes_none(void **state)
{
    (void)state;
    use_template("{{ messages[0].content }}", false);
    gol_api_call *call = post(PATH, "{\"messages\":[" USER "]}");
    assert_int_equal(engine.n_seqs, 1);
    assert_int_equal(engine.seqs[0].prompt[0], TOK_BOS);
    end_call(&call);
    fake_settle(&engine);
}

#define CALLS(args)                                                                                \
    "{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"    \
    "\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":" args "}}]},"        \
    "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"21\"}],"                             \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}"

static void test_arguments_of_tool_calls_are_objects(void **state)
{
    (void)state;
    use_template(
        "<s>{{ tools | length }}{% for m in messages %}{% for c in m.tool_calls or [] %}{{ "
        "c.function.arguments.x }}{{ c.function.arguments is mapping }}{% endfor %}{{ "
        "m.content is none }}{{ m.tool_call_id }}{% endfor %}",
        false);
    assert_prompt(CALLS("\"{\\\"x\\\":7}\""), "<s>1False7TrueTrueFalsec1");
    assert_prompt(CALLS("{\"x\":7}"), "<s>1False7TrueTrueFalsec1");
}

static void test_a_template_that_joins_strings_gets_strings(void **state)
{
    (void)state;
    use_template(
        "<s>{% for m in messages %}{{ '|' + m.content }}{% for c in m.tool_calls or [] %}{{ "
        "c.function.name + c.function.arguments }}{% endfor %}{% endfor %}",
        false);
    assert_prompt(CALLS("\"{\\\"x\\\":7}\""), "<s>|Hi|f{\"x\":7}|21");
}

static void test_what_the_template_refuses_and_fails_on_is_400(void **state)
{
    (void)state;
    use_template(
        "{{ raise_exception('only one message') if messages | length > 1 }}{{ messages[0].a.b "
        "}}",
        false);
    expect_error(post(PATH, "{\"messages\":[" USER "," USER "]}"), 400, "messages",
                 "refused_by_chat_template");
    expect_error(post(PATH, "{\"messages\":[" USER "]}"), 400, "messages", "chat_template_error");
    assert_int_equal(engine.n_seqs, 0);
}

static void test_kwargs_documents_and_developer_reach_the_template(void **state)
{
    (void)state;
    use_template(
        "<s>{{ enable_thinking }}{{ documents | length if documents }}{{ messages[0].role }}",
        false);
    assert_prompt("{\"messages\":[{\"role\":\"developer\",\"content\":\"x\"}],"
                  "\"chat_template_kwargs\":{\"enable_thinking\":false},\"documents\":[{},{}]}",
                  "<s>False2system");
    use_template("<s>{{ messages[0].role }}{# developer #}", false);
    assert_prompt("{\"messages\":[{\"role\":\"developer\",\"content\":\"x\"}]}", "<s>developer");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"documents\":[{}]}"), 400, "documents",
                 "unsupported_parameter");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"reasoning_effort\":\"high\"}"), 400,
                 "reasoning_effort", "unsupported_parameter");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"chat_template_kwargs\":{\"tools\":1}}"),
                 400, "chat_template_kwargs", "invalid_value");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"tools\":[{}]}"), 400, "tools",
                 "invalid_value");
}

static void test_the_last_message_can_be_continued(void **state)
{
    (void)state;
    use_template("<s>{% for m in messages %}[{{ m.content | trim }}]{% endfor %}{{ 'A' if "
                 "add_generation_prompt }}",
                 false);
    assert_prompt("{\"messages\":[" USER ",{\"role\":\"assistant\",\"content\":\"Well, \"}],"
                  "\"continue_final_message\":true}",
                  "<s>[Hi][Well,");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"continue_final_message\":true,"
                            "\"add_generation_prompt\":true}"),
                 400, "continue_final_message", "invalid_value");
    use_template("<s>fixed", false);
    expect_error(post(PATH, "{\"messages\":[" USER "],\"continue_final_message\":true}"), 400,
                 "continue_final_message", "chat_template_error");
}

static void test_a_requests_own_template_needs_trust(void **state)
{
    (void)state;
    static const char body[] = "{\"messages\":[" USER "],\"chat_template\":\"<s>own\"}";
    use_template("<s>x", false);
    expect_error(post(PATH, body), 400, "chat_template", "unsupported_parameter");
    use_template("<s>x", true);
    assert_prompt(body, "<s>own");
    expect_error(post(PATH, "{\"messages\":[" USER "],\"chat_template\":\"{% if\"}"), 400,
                 "chat_template", "chat_template_error");
}

#define template_test(f) cmocka_unit_test_setup_teardown(f, setup_api, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        template_test(test_the_template_writes_the_prompt_and_bos_stands_once),
        template_test(test_bos_is_added_where_the_template_writes_none),
        template_test(test_arguments_of_tool_calls_are_objects),
        template_test(test_a_template_that_joins_strings_gets_strings),
        template_test(test_what_the_template_refuses_and_fails_on_is_400),
        template_test(test_kwargs_documents_and_developer_reach_the_template),
        template_test(test_the_last_message_can_be_continued),
        template_test(test_a_requests_own_template_needs_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
