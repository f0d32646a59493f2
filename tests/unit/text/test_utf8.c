/* UTF-8: every code point there and back, every kind of ill-formed sequence, and the filter against cutting. */
#include "unit/text/text_test.h"

#include "text/utf8.h"

enum { CP_MAX = 0x10FFFF };

static bool is_scalar(uint32_t cp)
{
    return cp < 0xD800 || (cp > 0xDFFF && cp <= CP_MAX);
}

static void every_scalar_value_survives_encode_and_decode(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= CP_MAX; cp++) {
        if (!is_scalar(cp))
            continue;
        char bytes[4];
        uint32_t back;
        int n_bad;
        const int n = gol_utf8_encode(bytes, cp);
        assert_true(n == (cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4));
        assert_int_equal(gol_utf8_decode(bytes, (size_t)n, &back, &n_bad), n);
        assert_int_equal(back, cp);
        for (int cut = 1; cut < n; cut++)
            assert_int_equal(gol_utf8_decode(bytes, (size_t)cut, &back, &n_bad), -1);
    }
}

/* Decodes by the definition (RFC 3629): assemble the bits, then ask whether the shortest form is the same bytes. */
static bool is_well_formed_by_definition(const unsigned char *s, int n)
{
    const int len = s[0] < 0x80       ? 1
                    : s[0] >> 5 == 6  ? 2
                    : s[0] >> 4 == 14 ? 3
                    : s[0] >> 3 == 30 ? 4
                                      : 0;
    if (len != n)
        return false;
    uint32_t cp = len == 1 ? s[0] : s[0] & (0x7Fu >> len);
    for (int i = 1; i < n; i++) {
        if (s[i] >> 6 != 2)
            return false;
        cp = cp << 6 | (s[i] & 0x3Fu);
    }
    char shortest[4];
    return is_scalar(cp) && gol_utf8_encode(shortest, cp) == n &&
           memcmp(shortest, s, (size_t)n) == 0;
}

static void three_bytes_of_any_value_are_judged_by_the_definition(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v += 1 + (v & 0x3F) % 3) {
        const unsigned char s[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8),
                                    (unsigned char)v};
        uint32_t cp;
        int n_bad;
        const int n = gol_utf8_decode((const char *)s, 3, &cp, &n_bad);
        if (n > 0)
            assert_true(is_well_formed_by_definition(s, n));
        else
            for (int len = 1; len <= 3; len++)
                assert_false(is_well_formed_by_definition(s, len));
    }
}

typedef struct bad_case {
    const char *bytes;
    const char *expected; /* one "?" for each U+FFFD */
} bad_case;

/* Unicode 15, tables 3-8 to 3-11, and the classic traps. */
static const bad_case bad_cases[] = {
    {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "????????A"},
    {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "????????A"},
    {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "?????A??B"},
    {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A"},
    {"\x80", "?"},
    {"\xFE\xFF", "??"},
    {"\xC2", "?"},
    {"\xE2\x82", "?"},
    {"\xF0\x9F\x98", "?"},
    {"a\xF0\x9F\x98z", "a?z"},
    {"\xF5\x80\x80\x80", "????"},
    {"\xC3\xC3\xA9", "?\xC3\xA9"},
};

static void expand(gol_buf *out, const char *expected)
{
    for (; *expected; expected++) {
        if (*expected == '?')
            gol_buf_puts(out, "\xEF\xBF\xBD");
        else
            gol_buf_putc(out, *expected);
    }
}

/* Pushes bytes in pieces of `step` and flushes. */
static void filter_in_steps(gol_buf *out, gol_str bytes, size_t step)
{
    gol_utf8_filter filter = {0};
    for (size_t pos = 0; pos < bytes.len; pos += step) {
        const size_t n = bytes.len - pos < step ? bytes.len - pos : step;
        gol_utf8_filter_push(&filter, (gol_str){bytes.data + pos, n}, out);
        assert_true(gol_utf8_is_valid(gol_buf_view(out)));
    }
    gol_utf8_filter_flush(&filter, out);
    assert_true(gol_utf8_is_valid(gol_buf_view(out)));
}

static void ill_formed_bytes_become_one_replacement_per_maximal_subpart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
        const gol_str bytes = gol_str_from(bad_cases[i].bytes);
        assert_false(gol_utf8_is_valid(bytes));
        gol_buf expected;
        gol_buf_init(&expected, 1024);
        expand(&expected, bad_cases[i].expected);
        for (size_t step = 1; step <= bytes.len; step++) {
            gol_buf out;
            gol_buf_init(&out, 1024);
            filter_in_steps(&out, bytes, step);
            assert_int_equal(out.len, expected.len);
            assert_memory_equal(out.data, expected.data, out.len);
            gol_buf_deinit(&out);
        }
        gol_buf_deinit(&expected);
    }
}

static void every_scalar_value_passes_the_filter_cut_at_every_byte(void **state)
{
    (void)state;
    gol_buf out;
    gol_buf_init(&out, 64);
    for (uint32_t cp = 0; cp <= CP_MAX; cp++) {
        if (!is_scalar(cp))
            continue;
        char bytes[4];
        const int n = gol_utf8_encode(bytes, cp);
        for (int cut = 1; cut <= n; cut++) {
            gol_utf8_filter filter = {0};
            gol_buf_clear(&out);
            gol_utf8_filter_push(&filter, (gol_str){bytes, (size_t)cut}, &out);
            assert_int_equal(out.len, cut == n ? n : 0);
            gol_utf8_filter_push(&filter, (gol_str){bytes + cut, (size_t)(n - cut)}, &out);
            gol_utf8_filter_flush(&filter, &out);
            assert_int_equal(out.len, n);
            assert_memory_equal(out.data, bytes, (size_t)n);
        }
    }
    gol_buf_deinit(&out);
}

static void the_valid_prefix_ends_before_the_first_bad_byte(void **state)
{
    (void)state;
    assert_int_equal(gol_utf8_valid_prefix(GOL_STR("")), 0);
    assert_int_equal(gol_utf8_valid_prefix(GOL_STR("ab\xC3\xA9")), 4);
    assert_int_equal(gol_utf8_valid_prefix(GOL_STR("ab\xC3")), 2);
    assert_int_equal(gol_utf8_valid_prefix(GOL_STR("\xFFz")), 0);
}

static void characters_are_counted(void **state)
{
    (void)state;
    assert_int_equal(gol_utf8_count(GOL_STR("")), 0);
    assert_int_equal(gol_utf8_count(GOL_STR("ab\xC3\xA9")), 3);
    assert_int_equal(gol_utf8_count(GOL_STR("\xE2\x82\xAC\xF0\x9F\x98\x80")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_value_survives_encode_and_decode),
        cmocka_unit_test(characters_are_counted),
        cmocka_unit_test(three_bytes_of_any_value_are_judged_by_the_definition),
        cmocka_unit_test(ill_formed_bytes_become_one_replacement_per_maximal_subpart),
        cmocka_unit_test(every_scalar_value_passes_the_filter_cut_at_every_byte),
        cmocka_unit_test(the_valid_prefix_ends_before_the_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
