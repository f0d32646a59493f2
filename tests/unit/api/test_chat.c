/* POST /v1/chat/completions: messages, the plain format, shapes of answers and deltas. */
#include "unit/api/api_fixture.h"

#define PATH "/v1/chat/completions"
#define USER "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"

/* The prompt of sequence i as text. */
static void prompt_text(char *out, size_t size, int i)
{
    gol_buf buf;
    gol_buf_init(&buf, size - 1);
    const fake_seq *s = &engine.seqs[i];
    assert_int_equal(
        gol_tokenizer_decode(tok, &buf, s->prompt, (size_t)s->request.n_prompt, true, NULL), 0);
    snprintf(out, size, "%s", buf.data);
    gol_buf_deinit(&buf);
}

static void test_a_conversation_becomes_the_plain_format(void **state)
{
    (void)state;
    gol_api_call *call = post(
        PATH,
        "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one\"},"
        "{\"type\":\"text\",\"text\":\"two\"}]},"
        "{\"role\":\"assistant\",\"content\":null},{\"role\":\"user\",\"content\":\"</s>\"}]}");
    char text[256];
    prompt_text(text, sizeof text, 0);
    assert_string_equal(text, "System: Be brief.\n\nUser: one\ntwo\n\nAssistant: \n\n"
                              "User: </s>\n\nAssistant:");
    /* A control token that a user writes is text. */
    for (int32_t k = 1; k < engine.seqs[0].request.n_prompt; k++)
        assert_true(engine.seqs[0].prompt[k] > TOK_EOS);
    /* Without a limit the answer may fill the context. */
    assert_int_equal(engine.seqs[0].request.max_tokens, 256 - engine.seqs[0].request.n_prompt);
    end_call(&call);
    fake_settle(&engine);
}

static void test_an_answer_has_exactly_openais_shape(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{" USER "}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_say(&engine, 0, TOK_WORLD);
    fake_event(&engine, 0, TOK_EOS, GOL_FINISH_STOP);
    json_t *root = reply_of(call, 200);
    assert_int_equal(json_object_size(root), 7);
    assert_memory_equal(str_at(root, "id"), "chatcmpl-", 9);
    assert_string_equal(str_at(root, "object"), "chat.completion");
    const json_t *choice = at(root, "choices/0");
    assert_int_equal(json_object_size(choice), 5);
    assert_int_equal(json_object_size(at(choice, "message")), 3);
    assert_string_equal(str_at(choice, "message/role"), "assistant");
    assert_string_equal(str_at(choice, "message/content"), "Hello world"); /* no space in front */
    assert_true(json_is_null(at(choice, "message/refusal")));
    assert_true(json_is_null(at(choice, "logprobs")));
    assert_string_equal(str_at(choice, "finish_reason"), "stop");
    assert_int_equal(int_at(root, "usage/completion_tokens"), 3);
    json_decref(root);
    end_call(&call);
}

static void test_the_next_turn_of_the_user_ends_the_answer(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH,
                              "{" USER ",\"include_stop_str_in_output\":true,\"stop\":\"never\"}");
    say_bytes(0, " ok\n\nUser");
    assert_false(gol_api_call_is_ready(call));
    say_bytes(0, ": x");
    json_t *root = reply_of(call, 200);
    assert_string_equal(str_at(root, "choices/0/message/content"), "ok");
    assert_string_equal(str_at(root, "choices/0/finish_reason"), "stop");
    assert_true(json_is_null(at(root, "choices/0/stop_reason")));
    json_decref(root);
    end_call(&call);
    fake_settle(&engine);
}

static void test_deltas_begin_with_the_role_and_end_empty(void **state)
{
    (void)state;
    gguf_bytes bytes = {0};
    gol_api_call *call = post(PATH, "{" USER ",\"stream\":true,\"max_completion_tokens\":2,"
                                    "\"max_tokens\":7}");
    assert_int_equal(engine.seqs[0].request.max_tokens, 2);
    assert_false(read_some(call, &bytes, 100)); /* the role is there before any token */
    assert_true(bytes.len > 0);
    fake_say(&engine, 0, TOK_HELLO);
    fake_event(&engine, 0, TOK_WORLD, GOL_FINISH_LENGTH);
    assert_true(read_some(call, &bytes, 100));
    json_t *events = take_events(&bytes);
    assert_int_equal(json_array_size(events), 5);
    assert_string_equal(str_at(events, "0/object"), "chat.completion.chunk");
    assert_int_equal(json_object_size(at(events, "0/choices/0/delta")), 2);
    assert_string_equal(str_at(events, "0/choices/0/delta/role"), "assistant");
    assert_string_equal(str_at(events, "0/choices/0/delta/content"), "");
    assert_int_equal(json_object_size(at(events, "1/choices/0/delta")), 1);
    assert_string_equal(str_at(events, "1/choices/0/delta/content"), "Hello");
    assert_string_equal(str_at(events, "2/choices/0/delta/content"), " world");
    assert_int_equal(json_object_size(at(events, "3/choices/0/delta")), 0);
    assert_string_equal(str_at(events, "3/choices/0/finish_reason"), "length");
    assert_string_equal(json_string_value(at(events, "4")), "[DONE]");
    json_decref(events);
    end_call(&call);
}

static void test_logprobs_have_the_chat_shape(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{" USER ",\"logprobs\":true,\"top_logprobs\":2}");
    fake_say(&engine, 0, TOK_HELLO);
    fake_event(&engine, 0, tok_byte(0xc3), GOL_FINISH_LENGTH);
    json_t *root = reply_of(call, 200);
    const json_t *lp = at(root, "choices/0/logprobs");
    assert_int_equal(json_object_size(lp), 2);
    assert_true(json_is_null(at(lp, "refusal")));
    assert_int_equal(json_array_size(at(lp, "content")), 2);
    assert_int_equal(json_object_size(at(lp, "content/0")), 4);
    assert_string_equal(str_at(lp, "content/0/token"), " Hello");
    assert_true(json_real_value(at(lp, "content/0/logprob")) == -0.5);
    assert_int_equal(json_array_size(at(lp, "content/0/bytes")), 6);
    assert_int_equal(json_array_size(at(lp, "content/0/top_logprobs")), 2);
    assert_int_equal(json_object_size(at(lp, "content/0/top_logprobs/1")), 3);
    assert_string_equal(str_at(lp, "content/1/token"), "\xef\xbf\xbd");
    assert_int_equal(int_at(lp, "content/1/bytes/0"), 0xc3);
    json_decref(root);
    end_call(&call);
}

static void test_logprobs_are_off_without_the_flag(void **state)
{
    (void)state;
    gol_api_call *call = post(PATH, "{" USER ",\"logprobs\":false,\"top_logprobs\":0}");
    assert_int_equal(engine.seqs[0].request.n_logprobs, -1);
    end_call(&call);
    fake_settle(&engine);
    expect_error(post(PATH, "{" USER ",\"top_logprobs\":1}"), 400, "top_logprobs", "invalid_value");
    expect_error(post(PATH, "{" USER ",\"logprobs\":1}"), 400, "logprobs", "invalid_type");
}

static void test_bad_messages_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *messages;
        const char *param;
        const char *code;
    } cases[] = {
        {"null", "messages", "missing_required_parameter"},
        {"[]", "messages", "invalid_type"},
        {"\"Hi\"", "messages", "invalid_type"},
        {"{}", "messages", "invalid_type"},
        {"[7]", "messages[0]", "invalid_type"},
        {"[{}]", "messages[0].role", "missing_required_parameter"},
        {"[{\"role\":7}]", "messages[0].role", "invalid_type"},
        {"[{\"role\":\"king\",\"content\":\"a\"}]", "messages", "invalid_value"},
        {"[{\"role\":\"user\"}]", "messages[0].content", "missing_required_parameter"},
        {"[{\"role\":\"user\",\"content\":null}]", "messages[0].content", "invalid_type"},
        {"[{\"role\":\"user\",\"content\":{}}]", "messages[0].content", "invalid_type"},
        {"[{\"role\":\"user\",\"content\":[7]}]", "messages[0].content[0].type",
         "unsupported_parameter"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
         "messages[0].content[0].type", "unsupported_parameter"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages[0].content[0].text",
         "invalid_type"},
        {"[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"tool_calls\":[{}]}]",
         "messages[1].tool_calls", "unsupported_parameter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[400];
        snprintf(body, sizeof body, "{\"messages\":%s}", cases[i].messages);
        expect_error(post(PATH, body), 400, cases[i].param, cases[i].code);
    }
    expect_error(post(PATH, "{}"), 400, "messages", "missing_required_parameter");
    assert_int_equal(engine.n_seqs, 0);
}

static void test_a_conversation_beyond_the_context_is_refused(void **state)
{
    (void)state;
    char body[600];
    char filler[301];
    memset(filler, 'x', 300);
    filler[300] = '\0';
    snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", filler);
    expect_error(post(PATH, body), 400, "messages", "context_length_exceeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_a_conversation_becomes_the_plain_format),
        api_test(test_an_answer_has_exactly_openais_shape),
        api_test(test_the_next_turn_of_the_user_ends_the_answer),
        api_test(test_deltas_begin_with_the_role_and_end_empty),
        api_test(test_logprobs_have_the_chat_shape),
        api_test(test_logprobs_are_off_without_the_flag),
        api_test(test_bad_messages_are_refused_by_name),
        api_test(test_a_conversation_beyond_the_context_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
