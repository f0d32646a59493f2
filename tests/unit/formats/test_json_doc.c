/* JSON files as Python writes them: whole numbers of any length. The rest of the reader is tested through folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "formats/json_doc.h"

static const gol_json_limits limits = {.depth_max = 8, .n_values_max = 64};

static json_t *parse(const char *text)
{
    json_t *root;
    gol_err err = {0};
    if (gol_json_doc_parse(&root, gol_str_from(text), &limits, "it", &err) != 0)
        fail_msg("%s", err.message);
    return root;
}

static void integers_longer_than_64_bits_are_reals(void **state)
{
    (void)state;
    json_t *root = parse(
        "{\"max\": 1000000000000000019884624838656, \"min\":[-9223372036854775809],"
        "\"just\": 9223372036854775808,\"text\":\"\\\"12345678901234567890\","
        "\"real\":0.1234567890123456789012,\"small\":17}");
    assert_true(json_is_real(json_object_get(root, "max")));
    assert_true(json_real_value(json_object_get(root, "max")) / 1e30 - 1 < 1e-12);
    assert_true(json_real_value(json_object_get(root, "max")) / 1e30 - 1 > -1e-12);
    const double min = json_real_value(json_array_get(json_object_get(root, "min"), 0));
    assert_true(min < -9.2233720368e18 && min > -9.2233720369e18);
    assert_true(json_real_value(json_object_get(root, "just")) > 9.2233720368e18);
    assert_string_equal(json_string_value(json_object_get(root, "text")), "\"12345678901234567890");
    assert_true(json_real_value(json_object_get(root, "real")) == 0.1234567890123456789012);
    assert_int_equal(json_integer_value(json_object_get(root, "small")), 17);
    json_decref(root);
}

static void integers_that_fit_stay_exact(void **state)
{
    (void)state;
    json_t *root = parse("{\"a\":9223372036854775807,\"b\":-9223372036854775808}");
    assert_true(json_integer_value(json_object_get(root, "a")) == INT64_MAX);
    assert_true(json_integer_value(json_object_get(root, "b")) == INT64_MIN);
    json_decref(root);
}

static void what_is_no_number_is_refused_beside_a_long_one(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":10000000000000000000000,\"b\":1-2}",
        "{\"a\":10000000000000000000000,\"b\":00000000000000000000001}",
        "{\"a\":10000000000000000000000",
        "{\"a\":1e999}",
        "{\"a\":10000000000000000000000,\"b\":\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *root;
        gol_err err = {0};
        assert_int_equal(gol_json_doc_parse(&root, gol_str_from(texts[i]), &limits, "it", &err),
                         GOL_EMODEL);
        assert_null(root);
        assert_memory_equal(err.message, "it: ", 4);
    }
}

static void memory_that_lacks_is_an_error(void **state)
{
    (void)state;
    int rc = -1;
    for (uint64_t n = 1; rc != 0; n++) {
        json_t *root;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        rc = gol_json_doc_parse(&root, GOL_STR("{\"a\":1000000000000000000000,\"b\":[1,\"x\"]}"),
                                &limits, "it", &err);
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || (rc == GOL_ENOMEM && root == NULL));
        if (rc == 0)
            json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_longer_than_64_bits_are_reals),
        cmocka_unit_test(integers_that_fit_stay_exact),
        cmocka_unit_test(what_is_no_number_is_refused_beside_a_long_one),
        cmocka_unit_test(memory_that_lacks_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
