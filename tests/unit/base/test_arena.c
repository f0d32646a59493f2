/* The arena: alignment, limit, growth, large requests, failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

static void blocks_are_aligned_disjoint_and_kept(void **state)
{
    (void)state;
    gol_arena a;
    gol_arena_init(&a, 64u << 20);
    enum { N = 2000 };
    static unsigned char *blocks[N];
    for (size_t i = 0; i < N; i++) {
        const size_t size = i * 7 % 300;
        blocks[i] = gol_arena_try_alloc(&a, size);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i * 7 % 300; k++)
            if (blocks[i][k] != i % 251)
                fail_msg("block %zu was written over at %zu", i, k);
    gol_arena_deinit(&a);
}

static void the_limit_counts_what_is_taken_from_the_heap(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 1, 32, 4096, 5000, 100000};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        gol_arena a;
        gol_arena_init(&a, limits[i]);
        size_t n_given = 0;
        while (gol_arena_try_alloc(&a, 16))
            n_given += 16;
        assert_true(a.n_bytes <= limits[i]);
        if (limits[i] >= 4096) /* headers cost little */
            assert_true(n_given > limits[i] - limits[i] / 10);
        gol_arena_deinit(&a);
        assert_int_equal(a.n_bytes, 0);
    }
}

static void one_request_may_use_the_whole_limit_but_not_a_byte_more(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 4096, 1u << 20, 5u << 20};
    for (size_t i = 0; i < 4; i++) {
        gol_arena a;
        gol_arena_init(&a, SIZE_MAX);
        assert_non_null(gol_arena_try_alloc(&a, 5u << 20));
        const size_t n_header = a.n_bytes - (5u << 20);
        gol_arena_deinit(&a);

        gol_arena_init(&a, sizes[i] + n_header);
        unsigned char *p = gol_arena_try_alloc(&a, sizes[i]);
        assert_non_null(p);
        p[sizes[i] - 1] = 1;
        assert_null(gol_arena_try_alloc(&a, 1));
        gol_arena_deinit(&a);
        assert_null(gol_arena_try_alloc(&a, sizes[i] + 1));
        assert_non_null(gol_arena_try_alloc(&a, sizes[i])); /* a refusal spoils nothing */
        gol_arena_deinit(&a);
    }
}

static void a_large_request_does_not_end_the_block_in_use(void **state)
{
    (void)state;
    gol_arena a;
    gol_arena_init(&a, 64u << 20);
    char *first = gol_arena_try_alloc(&a, 16);
    assert_non_null(gol_arena_try_alloc(&a, 3u << 20));
    char *second = gol_arena_try_alloc(&a, 16);
    assert_ptr_equal(second, first + 16);
    gol_arena_deinit(&a);
}

static void growth_doubles_so_blocks_are_few(void **state)
{
    (void)state;
    gol_arena a;
    gol_arena_init(&a, SIZE_MAX);
    size_t n_grown = 0;
    size_t n_before = 0;
    size_t largest = 0;
    for (size_t i = 0; i < (16u << 20) / 64; i++) {
        assert_non_null(gol_arena_try_alloc(&a, 64));
        if (a.n_bytes == n_before)
            continue;
        n_grown++;
        largest = a.n_bytes - n_before > largest ? a.n_bytes - n_before : largest;
        n_before = a.n_bytes;
    }
    assert_int_equal(largest, 1u << 20);
    assert_true(n_grown <= 8 + 17); /* 4 KiB .. 512 KiB, then whole mebibytes */
    gol_arena_deinit(&a);
}

static void arrays_check_their_product(void **state)
{
    (void)state;
    gol_arena a;
    gol_arena_init(&a, SIZE_MAX);
    assert_null(gol_arena_try_array(&a, SIZE_MAX / 2, 3));
    assert_null(gol_arena_try_calloc(&a, SIZE_MAX, SIZE_MAX));
    assert_null(gol_arena_try_alloc(&a, SIZE_MAX));
    assert_null(gol_arena_try_alloc(&a, SIZE_MAX - 16));
    assert_null(gol_arena_try_strdup(&a, (gol_str){"", SIZE_MAX}));
    assert_non_null(gol_arena_try_array(&a, 0, 8));
    unsigned char *dirty = gol_arena_try_alloc(&a, 64);
    memset(dirty, 0xff, 64);
    gol_arena_deinit(&a);
    const unsigned char *zeros = gol_arena_try_calloc(&a, 9, 7);
    for (size_t i = 0; i < 63; i++)
        assert_int_equal(zeros[i], 0);
    gol_arena_deinit(&a);
}

static void strdup_copies_bytes_and_ends_them(void **state)
{
    (void)state;
    gol_arena a;
    gol_arena_init(&a, 1u << 20);
    assert_memory_equal(gol_arena_try_strdup(&a, (gol_str){"a\0b-", 3}), "a\0b\0", 4);
    assert_string_equal(gol_arena_try_strdup(&a, (gol_str){NULL, 0}), "");
    gol_arena_deinit(&a);
}

static void running_out_of_memory_leaves_a_working_arena(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        gol_arena a;
        gol_arena_init(&a, 64u << 20);
        gol_mem_fail_nth(n, false);
        size_t n_null = 0;
        for (int i = 0; i < 600; i++)
            n_null += gol_arena_try_alloc(&a, 100) == NULL;
        const uint64_t n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        assert_int_equal(n_null, n_failed);
        gol_arena_deinit(&a);
        if (n_failed == 0) {
            assert_true(n > 3);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_disjoint_and_kept),
        cmocka_unit_test(the_limit_counts_what_is_taken_from_the_heap),
        cmocka_unit_test(one_request_may_use_the_whole_limit_but_not_a_byte_more),
        cmocka_unit_test(a_large_request_does_not_end_the_block_in_use),
        cmocka_unit_test(growth_doubles_so_blocks_are_few),
        cmocka_unit_test(arrays_check_their_product),
        cmocka_unit_test(strdup_copies_bytes_and_ends_them),
        cmocka_unit_test(running_out_of_memory_leaves_a_working_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
