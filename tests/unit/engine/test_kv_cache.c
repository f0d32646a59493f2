/* Which blocks a sequence gets: exactly as many as its tokens need, all or none, and back in the right order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/kv_cache.h"
#include "support/seqs.h"

static const gol_seq_limits limits = {.max_model_len = 64, .block_size = 4, .n_vocab = 8};

static int init(gol_kv_cache *kv, int32_t n_blocks)
{
    const gol_kv_layout layout = gol_kv_layout_plain(4);
    return gol_kv_cache_init(kv, n_blocks, &layout, NULL, NULL);
}

static void blocks_for_rounds_up(void **state)
{
    (void)state;
    gol_kv_cache kv;
    assert_int_equal(init(&kv, 4), 0);
    assert_int_equal(gol_kv_cache_blocks_for(&kv, 0), 0);
    assert_int_equal(gol_kv_cache_blocks_for(&kv, 1), 1);
    assert_int_equal(gol_kv_cache_blocks_for(&kv, 4), 1);
    assert_int_equal(gol_kv_cache_blocks_for(&kv, 5), 2);
    assert_int_equal(gol_kv_cache_blocks_for(&kv, INT32_MAX), INT32_MAX / 4 + 1);
    gol_kv_cache_deinit(&kv);
}

static void slots_are_allocated_only_when_a_block_border_is_crossed(void **state)
{
    (void)state;
    gol_kv_cache kv;
    assert_int_equal(init(&kv, 4), 0);
    gol_seq *seq = seqs_create(1, 10, 4, 0, &limits);
    assert_int_equal(gol_kv_cache_n_lacking(&kv, seq), 3);
    assert_true(gol_kv_cache_allocate_slots(&kv, seq, 4));
    assert_int_equal(seq->n_blocks, 1);
    assert_int_equal(gol_kv_cache_n_lacking(&kv, seq), 2);
    seq->n_computed = 4;
    assert_true(gol_kv_cache_allocate_slots(&kv, seq, 1));
    assert_int_equal(seq->n_blocks, 2);
    seq->n_computed = 5;
    assert_true(gol_kv_cache_allocate_slots(&kv, seq, 3));
    assert_int_equal(seq->n_blocks, 2);
    seq->n_computed = 8;
    assert_true(gol_kv_cache_allocate_slots(&kv, seq, 2));
    assert_int_equal(seq->n_blocks, 3);
    assert_int_equal(gol_kv_cache_n_free(&kv), 1);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(seq->block_table[i], i);
    gol_kv_cache_free(&kv, seq);
    assert_int_equal(gol_kv_cache_n_free(&kv), 4);
    gol_seq_destroy(&seq);
    gol_kv_cache_deinit(&kv);
}

static void a_failed_allocation_changes_nothing(void **state)
{
    (void)state;
    gol_kv_cache kv;
    assert_int_equal(init(&kv, 3), 0);
    gol_seq *a = seqs_create(1, 8, 4, 0, &limits);
    gol_seq *b = seqs_create(2, 8, 4, 0, &limits);
    assert_true(gol_kv_cache_allocate_slots(&kv, a, 8));
    assert_false(gol_kv_cache_allocate_slots(&kv, b, 5));
    assert_int_equal(b->n_blocks, 0);
    assert_int_equal(gol_kv_cache_n_free(&kv), 1);
    assert_true(gol_kv_cache_allocate_slots(&kv, b, 4));
    gol_kv_cache_free(&kv, a);
    gol_kv_cache_free(&kv, b);
    gol_seq_destroy(&a);
    gol_seq_destroy(&b);
    gol_kv_cache_deinit(&kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_for_rounds_up),
        cmocka_unit_test(slots_are_allocated_only_when_a_block_border_is_crossed),
        cmocka_unit_test(a_failed_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
