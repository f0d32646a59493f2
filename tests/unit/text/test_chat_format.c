/* The plain chat format, as docs/chat.md shows it. */
#include "unit/text/text_test.h"

#include "text/chat_format.h"

static const gol_chat_message talk[] = {
    {{"system", 6}, {"Be brief.", 9}}, {{"user", 4}, {"Hi", 2}},
    {{"assistant", 9}, {"Hello!", 6}}, {{"tool", 4}, {"42", 2}},
    {{"user", 4}, {" Bye \n", 6}},
};

static void messages_are_labelled_and_end_in_an_empty_line(void **state)
{
    (void)state;
    gol_err err;
    gol_buf out;
    gol_buf_init(&out, 1024);
    assert_int_equal(gol_chat_plain_render(&out, talk, 5, true, &err), 0);
    assert_string_equal(out.data,
                        "System: Be brief.\n\nUser: Hi\n\nAssistant: Hello!\n\nTool: 42\n\n"
                        "User:  Bye \n\n\nAssistant:");
    gol_buf_clear(&out);
    assert_int_equal(gol_chat_plain_render(&out, talk + 1, 1, false, &err), 0);
    assert_string_equal(out.data, "User: Hi\n\n");
    assert_string_equal(gol_chat_plain_stop, "\n\nUser:");
    gol_buf_deinit(&out);
}

static void developer_messages_are_system_messages(void **state)
{
    (void)state;
    const gol_chat_message message = {GOL_STR("developer"), GOL_STR("x")};
    gol_err err;
    gol_buf out;
    gol_buf_init(&out, 1024);
    assert_int_equal(gol_chat_plain_render(&out, &message, 1, false, &err), 0);
    assert_string_equal(out.data, "System: x\n\n");
    gol_buf_deinit(&out);
}

static void an_unknown_role_is_refused_with_its_place(void **state)
{
    (void)state;
    const gol_chat_message messages[] = {talk[0], {GOL_STR("us\ner"), GOL_STR("x")}};
    gol_err err;
    gol_buf out;
    gol_buf_init(&out, 1024);
    assert_int_equal(gol_chat_plain_render(&out, messages, 2, true, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "messages[1].role"));
    gol_buf_deinit(&out);
}

static void a_prompt_over_the_buffers_limit_is_refused(void **state)
{
    (void)state;
    gol_err err;
    gol_buf out;
    gol_buf_init(&out, 10);
    assert_int_equal(gol_chat_plain_render(&out, talk, 5, true, &err), GOL_ENOMEM);
    gol_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_labelled_and_end_in_an_empty_line),
        cmocka_unit_test(developer_messages_are_system_messages),
        cmocka_unit_test(an_unknown_role_is_refused_with_its_place),
        cmocka_unit_test(a_prompt_over_the_buffers_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
