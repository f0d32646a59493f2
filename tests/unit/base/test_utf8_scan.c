/* Validity of every possible character against an encoder written from the definition; the cutting border. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/utf8_scan.h"

/* RFC 3629 section 3: code point -> bytes. */
static size_t encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(leads[n] | c);
    return n;
}

static void every_code_point_has_its_length(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char bytes[4];
        const size_t n = encode(bytes, c);
        const size_t expected = c >= 0xd800 && c <= 0xdfff ? 0 : n;
        if (gol_utf8_char_len(bytes, n) != expected)
            fail_msg("U+%04X: %zu bytes, %zu expected", c, gol_utf8_char_len(bytes, n), expected);
        if (n > 1 && gol_utf8_char_len(bytes, n - 1) != 0)
            fail_msg("U+%04X is taken for whole without its last byte", c);
    }
}

/* All strings of one to three bytes plus the interesting fourth: what is accepted is exactly what the encoder can make. */
static void nothing_else_is_a_character(void **state)
{
    (void)state;
    uint32_t n_valid[5] = {0};
    for (uint32_t bits = 0; bits < 1u << 24; bits++) {
        const char s[4] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits, (char)0x80};
        const size_t len = gol_utf8_char_len(s, 4);
        assert_true(len <= 4);
        n_valid[len]++;
    }
    assert_int_equal(n_valid[1], 0x80u << 16);
    assert_int_equal(n_valid[2], (0x800u - 0x80u) << 8);
    assert_int_equal(n_valid[3], 0x10000u - 0x800u - 0x800u);
    assert_int_equal(n_valid[4], (0x110000u - 0x10000u) / 64); /* one of 64 last bytes was tried */
    assert_int_equal(gol_utf8_char_len("", 0), 0);
}

static void cut_moves_before_a_character_that_is_not_whole(void **state)
{
    (void)state;
    assert_int_equal(gol_utf8_cut("abc", 3), 3);
    assert_int_equal(gol_utf8_cut("abc", 0), 0);
    const char text[] = "aä€😀"; /* borders 0 1 3 6 10 */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
    for (size_t n = 0; n <= 10; n++)
        assert_int_equal(gol_utf8_cut(text, n), expected[n]);
}

static void cut_leaves_garbage_alone(void **state)
{
    (void)state;
    assert_int_equal(gol_utf8_cut("\x80\x80\x80\x80", 4), 4);
    assert_int_equal(gol_utf8_cut("a\xff", 2), 2);
    assert_int_equal(gol_utf8_cut("\xe2", 1), 0);
    assert_int_equal(gol_utf8_cut("\x80", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_has_its_length),
        cmocka_unit_test(nothing_else_is_a_character),
        cmocka_unit_test(cut_moves_before_a_character_that_is_not_whole),
        cmocka_unit_test(cut_leaves_garbage_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
