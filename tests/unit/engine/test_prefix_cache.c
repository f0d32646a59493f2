/*
 * The prefix cache without a model: names of contents, what is found under them, and what a sequence makes of it when it starts. The
 * smallest case for each edge; long histories are simulated in tests/sim, bits are compared in test_prefix_same.c.
 */
#include <string.h>

#include "base/mem.h"
#include "unit/engine/scheduler_test.h"

enum { BS = 4, N_BLOCKS = 16 };

static gol_block_hasher hasher;

static int set_up_hasher(void **state)
{
    (void)state;
    gol_block_hasher_init(&hasher);
    return 0;
}

static void set_up(bench *b, int32_t n_blocks, int32_t block_size, int32_t n_rows)
{
    const bench_opts opts = {
        .n_blocks = n_blocks,
        .block_size = block_size,
        .max_model_len = 64,
        .hasher = &hasher,
        .n_exact_rows = n_rows,
        .sched = {.max_seqs = SEQS_MAX, .max_batch_tokens = 64},
    };
    bench_init(b, &opts);
}

/* A prompt of the numbers from 1 on, n of them, but with `other` at place `at`. */
static gol_seq *add_other(bench *b, int32_t n, int32_t at, int32_t other, char salt)
{
    int32_t prompt[64];
    for (int32_t i = 0; i < n; i++)
        prompt[i] = i == at ? other : i + 1;
    return submit(b, seqs_create_from(next_id(b), prompt, n, 8, 0, salt, &b->limits));
}

static gol_seq *add(bench *b, int32_t n)
{
    return add_other(b, n, -1, 0, 0);
}

/* Computed and gone: the prompt of n numbers is in the cache. */
static void warm(bench *b, int32_t n)
{
    gol_seq *seq = add(b, n);
    step(b);
    finish(b, seq);
}

/* ---- hashes ---- */

static void a_hash_depends_on_parent_tokens_salt_and_hasher(void **state)
{
    (void)state;
    const int32_t a[] = {1, 2, 3, 4};
    const int32_t c[] = {1, 2, 3, 5};
    const gol_block_hash root = gol_block_hash_root(&hasher, "", 0);
    const gol_block_hash salted = gol_block_hash_root(&hasher, "x", 1);
    const gol_block_hash first = gol_block_hash_next(&hasher, root, a, 4);
    gol_block_hasher other;
    gol_block_hasher_init(&other);
    const gol_block_hash all[] = {
        root,
        salted,
        first,
        gol_block_hash_next(&hasher, root, c, 4),
        gol_block_hash_next(&hasher, root, a, 3),
        gol_block_hash_next(&hasher, salted, a, 4),
        gol_block_hash_next(&hasher, first, a, 4),
        gol_block_hash_root(&other, "", 0),
        gol_block_hash_next(&other, root, a, 4),
    };
    enum { N = sizeof all / sizeof *all };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < i; k++)
            assert_false(gol_block_hash_eq(all[i], all[k]));
    assert_true(gol_block_hash_eq(first, gol_block_hash_next(&hasher, root, a, 4)));
}

static void a_salt_that_looks_like_a_block_is_no_block(void **state)
{
    (void)state;
    const int32_t tokens[] = {1, 2, 3, 4};
    const gol_block_hash root = gol_block_hash_root(&hasher, NULL, 0);
    unsigned char salt[sizeof root + sizeof tokens];
    memcpy(salt, &root, sizeof root);
    memcpy(salt + sizeof root, tokens, sizeof tokens);
    assert_false(gol_block_hash_eq(gol_block_hash_root(&hasher, salt, sizeof salt),
                                   gol_block_hash_next(&hasher, root, tokens, 4)));
}

/* ---- matching ---- */

static void a_longer_prompt_finds_whole_blocks_and_the_part_of_one(void **state)
{
    (void)state;
    /* tokens of the second prompt found after a first one of 10 tokens: blocks of 4, 4 and 2 */
    static const int32_t n_found[][2] = {{1, 0}, {2, 1},  {4, 3},   {5, 4},   {8, 7},
                                         {9, 8}, {10, 9}, {11, 10}, {12, 10}, {13, 10}};
    for (size_t i = 0; i < sizeof n_found / sizeof *n_found; i++) {
        bench b;
        set_up(&b, N_BLOCKS, BS, 0);
        warm(&b, 10);
        gol_seq *seq = add(&b, n_found[i][0]);
        step(&b);
        assert_int_equal(seq->n_cached, n_found[i][1]);
        assert_int_equal(b.n_tokens, n_found[i][0] - n_found[i][1]);
        assert_int_equal(b.kv.stats.n_hits, n_found[i][1]);
        assert_int_equal(b.kv.stats.n_queries, 10 + n_found[i][0]);
        tear_down(&b);
    }
}

static void the_last_token_is_computed_even_if_it_fills_a_block(void **state)
{
    (void)state;
    for (int32_t bs = 1; bs <= 8; bs *= 2) {
        bench b;
        set_up(&b, 32, bs, 0);
        warm(&b, 8);
        gol_seq *seq = add(&b, 8);
        step(&b);
        assert_int_equal(seq->n_cached, 7);
        assert_int_equal(b.n_tokens, 1);
        assert_int_equal(b.n_copies, 0); /* its block is unheld: taken over and cut */
        assert_int_equal(b.kv.stats.n_merges, bs == 1 ? 1 : 0);
        assert_int_equal(b.kv.index.n_cached, 8 / bs);
        tear_down(&b);
    }
}

static void an_unheld_block_is_taken_over_a_held_one_copied(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 0);
    gol_seq *first = add(&b, 6);
    step(&b);
    gol_seq *second = add(&b, 7);
    step(&b);
    assert_int_equal(second->n_cached, 6);
    assert_int_equal(b.n_copies, 1);
    assert_int_equal(b.copy.src_block, first->block_table[1]);
    assert_int_equal(b.copy.dst_block, second->block_table[1]);
    assert_int_equal(second->block_table[0], first->block_table[0]);
    assert_int_equal(b.kv.pool.blocks[first->block_table[0]].ref_cnt, 2);
    const int32_t tail = second->block_table[1];
    finish(&b, first);
    finish(&b, second);
    gol_seq *third = add(&b, 8);
    step(&b);
    assert_int_equal(third->n_cached, 7);
    assert_int_equal(b.n_copies, 0);
    assert_int_equal(third->block_table[1], tail);
    tear_down(&b);
}

/* The first one's block holds an answer's tokens, too, which the second has not: these must stay. */
static void an_unheld_block_that_holds_more_is_copied(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 0);
    gol_seq *first = add(&b, 6);
    step(&b);
    step(&b); /* 7 computed */
    const int32_t tail = first->block_table[1];
    finish(&b, first);
    assert_int_equal(b.kv.pool.blocks[tail].n_filled, 3);
    gol_seq *second = add(&b, 7); /* has 7 where the answer has ANSWER */
    step(&b);
    assert_int_equal(second->n_cached, 6);
    assert_int_equal(b.n_copies, 1);
    assert_int_equal(b.copy.src_block, tail);
    assert_int_equal(b.kv.pool.blocks[tail].n_filled, 3);
    tear_down(&b);
}

static void what_was_copied_is_young_again(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 5, BS, 0);
    warm(&b, 7);
    gol_seq *other = add_other(&b, 7, 0, 99, 0);
    step(&b);
    finish(&b, other);
    gol_seq *second = add_other(&b, 7, 6, 98, 0); /* copies the oldest block, that of 5 6 7 */
    step(&b);
    assert_int_equal(second->n_cached, 6);
    assert_int_equal(b.n_copies, 1);
    finish(&b, second);
    gol_seq *third = add_other(&b, 7, 0, 97, 0); /* takes the two oldest */
    step(&b);
    finish(&b, third);
    gol_seq *again = add(&b, 8);
    step(&b);
    assert_int_equal(again->n_cached, 7);
    tear_down(&b);
}

static void a_prompt_that_differs_inside_a_block_shares_up_to_there(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 0);
    warm(&b, 12);
    gol_seq *seq = add_other(&b, 12, 6, 99, 0);
    step(&b);
    assert_int_equal(seq->n_cached, 6);
    assert_int_equal(b.n_copies, 1);
    gol_seq *early = add_other(&b, 12, 0, 99, 0);
    step(&b);
    assert_int_equal(early->n_cached, 0);
    tear_down(&b);
}

static void the_last_free_block_is_cut_rather_than_copied_onto_itself(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 2, BS, 0);
    warm(&b, 7);
    gol_seq *seq = add_other(&b, 7, 6, 99, 0);
    step(&b);
    assert_int_equal(seq->n_cached, 6); /* the second block was the only free one left */
    assert_int_equal(b.n_copies, 0);
    assert_int_equal(b.n_tokens, 1);
    tear_down(&b);
}

static void salts_share_nothing(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 4);
    gol_seq *seqs[] = {add_other(&b, 10, -1, 0, 'a'), add_other(&b, 10, -1, 0, 'b'),
                       add_other(&b, 10, -1, 0, 0)};
    step(&b);
    assert_int_equal(b.n_tokens, 30);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(seqs[i]->n_cached, 0);
        finish(&b, seqs[i]);
    }
    gol_seq *again = add_other(&b, 10, -1, 0, 'b');
    step(&b);
    assert_int_equal(again->n_cached, 10);
    tear_down(&b);
}

static void equal_hashes_of_other_tokens_are_no_hit(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 4);
    gol_seq *first = add(&b, 11);
    gol_seq *forged = add_other(&b, 11, 5, 99, 0);
    memcpy(forged->block_hashes, first->block_hashes, 2 * sizeof(gol_block_hash));
    forged->prompt_hash = first->prompt_hash;
    assert_int_equal(first->n_hashed, 2);
    step(&b);
    finish(&b, first);
    finish(&b, forged);
    gol_seq *victim = add_other(&b, 11, 1, 98, 0);
    memcpy(victim->block_hashes, first->block_hashes, 2 * sizeof(gol_block_hash));
    victim->prompt_hash = first->prompt_hash;
    step(&b);
    assert_int_equal(victim->n_cached, 1); /* what the tokens have in common */
    assert_int_equal(b.n_hits, 0);
    tear_down(&b);
}

/* ---- exact repeats ---- */

static void an_exact_repeat_is_sampled_without_a_forward_pass(void **state)
{
    (void)state;
    static const int32_t lengths[] = {1, 3, 4, 5, 8, 11};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const int32_t n = lengths[i];
        bench b;
        set_up(&b, N_BLOCKS, BS, 4);
        gol_seq *first = add(&b, n);
        step(&b);
        gol_seq *second = add(&b, n);
        gol_seq *third = add(&b, n);
        step(&b);
        assert_int_equal(b.n_hits, 2);
        assert_int_equal(b.n_tokens, 1); /* the first one's decode */
        assert_int_equal(second->n_cached, n);
        assert_int_equal(second->n_computed, n);
        assert_int_equal(second->n_tokens, n + 1);
        assert_int_equal(b.n_copies, n % BS == 0 ? 0 : 2); /* of the tail */
        finish(&b, first);
        finish(&b, second);
        finish(&b, third);
        gol_seq *alone = add(&b, n);
        step(&b);
        assert_int_equal(b.n_hits, 1);
        assert_int_equal(b.n_tokens, 0); /* no forward pass at all */
        step(&b);
        assert_int_equal(b.n_tokens, 1);
        assert_int_equal(alone->n_computed, n + 1);
        assert_int_equal(b.kv.stats.n_exact_hits, 3);
        tear_down(&b);
    }
}

static void a_row_without_its_blocks_is_no_hit(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 4, BS, 4);
    warm(&b, 8);
    gol_seq *other = add_other(&b, 15, 0, 99, 0);
    step(&b);
    finish(&b, other);
    assert_int_equal(b.kv.stats.n_evictions, 2);
    gol_seq *seq = add(&b, 8);
    step(&b);
    assert_int_equal(seq->n_cached, 0);
    assert_int_equal(b.n_hits, 0);
    assert_int_equal(b.n_tokens, 8);
    tear_down(&b);
}

static void rows_are_forgotten_in_order_of_use(void **state)
{
    (void)state;
    gol_exact_cache cache;
    assert_int_equal(gol_exact_cache_init(&cache, 2, 3, BS, NULL), 0);
    const int32_t tail[] = {7, 8, 9};
    const gol_prompt_key keys[] = {
        {.hash = {1, 1}, .n_prompt = 3, .tail = tail, .n_tail = 3},
        {.hash = {1, 1}, .n_prompt = 7, .tail = tail, .n_tail = 3}, /* same bucket */
        {.hash = {2, 1}, .n_prompt = 4, .tail = tail, .n_tail = 0},
    };
    const float rows[][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    gol_exact_cache_put(&cache, &keys[0], rows[0]);
    gol_exact_cache_put(&cache, &keys[1], rows[1]);
    assert_memory_equal(gol_exact_cache_find(&cache, &keys[0]), rows[0], sizeof rows[0]);
    gol_exact_cache_put(&cache, &keys[2], rows[2]);
    assert_null(gol_exact_cache_find(&cache, &keys[1]));
    assert_memory_equal(gol_exact_cache_find(&cache, &keys[0]), rows[0], sizeof rows[0]);
    assert_memory_equal(gol_exact_cache_find(&cache, &keys[2]), rows[2], sizeof rows[2]);
    gol_exact_cache_put(&cache, &keys[0], rows[1]); /* is there: keeps what it has */
    assert_memory_equal(gol_exact_cache_find(&cache, &keys[0]), rows[0], sizeof rows[0]);
    gol_prompt_key other = keys[0];
    const int32_t other_tail[] = {7, 8, 8};
    other.tail = other_tail;
    assert_null(gol_exact_cache_find(&cache, &other));
    gol_exact_cache_deinit(&cache);
}

/* ---- merging and eviction ---- */

static void blocks_that_become_equal_are_merged(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 0);
    gol_seq *first = add(&b, 6);
    gol_seq *second = add_other(&b, 6, 1, 99, 0); /* another beginning: merges nothing */
    step(&b);
    gol_seq *third = add(&b, 7);
    third->tokens[6] = ANSWER; /* the prompt goes on as the first one's answer */
    step(&b);                  /* the first: 7 computed, the third: 7 */
    assert_int_equal(b.kv.stats.n_merges, 0);
    assert_int_not_equal(first->block_table[1], third->block_table[1]);
    step(&b); /* both fill their second block */
    assert_int_equal(b.kv.stats.n_merges, 1);
    assert_int_equal(first->block_table[1], third->block_table[1]);
    assert_int_equal(b.kv.pool.blocks[first->block_table[1]].ref_cnt, 2);
    assert_int_equal(b.kv.index.n_cached, 4); /* the third one's own block holds nothing now */
    assert_int_not_equal(first->block_table[1], second->block_table[1]);
    step(&b); /* and go on in blocks of their own */
    assert_int_not_equal(first->block_table[2], third->block_table[2]);
    tear_down(&b);
}

static void the_ends_of_sequences_are_evicted_before_their_beginnings(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 5, BS, 0);
    warm(&b, 16);
    gol_seq *other = add_other(&b, 8, 0, 99, 0); /* takes the unused one and the last of the four */
    step(&b);
    finish(&b, other);
    assert_int_equal(b.kv.stats.n_evictions, 1);
    gol_seq *seq = add(&b, 16);
    step(&b);
    assert_int_equal(seq->n_cached, 12);
    tear_down(&b);
}

static void a_preempted_sequence_finds_its_own_tokens_again(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 4, BS, 0);
    gol_seq *old = add_other(&b, 4, 0, 99, 0);
    gol_seq *young = add(&b, 3);
    while (young->status != GOL_SEQ_PREEMPTED)
        step(&b);
    const int32_t n_tokens = young->n_tokens;
    assert_in_range(n_tokens, 5, 9);
    finish(&b, old);
    step(&b);
    assert_int_equal(young->status, GOL_SEQ_RUNNING);
    assert_true(b.n_tokens <= 4 && b.n_tokens < n_tokens); /* its first block was still there */
    assert_int_equal(young->n_cached, 0); /* of the prompt, when it first started */
    tear_down(&b);
}

/* ---- equal prompts in flight ---- */

static void equal_prompts_that_arrive_together_are_computed_once(void **state)
{
    (void)state;
    bench b;
    set_up(&b, N_BLOCKS, BS, 4);
    gol_seq *seqs[4];
    for (int i = 0; i < 4; i++)
        seqs[i] = add(&b, 10);
    step(&b);
    assert_int_equal(b.n_tokens, 10);
    for (int i = 1; i < 4; i++)
        assert_true(seqs[i]->is_following && seqs[i]->leader == seqs[0]);
    step(&b);
    assert_int_equal(b.n_hits, 3);
    assert_int_equal(b.n_tokens, 1);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(seqs[i]->n_cached, 10);
        assert_int_equal(seqs[i]->block_table[1], seqs[0]->block_table[1]);
        assert_int_not_equal(seqs[i]->block_table[2], seqs[0]->block_table[2]);
    }
    tear_down(&b);
}

static void a_follower_blocks_nobody(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 32, BS, 4);
    gol_seq *leader = add(&b, 40);
    gol_seq *follower = add(&b, 45);
    gol_seq *third = add_other(&b, 3, 0, 99, 0);
    step(&b);
    assert_true(follower->is_following);
    assert_int_equal(follower->n_to_follow, 40);
    assert_int_equal(follower->n_promised, 12 - 10);
    assert_int_equal(leader->n_computed, 40);
    assert_int_equal(third->n_computed, 3);
    step(&b);
    assert_int_equal(follower->n_cached, 40);
    assert_int_equal(b.n_tokens, 1 + 5 + 1);
    tear_down(&b);
}

static void what_a_follower_will_want_is_not_given_to_others(void **state)
{
    (void)state;
    for (int32_t n_blocks = 19; n_blocks <= 20; n_blocks++) {
        bench b;
        set_up(&b, n_blocks, BS, 4);
        add(&b, 40);                                  /* 10 blocks */
        gol_seq *follower = add(&b, 60);              /* 5 more, promised */
        gol_seq *third = add_other(&b, 12, 0, 99, 0); /* 3; and each running one keeps a spare */
        step(&b);
        assert_int_equal(follower->n_promised, 5);
        assert_int_equal(third->status, n_blocks == 20 ? GOL_SEQ_RUNNING : GOL_SEQ_WAITING);
        tear_down(&b);
    }
}

static void followers_go_on_by_themselves_when_their_leader_ends(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 32, BS, 4);
    gol_seq *leader = add(&b, 40);
    gol_seq *next = add(&b, 40);
    gol_seq *last = add(&b, 40);
    (void)gol_scheduler_schedule(&b.sched);
    assert_ptr_equal(next->leader, leader);
    assert_ptr_equal(last->leader, leader);
    leader->n_scheduled = 0; /* as if the step had come to nothing */
    b.sched.plan.n_seqs = 0;
    gol_scheduler_update(&b.sched);
    finish(&b, leader);
    assert_null(next->leader);
    assert_true(next->is_following);
    step(&b); /* nothing was computed: one of them begins, the other follows that one */
    assert_false(next->is_following);
    assert_int_equal(b.n_tokens, 40);
    assert_ptr_equal(last->leader, next);
    step(&b);
    assert_int_equal(b.n_hits, 1);
    assert_int_equal(last->n_cached, 40);
    tear_down(&b);
}

static void a_follower_computes_the_rest_itself(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 40, BS, 4);
    b.sched.opts.max_batch_tokens = 38;
    gol_seq *leader = add(&b, 37); /* leaves one token of budget, so that more can start */
    gol_seq *follower = add_other(&b, 50, 35, 99, 0);
    step(&b);
    assert_true(follower->is_following);
    assert_int_equal(follower->n_to_follow, 35);
    assert_int_equal(follower->n_blocks, 0);
    finish(&b, leader); /* its blocks are free, and still hold what it computed */
    step(&b);
    assert_false(follower->is_following);
    assert_int_equal(follower->n_cached, 35);
    assert_int_equal(b.n_tokens, 15);
    assert_int_equal(b.sched.n_promised, 0);
    tear_down(&b);
}

static void little_in_common_is_not_waited_for(void **state)
{
    (void)state;
    bench b;
    set_up(&b, 32, BS, 4);
    add(&b, 20);
    gol_seq *second = add_other(&b, 20, 12, 99, 0);
    gol_seq *third = add_other(&b, 20, 19, 98, 0); /* all but the last one */
    step(&b);
    assert_false(second->is_following);
    assert_false(third->is_following);
    assert_int_equal(b.n_tokens, 60);
    assert_int_equal(b.kv.stats.n_merges, 3 + 4); /* but the blocks meet */
    tear_down(&b);
}

/* ---- memory ---- */

static void init_survives_running_out_of_memory(void **state)
{
    (void)state;
    const gol_kv_layout layout = gol_kv_layout_plain(BS);
    for (uint64_t n = 1;; n++) {
        gol_kv_cache kv;
        gol_exact_cache exact;
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        int rc = gol_exact_cache_init(&exact, 3, VOCAB, BS, &err);
        if (rc == 0)
            rc = gol_kv_cache_init(&kv, 5, &layout, &exact, &err);
        else
            kv = (gol_kv_cache){0};
        gol_mem_fail_nth(0, false);
        gol_kv_cache_deinit(&kv);
        gol_exact_cache_deinit(&exact);
        if (rc == 0) {
            assert_int_equal(n, 9); /* four arrays of rows, one of blocks, three of the index */
            break;
        }
        assert_int_equal(rc, GOL_ENOMEM);
        assert_true(err.message[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_depends_on_parent_tokens_salt_and_hasher),
        cmocka_unit_test(a_salt_that_looks_like_a_block_is_no_block),
        cmocka_unit_test(a_longer_prompt_finds_whole_blocks_and_the_part_of_one),
        cmocka_unit_test(the_last_token_is_computed_even_if_it_fills_a_block),
        cmocka_unit_test(an_unheld_block_is_taken_over_a_held_one_copied),
        cmocka_unit_test(an_unheld_block_that_holds_more_is_copied),
        cmocka_unit_test(what_was_copied_is_young_again),
        cmocka_unit_test(a_prompt_that_differs_inside_a_block_shares_up_to_there),
        cmocka_unit_test(the_last_free_block_is_cut_rather_than_copied_onto_itself),
        cmocka_unit_test(salts_share_nothing),
        cmocka_unit_test(equal_hashes_of_other_tokens_are_no_hit),
        cmocka_unit_test(an_exact_repeat_is_sampled_without_a_forward_pass),
        cmocka_unit_test(a_row_without_its_blocks_is_no_hit),
        cmocka_unit_test(rows_are_forgotten_in_order_of_use),
        cmocka_unit_test(blocks_that_become_equal_are_merged),
        cmocka_unit_test(the_ends_of_sequences_are_evicted_before_their_beginnings),
        cmocka_unit_test(a_preempted_sequence_finds_its_own_tokens_again),
        cmocka_unit_test(equal_prompts_that_arrive_together_are_computed_once),
        cmocka_unit_test(a_follower_blocks_nobody),
        cmocka_unit_test(what_a_follower_will_want_is_not_given_to_others),
        cmocka_unit_test(followers_go_on_by_themselves_when_their_leader_ends),
        cmocka_unit_test(a_follower_computes_the_rest_itself),
        cmocka_unit_test(little_in_common_is_not_waited_for),
        cmocka_unit_test(init_survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up_hasher, NULL);
}
