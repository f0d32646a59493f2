/* The hash against another implementation of SipHash-1-3, and the table against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str_table.h"

/* CPython's hash() of bytes is SipHash-1-3 too; with PYTHONHASHSEED=0 its key is zero. */
static const struct {
    const char *text;
    uint64_t hash;
} known[] = {
    {"a", 0x407448d2b89b1813},
    {"1234567", 0xa33d651594fdae81},
    {"12345678", 0x3489982430560a87},
    {"token_embd.weight", 0x85edf53087d19c31},
    {"blk.0.attn_q.weight", 0x3c25d18d28a94307},
    {"abcd", 0xe3d1d5fdd52aae89},
    {"abcde", 0x251f3c725bd784a2},
    {"abcdef", 0x62207e654289df28},
    {"12345678abcd", 0x007e4bd42431a9b1},
};

static void hashes_are_those_of_cpython(void **state)
{
    (void)state;
    static const uint64_t zero[2];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(gol_str_hash(zero, gol_str_from(known[i].text)) == known[i].hash);
}

enum { N_STRINGS = 5000 };

static char texts[N_STRINGS][8];

static gol_str text_at(int i)
{
    return gol_str_from(texts[i]);
}

static void fill_texts(void)
{
    gol_rng rng = {7, 0};
    for (int i = 0; i < N_STRINGS; i++) {
        const size_t len = gol_rng_below(&rng, 7);
        for (size_t k = 0; k < len; k++)
            texts[i][k] = (char)('a' + gol_rng_below(&rng, 5));
        texts[i][len] = '\0';
    }
}

static int32_t first_equal(int i)
{
    int32_t first = 0;
    while (!gol_str_eq(text_at(first), text_at(i)))
        first++;
    return first;
}

static void the_first_of_equal_strings_is_found(void **state)
{
    (void)state;
    fill_texts();
    gol_str_table table;
    assert_int_equal(gol_str_table_init(&table, 0), 0); /* grows from the smallest */
    for (int i = 0; i < N_STRINGS; i++) {
        int32_t found;
        assert_int_equal(gol_str_table_add(&table, text_at(i), i, &found), 0);
        assert_int_equal(found, first_equal(i));
    }
    for (int i = 0; i < N_STRINGS; i++)
        assert_int_equal(gol_str_table_find(&table, text_at(i)), first_equal(i));
    assert_int_equal(gol_str_table_find(&table, GOL_STR("z")), -1);
    assert_int_equal(gol_str_table_find(&table, GOL_STR("abcdabcdabcd")), -1);
    gol_str_table_deinit(&table);
    assert_int_equal(gol_str_table_find(&table, text_at(0)), -1);
}

static void the_expected_strings_need_no_more_memory(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 8, 9, 1000};
    static char names[1001][2];
    for (int i = 0; i < 1001; i++) {
        names[i][0] = (char)(i / 100);
        names[i][1] = (char)(i % 100);
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        gol_str_table table;
        assert_int_equal(gol_str_table_init(&table, (size_t)sizes[s]), 0);
        gol_mem_fail_nth(1, true);
        int32_t found;
        for (int i = 0; i < sizes[s]; i++) {
            assert_int_equal(gol_str_table_add(&table, (gol_str){names[i], 2}, i, &found), 0);
            assert_int_equal(found, i);
        }
        gol_mem_fail_nth(0, false);
        for (int i = 0; i < 1001; i++)
            assert_int_equal(gol_str_table_find(&table, (gol_str){names[i], 2}),
                             i < sizes[s] ? i : -1);
        gol_str_table_deinit(&table);
    }
}

static void a_string_that_is_there_is_added_without_memory(void **state)
{
    (void)state;
    static const char letters[] = "abcdefgh";
    gol_str_table table;
    int32_t found;
    assert_int_equal(gol_str_table_init(&table, 8), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(gol_str_table_add(&table, (gol_str){letters + i, 1}, i, &found), 0);
    gol_mem_fail_nth(1, true);
    assert_int_equal(gol_str_table_add(&table, GOL_STR("c"), 8, &found), 0);
    assert_int_equal(found, 2);
    assert_int_equal(gol_str_table_add(&table, GOL_STR("i"), 8, &found), GOL_ENOMEM); /* full */
    gol_mem_fail_nth(0, false);
    gol_str_table_deinit(&table);
}

static void the_empty_string_is_a_string(void **state)
{
    (void)state;
    gol_str_table table = {0};
    assert_int_equal(gol_str_table_find(&table, GOL_STR("")), -1);
    assert_int_equal(gol_str_table_init(&table, 10), 0);
    assert_int_equal(gol_str_table_find(&table, GOL_STR("")), -1);
    int32_t found;
    assert_int_equal(gol_str_table_add(&table, (gol_str){NULL, 0}, INT32_MAX, &found), 0);
    assert_int_equal(gol_str_table_find(&table, GOL_STR("")), INT32_MAX);
    assert_int_equal(gol_str_table_find(&table, GOL_STR("a")), -1);
    gol_str_table_deinit(&table);
}

static void two_tables_have_different_keys(void **state)
{
    (void)state;
    gol_str_table a;
    gol_str_table b;
    assert_int_equal(gol_str_table_init(&a, 1), 0);
    assert_int_equal(gol_str_table_init(&b, 1), 0);
    assert_true(a.key[0] != b.key[0] && a.key[1] != b.key[1]);
    gol_str_table_deinit(&a);
    gol_str_table_deinit(&b);
}

static void running_out_of_memory_leaves_the_table_whole(void **state)
{
    (void)state;
    fill_texts();
    gol_str_table table;
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_str_table_init(&table, 10), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    assert_null(table.slots);
    assert_int_equal(gol_str_table_init(&table, SIZE_MAX), GOL_ENOMEM);
    assert_int_equal(gol_str_table_init(&table, 1), 0);
    gol_mem_fail_nth(1, true);
    int32_t found;
    int n = 0;
    while (gol_str_table_add(&table, text_at(n), n, &found) == 0)
        n++;
    gol_mem_fail_nth(0, false);
    assert_true(n > 0 && n < N_STRINGS);
    for (int i = 0; i < n; i++)
        assert_int_equal(gol_str_table_find(&table, text_at(i)), first_equal(i));
    assert_int_equal(gol_str_table_find(&table, text_at(n)), -1);
    gol_str_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_cpython),
        cmocka_unit_test(the_first_of_equal_strings_is_found),
        cmocka_unit_test(the_expected_strings_need_no_more_memory),
        cmocka_unit_test(a_string_that_is_there_is_added_without_memory),
        cmocka_unit_test(the_empty_string_is_a_string),
        cmocka_unit_test(two_tables_have_different_keys),
        cmocka_unit_test(running_out_of_memory_leaves_the_table_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
