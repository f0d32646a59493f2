/* The hash against another implementation of SipHash-1-3, and the table at its border sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/mem.h"
#include "formats/name_table.h"

/* CPython's hash() of bytes is SipHash-1-3 too; with PYTHONHASHSEED=0 its key is zero. */
static const struct {
    const char *name;
    uint64_t hash;
} known[] = {
    {"a", 0x407448d2b89b1813},
    {"1234567", 0xa33d651594fdae81},
    {"12345678", 0x3489982430560a87},
    {"token_embd.weight", 0x85edf53087d19c31},
    {"blk.0.attn_q.weight", 0x3c25d18d28a94307},
};

static void hashes_are_those_of_cpython(void **state)
{
    (void)state;
    static const uint64_t zero[2];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(gol_name_hash(zero, gol_str_from(known[i].name)) == known[i].hash);
}

typedef struct names {
    char text[1000][8];
} names;

static gol_str name_at(const void *owner, uint32_t i)
{
    return gol_str_from(((const names *)owner)->text[i]);
}

static void every_name_is_found_and_no_other(void **state)
{
    (void)state;
    static names all;
    for (uint32_t i = 0; i < 1000; i++)
        snprintf(all.text[i], sizeof all.text[i], "n%u", i);
    static const uint32_t sizes[] = {0, 1, 4, 5, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        gol_name_table table;
        assert_true(gol_name_table_try_init(&table, sizes[s], name_at, &all));
        for (uint32_t i = 0; i < sizes[s]; i++)
            assert_int_equal(gol_name_table_insert(&table, i), i);
        for (uint32_t i = 0; i < 1000; i++)
            assert_int_equal(gol_name_table_find(&table, name_at(&all, i)),
                             i < sizes[s] ? (int64_t)i : -1);
        assert_int_equal(gol_name_table_find(&table, GOL_STR("")), -1);
        assert_int_equal(gol_name_table_find(&table, GOL_STR("n")), -1);
        gol_name_table_deinit(&table);
        assert_int_equal(gol_name_table_find(&table, GOL_STR("n1")), -1);
    }
}

static void an_equal_name_gives_the_first_number(void **state)
{
    (void)state;
    static names all = {{"x", "y", "x"}};
    gol_name_table table;
    assert_true(gol_name_table_try_init(&table, 3, name_at, &all));
    assert_int_equal(gol_name_table_insert(&table, 0), 0);
    assert_int_equal(gol_name_table_insert(&table, 1), 1);
    assert_int_equal(gol_name_table_insert(&table, 2), 0);
    gol_name_table_deinit(&table);
}

static void two_tables_have_different_keys(void **state)
{
    (void)state;
    gol_name_table a;
    gol_name_table b;
    assert_true(gol_name_table_try_init(&a, 1, name_at, NULL));
    assert_true(gol_name_table_try_init(&b, 1, name_at, NULL));
    assert_true(a.key[0] != b.key[0] && a.key[1] != b.key[1]);
    gol_name_table_deinit(&a);
    gol_name_table_deinit(&b);
}

static void out_of_memory_leaves_an_empty_table(void **state)
{
    (void)state;
    gol_name_table table;
    gol_mem_fail_nth(1, false);
    assert_false(gol_name_table_try_init(&table, 10, name_at, NULL));
    gol_mem_fail_nth(0, false);
    assert_null(table.slots);
    gol_name_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_cpython),
        cmocka_unit_test(every_name_is_found_and_no_other),
        cmocka_unit_test(an_equal_name_gives_the_first_number),
        cmocka_unit_test(two_tables_have_different_keys),
        cmocka_unit_test(out_of_memory_leaves_an_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
