/* The JSON writer: structure, escapes, numbers that read back, and that only the buffer's flag can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/rng.h"

static gol_buf buf;
static gol_json json;

static int set_up(void **state)
{
    (void)state;
    gol_buf_init(&buf, 1 << 20);
    gol_json_init(&json, &buf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gol_buf_deinit(&buf);
    return 0;
}

static void expect_text(const char *text)
{
    assert_false(buf.failed);
    assert_true(gol_json_is_done(&json));
    assert_string_equal(buf.data, text);
}

static void commas_and_nesting_are_right(void **state)
{
    (void)state;
    gol_json_begin_object(&json);
    gol_json_key(&json, "a");
    gol_json_int(&json, -1);
    gol_json_key(&json, "b");
    gol_json_begin_array(&json);
    gol_json_begin_object(&json);
    gol_json_end_object(&json);
    gol_json_begin_array(&json);
    gol_json_end_array(&json);
    gol_json_null(&json);
    gol_json_bool(&json, true);
    gol_json_bool(&json, false);
    gol_json_end_array(&json);
    gol_json_key_str(&json, GOL_STR("c\"d"));
    gol_json_cstr(&json, NULL);
    assert_false(gol_json_is_done(&json));
    gol_json_key(&json, "e");
    gol_json_raw(&json, GOL_STR("{\"x\":[1]}"));
    gol_json_key(&json, "f");
    gol_json_cstr(&json, "g");
    gol_json_end_object(&json);
    expect_text(
        "{\"a\":-1,\"b\":[{},[],null,true,false],\"c\\\"d\":null,\"e\":{\"x\":[1]},\"f\":\"g\"}");
}

static void one_value_alone_is_a_document(void **state)
{
    (void)state;
    gol_json_string(&json, (gol_str){NULL, 0});
    expect_text("\"\"");
}

static void levels_go_as_deep_as_the_limit(void **state)
{
    (void)state;
    for (int i = 0; i < GOL_JSON_DEPTH_MAX; i++)
        gol_json_begin_array(&json);
    for (int i = 0; i < GOL_JSON_DEPTH_MAX; i++)
        gol_json_end_array(&json);
    assert_true(gol_json_is_done(&json));
    assert_int_equal(buf.len, 2 * GOL_JSON_DEPTH_MAX);
}

static void check_string(gol_str s, const char *text)
{
    gol_buf_clear(&buf);
    gol_json_init(&json, &buf);
    gol_json_string(&json, s);
    expect_text(text);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    check_string(GOL_STR("plain / text"), "\"plain / text\"");
    check_string(GOL_STR("\"\\\n\r\t"), "\"\\\"\\\\\\n\\r\\t\"");
    check_string(GOL_STR("a\0b\x01\x1f\x7f"), "\"a\\u0000b\\u0001\\u001f\x7f\"");
    check_string(GOL_STR("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
                 "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

/* Readers that split an event stream as Python splits text would cut at these. */
static void line_ends_of_unicode_are_escaped(void **state)
{
    (void)state;
    check_string(GOL_STR("a\xc2\x85"
                         "b\xe2\x80\xa8\xe2\x80\xa9"),
                 "\"a\\u0085b\\u2028\\u2029\"");
    check_string(GOL_STR("\xc2\x84\xc2\x86\xe2\x80\xa7\xe2\x80\xaa"),
                 "\"\xc2\x84\xc2\x86\xe2\x80\xa7\xe2\x80\xaa\"");
}

#define FFFD "\xef\xbf\xbd"

static void what_is_no_utf8_becomes_a_replacement_character(void **state)
{
    (void)state;
    check_string(GOL_STR("a\xff"
                         "b"),
                 "\"a" FFFD "b\"");
    check_string(GOL_STR("\x80"), "\"" FFFD "\"");
    check_string(GOL_STR("\xc0\xaf"), "\"" FFFD FFFD "\"");                   /* overlong */
    check_string(GOL_STR("\xed\xa0\x80"), "\"" FFFD FFFD FFFD "\"");          /* surrogate */
    check_string(GOL_STR("\xf4\x90\x80\x80"), "\"" FFFD FFFD FFFD FFFD "\""); /* beyond U+10FFFF */
    check_string(GOL_STR("x\xe2\x82"), "\"x" FFFD FFFD "\"");                 /* cut short */
}

static void integers_keep_every_digit(void **state)
{
    (void)state;
    gol_json_begin_array(&json);
    gol_json_int(&json, INT64_MIN);
    gol_json_int(&json, INT64_MAX);
    gol_json_uint(&json, UINT64_MAX);
    gol_json_end_array(&json);
    expect_text("[-9223372036854775808,9223372036854775807,18446744073709551615]");
}

static void expect_double(double v, const char *text)
{
    gol_buf_clear(&buf);
    gol_json_init(&json, &buf);
    gol_json_double(&json, v);
    expect_text(text);
}

static void numbers_take_the_fewest_digits(void **state)
{
    (void)state;
    expect_double(0.1, "0.1");
    expect_double(-0.0, "-0");
    expect_double(1.0 / 3.0, "0.3333333333333333");
    expect_double(1e300, "1e+300");
    expect_double(NAN, "null");
    expect_double(-INFINITY, "null");
    gol_buf_clear(&buf);
    gol_json_float(&json, 0.1f);
    expect_text("0.1");
}

static void numbers_read_back_as_they_were(void **state)
{
    (void)state;
    gol_rng rng = {.key = 7};
    for (int i = 0; i < 50000; i++) {
        const uint64_t bits = gol_rng_next(&rng);
        double d;
        float f;
        memcpy(&d, &bits, sizeof d);
        memcpy(&f, &bits, sizeof f);
        if (isfinite(d)) {
            gol_buf_clear(&buf);
            gol_json_double(&json, d);
            const double back = strtod(buf.data, NULL);
            assert_memory_equal(&back, &d, sizeof d);
        }
        if (isfinite(f)) {
            gol_buf_clear(&buf);
            gol_json_float(&json, f);
            const float back = strtof(buf.data, NULL);
            assert_memory_equal(&back, &f, sizeof f);
        }
    }
}

static void a_comma_of_the_locale_becomes_a_point(void **state)
{
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        skip(); /* no such locale on this machine */
    gol_json_double(&json, 1.5);
    setlocale(LC_NUMERIC, "C");
    expect_text("1.5");
}

static void a_full_buffer_sets_its_flag_and_nothing_else(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 24; limit++) {
        gol_buf small;
        gol_buf_init(&small, limit);
        gol_json j;
        gol_json_init(&j, &small);
        gol_json_begin_object(&j);
        gol_json_key(&j, "key");
        gol_json_string(&j, GOL_STR("value\n"));
        gol_json_end_object(&j);
        assert_true(gol_json_is_done(&j));
        assert_int_equal(small.failed, limit < strlen("{\"key\":\"value\\n\"}"));
        gol_buf_deinit(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_and_nesting_are_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_value_alone_is_a_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(levels_go_as_deep_as_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_are_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(line_ends_of_unicode_are_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_utf8_becomes_a_replacement_character, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(integers_keep_every_digit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_take_the_fewest_digits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_read_back_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_comma_of_the_locale_becomes_a_point, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_buffer_sets_its_flag_and_nothing_else, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
