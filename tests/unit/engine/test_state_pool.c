/* Slots of recurrent states, and the marks at which sequences leave snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/seq_state.h"
#include "engine/state_pool.h"

enum { N_SLOTS = 3, N_BLOCKS = 4 };

static gol_state_pool pool;
static gol_block blocks[N_BLOCKS];

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N_BLOCKS; i++)
        blocks[i] = (gol_block){.block_id = i, .state_slot = -1};
    return gol_state_pool_init(&pool, N_SLOTS, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    gol_state_pool_deinit(&pool);
    return 0;
}

static int32_t keep(int block)
{
    const int32_t slot = gol_state_pool_try_take(&pool);
    assert_true(slot >= 0);
    gol_state_pool_keep(&pool, slot, &blocks[block]);
    return slot;
}

static void every_slot_can_be_taken_once(void **state)
{
    (void)state;
    int32_t sum = 0;
    for (int i = 0; i < N_SLOTS; i++)
        sum += 1 << gol_state_pool_try_take(&pool);
    assert_int_equal(sum, 7);
    assert_int_equal(gol_state_pool_try_take(&pool), -1);
    gol_state_pool_give_back(&pool, 1);
    assert_int_equal(gol_state_pool_try_take(&pool), 1);
    assert_int_equal(gol_state_pool_try_take(&pool), -1);
}

static void free_slots_are_taken_before_snapshots(void **state)
{
    (void)state;
    const int32_t kept = keep(0);
    assert_int_equal(blocks[0].state_slot, kept);
    assert_int_not_equal(gol_state_pool_try_take(&pool), kept);
    assert_int_not_equal(gol_state_pool_try_take(&pool), kept);
    assert_int_equal(pool.n_evictions, 0);
    assert_int_equal(gol_state_pool_try_take(&pool), kept);
    assert_int_equal(pool.n_evictions, 1);
    assert_int_equal(blocks[0].state_slot, -1);
    assert_int_equal(pool.n_snapshots, 0);
}

static void the_snapshot_of_least_recent_use_goes_first(void **state)
{
    (void)state;
    keep(0);
    keep(1);
    keep(2);
    gol_state_pool_touch(&pool, &blocks[0]);
    keep(3);
    assert_int_equal(blocks[1].state_slot, -1);
    assert_true(blocks[0].state_slot >= 0 && blocks[2].state_slot >= 0);
    keep(1);
    assert_int_equal(blocks[2].state_slot, -1);
    assert_int_equal(pool.n_snapshots, N_SLOTS);
    assert_int_equal(pool.n_evictions, 2);
}

static void a_snapshot_that_is_dropped_leaves_a_free_slot(void **state)
{
    (void)state;
    keep(0);
    const int32_t slot = keep(1);
    keep(2);
    gol_state_pool_drop(&pool, &blocks[1]);
    gol_state_pool_drop(&pool, &blocks[1]); /* it has none any more */
    assert_int_equal(pool.n_snapshots, 2);
    assert_int_equal(gol_state_pool_try_take(&pool), slot);
    assert_int_equal(pool.n_evictions, 0);
}

static void a_model_without_states_has_no_slots(void **state)
{
    (void)state;
    gol_state_pool none;
    assert_int_equal(gol_state_pool_init(&none, 0, NULL), 0);
    assert_int_equal(gol_state_pool_try_take(&none), -1);
    gol_state_pool_drop(&none, &blocks[0]);
    assert_int_equal(gol_state_pool_bytes(0), 0);
    gol_state_pool_deinit(&none);
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_state_pool_init(&none, 5, NULL), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    gol_state_pool_deinit(&none);
}

static void marks_stand_in_order_and_are_passed(void **state)
{
    (void)state;
    gol_seq_state s = {0};
    gol_seq_state_mark(&s, 0); /* nothing to keep */
    gol_seq_state_mark(&s, 32);
    gol_seq_state_mark(&s, 8);
    gol_seq_state_mark(&s, 16);
    gol_seq_state_mark(&s, 8);
    assert_int_equal(s.n_marks, 3);
    const int32_t want[] = {8, 16, 32};
    assert_memory_equal(s.marks, want, sizeof want);
    gol_seq_state_pass(&s, 7);
    assert_int_equal(s.n_marks, 3);
    gol_seq_state_pass(&s, 16);
    assert_int_equal(s.n_marks, 1);
    assert_int_equal(s.marks[0], 32);
    gol_seq_state_pass(&s, 1000);
    assert_int_equal(s.n_marks, 0);
}

static void there_is_room_for_so_many_marks(void **state)
{
    (void)state;
    gol_seq_state s = {0};
    for (int32_t i = 1; i <= GOL_STATE_MARKS_MAX; i++) {
        assert_true(gol_seq_state_can_mark(&s, 8 * i));
        gol_seq_state_mark(&s, 8 * i);
    }
    assert_false(gol_seq_state_can_mark(&s, 1));
    assert_true(gol_seq_state_can_mark(&s, 8));
    gol_seq_state_mark(&s, 1);
    assert_int_equal(s.n_marks, GOL_STATE_MARKS_MAX);
    assert_int_equal(s.marks[0], 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_slot_can_be_taken_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(free_slots_are_taken_before_snapshots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_snapshot_of_least_recent_use_goes_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_that_is_dropped_leaves_a_free_slot, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_model_without_states_has_no_slots, set_up, tear_down),
        cmocka_unit_test(marks_stand_in_order_and_are_passed),
        cmocka_unit_test(there_is_room_for_so_many_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
