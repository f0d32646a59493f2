/* Error codes, messages cut on a character's border, quoting of foreign bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8_scan.h"

static void every_code_has_its_numbers(void **state)
{
    (void)state;
#define CHECK_ROW(name, code, exit_code, http_status, text)                                        \
    assert_int_equal(name, code);                                                                  \
    assert_string_equal(gol_error_name(code), #name);                                              \
    assert_string_equal(gol_error_text(code), text);                                               \
    assert_int_equal(gol_error_exit_code(code), exit_code);                                        \
    assert_int_equal(gol_error_http_status(code), http_status);
    GOL_ERRORS(CHECK_ROW)
#undef CHECK_ROW
}

static void codes_are_distinct_and_negative(void **state)
{
    (void)state;
#define CODE(name, code, exit_code, http_status, text) code,
    static const int codes[] = {GOL_ERRORS(CODE)};
#undef CODE
    const size_t n = sizeof codes / sizeof *codes;
    for (size_t i = 0; i < n; i++) {
        assert_true(codes[i] < 0);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(codes[i], codes[j]);
    }
}

static void zero_is_success_and_unknown_codes_are_internal(void **state)
{
    (void)state;
    assert_int_equal(gol_error_exit_code(0), 0);
    assert_int_equal(gol_error_http_status(0), 200);
    const int unknown[] = {1, -1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(gol_error_name(unknown[i]), "GOL_E?");
        assert_int_equal(gol_error_exit_code(unknown[i]), 70);
        assert_int_equal(gol_error_http_status(unknown[i]), 500);
    }
}

static void fail_fills_code_and_message(void **state)
{
    (void)state;
    gol_err err;
    assert_int_equal(gol_fail(&err, GOL_EMODEL, "%s: %d", "a.gguf", 7), GOL_EMODEL);
    assert_int_equal(err.code, GOL_EMODEL);
    assert_string_equal(err.message, "a.gguf: 7");
    assert_int_equal(gol_fail(NULL, GOL_EIO, "%s", "nobody listens"), GOL_EIO);
}

static void fail_may_quote_the_message_it_replaces(void **state)
{
    (void)state;
    gol_err err;
    gol_fail(&err, GOL_EIO, "first");
    gol_fail(&err, GOL_EMODEL, "second after %s", err.message);
    assert_string_equal(err.message, "second after first");
}

static void fail_cuts_long_messages_on_a_characters_border(void **state)
{
    (void)state;
    /* "ä" is two bytes, "€" three, an emoji four: whatever the offset, the rest is whole characters. */
    static const char *const units[] = {"a", "ä", "€", "😀"};
    for (size_t u = 0; u < 4; u++) {
        for (size_t n_ahead = 0; n_ahead < 8; n_ahead++) {
            char text[2048] = "";
            memset(text, 'x', n_ahead);
            for (size_t i = 0; i < 300; i++)
                strcat(text, units[u]);
            gol_err err;
            gol_fail(&err, GOL_EIO, "%s", text);
            const size_t len = strlen(err.message);
            const size_t n_unit = strlen(units[u]);
            if (strlen(text) < GOL_ERR_MESSAGE_MAX) {
                assert_string_equal(err.message, text);
                continue;
            }
            assert_int_equal((len - n_ahead) % n_unit, 0);
            assert_true(len > GOL_ERR_MESSAGE_MAX - 1 - n_unit);
            assert_memory_equal(err.message, text, len);
        }
    }
}

static void fail_keeps_a_message_of_exactly_the_buffers_size(void **state)
{
    (void)state;
    char text[GOL_ERR_MESSAGE_MAX + 1];
    memset(text, 'y', sizeof text);
    text[GOL_ERR_MESSAGE_MAX - 1] = '\0';
    gol_err err;
    gol_fail(&err, GOL_EIO, "%s", text);
    assert_string_equal(err.message, text);
    text[GOL_ERR_MESSAGE_MAX - 1] = 'y';
    text[GOL_ERR_MESSAGE_MAX] = '\0';
    gol_fail(&err, GOL_EIO, "%s", text);
    assert_int_equal(strlen(err.message), GOL_ERR_MESSAGE_MAX - 1);
}

static void prefix_goes_before_the_message_and_keeps_the_code(void **state)
{
    (void)state;
    gol_err err;
    gol_fail(&err, GOL_EMODEL, "ends after 3 bytes");
    assert_int_equal(gol_fail_prefix(&err, "%s", "a.gguf"), GOL_EMODEL);
    assert_string_equal(err.message, "a.gguf: ends after 3 bytes");
    assert_int_equal(gol_fail_prefix(NULL, "x"), GOL_EINTERNAL);
}

static void prefix_cuts_the_end_on_a_characters_border(void **state)
{
    (void)state;
    gol_err err;
    char euros[GOL_ERR_MESSAGE_MAX + 4] = "";
    for (int i = 0; i < 170; i++)
        strcat(euros, "€");
    gol_fail(&err, GOL_EIO, "%s", euros);
    assert_int_equal(strlen(err.message), 510);
    gol_fail_prefix(&err, "ab");
    assert_int_equal(strlen(err.message), 4 + 507);
    assert_memory_equal(err.message, "ab: €", 7);
    for (int i = 0; i < 600; i++)
        gol_fail_prefix(&err, "again");
    assert_true(strlen(err.message) < GOL_ERR_MESSAGE_MAX);
}

static const char *quoted(gol_str s)
{
    static char buf[128];
    return gol_quote(buf, sizeof buf, s);
}

static void quote_keeps_text_and_escapes_the_rest(void **state)
{
    (void)state;
    assert_string_equal(quoted(GOL_STR("plain text, äöü € 😀")), "plain text, äöü € 😀");
    assert_string_equal(quoted(GOL_STR("a\nb\tc\x1b[31m\x7f")), "a\\x0ab\\x09c\\x1b[31m\\x7f");
    assert_string_equal(quoted(GOL_STR("nul\0here")), "nul\\x00here");
    assert_string_equal(quoted((gol_str){NULL, 0}), "");
    assert_string_equal(quoted(GOL_STR("\xc2\x9b")), "\\xc2\\x9b"); /* C1: a terminal's CSI */
}

static void quote_escapes_invalid_utf8_byte_by_byte(void **state)
{
    (void)state;
    assert_string_equal(quoted(GOL_STR("\x80")), "\\x80");
    assert_string_equal(quoted(GOL_STR("\xc0\xaf")), "\\xc0\\xaf");          /* overlong '/' */
    assert_string_equal(quoted(GOL_STR("\xed\xa0\x80")), "\\xed\\xa0\\x80"); /* surrogate */
    assert_string_equal(quoted(GOL_STR("\xf4\x90\x80\x80")), "\\xf4\\x90\\x80\\x80");
    assert_string_equal(quoted(GOL_STR("\xe2\x82")), "\\xe2\\x82"); /* cut euro */
    assert_string_equal(quoted(GOL_STR("\xe2\x82z")), "\\xe2\\x82z");
}

static void quote_cuts_with_dots_and_never_overruns(void **state)
{
    (void)state;
    static const char *const texts[] = {"abcdefghijklmnopqrstuvwxyz", "€€€€€€€€€€",
                                        "\x01\x02\x03\x04\x05", "😀😀😀😀😀😀", "a\xff-b\xff€\xff"};
    for (size_t t = 0; t < 5; t++) {
        char whole[256];
        gol_quote(whole, sizeof whole, gol_str_from(texts[t]));
        for (size_t size = 8; size < 64; size++) {
            char *buf = malloc(size); /* exact, for the address sanitizer */
            gol_quote(buf, size, gol_str_from(texts[t]));
            const size_t len = strlen(buf);
            assert_true(len < size);
            if (strlen(whole) < size) {
                assert_string_equal(buf, whole);
            } else {
                assert_true(len >= 3 && strcmp(buf + len - 3, "…") == 0);
                assert_memory_equal(buf, whole, len - 3);
                /* No more is lost than one character and its dots need. */
                assert_true(len + 8 > size);
            }
            for (size_t i = 0; i < len; i += gol_utf8_char_len(buf + i, len - i))
                assert_true(gol_utf8_char_len(buf + i, len - i) > 0);
            free(buf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_its_numbers),
        cmocka_unit_test(codes_are_distinct_and_negative),
        cmocka_unit_test(zero_is_success_and_unknown_codes_are_internal),
        cmocka_unit_test(fail_fills_code_and_message),
        cmocka_unit_test(fail_may_quote_the_message_it_replaces),
        cmocka_unit_test(fail_cuts_long_messages_on_a_characters_border),
        cmocka_unit_test(fail_keeps_a_message_of_exactly_the_buffers_size),
        cmocka_unit_test(prefix_goes_before_the_message_and_keeps_the_code),
        cmocka_unit_test(prefix_cuts_the_end_on_a_characters_border),
        cmocka_unit_test(quote_keeps_text_and_escapes_the_rest),
        cmocka_unit_test(quote_escapes_invalid_utf8_byte_by_byte),
        cmocka_unit_test(quote_cuts_with_dots_and_never_overruns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
