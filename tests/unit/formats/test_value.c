/* Conversions of metadata values: what fits passes, what would lose something does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "formats/value.h"

#define U(t, v) ((gol_value){.type = GOL_VALUE_##t, .u = (v)})
#define I(t, v) ((gol_value){.type = GOL_VALUE_##t, .i = (v)})
#define F(t, v) ((gol_value){.type = GOL_VALUE_##t, .f = (v)})

static void integers_convert_when_they_fit(void **state)
{
    (void)state;
    uint64_t u = 99;
    int64_t i = 99;
    assert_true(gol_value_as_u64(&U(U64, UINT64_MAX), &u) && u == UINT64_MAX);
    assert_true(gol_value_as_u64(&I(I8, 127), &u) && u == 127);
    assert_true(gol_value_as_i64(&U(U64, INT64_MAX), &i) && i == INT64_MAX);
    assert_true(gol_value_as_i64(&I(I64, INT64_MIN), &i) && i == INT64_MIN);
    u = 99;
    i = 99;
    assert_false(gol_value_as_u64(&I(I32, -1), &u));
    assert_false(gol_value_as_i64(&U(U64, (uint64_t)INT64_MAX + 1), &i));
    assert_false(gol_value_as_u64(&F(F32, 1.0), &u));
    assert_false(gol_value_as_u64(&U(BOOL, 1), &u));
    assert_false(gol_value_as_i64(&F(F64, 1.0), &i));
    assert_true(u == 99 && i == 99);
}

static void doubles_hold_integers_of_53_bits(void **state)
{
    (void)state;
    double d = -1;
    assert_true(gol_value_as_f64(&U(U64, 1ull << 53), &d) && d == 0x1p53);
    assert_true(gol_value_as_f64(&U(U64, 1ull << 63), &d) && d == 0x1p63);
    assert_true(gol_value_as_f64(&U(U64, 0), &d) && d == 0);
    assert_true(gol_value_as_f64(&I(I64, INT64_MIN), &d) && d == -0x1p63);
    assert_true(gol_value_as_f64(&I(I64, -(1ll << 53)), &d) && d == -0x1p53);
    assert_true(gol_value_as_f64(&F(F32, 0.5), &d) && d == 0.5);
    d = -1;
    assert_false(gol_value_as_f64(&U(U64, (1ull << 53) + 1), &d));
    assert_false(gol_value_as_f64(&U(U64, UINT64_MAX), &d));
    assert_false(gol_value_as_f64(&I(I64, -(1ll << 53) - 1), &d));
    assert_false(gol_value_as_f64(&U(BOOL, 1), &d));
    assert_true(d == -1);
}

static void bools_and_strings_are_only_themselves(void **state)
{
    (void)state;
    bool b = false;
    gol_str s = {0};
    assert_true(gol_value_as_bool(&U(BOOL, 1), &b) && b);
    assert_false(gol_value_as_bool(&U(U8, 1), &b));
    const gol_value text = {.type = GOL_VALUE_STRING, .str = GOL_STR("x")};
    assert_true(gol_value_as_str(&text, &s) && gol_str_is(s, "x"));
    assert_false(gol_value_as_str(&U(U8, 1), &s));
    assert_false(gol_value_as_bool(&text, &b));
}

static void elements_are_checked_by_index_and_type(void **state)
{
    (void)state;
    /* one byte off any alignment */
    static const uint8_t bytes[] = {0, 1, 2, 3, 0xff, 0xff, 0xff, 0xff, 0x7f};
    const gol_value i16 = {.type = GOL_VALUE_ARRAY,
                           .array = {.type = GOL_VALUE_I16, .n = 4, .data = bytes + 1}};
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    bool b = false;
    gol_str s;
    assert_int_equal(gol_value_n(&i16), 4);
    assert_true(gol_value_at_i64(&i16, 0, &i) && i == 0x0201);
    assert_true(gol_value_at_i64(&i16, 2, &i) && i == -1);
    assert_false(gol_value_at_u64(&i16, 2, &u));
    assert_true(gol_value_at_f64(&i16, 3, &d) && d == 0x7fff);
    assert_false(gol_value_at_i64(&i16, 4, &i));
    assert_false(gol_value_at_i64(&i16, UINT64_MAX, &i));
    assert_false(gol_value_at_bool(&i16, 0, &b));
    assert_false(gol_value_at_str(&i16, 0, &s));
    assert_false(gol_value_at_u64(&U(U8, 1), 0, &u));
    assert_int_equal(gol_value_n(&U(U8, 1)), 0);
}

static void equality_is_of_type_and_bits(void **state)
{
    (void)state;
    assert_true(gol_value_eq(&F(F32, (double)NAN), &F(F32, (double)NAN)));
    assert_false(gol_value_eq(&F(F32, 0.0), &F(F32, -0.0)));
    assert_false(gol_value_eq(&U(U8, 1), &U(U16, 1)));
    assert_false(gol_value_eq(&I(I8, 1), &I(I8, 2)));
    const gol_value a = {.type = GOL_VALUE_ARRAY,
                         .array = {.type = GOL_VALUE_U8, .n = 2, .data = (const uint8_t *)"ab"}};
    const gol_value b = {.type = GOL_VALUE_ARRAY,
                         .array = {.type = GOL_VALUE_U8, .n = 2, .data = (const uint8_t *)"ac"}};
    const gol_value c = {.type = GOL_VALUE_ARRAY,
                         .array = {.type = GOL_VALUE_U8, .n = 1, .data = (const uint8_t *)"a"}};
    assert_true(gol_value_eq(&a, &a));
    assert_false(gol_value_eq(&a, &b));
    assert_false(gol_value_eq(&a, &c));
}

static void every_type_has_a_name_and_a_size(void **state)
{
    (void)state;
    for (int t = 0; t < GOL_VALUE_N_TYPES; t++) {
        assert_string_not_equal(gol_value_type_name((gol_value_type)t), "unknown");
        assert_int_equal(gol_value_type_size((gol_value_type)t) == 0,
                         t == GOL_VALUE_STRING || t == GOL_VALUE_ARRAY);
    }
    assert_string_equal(gol_value_type_name(GOL_VALUE_N_TYPES), "unknown");
    assert_int_equal(gol_value_type_size(GOL_VALUE_N_TYPES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_convert_when_they_fit),
        cmocka_unit_test(doubles_hold_integers_of_53_bits),
        cmocka_unit_test(bools_and_strings_are_only_themselves),
        cmocka_unit_test(elements_are_checked_by_index_and_type),
        cmocka_unit_test(equality_is_of_type_and_bits),
        cmocka_unit_test(every_type_has_a_name_and_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
