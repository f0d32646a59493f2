/* A body as JSON: limits at their borders, and what is no JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/request_json.h"
#include "base/mem.h"

static int parse(const char *data, size_t len, gol_api_error *error)
{
    json_t *root;
    *error = (gol_api_error){0};
    const int rc = gol_request_json_parse(&root, (gol_str){data, len}, error);
    assert_int_equal(rc == 0, root != NULL);
    json_decref(root);
    return rc;
}

static void expect_refused(const char *data, size_t len, const char *words)
{
    gol_api_error error;
    assert_int_not_equal(parse(data, len, &error), 0);
    assert_int_equal(error.status, 400);
    assert_string_equal(error.code, "invalid_json");
    if (!strstr(error.message, words))
        fail_msg("no '%s' in: %s", words, error.message);
}

static int parse_nested(int depth)
{
    char body[400];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"a\":");
    for (int i = 1; i < depth; i++)
        body[len++] = '[';
    body[len++] = '1';
    for (int i = 1; i < depth; i++)
        body[len++] = ']';
    body[len++] = '}';
    gol_api_error error;
    return parse(body, len, &error);
}

static void test_nesting_is_limited_at_64(void **state)
{
    (void)state;
    assert_int_equal(parse_nested(GOL_REQUEST_JSON_DEPTH_MAX), 0);
    assert_int_not_equal(parse_nested(GOL_REQUEST_JSON_DEPTH_MAX + 1), 0);
}

static void test_a_million_brackets_do_no_harm(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *body = malloc(N);
    memset(body, '[', N);
    expect_refused(body, N, "deeper than 64");
    memset(body, '{', N);
    expect_refused(body, N, "deeper than 64");
    memset(body, ',', N);
    expect_refused(body, N, "more than 1000000 values");
    memset(body, '"', N);
    expect_refused(body, N, "not valid JSON");
    memset(body, '\\', N);
    body[0] = '"';
    expect_refused(body, N, "not valid JSON");
    free(body);
}

static int parse_flat(size_t n)
{
    char *body = malloc(2 * n + 16);
    size_t len = (size_t)snprintf(body, 16, "{\"a\":[");
    for (size_t i = 0; i < n; i++) {
        body[len++] = '1';
        body[len++] = i + 1 < n ? ',' : ']';
    }
    body[len++] = '}';
    gol_api_error error;
    const int rc = parse(body, len, &error);
    free(body);
    return rc;
}

/* The object, the array and the numbers' commas count. */
static void test_the_number_of_values_is_limited(void **state)
{
    (void)state;
    assert_int_equal(parse_flat(GOL_REQUEST_JSON_NODES_MAX - 2), 0);
    assert_int_not_equal(parse_flat(GOL_REQUEST_JSON_NODES_MAX - 1), 0);
}

static void test_brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    char body[400] = "{\"a\":\"\\\"";
    memset(body + strlen(body), '[', 200);
    strcat(body, "\\\\\"}");
    gol_api_error error;
    assert_int_equal(parse(body, strlen(body), &error), 0);
}

static void test_what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *words;
    } cases[] = {
        {"", "empty"},
        {" ", "not valid JSON"},
        {"[]", "array"},
        {"7", "not valid JSON"},
        {"{", "not valid JSON"},
        {"{}x", "not valid JSON"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"{\"a\":{\"b\":1,\"b\":1}}", "duplicate"},
        {"{\"a\":NaN}", "not valid JSON"},
        {"{\"a\":Infinity}", "not valid JSON"},
        {"{\"a\":1e999}", "not valid JSON"},
        {"{\"a\":9223372036854775808}", "not valid JSON"},
        {"{\"a\":\"\xff\"}", "not valid JSON"},
        {"{\"a\":\"\xed\xa0\x80\"}", "not valid JSON"},
        {"{\"a\":\"\xc0\xaf\"}", "not valid JSON"},
        {"{\"a\":\"\\ud800\"}", "not valid JSON"},
        {"{\"\\u0000\":1}", "not valid JSON"},
        {"{\"a\":\"\n\"}", "not valid JSON"},
        {"{'a':1}", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i].body, strlen(cases[i].body), cases[i].words);
    expect_refused("{}\0", 3, "not valid JSON");
}

static void test_nul_and_extreme_numbers_pass(void **state)
{
    (void)state;
    const char body[] = "{\"a\":\"\\u0000\",\"b\":-9223372036854775808,\"c\":1e308}";
    json_t *root;
    gol_api_error error = {0};
    assert_int_equal(gol_request_json_parse(&root, GOL_STR(body), &error), 0);
    assert_int_equal(json_string_length(json_object_get(root, "a")), 1);
    assert_true(json_integer_value(json_object_get(root, "b")) == INT64_MIN);
    json_decref(root);
}

static void test_no_memory_is_told_from_bad_json(void **state)
{
    (void)state;
    const char body[] = "{\"a\":[1,2.5,\"text\",{\"b\":[true,null]}],\"c\":\"\\u00e9\"}";
    bool was_refused = false;
    for (uint64_t n = 1;; n++) {
        gol_api_error error;
        gol_mem_fail_nth(n, false);
        const int rc = parse(body, strlen(body), &error);
        const bool has_failed = gol_mem_n_failed() > 0;
        gol_mem_fail_nth(0, false);
        if (!has_failed) {
            assert_int_equal(rc, 0);
            break;
        }
        if (rc != 0) {
            assert_int_equal(error.status, 503);
            was_refused = true;
        }
    }
    assert_true(was_refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_is_limited_at_64),
        cmocka_unit_test(test_a_million_brackets_do_no_harm),
        cmocka_unit_test(test_the_number_of_values_is_limited),
        cmocka_unit_test(test_brackets_in_strings_do_not_count),
        cmocka_unit_test(test_what_is_no_object_is_refused),
        cmocka_unit_test(test_nul_and_extreme_numbers_pass),
        cmocka_unit_test(test_no_memory_is_told_from_bad_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
