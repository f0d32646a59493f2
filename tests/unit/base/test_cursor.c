/* Bounds-checked reading: values, borders, sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

static void values_are_little_endian_at_any_alignment(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x80, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};
    for (size_t shift = 0; shift < 8; shift++) {
        uint8_t copy[32];
        memcpy(copy + shift, bytes, sizeof bytes);
        gol_cursor c = gol_cursor_from(copy + shift, sizeof bytes);
        assert_int_equal(gol_cursor_u8(&c), 0x80);
        assert_true(gol_cursor_u64(&c) == 0x8807860584038201u);
        gol_cursor_seek(&c, 0);
        assert_int_equal(gol_cursor_u16(&c), 0x0180);
        assert_int_equal(gol_cursor_u32(&c), 0x05840382);
        gol_cursor_seek(&c, 5);
        assert_int_equal(gol_cursor_i32(&c), (int32_t)0x88078605);
        gol_cursor_seek(&c, 1);
        assert_true(gol_cursor_i64(&c) == (int64_t)0x8807860584038201u);
        assert_false(c.failed);
        assert_int_equal(gol_cursor_left(&c), 0);
    }
}

static void floats_keep_their_bits(void **state)
{
    (void)state;
    /* IEEE 754: 1.5f = 3fc00000, -2.0 = c000000000000000. */
    static const uint8_t bytes[] = {0, 0, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0xc0, 0x7f};
    gol_cursor c = gol_cursor_from(bytes, sizeof bytes);
    assert_true(gol_cursor_f32(&c) == 1.5f);
    assert_true(gol_cursor_f64(&c) == -2.0);
    assert_true(isnan(gol_cursor_f32(&c)));
    assert_true(gol_load_f32(bytes) == 1.5f);
    assert_true(gol_load_f64(bytes + 4) == -2.0);
}

typedef enum read_kind {
    READ_U8,
    READ_U16,
    READ_U32,
    READ_U64,
    READ_F32,
    READ_F64,
    READ_N,
} read_kind;

static const size_t read_sizes[READ_N] = {1, 2, 4, 8, 4, 8};

static bool read_gives_zero(gol_cursor *c, read_kind kind)
{
    switch (kind) {
    case READ_U8:
        return gol_cursor_u8(c) == 0;
    case READ_U16:
        return gol_cursor_u16(c) == 0;
    case READ_U32:
        return gol_cursor_u32(c) == 0;
    case READ_U64:
        return gol_cursor_u64(c) == 0;
    case READ_F32:
        return gol_cursor_f32(c) == 0.0f;
    default:
        return gol_cursor_f64(c) == 0.0;
    }
}

static void a_read_past_the_end_fails_once_and_for_all(void **state)
{
    (void)state;
    for (read_kind kind = READ_U8; kind < READ_N; kind++) {
        for (size_t size = 0; size <= 9; size++) {
            uint8_t *data = malloc(size + 1); /* + 1: size 0 is a block too */
            memset(data, 0xff, size + 1);
            gol_cursor c = gol_cursor_from(data + 1, size); /* ends at the block's end */
            const bool is_zero = read_gives_zero(&c, kind);
            assert_int_equal(c.failed, size < read_sizes[kind]);
            assert_int_equal(is_zero, c.failed);
            if (c.failed) {
                assert_int_equal(c.pos, 0);
                assert_int_equal(c.fail_pos, 0);
                assert_int_equal(gol_cursor_u8(&c), 0);
                assert_int_equal(gol_cursor_left(&c), 0);
                assert_null(gol_cursor_bytes(&c, 0));
                gol_cursor_seek(&c, 0);
                gol_cursor_skip(&c, 0);
                assert_true(c.failed);
                assert_int_equal(c.pos, 0);
            }
            free(data);
        }
    }
}

static void views_lie_inside_or_are_null(void **state)
{
    (void)state;
    static const uint8_t data[24];
    gol_cursor c = gol_cursor_from(data, 24);
    assert_ptr_equal(gol_cursor_bytes(&c, 4), data);
    assert_ptr_equal(gol_cursor_array(&c, 5, 4), data + 4);
    assert_ptr_equal(gol_cursor_bytes(&c, 0), data + 24);
    assert_ptr_equal(gol_cursor_array(&c, 0, 8), data + 24);
    assert_ptr_equal(gol_cursor_array(&c, UINT64_MAX, 0), data + 24);
    assert_false(c.failed);
    assert_null(gol_cursor_bytes(&c, 1));
    assert_int_equal(c.fail_pos, 24);
}

static void impossible_counts_fail_without_overflow(void **state)
{
    (void)state;
    static const uint8_t data[16];
    static const struct {
        uint64_t n;
        size_t size;
    } rows[] = {{UINT64_MAX, 1},
                {UINT64_MAX, 8},
                {UINT64_MAX / 8 + 1, 8},
                {(uint64_t)1 << 63, 2},
                {((uint64_t)1 << 61) + 1, 8},
                {9, 1},
                {2, 5},
                {1, SIZE_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gol_cursor c = gol_cursor_from(data, 16);
        gol_cursor_skip(&c, 8);
        assert_null(gol_cursor_array(&c, rows[i].n, rows[i].size));
        assert_true(c.failed);
        assert_int_equal(c.fail_pos, 8);
        assert_int_equal(c.pos, 8);
    }
    gol_cursor c = gol_cursor_from(data, 16);
    gol_cursor_skip(&c, UINT64_MAX);
    assert_true(c.failed);
}

static void align_moves_up_and_stays_inside(void **state)
{
    (void)state;
    static const uint8_t data[40];
    for (size_t alignment = 1; alignment <= 64; alignment *= 2) {
        for (size_t pos = 0; pos <= 40; pos++) {
            gol_cursor c = gol_cursor_from(data, 40);
            gol_cursor_skip(&c, pos);
            gol_cursor_align(&c, alignment);
            const size_t up = (pos + alignment - 1) / alignment * alignment;
            assert_int_equal(c.failed, up > 40);
            assert_int_equal(c.pos, up > 40 ? pos : up);
        }
    }
}

static void seek_goes_anywhere_up_to_the_end(void **state)
{
    (void)state;
    static const uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    gol_cursor c = gol_cursor_from(data, 8);
    gol_cursor_seek(&c, 8);
    assert_false(c.failed);
    gol_cursor_seek(&c, 2);
    assert_int_equal(gol_cursor_u8(&c), 3);
    gol_cursor_seek(&c, 9);
    assert_true(c.failed);
    assert_int_equal(c.fail_pos, 3);
    gol_cursor_seek(&c, 1); /* a failure is for good */
    assert_int_equal(c.pos, 3);
    c = gol_cursor_from(data, 8);
    gol_cursor_seek(&c, UINT64_MAX);
    assert_true(c.failed);
}

static void nothing_at_all_can_be_read_from(void **state)
{
    (void)state;
    gol_cursor c = gol_cursor_from(NULL, 0);
    assert_non_null(gol_cursor_bytes(&c, 0));
    assert_int_equal(gol_cursor_left(&c), 0);
    assert_false(c.failed);
    assert_int_equal(gol_cursor_u8(&c), 0);
    assert_true(c.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_little_endian_at_any_alignment),
        cmocka_unit_test(floats_keep_their_bits),
        cmocka_unit_test(a_read_past_the_end_fails_once_and_for_all),
        cmocka_unit_test(views_lie_inside_or_are_null),
        cmocka_unit_test(impossible_counts_fail_without_overflow),
        cmocka_unit_test(align_moves_up_and_stays_inside),
        cmocka_unit_test(seek_goes_anywhere_up_to_the_end),
        cmocka_unit_test(nothing_at_all_can_be_read_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
