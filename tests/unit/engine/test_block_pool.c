/* The block pool and the block tables over it: order of reuse, counts, and that our own mistakes stop the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/block_pool.h"

static int32_t take(gol_block_pool *pool)
{
    return gol_block_pool_take(pool)->block_id;
}

static void unref(gol_block_pool *pool, int32_t block_id)
{
    gol_block_pool_unref(pool, gol_block_pool_get(pool, block_id));
}

/* All taken, each with content or not. */
static void set_up_taken(gol_block_pool *pool, int32_t n_blocks, bool has_content)
{
    assert_int_equal(gol_block_pool_init(pool, n_blocks, NULL), 0);
    for (int32_t i = 0; i < n_blocks; i++) {
        assert_int_equal(take(pool), i);
        pool->blocks[i].n_filled = has_content;
    }
    assert_int_equal(pool->n_free, 0);
}

static void blocks_with_content_are_taken_in_the_order_they_were_freed(void **state)
{
    (void)state;
    gol_block_pool pool;
    set_up_taken(&pool, 4, true);
    const int32_t order[] = {2, 0, 3, 1};
    for (int i = 0; i < 4; i++) {
        unref(&pool, order[i]);
        assert_int_equal(pool.n_free, i + 1);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(take(&pool), order[i]);
    gol_block_pool_deinit(&pool);
}

static void blocks_without_content_are_taken_first(void **state)
{
    (void)state;
    gol_block_pool pool;
    set_up_taken(&pool, 4, true);
    pool.blocks[1].n_filled = 0;
    pool.blocks[3].n_filled = 0;
    for (int32_t i = 0; i < 4; i++)
        unref(&pool, i);
    const int32_t expected[] = {3, 1, 0, 2};
    for (int i = 0; i < 4; i++)
        assert_int_equal(take(&pool), expected[i]);
    gol_block_pool_deinit(&pool);
}

static void a_block_that_was_of_use_is_young_again(void **state)
{
    (void)state;
    gol_block_pool pool;
    set_up_taken(&pool, 3, true);
    for (int32_t i = 0; i < 3; i++)
        unref(&pool, i);
    gol_block_pool_touch(&pool, gol_block_pool_get(&pool, 0));
    gol_block_pool_ref(&pool, gol_block_pool_get(&pool, 1)); /* revived out of the middle */
    gol_block_pool_touch(&pool, gol_block_pool_get(&pool, 1));
    assert_int_equal(pool.n_free, 2);
    assert_int_equal(take(&pool), 2);
    assert_int_equal(take(&pool), 0);
    assert_int_equal(pool.n_free, 0);
    gol_block_pool_deinit(&pool);
}

static void a_block_is_free_when_its_last_holder_lets_go(void **state)
{
    (void)state;
    gol_block_pool pool;
    assert_int_equal(gol_block_pool_init(&pool, 2, NULL), 0);
    gol_block *block = gol_block_pool_take(&pool);
    block->n_filled = 1;
    gol_block_pool_ref(&pool, block);
    gol_block_pool_unref(&pool, block);
    assert_int_equal(pool.n_free, 1);
    gol_block_pool_unref(&pool, block);
    assert_int_equal(pool.n_free, 2);
    assert_int_equal(take(&pool), 1); /* freed last, so it is reused last */
    gol_block_pool_deinit(&pool);
}

static void the_free_list_holds_exactly_the_free_blocks_after_any_history(void **state)
{
    (void)state;
    enum { N = 17 };
    gol_block_pool pool;
    assert_int_equal(gol_block_pool_init(&pool, N, NULL), 0);
    gol_rng rng = {.key = 7};
    int32_t held[N];
    int n_held = 0;
    for (int step = 0; step < 5000; step++) {
        if (n_held < N && (n_held == 0 || gol_rng_below(&rng, 2) == 0)) {
            held[n_held] = take(&pool);
            pool.blocks[held[n_held++]].n_filled = (int32_t)gol_rng_below(&rng, 2);
        } else {
            const int i = (int)gol_rng_below(&rng, (uint64_t)n_held);
            unref(&pool, held[i]);
            held[i] = held[--n_held];
        }
        int n_linked = 0;
        const gol_block *prev = &pool.free_head;
        for (const gol_block *b = pool.free_head.next_free; b != &pool.free_tail;
             b = b->next_free) {
            assert_ptr_equal(b->prev_free, prev);
            assert_int_equal(b->ref_cnt, 0);
            prev = b;
            n_linked++;
        }
        assert_ptr_equal(pool.free_tail.prev_free, prev);
        assert_int_equal(n_linked, pool.n_free);
        assert_int_equal(n_linked + n_held, N);
    }
    gol_block_pool_deinit(&pool);
}

static void free_twice(void)
{
    gol_block_pool pool;
    if (gol_block_pool_init(&pool, 2, NULL) != 0)
        return;
    const int32_t id = take(&pool);
    unref(&pool, id);
    unref(&pool, id);
}

static void take_too_many(void)
{
    gol_block_pool pool;
    if (gol_block_pool_init(&pool, 1, NULL) != 0)
        return;
    take(&pool);
    take(&pool);
}

static void free_unknown(void)
{
    gol_block_pool pool;
    if (gol_block_pool_init(&pool, 1, NULL) != 0)
        return;
    unref(&pool, 1);
}

/* In a child, whose complaint goes nowhere. */
static bool dies(void (*work)(void))
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        work();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void mistakes_in_counting_stop_the_program(void **state)
{
    (void)state;
    assert_true(dies(free_twice));
    assert_true(dies(take_too_many));
    assert_true(dies(free_unknown));
}

static void init_survives_running_out_of_memory(void **state)
{
    (void)state;
    gol_block_pool pool;
    gol_err err;
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_block_pool_init(&pool, 8, &err), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    assert_non_null(strstr(err.message, "8"));
    gol_block_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_with_content_are_taken_in_the_order_they_were_freed),
        cmocka_unit_test(blocks_without_content_are_taken_first),
        cmocka_unit_test(a_block_that_was_of_use_is_young_again),
        cmocka_unit_test(a_block_is_free_when_its_last_holder_lets_go),
        cmocka_unit_test(the_free_list_holds_exactly_the_free_blocks_after_any_history),
        cmocka_unit_test(mistakes_in_counting_stop_the_program),
        cmocka_unit_test(init_survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
