/* Every field of the table with values at and beyond its borders, generated; then what the table cannot say. */
#include "unit/api/api_fixture.h"

#include <float.h>
#include <math.h>

#include "api/param_table.h"
#include "api/params.h"

static const gol_params_limits limits = {.max_n = 128, .n_vocab = 100, .n_stop_ids_max = 63};

/* Parses {"<name>": <value>, <more>}. */
static int parse(gol_params *p, gol_api_error *error, unsigned route, const char *name,
                 const char *value, const char *more)
{
    char body[1200];
    snprintf(body, sizeof body, "{\"%s\":%s%s%s}", name, value, more[0] != '\0' ? "," : "", more);
    json_t *root = parse_json(gol_str_from(body));
    *error = (gol_api_error){0};
    const int rc = gol_params_parse(p, root, route, &limits, error);
    json_decref(root);
    return rc;
}

/* A refusal names the field, in param and in the message. */
static void expect(bool is_accepted, const gol_param *row, unsigned route, const char *value)
{
    gol_params p;
    gol_api_error error;
    const bool is_chat = route == GOL_PARAM_CHAT;
    const char *more = "";
    if (strcmp(row->name, "min_tokens") == 0)
        more = "\"max_tokens\":2147483647";
    else if (is_chat && strcmp(row->name, "top_logprobs") == 0)
        more = "\"logprobs\":true";
    const int rc = parse(&p, &error, route, row->name, value, more);
    if ((rc == 0) != is_accepted)
        fail_msg("%s = %s: %s", row->name, value, rc == 0 ? "accepted" : error.message);
    if (rc == 0)
        return;
    assert_int_equal(error.status, 400);
    assert_non_null(error.code);
    if (strncmp(error.param, row->name, strlen(row->name)) != 0)
        fail_msg("%s = %s: param is '%s'", row->name, value, error.param);
    assert_non_null(strstr(error.message, row->name));
}

static void expect_number(bool is_accepted, const gol_param *row, unsigned route, double value)
{
    char text[64];
    snprintf(text, sizeof text, "%.17g", value);
    expect(is_accepted, row, route, text);
}

static void check_numbers(const gol_param *row, unsigned route)
{
    const bool is_int = row->kind == GOL_PARAM_INT;
    /* The table's n allows what no api does: its real limit is another test. */
    const double max = strcmp(row->name, "n") == 0 ? limits.max_n : row->max;
    expect_number(false, row, route, row->min - 1);
    expect_number(!row->is_min_excluded, row, route, row->min);
    expect_number(true, row, route, max);
    expect_number(false, row, route, max + 1);
    expect_number(false, row, route, nextafter(row->min, -INFINITY));
    expect_number(false, row, route, nextafter(max, INFINITY));
    expect_number(!is_int, row, route, (row->min + max) / 2 + (is_int ? 0.25 : 0));
    if (row->is_min_excluded) {
        expect_number(true, row, route, FLT_MIN);
        expect_number(false, row, route, DBL_MIN); /* zero as a float */
    }
    expect(false, row, route, "-9223372036854775808");
    expect(false, row, route, "9223372036854775807");
    expect(false, row, route, "1e308");
    expect(false, row, route, "-1e308");
    expect(false, row, route, "\"1\"");
    expect(false, row, route, "true");
    expect(false, row, route, "[]");
    expect(false, row, route, "{}");
    expect(true, row, route, "null");
    if (is_int)
        expect(true, row, route, "1.0");
}

static void check_bool(const gol_param *row, unsigned route)
{
    expect(true, row, route, "false");
    expect(true, row, route, "null");
    static const char *const bad[] = {"0", "1", "\"true\"", "[]", "{}", "1e308"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(false, row, route, bad[i]);
}

static void check_refused(const gol_param *row, unsigned route)
{
    expect(true, row, route, "null");
    expect((row->neutral & GOL_NEUTRAL_FALSE) != 0, row, route, "false");
    expect((row->neutral & GOL_NEUTRAL_TRUE) != 0, row, route, "true");
    expect((row->neutral & GOL_NEUTRAL_ZERO) != 0, row, route, "0");
    expect((row->neutral & GOL_NEUTRAL_ONE) != 0, row, route, "1");
    expect((row->neutral & GOL_NEUTRAL_NEGATIVE) != 0, row, route, "-1");
    expect((row->neutral & GOL_NEUTRAL_EMPTY) != 0, row, route, "{}");
    expect((row->neutral & GOL_NEUTRAL_EMPTY) != 0, row, route, "[]");
    expect((row->neutral & GOL_NEUTRAL_EMPTY) != 0, row, route, "\"\"");
    expect((row->neutral & GOL_NEUTRAL_NONE) != 0, row, route, "\"none\"");
    expect((row->neutral & GOL_NEUTRAL_AUTO) != 0, row, route, "\"auto\"");
    expect((row->neutral & GOL_NEUTRAL_TEXT) != 0, row, route, "{\"type\":\"text\"}");
    expect((row->neutral & GOL_NEUTRAL_TEXT) != 0, row, route, "[\"text\"]");
    expect(false, row, route, "{\"type\":\"json_object\"}");
    expect(false, row, route, "[\"text\",\"audio\"]");
    expect(false, row, route, "\"x\"");
    expect(false, row, route, "7");
    expect(false, row, route, "1e308");
}

static void test_every_field_keeps_its_range(void **state)
{
    (void)state;
    static const unsigned routes[] = {GOL_PARAM_COMPLETIONS, GOL_PARAM_CHAT};
    for (size_t i = 0; i < gol_param_table_n; i++) {
        const gol_param *row = &gol_param_table[i];
        for (size_t k = 0; k < 2; k++) {
            if ((row->routes & routes[k]) == 0)
                continue;
            if (row->kind == GOL_PARAM_INT || row->kind == GOL_PARAM_FLOAT)
                check_numbers(row, routes[k]);
            else if (row->kind == GOL_PARAM_BOOL)
                check_bool(row, routes[k]);
            else if (row->kind == GOL_PARAM_REFUSED)
                check_refused(row, routes[k]);
        }
    }
}

static void test_no_field_stands_twice_for_a_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < gol_param_table_n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(gol_param_table[i].name, gol_param_table[k].name) == 0)
                assert_int_equal(gol_param_table[i].routes & gol_param_table[k].routes, 0);
}

static void expect_param(bool is_accepted, const char *name, const char *value, const char *param)
{
    gol_params p;
    gol_api_error error;
    const int rc = parse(&p, &error, GOL_PARAM_COMPLETIONS, name, value, "");
    if ((rc == 0) != is_accepted)
        fail_msg("%s = %s: %s", name, value, rc == 0 ? "accepted" : error.message);
    if (rc != 0)
        assert_string_equal(error.param, param);
}

static void test_seeds_are_64_bit_integers(void **state)
{
    (void)state;
    gol_params p;
    gol_api_error error;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"-9223372036854775808", INT64_MIN}, {"9223372036854775807", INT64_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(parse(&p, &error, GOL_PARAM_CHAT, "seed", good[i].text, ""), 0);
        assert_true(p.has_seed && p.seed == good[i].value);
    }
    assert_int_equal(parse(&p, &error, GOL_PARAM_CHAT, "seed", "-1", ""), 0);
    assert_false(p.has_seed);
    static const char *const bad[] = {"1.5", "1e308", "\"1\"", "[]", "{}", "true"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_param(false, "seed", bad[i], "seed");
}

static void test_stop_strings_keep_their_limits(void **state)
{
    (void)state;
    char value[600];
    expect_param(true, "stop", "null", "");
    expect_param(true, "stop", "[]", "");
    expect_param(true, "stop", "\"a\"", "");
    expect_param(false, "stop", "\"\"", "stop");
    expect_param(false, "stop", "[\"a\",\"\"]", "stop[1]");
    expect_param(false, "stop", "[null]", "stop[0]");
    expect_param(false, "stop", "7", "stop");
    expect_param(false, "stop", "{}", "stop");
    for (int len = 256; len <= 257; len++) {
        snprintf(value, sizeof value, "\"%0*d\"", len, 0);
        expect_param(len == 256, "stop", value, "stop");
    }
    for (int n = 16; n <= 17; n++) {
        size_t at_byte = (size_t)snprintf(value, sizeof value, "[");
        for (int i = 0; i < n; i++)
            at_byte += (size_t)snprintf(value + at_byte, sizeof value - at_byte, "%s\"s\"",
                                        i > 0 ? "," : "");
        snprintf(value + at_byte, sizeof value - at_byte, "]");
        expect_param(n == 16, "stop", value, "stop");
    }
}

static void test_cache_salts_keep_their_limits(void **state)
{
    (void)state;
    char value[1100];
    expect_param(true, "cache_salt", "null", "");
    expect_param(false, "cache_salt", "\"\"", "cache_salt");
    expect_param(false, "cache_salt", "7", "cache_salt");
    for (int len = 1024; len <= 1025; len++) {
        snprintf(value, sizeof value, "\"%0*d\"", len, 0);
        expect_param(len == 1024, "cache_salt", value, "cache_salt");
    }
}

static void test_stop_ids_keep_their_limits(void **state)
{
    (void)state;
    char value[400];
    expect_param(true, "stop_token_ids", "[0,99]", "");
    expect_param(false, "stop_token_ids", "[0,100]", "stop_token_ids[1]");
    expect_param(false, "stop_token_ids", "[-1]", "stop_token_ids[0]");
    expect_param(false, "stop_token_ids", "[1.5]", "stop_token_ids[0]");
    expect_param(false, "stop_token_ids", "[\"a\"]", "stop_token_ids[0]");
    expect_param(false, "stop_token_ids", "7", "stop_token_ids");
    for (int n = 63; n <= 64; n++) {
        size_t len = (size_t)snprintf(value, sizeof value, "[1");
        for (int i = 1; i < n; i++)
            len += (size_t)snprintf(value + len, sizeof value - len, ",1");
        snprintf(value + len, sizeof value - len, "]");
        expect_param(n == 63, "stop_token_ids", value, "stop_token_ids");
    }
}

static void expect_pair(const char *a, const char *value, const char *more, const char *param)
{
    gol_params p;
    gol_api_error error;
    const int rc = parse(&p, &error, GOL_PARAM_CHAT, a, value, more);
    if ((rc != 0) != (param != NULL))
        fail_msg("%s = %s, %s: %s", a, value, more, rc == 0 ? "accepted" : error.message);
    if (param)
        assert_string_equal(error.param, param);
}

static void test_pairs_of_fields_must_agree(void **state)
{
    (void)state;
    expect_pair("stream_options", "{}", "", "stream_options");
    expect_pair("stream_options", "{}", "\"stream\":false", "stream_options");
    expect_pair("stream_options", "{}", "\"stream\":true", NULL);
    expect_pair("stream_options", "null", "", NULL);
    expect_pair("stream_options", "[]", "\"stream\":true", "stream_options");
    expect_pair("stream_options", "{\"include_usage\":1}", "\"stream\":true",
                "stream_options.include_usage");
    expect_pair("stream_options", "{\"continuous_usage_stats\":true}", "\"stream\":true",
                "stream_options.continuous_usage_stats");
    expect_pair("min_tokens", "5", "\"max_tokens\":5", NULL);
    expect_pair("min_tokens", "6", "\"max_tokens\":5", "min_tokens");
    expect_pair("min_tokens", "6", "\"max_tokens\":7,\"max_completion_tokens\":5", "min_tokens");
    gol_params p;
    gol_api_error error;
    assert_int_not_equal(parse(&p, &error, GOL_PARAM_COMPLETIONS, "tools", "[{}]", ""), 0);
    assert_string_equal(error.param, "tools");
    assert_int_equal(
        parse(&p, &error, GOL_PARAM_COMPLETIONS, "tools", "[{}]", "\"tool_choice\":\"none\""), 0);
    expect_pair("best_of", "3", "\"n\":3", NULL);
    expect_pair("best_of", "3", "\"n\":2", "best_of");
    expect_pair("n", "129", "", "n");
    expect_pair("n", "128", "", NULL);
}

static void test_top_k_minus_one_is_off(void **state)
{
    (void)state;
    gol_params p;
    gol_api_error error;
    assert_int_equal(parse(&p, &error, GOL_PARAM_CHAT, "top_k", "-1", ""), 0);
    assert_int_equal(p.sampling.top_k, 0);
}

static void test_unknown_fields_are_listed_and_harmless(void **state)
{
    (void)state;
    gol_params p;
    gol_api_error error;
    assert_int_equal(parse(&p, &error, GOL_PARAM_CHAT, "x\\r\\ny: \\u00e9,z", "[1]",
                           "\"user\":\"u\",\"foo\":null,\"stream\":true,"
                           "\"stream_options\":{\"bar\":1}"),
                     0);
    assert_string_equal(p.ignored, "x??y?????z, user, foo, stream_options.bar");
}

static void test_the_list_of_ignored_fields_has_an_end(void **state)
{
    (void)state;
    char body[8192] = "{";
    size_t len = 1;
    for (int i = 0; i < GOL_PARAM_FIELDS_MAX; i++)
        len += (size_t)snprintf(body + len, sizeof body - len, "%s\"unknown_%d\":1",
                                i > 0 ? "," : "", i);
    snprintf(body + len, sizeof body - len, "}");
    json_t *root = parse_json(gol_str_from(body));
    gol_params p;
    gol_api_error error;
    assert_int_equal(gol_params_parse(&p, root, GOL_PARAM_CHAT, &limits, &error), 0);
    assert_in_range(strlen(p.ignored), 400, GOL_PARAM_IGNORED_MAX - 1);
    assert_string_equal(p.ignored + strlen(p.ignored) - 5, ", ...");
    json_object_set_new(root, "one_more", json_true());
    assert_int_not_equal(gol_params_parse(&p, root, GOL_PARAM_CHAT, &limits, &error), 0);
    json_decref(root);
}

/* `name` in the text between two backquotes. */
static void test_every_field_is_documented(void **state)
{
    (void)state;
    char path[1024];
    const size_t n_root = sizeof TEST_DATA_DIR - sizeof "tests/data";
    snprintf(path, sizeof path, "%.*sdocs/api.md", (int)n_root, TEST_DATA_DIR);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static char text[64 << 10];
    const size_t len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_in_range(len, 1, sizeof text - 2);
    for (size_t i = 0; i < gol_param_table_n; i++) {
        char quoted[80];
        snprintf(quoted, sizeof quoted, "`%s`", gol_param_table[i].name);
        if (!strstr(text, quoted))
            fail_msg("docs/api.md has no %s", quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_keeps_its_range),
        cmocka_unit_test(test_no_field_stands_twice_for_a_route),
        cmocka_unit_test(test_seeds_are_64_bit_integers),
        cmocka_unit_test(test_stop_strings_keep_their_limits),
        cmocka_unit_test(test_cache_salts_keep_their_limits),
        cmocka_unit_test(test_stop_ids_keep_their_limits),
        cmocka_unit_test(test_pairs_of_fields_must_agree),
        cmocka_unit_test(test_top_k_minus_one_is_off),
        cmocka_unit_test(test_unknown_fields_are_listed_and_harmless),
        cmocka_unit_test(test_the_list_of_ignored_fields_has_an_end),
        cmocka_unit_test(test_every_field_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
