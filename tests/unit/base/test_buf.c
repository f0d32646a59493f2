/* The growing buffer: limit, sticky failure, formatting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void appends_come_out_in_order_with_a_nul(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, 1000);
    assert_null(b.data);
    gol_buf_put(&b, "a\0b", 3);
    gol_buf_putc(&b, 'c');
    gol_buf_puts(&b, "de");
    gol_buf_put_str(&b, GOL_STR("f"));
    gol_buf_put_str(&b, (gol_str){NULL, 0});
    gol_buf_printf(&b, "%d-%s", 42, "x");
    gol_buf_printf(&b, "%s", "");
    assert_false(b.failed);
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "a\0bcdef42-x", 12);
    const gol_str view = gol_buf_view(&b);
    assert_ptr_equal(view.data, b.data);
    assert_int_equal(view.len, 11);
    gol_buf_deinit(&b);
    assert_null(b.data);
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 200; limit++) {
        gol_buf b;
        gol_buf_init(&b, limit);
        for (size_t i = 0; i < limit; i++)
            gol_buf_putc(&b, 'x');
        assert_false(b.failed);
        assert_int_equal(b.len, limit);
        assert_true(b.cap <= limit + 1);
        gol_buf_put(&b, "", 0);
        assert_false(b.failed);
        gol_buf_putc(&b, 'y');
        assert_true(b.failed);
        assert_int_equal(b.len, limit);
        gol_buf_deinit(&b);
    }
}

static void after_a_failure_nothing_more_is_taken(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, 10);
    gol_buf_puts(&b, "12345");
    gol_buf_puts(&b, "too long for the rest");
    assert_true(b.failed);
    gol_buf_putc(&b, '6');
    gol_buf_printf(&b, "%d", 7);
    assert_false(gol_buf_reserve(&b, 0));
    assert_string_equal(b.data, "12345");
    gol_buf_clear(&b);
    assert_false(b.failed);
    assert_string_equal(b.data, "");
    gol_buf_puts(&b, "1234567890");
    assert_string_equal(b.data, "1234567890");
    assert_false(b.failed);
    gol_buf_deinit(&b);
}

static void printf_is_whole_or_nothing(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, 8);
    gol_buf_printf(&b, "%s", "12345678");
    assert_false(b.failed);
    gol_buf_clear(&b);
    gol_buf_puts(&b, "ab");
    gol_buf_printf(&b, "%s", "1234567");
    assert_true(b.failed);
    assert_string_equal(b.data, "ab");
    gol_buf_deinit(&b);
}

static void huge_requests_fail_without_overflow(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, SIZE_MAX);
    gol_buf_puts(&b, "abc");
    assert_false(gol_buf_reserve(&b, SIZE_MAX));
    gol_buf_clear(&b);
    assert_false(gol_buf_reserve(&b, SIZE_MAX - 3));
    gol_buf_clear(&b);
    assert_false(gol_buf_reserve(&b, SIZE_MAX - 4));
    gol_buf_clear(&b);
    gol_buf_puts(&b, "still usable");
    assert_string_equal(b.data, "still usable");
    gol_buf_deinit(&b);
}

static void reserve_makes_room_so_that_data_stays(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, 1u << 20);
    assert_true(gol_buf_reserve(&b, 5000));
    assert_string_equal(b.data, "");
    const char *data = b.data;
    for (int i = 0; i < 5000; i++)
        gol_buf_putc(&b, 'z');
    assert_ptr_equal(b.data, data);
    gol_buf_deinit(&b);
}

static void drop_front_keeps_the_tail(void **state)
{
    (void)state;
    gol_buf b;
    gol_buf_init(&b, 100);
    gol_buf_drop_front(&b, 0);
    gol_buf_puts(&b, "hello world");
    gol_buf_drop_front(&b, 6);
    assert_string_equal(b.data, "world");
    assert_int_equal(b.len, 5);
    gol_buf_drop_front(&b, 0);
    gol_buf_drop_front(&b, 5);
    assert_string_equal(b.data, "");
    gol_buf_clear(&b);
    gol_buf_deinit(&b);
}

static void out_of_memory_keeps_a_prefix(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        gol_buf b;
        gol_buf_init(&b, 1u << 20);
        gol_mem_fail_nth(n, false);
        for (int i = 0; i < 1000; i++)
            gol_buf_printf(&b, "%c", 'a' + i % 26);
        const bool was_failed = gol_mem_n_failed() != 0;
        gol_mem_fail_nth(0, false);
        assert_int_equal(b.failed, was_failed);
        for (size_t i = 0; i < b.len; i++)
            assert_int_equal(b.data[i], 'a' + (int)(i % 26));
        gol_buf_deinit(&b);
        if (!was_failed) {
            assert_true(n > 3);
            break;
        }
        assert_true(b.len < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_come_out_in_order_with_a_nul),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(after_a_failure_nothing_more_is_taken),
        cmocka_unit_test(printf_is_whole_or_nothing),
        cmocka_unit_test(huge_requests_fail_without_overflow),
        cmocka_unit_test(reserve_makes_room_so_that_data_stays),
        cmocka_unit_test(drop_front_keeps_the_tail),
        cmocka_unit_test(out_of_memory_keeps_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
