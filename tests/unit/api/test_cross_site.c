/* Which POST bodies are read as JSON: a web page must not reach a local server with what an HTML form can send. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "unit/api/api_fixture.h"

static gol_api_call *post_typed(const char *content_type, const char *origin)
{
    const gol_api_request request = {
        .method = GOL_STR("POST"),
        .path = GOL_STR("/tokenize"),
        .content_type = gol_str_from(content_type),
        .origin = gol_str_from(origin),
        .body = GOL_STR("{\"prompt\":\"Hello\"}"),
    };
    return opened(gol_api_begin(api, &request, count_wake, NULL));
}

static void test_a_program_may_call_its_json_what_it_likes(void **state)
{
    (void)state;
    static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
                                        "text/plain", "nonsense", ""};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        gol_api_call *call = post_typed(types[i], "");
        json_decref(reply_of(call, 200));
        end_call(&call);
    }
}

static void test_a_web_page_must_say_that_it_sends_json(void **state)
{
    (void)state;
    static const char *const types[] = {"application/x-www-form-urlencoded", "text/plain",
                                        "multipart/form-data; boundary=x", ""};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        expect_error(post_typed(types[i], "https://example.org"), 415, NULL,
                     "unsupported_media_type");
    expect_error(post_typed("text/plain", "null"), 415, NULL, "unsupported_media_type");

    gol_api_call *call = post_typed("application/json; charset=utf-8", "https://example.org");
    json_decref(reply_of(call, 200));
    end_call(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        api_test(test_a_program_may_call_its_json_what_it_likes),
        api_test(test_a_web_page_must_say_that_it_sends_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
