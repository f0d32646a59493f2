/* Copies between structs of different versions, byte by byte, and errors. */
#include "unit/lib/lib_test.h"

#include "lib/public_struct.h"

typedef struct thing {
    size_t struct_size;
    int32_t a;
    int32_t b;
} thing;

typedef struct later_thing {
    thing known;
    int32_t c[4];
} later_thing;

static void reading_takes_what_both_know(void **state)
{
    (void)state;
    gol_err err = {0};
    thing mine = {.a = 1, .b = 2};
    const thing older = {.struct_size = offsetof(thing, b), .a = 10, .b = 20};
    assert_int_equal(gol_public_read(&mine, sizeof mine, &older, "thing", &err), 0);
    assert_int_equal(mine.a, 10);
    assert_int_equal(mine.b, 2);
    later_thing later = {.known = {.struct_size = sizeof later, .a = 100, .b = 200}};
    assert_int_equal(gol_public_read(&mine, sizeof mine, &later.known, "thing", &err), 0);
    assert_int_equal(mine.b, 200);
}

static void a_field_that_is_not_known_must_be_off(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        gol_err err = {0};
        thing mine = {.a = 1};
        later_thing later = {.known = {.struct_size = sizeof later, .a = 100}};
        later.c[i] = 1 << 8 * i;
        assert_int_equal(gol_public_read(&mine, sizeof mine, &later.known, "thing", &err),
                         GOL_EUNSUPPORTED);
        assert_int_equal(mine.a, 1);
        assert_non_null(strstr(err.message, GOL_VERSION));
    }
}

static void sizes_have_limits(void **state)
{
    (void)state;
    assert_false(gol_public_is_size(0));
    assert_false(gol_public_is_size(sizeof(size_t) - 1));
    assert_true(gol_public_is_size(sizeof(size_t)));
    assert_true(gol_public_is_size(GOL_PUBLIC_STRUCT_MAX));
    assert_false(gol_public_is_size(GOL_PUBLIC_STRUCT_MAX + 1));
    assert_true(gol_public_is_size(sizeof(gollum_request)));
}

static void errors_are_copied_with_their_exit_code(void **state)
{
    (void)state;
    gol_err err = {0};
    gollum_error error;
    memset(&error, 0x5a, sizeof error);
    gol_fail(&err, GOL_EMODEL, "why %d", 7);
    assert_int_equal(gol_public_fail(&error, &err), GOLLUM_EMODEL);
    assert_int_equal(error.code, GOLLUM_EMODEL);
    assert_int_equal(error.exit_code, 65);
    assert_string_equal(error.message, "why 7");
    assert_int_equal(gol_public_fail(NULL, &err), GOLLUM_EMODEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_takes_what_both_know),
        cmocka_unit_test(a_field_that_is_not_known_must_be_off),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(errors_are_copied_with_their_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
