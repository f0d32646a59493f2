/* Versions of Unicode: what each has, and what stands in for younger characters. Examples are from DerivedAge.txt and
 * UnicodeData.txt. */
#include "unit/text/text_test.h"

#include <utf8proc.h>

#include "text/unicode_forms.h"
#include "text/unicode_newer.h"
#include "text/unicode_props.h"
#include "text/utf8.h"

enum { CP_MAX = 0x10FFFF };

static bool is_scalar(uint32_t cp)
{
    return cp < 0xD800 || cp > 0xDFFF;
}

static int utf8_len(uint32_t cp)
{
    char bytes[4];
    return gol_utf8_encode(bytes, cp);
}

static void versions_have_what_they_assigned(void **state)
{
    (void)state;
    assert_true(gol_unicode_has('a', GOL_UNICODE_8));
    assert_true(gol_unicode_has(0x1E900, GOL_UNICODE_9)); /* Adlam, of version 9 */
    assert_false(gol_unicode_has(0x1E900, GOL_UNICODE_8));
    assert_false(gol_unicode_has(0x1FAE0, GOL_UNICODE_9)); /* melting face, 14 */
    assert_true(gol_unicode_has(0x1FAE0, GOL_UNICODE_16));
    assert_true(gol_unicode_has(0x10D50, GOL_UNICODE_16));  /* Garay, 16 */
    assert_false(gol_unicode_has(0x16EA0, GOL_UNICODE_16)); /* Beria Erfe, 17 */
    assert_true(gol_unicode_has(0x16EA0, GOL_UNICODE_17));
    assert_true(gol_unicode_has(CP_MAX, GOL_UNICODE_8));
}

static void stand_ins_are_as_long_and_older_than_version_15(void **state)
{
    (void)state;
    int n_replaced = 0;
    for (uint32_t cp = 0; cp <= CP_MAX; cp++) {
        if (!is_scalar(cp))
            continue;
        const uint32_t old = gol_unicode_stand_in(cp, GOL_UNICODE_17);
        n_replaced += old != cp;
        assert_int_equal(utf8_len(old), utf8_len(cp));
        assert_int_equal(gol_unicode_stand_in(old, GOL_UNICODE_17), old);
        if (old != cp)
            assert_int_not_equal(utf8proc_category((utf8proc_int32_t)old), UTF8PROC_CATEGORY_CN);
    }
    assert_in_range(n_replaced, 4000 + 5000 + 4000, 25000); /* 15: 4489, 16: 5185, 17: 4803 */
    assert_int_equal(gol_unicode_stand_in(0x16EA0, GOL_UNICODE_16), 0x1FFFE);
    assert_int_equal(gol_unicode_stand_in(0x88F, GOL_UNICODE_16), 0xFDD0);
}

static void categories_are_those_of_their_version(void **state)
{
    (void)state;
    assert_int_equal(gol_unicode_category(0x111C9, GOL_UNICODE_8), UTF8PROC_CATEGORY_PO);
    assert_int_equal(gol_unicode_category(0x111C9, GOL_UNICODE_16), UTF8PROC_CATEGORY_MN);
    assert_int_equal(gol_unicode_category(0x1885, GOL_UNICODE_8), UTF8PROC_CATEGORY_LO);
    assert_int_equal(gol_unicode_category(0x1885, GOL_UNICODE_9), UTF8PROC_CATEGORY_MN);
    assert_int_equal(gol_unicode_category(0x2E43, GOL_UNICODE_8), UTF8PROC_CATEGORY_CN);
    assert_int_equal(gol_unicode_category(0x11DE0, GOL_UNICODE_17), UTF8PROC_CATEGORY_ND);
    assert_int_equal(gol_unicode_category(0x11DE0, GOL_UNICODE_16), UTF8PROC_CATEGORY_CN);
    assert_true(gol_unicode_is_number(0x11DE0));
    assert_false(gol_unicode_is_punctuation(0x2E43));
    assert_true(gol_unicode_is_mark(0x11CAF)); /* Marchen, 9 */
    assert_false(gol_unicode_is_mark(0x1ACF)); /* 17 */
}

static void young_capitals_have_a_lower_case(void **state)
{
    (void)state;
    uint32_t out[2];
    assert_int_equal(gol_unicode_lower(out, 0x16EA0), 1);
    assert_int_equal(out[0], 0x16EBB);
    assert_int_equal(gol_unicode_lower(out, 0xA7DC), 1);
    assert_int_equal(out[0], 0x19B);
    assert_int_equal(gol_unicode_newer_lower('A'), 'A');
}

static void expressions_see_a_text_of_the_same_length(void **state)
{
    (void)state;
    gol_buf out;
    gol_buf_init(&out, 1 << 10);
    const gol_str old = GOL_STR("a\xE4\xB8\x80\xF0\x9F\x98\x80");
    assert_ptr_equal(gol_unicode_regex_subject(&out, old).data, old.data);
    /* U+10D50 Lu, U+20C1 of version 17, U+1E4F0 Nd */
    const gol_str text = GOL_STR("a\xF0\x90\xB5\x90-\xE2\x83\x81\xF0\x9E\x93\xB0!");
    const gol_str seen = gol_unicode_regex_subject(&out, text);
    assert_false(out.failed);
    assert_int_equal(seen.len, text.len);
    size_t pos = 1;
    assert_int_equal(utf8proc_category((utf8proc_int32_t)gol_utf8_next(seen, &pos)),
                     UTF8PROC_CATEGORY_LU);
    assert_int_equal(seen.data[pos++], '-');
    assert_int_equal(gol_utf8_next(seen, &pos), 0xFDD0);
    assert_int_equal(utf8proc_category((utf8proc_int32_t)gol_utf8_next(seen, &pos)),
                     UTF8PROC_CATEGORY_ND);
    assert_int_equal(seen.data[pos], '!');
    gol_buf_deinit(&out);
}

static void forms_leave_what_version_9_does_not_have(void **state)
{
    (void)state;
    gol_buf out;
    gol_buf_init(&out, 1 << 10);
    /* e + acute compose; U+11938 (version 13) has a decomposition later, an acute behind it stays alone. */
    const gol_str text = GOL_STR("e\xCC\x81\xF0\x91\xA4\xB8\xCC\x81\xF0\x91\xA4\xB8"
                                 "e\xCC\x81");
    assert_int_equal(gol_unicode_normalize(&out, text, GOL_UNICODE_NFC), 0);
    assert_true(gol_str_is(gol_buf_view(&out), "\xC3\xA9\xF0\x91\xA4\xB8\xCC\x81\xF0\x91\xA4\xB8"
                                               "\xC3\xA9"));
    gol_buf_clear(&out);
    assert_int_equal(
        gol_unicode_normalize(&out, GOL_STR("\xF0\x91\xA4\xB8\xC3\xA9"), GOL_UNICODE_NFD), 0);
    assert_true(gol_str_is(gol_buf_view(&out), "\xF0\x91\xA4\xB8"
                                               "e\xCC\x81"));
    gol_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_have_what_they_assigned),
        cmocka_unit_test(stand_ins_are_as_long_and_older_than_version_15),
        cmocka_unit_test(categories_are_those_of_their_version),
        cmocka_unit_test(young_capitals_have_a_lower_case),
        cmocka_unit_test(expressions_see_a_text_of_the_same_length),
        cmocka_unit_test(forms_leave_what_version_9_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
