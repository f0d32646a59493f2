/* How many blocks sequences need in groups of layers with and without windows: against a count that goes through every token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/minmax.h"
#include "engine/kv_layout.h"

static gol_kv_layout layout_of(int32_t block_size, int32_t n_groups, const int32_t *windows,
                               int32_t n_slice_max)
{
    gol_kv_layout l;
    gol_kv_layout_init(&l, block_size, n_groups, windows, n_slice_max);
    return l;
}

static void a_model_without_windows_needs_a_block_for_its_places(void **state)
{
    (void)state;
    const gol_kv_layout l = gol_kv_layout_plain(16);
    assert_int_equal(gol_kv_layout_blocks_for(&l, 0), 0);
    assert_int_equal(gol_kv_layout_blocks_for(&l, 16), 1);
    assert_int_equal(gol_kv_layout_blocks_for(&l, 17), 2);
    assert_int_equal(gol_kv_layout_first(&l, 0, 1000), 0);
    assert_int_equal(gol_kv_layout_longest(&l, 3, 1000), 48);
    assert_int_equal(gol_kv_layout_longest(&l, 3, 40), 40);
    assert_int_equal(gol_kv_layout_n_tokens(&l, 7, 40), 112);
}

static void a_window_keeps_what_the_first_token_of_a_block_sees(void **state)
{
    (void)state;
    static const struct {
        int32_t window;
        int32_t n_seen; /* blocks of 4 */
    } cases[] = {{1, 0}, {2, 1}, {5, 1}, {6, 2}, {9, 2}, {10, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gol_kv_layout l = layout_of(4, 1, &cases[i].window, 8);
        assert_int_equal(l.n_seen[0], cases[i].n_seen);
        assert_int_equal(gol_kv_layout_first(&l, 0, cases[i].n_seen), 0);
        assert_int_equal(gol_kv_layout_first(&l, 0, cases[i].n_seen + 1), 1);
    }
}

/* Blocks of a group that a sequence holds while it computes rows [first, first + n): counted one by one. */
static int32_t count_held(int32_t block_size, int32_t window, int32_t first, int32_t n)
{
    const int32_t border = first / block_size * block_size;
    const int32_t seen = window == 0 || border < window ? 0 : border + 1 - window;
    int32_t n_held = 0;
    for (int32_t p = seen / block_size * block_size; p < first + n; p += block_size)
        n_held++;
    return n_held;
}

static int32_t count_most(int32_t block_size, int32_t window, int32_t n_tokens, int32_t n_slice_max)
{
    int32_t most = 0;
    for (int32_t first = 0; first < n_tokens; first++)
        for (int32_t n = 1; n <= n_slice_max && first + n <= n_tokens; n++)
            most = gol_max_i32(most, count_held(block_size, window, first, n));
    return most;
}

static void a_sequence_never_holds_more_than_was_said(void **state)
{
    (void)state;
    for (int32_t block_size = 1; block_size <= 5; block_size++) {
        for (int32_t window = 0; window <= 13; window++) {
            for (int32_t n_slice_max = 1; n_slice_max <= 7; n_slice_max += 3) {
                const gol_kv_layout l = layout_of(block_size, 1, &window, n_slice_max);
                for (int32_t n = 1; n <= 40; n++) {
                    const int32_t most = count_most(block_size, window, n, n_slice_max);
                    const int32_t said = gol_kv_layout_blocks_for(&l, n);
                    assert_true(most <= said);
                    if (n == 40)
                        assert_int_equal(said, most); /* and it is not said for nothing */
                }
            }
        }
    }
}

static void groups_add_up(void **state)
{
    (void)state;
    static const int32_t windows[] = {0, 9, 9};
    const gol_kv_layout l = layout_of(4, 3, windows, 8);
    /* A slice of 8 rows and what its first one sees: 2 + 1 + 2 blocks at most. */
    assert_int_equal(gol_kv_layout_blocks_for(&l, 4), 3);
    assert_int_equal(gol_kv_layout_blocks_for(&l, 20), 3 * 5);
    assert_int_equal(gol_kv_layout_blocks_for(&l, 400), 100 + 2 * 5);
    assert_int_equal(gol_kv_layout_longest(&l, 110, 1000), 400);
    assert_int_equal(gol_kv_layout_longest(&l, 109, 1000), 396);
    assert_int_equal(gol_kv_layout_longest(&l, 2, 1000), 0);
    assert_int_equal(gol_kv_layout_n_tokens(&l, 220, 400), 800);
    assert_int_equal(gol_kv_layout_n_tokens(&l, 223, 400), 804);
}

static void what_is_free_already_counts_once(void **state)
{
    (void)state;
    static const int32_t windows[] = {0, 9};
    static const int32_t n_free[] = {10, 2};
    const gol_kv_layout l = layout_of(4, 2, windows, 8);
    /* Two more entries: two and those ten; four of the window. */
    assert_int_equal(gol_kv_layout_n_starting(&l, 48, 10, n_free), 12 + 4);
    assert_int_equal(gol_kv_layout_n_lacking(&l, 48, 10), 2 + 2);
    /* Ninety more: the window has never more than five at a time. */
    assert_int_equal(gol_kv_layout_n_starting(&l, 400, 10, n_free), 100 + 5);
    assert_int_equal(gol_kv_layout_n_lacking(&l, 400, 10), 90 + 5);
    /* Behind somebody who lets go of the two that are seen. */
    assert_int_equal(gol_kv_layout_n_following(&l, 48, 10), 2 + 4);
    assert_int_equal(gol_kv_layout_n_lacking(&l, 40, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_without_windows_needs_a_block_for_its_places),
        cmocka_unit_test(a_window_keeps_what_the_first_token_of_a_block_sees),
        cmocka_unit_test(a_sequence_never_holds_more_than_was_said),
        cmocka_unit_test(groups_add_up),
        cmocka_unit_test(what_is_free_already_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
