/* Allocation: sizes at the edges, the failure switch, the guard, huge pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit/base/child.h"

static void zero_bytes_are_a_block_of_their_own(void **state)
{
    (void)state;
    void *blocks[] = {gol_try_alloc(0), gol_try_calloc(0, 8), gol_try_array(8, 0),
                      gol_try_realloc(NULL, 0, 1), gol_try_strndup((gol_str){NULL, 0})};
    const size_t n = sizeof blocks / sizeof *blocks;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(blocks[i]);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(blocks[i], blocks[j]);
    }
    for (size_t i = 0; i < n; i++)
        gol_free(blocks[i]);
    void *aligned = gol_try_aligned(0);
    assert_non_null(aligned);
    gol_aligned_free(aligned);
    gol_free(NULL);
    gol_aligned_free(NULL);
}

static void products_that_overflow_are_refused(void **state)
{
    (void)state;
    const size_t half = SIZE_MAX / 2 + 1;
    assert_null(gol_try_array(half, 2));
    assert_null(gol_try_calloc(half, 2));
    assert_null(gol_try_array(SIZE_MAX, SIZE_MAX));
    assert_null(gol_try_strndup((gol_str){"", SIZE_MAX}));
    size_t out;
    assert_false(gol_mul_size(&out, half, 2));
    assert_true(out == SIZE_MAX);
    assert_true(gol_mul_size(&out, SIZE_MAX, 1));
    assert_true(out == SIZE_MAX);
    assert_false(gol_add_size(&out, SIZE_MAX, 1));
    assert_true(out == SIZE_MAX);
    assert_true(gol_add_size(&out, SIZE_MAX - 1, 1));
}

static void impossible_sizes_are_null_not_the_end(void **state)
{
    (void)state;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1,
                            (size_t)1 << 56};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_null(gol_try_alloc(sizes[i]));
        assert_null(gol_try_calloc(1, sizes[i]));
        assert_null(gol_try_aligned(sizes[i]));
        assert_null(gol_try_realloc(NULL, sizes[i], 1));
    }
}

static void a_failed_realloc_leaves_the_block(void **state)
{
    (void)state;
    char *p = gol_try_alloc(4);
    memcpy(p, "abc", 4);
    assert_null(gol_try_realloc(p, SIZE_MAX, 2));
    assert_null(gol_try_realloc(p, (size_t)1 << 56, 1));
    gol_mem_fail_nth(1, false);
    assert_null(gol_try_realloc(p, 100, 1));
    gol_mem_fail_nth(0, false);
    assert_string_equal(p, "abc");
    p = gol_try_realloc(p, 1000, 100);
    assert_string_equal(p, "abc");
    gol_free(p);
}

static void calloc_is_zeroed_and_strndup_ends_with_nul(void **state)
{
    (void)state;
    unsigned char *p = gol_try_calloc(100, 7);
    for (size_t i = 0; i < 700; i++)
        assert_int_equal(p[i], 0);
    gol_free(p);
    char *s = gol_try_strndup((gol_str){"a\0bcd", 4});
    assert_memory_equal(s, "a\0bc\0", 5);
    gol_free(s);
}

static void aligned_blocks_are_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        1, 63, 64, 65, 4095, (4u << 20) - 1, 4u << 20, (4u << 20) + 1, 9u << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *p = gol_try_aligned(sizes[i]);
        assert_non_null(p);
        const size_t align = sizes[i] >= 4u << 20 ? 2u << 20 : GOL_MEM_ALIGN;
        assert_int_equal((uintptr_t)p % align, 0);
        p[0] = 1;
        p[sizes[i] - 1] = 2;
        gol_aligned_free(p);
    }
}

/* Looks for the flag "hg" (huge pages advised) of the mapping that holds p; -1 when the kernel tells nothing. */
static int is_huge_advised(const void *p)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    if (!f)
        return -1;
    int result = -1;
    bool is_inside = false;
    char line[1024];
    while (fgets(line, sizeof line, f)) {
        uintptr_t begin, end;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
            is_inside = (uintptr_t)p >= begin && (uintptr_t)p < end;
        else if (is_inside && strncmp(line, "VmFlags:", 8) == 0)
            result = strstr(line, " hg") != NULL;
    }
    fclose(f);
    return result;
}

static void huge_pages_are_asked_for_from_four_mebibytes_on(void **state)
{
    (void)state;
    if (TEST_EMULATED || access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) != 0)
        skip(); /* no such pages in this kernel, or madvise() does nothing */
    unsigned char *large = gol_try_aligned(8u << 20);
    assert_non_null(large);
    const int is_advised = is_huge_advised(large + (1u << 20));
    gol_aligned_free(large);
    if (is_advised < 0)
        skip();
    assert_int_equal(is_advised, 1);
}

static void the_nth_call_fails_and_only_that(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 8; n++) {
        gol_mem_fail_nth(n, false);
        for (uint64_t call = 1; call <= 8; call++) {
            void *p = call % 2 ? gol_try_alloc(8) : gol_try_aligned(8);
            if (call == n)
                assert_null(p);
            else
                assert_non_null(p);
            gol_free(p);
        }
        assert_int_equal(gol_mem_n_failed(), 1);
    }
    gol_mem_fail_nth(0, false);
    assert_int_equal(gol_mem_n_failed(), 0);
}

static void a_persistent_failure_lasts_until_switched_off(void **state)
{
    (void)state;
    gol_mem_fail_nth(2, true);
    void *p = gol_try_alloc(1);
    assert_non_null(p);
    assert_null(gol_try_calloc(1, 1));
    assert_null(gol_try_array(1, 1));
    assert_null(gol_try_aligned(1));
    assert_null(gol_try_strndup(GOL_STR("x")));
    assert_null(gol_try_realloc(p, 2, 1));
    assert_int_equal(gol_mem_n_failed(), 5);
    char *own = gol_xstrdup("the family of our own sizes is not touched");
    assert_int_equal(gol_mem_n_failed(), 5);
    gol_mem_fail_nth(0, false);
    gol_free(own);
    gol_free(p);
    p = gol_try_alloc(1);
    assert_non_null(p);
    gol_free(p);
}

enum { N_THREADS = 4, CALLS_PER_THREAD = 1000 };

static void *count_failures(void *arg)
{
    int *n_null = arg;
    for (int i = 0; i < CALLS_PER_THREAD; i++) {
        void *p = gol_try_alloc(16);
        *n_null += p == NULL;
        gol_free(p);
    }
    return NULL;
}

static int failures_over_threads(void)
{
    pthread_t threads[N_THREADS];
    int n_null[N_THREADS] = {0};
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_failures, &n_null[i]), 0);
    int sum = 0;
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += n_null[i];
    }
    return sum;
}

static void the_nth_call_counts_over_all_threads(void **state)
{
    (void)state;
    enum { N_CALLS = N_THREADS * CALLS_PER_THREAD };
    gol_mem_fail_nth(N_CALLS / 2, false);
    assert_int_equal(failures_over_threads(), 1);
    gol_mem_fail_nth(N_CALLS - 9, true);
    assert_int_equal(failures_over_threads(), 10);
    assert_int_equal(gol_mem_n_failed(), 10);
    gol_mem_fail_nth(0, false);
}

static void allocate_where_forbidden(void *arg)
{
    (void)arg;
    gol_mem_forbid(true);
    gol_free(gol_try_alloc(1));
    gol_mem_forbid(false);
}

static void release_where_forbidden(void *arg)
{
    gol_mem_forbid(true);
    gol_free(arg);
    gol_mem_forbid(false);
}

static void check_forbidden(child_work *work, void *arg)
{
    child_result result;
#if defined(GOL_DEBUG)
    assert_true(child_run(&result, work, arg));
    assert_int_equal(result.signal, SIGABRT);
    assert_non_null(strstr(result.said, "must not touch the heap"));
#else
    (void)result;
    const uint64_t n_before = gol_mem_n_forbidden();
    work(arg);
    assert_true(gol_mem_n_forbidden() > n_before);
#endif
}

static void forbidden_use_of_the_heap_is_caught(void **state)
{
    (void)state;
    check_forbidden(allocate_where_forbidden, NULL);
    char *p = gol_try_alloc(1);
    check_forbidden(release_where_forbidden, p);
#if defined(GOL_DEBUG)
    gol_free(p); /* the child released only its copy */
#endif
}

static void *allocate_in_another_thread(void *arg)
{
    (void)arg;
    gol_free(gol_try_alloc(1));
    return NULL;
}

static void the_guard_is_of_one_thread_and_ends(void **state)
{
    (void)state;
    pthread_t thread;
    const uint64_t n_before = gol_mem_n_forbidden();
    assert_int_equal(pthread_create(&thread, NULL, allocate_in_another_thread, NULL), 0);
    gol_mem_forbid(true);
    gol_free(NULL);
    pthread_join(thread, NULL);
    gol_mem_forbid(false);
    gol_free(gol_try_alloc(1));
    assert_int_equal(gol_mem_n_forbidden(), n_before);
}

static void want_too_much(void *arg)
{
    const int which = *(const int *)arg;
    if (which == 0)
        gol_free(gol_xalloc(SIZE_MAX));
    else if (which == 1)
        gol_free(gol_xcalloc(SIZE_MAX / 2, 3));
    else
        gol_free(gol_xrealloc(NULL, (size_t)1 << 56));
}

static void the_own_family_ends_the_process_with_71(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        child_result result;
        assert_true(child_run(&result, want_too_much, &which));
        assert_int_equal(result.exit_code, 71);
        assert_non_null(strstr(result.said, "gollum: out of memory"));
    }
    char *p = gol_xcalloc(3, 5);
    for (int i = 0; i < 15; i++)
        assert_int_equal(p[i], 0);
    p = gol_xrealloc(p, 100);
    gol_free(p);
    gol_free(gol_xalloc(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_bytes_are_a_block_of_their_own),
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(impossible_sizes_are_null_not_the_end),
        cmocka_unit_test(a_failed_realloc_leaves_the_block),
        cmocka_unit_test(calloc_is_zeroed_and_strndup_ends_with_nul),
        cmocka_unit_test(aligned_blocks_are_aligned),
        cmocka_unit_test(huge_pages_are_asked_for_from_four_mebibytes_on),
        cmocka_unit_test(the_nth_call_fails_and_only_that),
        cmocka_unit_test(a_persistent_failure_lasts_until_switched_off),
        cmocka_unit_test(the_nth_call_counts_over_all_threads),
        cmocka_unit_test(forbidden_use_of_the_heap_is_caught),
        cmocka_unit_test(the_guard_is_of_one_thread_and_ends),
        cmocka_unit_test(the_own_family_ends_the_process_with_71),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
