/* `gollum bench`: lists of numbers, the tests they make, their names, and the median. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/bench_plan.h"
#include "cli/bench_report.h"

static void a_list_keeps_its_numbers_in_order(void **state)
{
    (void)state;
    gol_bench_list list;
    gol_err err = {0};
    assert_int_equal(gol_bench_list_parse(&list, "512,0,128,512", "--x", 0, 512, &err), 0);
    assert_int_equal(list.n, 4);
    assert_int_equal(list.values[0], 512);
    assert_int_equal(list.values[1], 0);
    assert_int_equal(list.values[2], 128);
    assert_int_equal(list.values[3], 512);
    assert_int_equal(gol_bench_list_parse(&list, "7", "--x", 7, 7, &err), 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.values[0], 7);
}

static void a_wrong_element_is_named_with_its_option(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *element;
    } wrong[] = {
        {"", "''"},
        {"1,", "''"},
        {",1", "''"},
        {"1,,2", "''"},
        {"1,x,3", "'x'"},
        {"12a", "'12a'"},
        {"-1", "'-1'"},
        {"1, 2", "' 2'"},
        {"1,101", "'101'"},
        {"1.5", "'1.5'"},
        {"4294967297", "'4294967297'"},
        {"18446744073709551617", "'18446744073709551617'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gol_bench_list list;
        gol_err err = {0};
        assert_int_equal(gol_bench_list_parse(&list, wrong[i].text, "--n-depth", 0, 100, &err),
                         GOL_EUSAGE);
        assert_non_null(strstr(err.message, "--n-depth"));
        assert_non_null(strstr(err.message, wrong[i].element));
        assert_non_null(strstr(err.message, "from 0 to 100"));
    }
}

static void a_list_has_a_limit(void **state)
{
    (void)state;
    char text[2 * GOL_BENCH_LIST_MAX + 8] = "1";
    for (int i = 1; i < GOL_BENCH_LIST_MAX; i++)
        strcat(text, ",1");
    gol_bench_list list;
    gol_err err = {0};
    assert_int_equal(gol_bench_list_parse(&list, text, "--x", 0, 9, &err), 0);
    assert_int_equal(list.n, GOL_BENCH_LIST_MAX);
    strcat(text, ",1");
    assert_int_equal(gol_bench_list_parse(&list, text, "--x", 0, 9, &err), GOL_EUSAGE);
}

static gol_settings settings_of(const char *n_prompt, const char *n_gen, const char *n_batch,
                                const char *n_depth)
{
    return (gol_settings){.n_prompt = n_prompt,
                          .n_gen = n_gen,
                          .n_batch = n_batch,
                          .n_depth = n_depth,
                          .n_threads = "1,2",
                          .repetitions = 3};
}

static void assert_tests(const gol_settings *settings, const char *const *names, int32_t n)
{
    gol_bench_plan plan;
    gol_err err = {0};
    assert_int_equal(gol_bench_plan_init(&plan, settings, &err), 0);
    assert_int_equal(plan.n_tests, n);
    assert_int_equal(plan.n_repetitions, 3);
    assert_int_equal(plan.n_threads.n, 2);
    for (int32_t i = 0; i < n; i++) {
        char name[GOL_BENCH_NAME_MAX];
        gol_bench_test_name(name, &plan.tests[i]);
        assert_string_equal(name, names[i]);
    }
    gol_bench_plan_deinit(&plan);
}

static void one_sequence_is_always_measured_before_many(void **state)
{
    (void)state;
    const gol_settings alone = settings_of("512", "32", "8", "0");
    assert_tests(&alone, (const char *const[]){"pp512", "tg32", "tg32b8"}, 3);
    const gol_settings with_one = settings_of("512", "32", "1,8,32", "0");
    assert_tests(&with_one, (const char *const[]){"pp512", "tg32", "tg32b8", "tg32b32"}, 4);
}

static void each_depth_gets_all_tests(void **state)
{
    (void)state;
    const gol_settings s = settings_of("16,512", "8", "2", "0,4096");
    assert_tests(&s,
                 (const char *const[]){"pp16", "pp512", "tg8", "tg8b2", "pp16@d4096", "pp512@d4096",
                                       "tg8@d4096", "tg8b2@d4096"},
                 8);
}

static void zero_leaves_a_kind_of_test_out(void **state)
{
    (void)state;
    const gol_settings no_decode = settings_of("512", "0", "8", "0");
    assert_tests(&no_decode, (const char *const[]){"pp512"}, 1);
    const gol_settings no_prefill = settings_of("0", "4", "1", "0");
    assert_tests(&no_prefill, (const char *const[]){"tg4"}, 1);
    const gol_settings neither = settings_of("0", "0", "8", "0,1");
    gol_bench_plan plan;
    gol_err err = {0};
    assert_int_equal(gol_bench_plan_init(&plan, &neither, &err), GOL_EUSAGE);
    assert_null(plan.tests);
}

static void the_longest_lists_fit_and_so_do_their_names(void **state)
{
    (void)state;
    char longest[16 * GOL_BENCH_LIST_MAX] = "";
    char deepest[16 * GOL_BENCH_LIST_MAX] = "";
    for (int i = 0; i < GOL_BENCH_LIST_MAX; i++) {
        strcat(longest, i > 0 ? ",4096" : "4096");
        strcat(deepest, i > 0 ? ",16777216" : "16777216");
    }
    const gol_settings s = settings_of(longest, longest, longest, deepest);
    gol_bench_plan plan;
    gol_err err = {0};
    assert_int_equal(gol_bench_plan_init(&plan, &s, &err), 0);
    assert_int_equal(plan.n_tests,
                     GOL_BENCH_LIST_MAX * (GOL_BENCH_LIST_MAX * (GOL_BENCH_LIST_MAX + 2)));
    char name[GOL_BENCH_NAME_MAX];
    gol_bench_test_name(name, &plan.tests[plan.n_tests - 1]);
    assert_string_equal(name, "tg4096b4096@d16777216");
    gol_bench_plan_deinit(&plan);
}

static void a_batch_counts_the_tokens_of_all_its_sequences(void **state)
{
    (void)state;
    assert_int_equal(gol_bench_test_n_tokens(&(gol_bench_test){.n_prompt = 512, .n_batch = 1}),
                     512);
    assert_int_equal(
        gol_bench_test_n_tokens(&(gol_bench_test){.n_gen = 1 << 16, .n_batch = 1 << 16}),
        (int64_t)1 << 32);
}

static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    const gol_settings s = settings_of("512", "32", "8", "0");
    gol_bench_plan plan;
    gol_err err = {0};
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_bench_plan_init(&plan, &s, &err), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    gol_bench_plan_deinit(&plan);
}

static void the_median_is_the_middle(void **state)
{
    (void)state;
    double one[] = {4};
    double odd[] = {9, 1, 5};
    double even[] = {8, 1, 4, 2};
    assert_true(gol_bench_median(one, 1) == 4);
    assert_true(gol_bench_median(odd, 3) == 5);
    assert_true(gol_bench_median(even, 4) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_its_numbers_in_order),
        cmocka_unit_test(a_wrong_element_is_named_with_its_option),
        cmocka_unit_test(a_list_has_a_limit),
        cmocka_unit_test(one_sequence_is_always_measured_before_many),
        cmocka_unit_test(each_depth_gets_all_tests),
        cmocka_unit_test(zero_leaves_a_kind_of_test_out),
        cmocka_unit_test(the_longest_lists_fit_and_so_do_their_names),
        cmocka_unit_test(a_batch_counts_the_tokens_of_all_its_sequences),
        cmocka_unit_test(running_out_of_memory_is_an_error),
        cmocka_unit_test(the_median_is_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
