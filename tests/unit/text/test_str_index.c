/* The string index against a plain list. */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "text/str_index.h"

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
    gol_str_index index;
    assert_int_equal(gol_str_index_init(&index, 0), 0); /* grows from the smallest */
    for (int i = 0; i < N_STRINGS; i++) {
        int32_t found;
        assert_int_equal(gol_str_index_add(&index, text_at(i), i, &found), 0);
        assert_int_equal(found, first_equal(i));
    }
    for (int i = 0; i < N_STRINGS; i++)
        assert_int_equal(gol_str_index_find(&index, text_at(i)), first_equal(i));
    assert_int_equal(gol_str_index_find(&index, GOL_STR("z")), -1);
    assert_int_equal(gol_str_index_find(&index, GOL_STR("abcdabcdabcd")), -1);
    gol_str_index_deinit(&index);
}

static void an_empty_index_finds_nothing(void **state)
{
    (void)state;
    gol_str_index index = {0};
    assert_int_equal(gol_str_index_find(&index, GOL_STR("")), -1);
    assert_int_equal(gol_str_index_init(&index, 10), 0);
    assert_int_equal(gol_str_index_find(&index, GOL_STR("")), -1);
    gol_str_index_deinit(&index);
}

static void running_out_of_memory_leaves_the_index_whole(void **state)
{
    (void)state;
    fill_texts();
    gol_str_index index;
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_str_index_init(&index, 10), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    assert_int_equal(gol_str_index_init(&index, 1), 0);
    gol_mem_fail_nth(1, true);
    int32_t found;
    int n = 0;
    while (gol_str_index_add(&index, text_at(n), n, &found) == 0)
        n++;
    gol_mem_fail_nth(0, false);
    assert_true(n > 0 && n < N_STRINGS);
    for (int i = 0; i < n; i++)
        assert_int_equal(gol_str_index_find(&index, text_at(i)), first_equal(i));
    gol_str_index_deinit(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_equal_strings_is_found),
        cmocka_unit_test(an_empty_index_finds_nothing),
        cmocka_unit_test(running_out_of_memory_leaves_the_index_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
