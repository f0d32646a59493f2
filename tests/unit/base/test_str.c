/* String views, also empty and with NULs inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/str.h"

static void views_compare_by_length_and_bytes(void **state)
{
    (void)state;
    const gol_str empty = {NULL, 0};
    assert_true(gol_str_eq(empty, GOL_STR("")));
    assert_true(gol_str_eq(empty, empty));
    assert_true(gol_str_eq(GOL_STR("a\0b"), (gol_str){"a\0b", 3}));
    assert_false(gol_str_eq(GOL_STR("a\0b"), GOL_STR("a\0c")));
    assert_false(gol_str_eq(GOL_STR("ab"), GOL_STR("abc")));
    assert_true(gol_str_is(GOL_STR("llama"), "llama"));
    assert_false(gol_str_is(GOL_STR("llama\0"), "llama"));
    assert_true(gol_str_is(empty, ""));
    assert_int_equal(gol_str_from(NULL).len, 0);
}

static void views_print_without_a_nul(void **state)
{
    (void)state;
    char text[32];
    const gol_str part = {"abcdef", 3};
    const gol_str empty = {NULL, 0};
    snprintf(text, sizeof text, "[%.*s|%.*s]", GOL_STR_ARG(part), GOL_STR_ARG(empty));
    assert_string_equal(text, "[abc|]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_length_and_bytes),
        cmocka_unit_test(views_print_without_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
