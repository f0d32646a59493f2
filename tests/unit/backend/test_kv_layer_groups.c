/* Layers of different groups share memory and have block tables of their own; what is behind a window may be missing. */
#include "unit/backend/backend_test.h"

enum { DIM = 32, N_HEADS = 2, WIDTH = N_HEADS * DIM, BLOCK = 16, N_BLOCKS = 8, N_TOKENS = 40 };

static const int32_t tables[2][3] = {{3, 0, 4}, {5, 2, 7}}; /* of groups; no block is in both */

typedef struct cache {
    gol_backend *be;
    gol_kv *kv;
    float *rows[2]; /* [N_TOKENS][WIDTH] K and V of a layer, and its queries */
} cache;

/* Two layers, of one group each. */
static cache make_cache(gol_kv_type type, const int32_t groups[2])
{
    cache c = {.be = make_backend(2)};
    const gol_kv_layer_shape layers[2] = {{N_HEADS, DIM, DIM, groups[0]},
                                          {N_HEADS, DIM, DIM, groups[1]}};
    const gol_kv_shape shape = {type, 2, N_BLOCKS, BLOCK, layers};
    gol_err err;
    gol_rng rng = {.key = 21};
    assert_int_equal(c.be->ops->kv_create(c.be, &c.kv, &shape, &err), 0);
    for (int il = 0; il < 2; il++)
        c.rows[il] = random_floats(&rng, N_TOKENS * WIDTH);
    return c;
}

static void end_cache(cache *c)
{
    for (int il = 0; il < 2; il++)
        free(c->rows[il]);
    c->be->ops->kv_destroy(c->be, &c->kv);
    gol_backend_destroy(&c->be);
}

/* All tokens of both layers, into the blocks of their groups' tables. */
static void write_tokens(cache *c)
{
    int32_t slots[2][N_TOKENS];
    for (int32_t g = 0; g < 2; g++)
        for (int32_t i = 0; i < N_TOKENS; i++)
            slots[g][i] = tables[g][i / BLOCK] * BLOCK + i % BLOCK;
    const gol_batch batch = {.n_tokens = N_TOKENS, .slot_mapping = slots[0]};
    for (int32_t il = 0; il < 2; il++)
        c->be->ops->kv_write(c->be, c->kv, il, c->rows[il], c->rows[il], WIDTH, WIDTH, &batch);
}

/* The last n_rows tokens of a layer, with tables[2][3]. */
static void attend(cache *c, float *out, int32_t il, int32_t window, int32_t n_rows,
                   const int32_t *block_tables)
{
    const gol_batch_seq seq = {.n_rows = n_rows,
                               .n_past = N_TOKENS - n_rows,
                               .n_blocks = 3,
                               .block_table = block_tables,
                               .table_stride = 3};
    const gol_batch batch = {.n_tokens = n_rows, .n_seqs = 1, .seqs = &seq};
    const gol_attention a = {.n_heads = N_HEADS, .scale = 0.2f, .window = window};
    c->be->ops->attention(c->be, out, c->rows[il] + (N_TOKENS - n_rows) * WIDTH, il, c->kv, &a,
                          &batch);
}

static void groups_take_the_memory_of_one(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    /* Places: layers 0, 3 and 4 have the first of their groups, 1 and 5 the second, 2 the third. */
    const gol_kv_layer_shape layers[6] = {{1, 32, 32, 0}, {2, 32, 32, 0}, {3, 32, 32, 0},
                                          {1, 32, 32, 1}, {1, 32, 32, 2}, {2, 32, 32, 1}};
    const gol_kv_shape one = {GOL_KV_F16, 3, N_BLOCKS, BLOCK, layers};
    const gol_kv_shape all = {GOL_KV_F16, 6, N_BLOCKS, BLOCK, layers};
    assert_int_equal(be->ops->kv_bytes(be, &one), N_BLOCKS * BLOCK * 6 * 64 * 2);
    assert_int_equal(be->ops->kv_bytes(be, &all), be->ops->kv_bytes(be, &one));
    gol_backend_destroy(&be);
}

/* Against the same layers without groups, where both have a table's blocks to themselves. */
static void each_group_reads_its_own_blocks(void **state)
{
    (void)state;
    for (int type = 0; type < GOL_N_KV_TYPES; type++) {
        cache grouped = make_cache((gol_kv_type)type, (const int32_t[]){0, 1});
        cache plain = make_cache((gol_kv_type)type, (const int32_t[]){0, 0});
        write_tokens(&grouped);
        write_tokens(&plain);
        for (int32_t il = 0; il < 2; il++) {
            float got[3 * WIDTH];
            float want[3 * WIDTH];
            attend(&grouped, got, il, 0, 3, tables[0]);
            attend(&plain, want, il, 0, 3, tables[0]);
            assert_memory_equal(got, want, sizeof got);
        }
        end_cache(&plain);
        end_cache(&grouped);
    }
}

/* Rows of positions 37 to 39 see 30 to 39: of blocks 1 and 2. */
static void blocks_behind_the_window_are_never_read(void **state)
{
    (void)state;
    const int32_t holes[2][3] = {{3, 0, 4}, {-1, 2, 7}};
    for (int type = 0; type < GOL_N_KV_TYPES; type++) {
        cache c = make_cache((gol_kv_type)type, (const int32_t[]){0, 1});
        write_tokens(&c);
        float got[3 * WIDTH];
        float want[3 * WIDTH];
        attend(&c, want, 1, 8, 3, tables[0]);
        attend(&c, got, 1, 8, 3, holes[0]);
        assert_memory_equal(got, want, sizeof got);
        end_cache(&c);
    }
}

static void a_copied_block_serves_any_group(void **state)
{
    (void)state;
    for (int32_t il = 0; il < 2; il++) {
        cache c = make_cache(GOL_KV_F16, (const int32_t[]){0, 1});
        write_tokens(&c);
        int32_t moved[2][3];
        memcpy(moved, tables, sizeof moved);
        moved[il][1] = 6;
        float got[WIDTH];
        float want[WIDTH];
        attend(&c, want, il, 0, 1, tables[0]);
        c.be->ops->kv_copy_block(c.be, c.kv, 6, tables[il][1]);
        attend(&c, got, il, 0, 1, moved[0]);
        assert_memory_equal(got, want, sizeof got);
        end_cache(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_take_the_memory_of_one),
        cmocka_unit_test(each_group_reads_its_own_blocks),
        cmocka_unit_test(blocks_behind_the_window_are_never_read),
        cmocka_unit_test(a_copied_block_serves_any_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
