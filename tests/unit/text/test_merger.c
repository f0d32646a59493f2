/* Merging with a heap against the definition: look for the best pair, merge it, look again. */
#include "unit/text/text_test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "text/merger.h"

enum { N_KINDS_OF_SYMBOL = 40, N_ROUNDS = 3000, LEN_MAX = 40 };

/* merged[a][b]: -1, or the symbol that a and b make; its order is orders[a][b]. */
typedef struct rules {
    int32_t merged[N_KINDS_OF_SYMBOL][N_KINDS_OF_SYMBOL];
    uint32_t orders[N_KINDS_OF_SYMBOL][N_KINDS_OF_SYMBOL];
} rules;

static bool find_rule(const void *ctx, const gol_symbol *left, const gol_symbol *right,
                      uint32_t *order, int32_t *id)
{
    const rules *r = ctx;
    *id = r->merged[left->id][right->id];
    *order = r->orders[left->id][right->id];
    return *id >= 0;
}

static void random_rules(rules *r, gol_rng *rng)
{
    for (int a = 0; a < N_KINDS_OF_SYMBOL; a++) {
        for (int b = 0; b < N_KINDS_OF_SYMBOL; b++) {
            const bool exists = gol_rng_below(rng, 4) == 0;
            r->merged[a][b] = exists ? (int32_t)gol_rng_below(rng, N_KINDS_OF_SYMBOL) : -1;
            r->orders[a][b] = (uint32_t)gol_rng_below(rng, 50); /* ties are common */
        }
    }
}

static size_t merge_by_definition(const rules *r, int32_t *ids, size_t n)
{
    for (;;) {
        size_t best = n;
        for (size_t i = 0; i + 1 < n; i++) {
            if (r->merged[ids[i]][ids[i + 1]] < 0)
                continue;
            if (best == n || r->orders[ids[i]][ids[i + 1]] < r->orders[ids[best]][ids[best + 1]])
                best = i;
        }
        if (best == n)
            return n;
        ids[best] = r->merged[ids[best]][ids[best + 1]];
        memmove(ids + best + 1, ids + best + 2, (n - best - 2) * sizeof *ids);
        n--;
    }
}

static void the_heap_finds_what_the_definition_finds(void **state)
{
    (void)state;
    gol_rng rng = {42, 0};
    gol_merger m = {0};
    static rules r;
    for (int round = 0; round < N_ROUNDS; round++) {
        if (round % 50 == 0)
            random_rules(&r, &rng);
        int32_t ids[LEN_MAX];
        size_t n = gol_rng_below(&rng, LEN_MAX + 1);
        gol_merger_clear(&m);
        for (size_t i = 0; i < n; i++) {
            ids[i] = (int32_t)gol_rng_below(&rng, 6);
            assert_int_equal(gol_merger_push(&m, (uint32_t)i, 1, ids[i]), 0);
        }
        assert_int_equal(gol_merger_run(&m, find_rule, &r), 0);
        const size_t n_symbols = n;
        n = merge_by_definition(&r, ids, n);
        size_t k = 0;
        uint32_t next_start = 0;
        for (int32_t i = n_symbols > 0 ? 0 : -1; i >= 0; i = m.symbols[i].next, k++) {
            assert_true(k < n);
            assert_int_equal(m.symbols[i].id, ids[k]);
            assert_int_equal(m.symbols[i].start, next_start);
            next_start += m.symbols[i].len;
        }
        assert_int_equal(k, n);
        assert_int_equal(next_start, n_symbols);
    }
    gol_merger_deinit(&m);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    static rules r;
    gol_rng rng = {1, 0};
    random_rules(&r, &rng);
    uint64_t n_failed = 1;
    for (uint64_t nth = 1; n_failed > 0; nth++) {
        gol_merger m = {0};
        gol_mem_fail_nth(nth, false);
        int rc = 0;
        for (uint32_t i = 0; rc == 0 && i < 500; i++)
            rc = gol_merger_push(&m, i, 1, (int32_t)(i % 6));
        if (rc == 0)
            rc = gol_merger_run(&m, find_rule, &r);
        n_failed = gol_mem_n_failed();
        gol_mem_fail_nth(0, false);
        assert_int_equal(rc, n_failed > 0 ? GOL_ENOMEM : 0);
        gol_merger_deinit(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heap_finds_what_the_definition_finds),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
