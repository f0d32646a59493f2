/* The paged KV cache of the CPU backend: sizes, refusals, copies, failures. */
#include "unit/backend/backend_test.h"

#include "base/mem.h"

static void the_cache_takes_the_bytes_it_announces(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const gol_kv_layer_shape layers[3] = {{2, 64, 32, 0}, {0, 64, 64, 0}, {1, 32, 32, 0}};
    gol_kv_shape shape = {GOL_KV_F16, 3, 10, 16, layers};
    const size_t n_numbers = 10 * 16 * (2 * 96 + 64);
    assert_int_equal(be->ops->kv_bytes(be, &shape), n_numbers * 2);
    shape.type = GOL_KV_BF16;
    assert_int_equal(be->ops->kv_bytes(be, &shape), n_numbers * 2);
    shape.type = GOL_KV_F32;
    assert_int_equal(be->ops->kv_bytes(be, &shape), n_numbers * 4);
    shape.type = GOL_KV_Q8_0;
    assert_int_equal(be->ops->kv_bytes(be, &shape), n_numbers / 32 * 34);
    /* Keys fill panels of sixteen, values rows of a multiple of sixteen. */
    const gol_kv_layer_shape odd = {1, 20, 20, 0};
    shape = (gol_kv_shape){GOL_KV_F32, 1, 2, 17, &odd};
    assert_int_equal(be->ops->kv_bytes(be, &shape), 2 * (32 * 20 + 17 * 32) * 4);
    gol_backend_destroy(&be);
}

static void a_cache_beyond_memory_is_refused(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const gol_kv_layer_shape huge = {INT32_MAX, INT32_MAX, INT32_MAX, 0};
    const gol_kv_shape shape = {GOL_KV_F32, 1, 1 << 20, 16, &huge};
    gol_kv *kv;
    gol_err err = {0};
    assert_true(be->ops->kv_bytes(be, &shape) == SIZE_MAX);
    assert_int_equal(be->ops->kv_create(be, &kv, &shape, &err), GOL_ENOMEM);
    assert_null(kv);
    gol_backend_destroy(&be);
}

static void q8_0_needs_heads_of_whole_blocks(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    gol_kv *kv;
    gol_err err = {0};
    gol_kv_layer_shape layers[2] = {{0, 5, 5, 0}, {2, 64, 80, 0}};
    const gol_kv_shape shape = {GOL_KV_Q8_0, 2, 4, 16, layers};
    assert_true(be->ops->kv_bytes(be, &shape) < SIZE_MAX);
    assert_int_equal(be->ops->kv_create(be, &kv, &shape, &err), GOL_EUNSUPPORTED);
    assert_null(kv);
    assert_non_null(strstr(err.message, "layer 1"));
    assert_non_null(strstr(err.message, "80"));
    layers[1].head_dim_v = 96;
    assert_int_equal(be->ops->kv_create(be, &kv, &shape, &err), 0);
    be->ops->kv_destroy(be, &kv);
    gol_backend_destroy(&be);
}

enum { DIM = 32, N_TOKENS = 20, BLOCK = 16 };

/* One token's attention over N_TOKENS positions in these two blocks. */
static void attend(gol_backend *be, gol_kv *kv, const int32_t *block_table, const float *q,
                   float *out)
{
    const gol_batch_seq seq = {
        .n_rows = 1, .n_past = N_TOKENS - 1, .n_blocks = 2, .block_table = block_table};
    const gol_batch batch = {.n_tokens = 1, .n_seqs = 1, .seqs = &seq};
    const gol_attention a = {.n_heads = 2, .scale = 0.2f};
    be->ops->attention(be, out, q, 0, kv, &a, &batch);
}

static void a_copied_block_serves_like_the_original(void **state)
{
    (void)state;
    gol_rng rng = {.key = 12};
    for (int type = 0; type < GOL_N_KV_TYPES; type++) {
        gol_backend *be = make_backend(1);
        gol_kv *kv;
        gol_err err;
        const gol_kv_layer_shape layer = {2, DIM, DIM, 0};
        const gol_kv_shape shape = {(gol_kv_type)type, 1, 8, BLOCK, &layer};
        assert_int_equal(be->ops->kv_create(be, &kv, &shape, &err), 0);
        float *rows = random_floats(&rng, N_TOKENS * 2 * DIM);
        int32_t slots[N_TOKENS];
        for (int32_t i = 0; i < N_TOKENS; i++)
            slots[i] = i < BLOCK ? 3 * BLOCK + i : i - BLOCK; /* blocks 3 and 0 */
        const gol_batch batch = {.n_tokens = N_TOKENS, .slot_mapping = slots};
        be->ops->kv_write(be, kv, 0, rows, rows, 2 * DIM, 2 * DIM, &batch);
        float first[2 * DIM];
        float again[2 * DIM];
        attend(be, kv, (int32_t[]){3, 0}, rows, first);
        be->ops->kv_copy_block(be, kv, 5, 3);
        be->ops->kv_copy_block(be, kv, 7, 0);
        be->ops->kv_copy_block(be, kv, 7, 7);
        attend(be, kv, (int32_t[]){5, 7}, rows, again);
        assert_memory_equal(first, again, sizeof first);
        free(rows);
        be->ops->kv_destroy(be, &kv);
        gol_backend_destroy(&be);
    }
}

static void types_are_known_by_all_their_names(void **state)
{
    (void)state;
    gol_kv_type type;
    for (int i = 0; i < GOL_N_KV_TYPES; i++) {
        assert_true(gol_kv_type_parse(gol_kv_type_name((gol_kv_type)i), &type));
        assert_int_equal(type, i);
    }
    assert_true(gol_kv_type_parse("BFloat16", &type));
    assert_int_equal(type, GOL_KV_BF16);
    assert_true(gol_kv_type_parse("half", &type));
    assert_int_equal(type, GOL_KV_F16);
    assert_false(gol_kv_type_parse("f1", &type));
    assert_false(gol_kv_type_parse("", &type));
    assert_null(gol_kv_type_name(GOL_N_KV_TYPES));
}

/* In both orders: attention's memory needs the context from one and the heads from the other. */
static void creation_survives_every_failing_allocation(void **state)
{
    (void)state;
    const gol_kv_layer_shape layers[2] = {{1, 8, 8, 0}, {2, 24, 20, 0}};
    const gol_kv_shape shape = {GOL_KV_F16, 2, 64, 16, layers};
    for (int order = 0; order < 2; order++) {
        uint64_t n = 1;
        for (;; n++) {
            gol_backend *be = NULL;
            gol_kv *kv = NULL;
            float *x = NULL;
            gol_err err = {0};
            gol_mem_fail_nth(n, false);
            int rc = gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 2}, &err);
            if (rc == 0 && order == 0)
                rc = be->ops->reserve(be, 8, 512, 128, &err);
            if (rc == 0)
                rc = be->ops->alloc(be, &x, 100, &err);
            if (rc == 0)
                rc = be->ops->kv_create(be, &kv, &shape, &err);
            if (rc == 0 && order == 1)
                rc = be->ops->reserve(be, 8, 512, 128, &err);
            const bool has_failed = gol_mem_n_failed() > 0;
            gol_mem_fail_nth(0, false);
            assert_int_equal(rc, has_failed ? GOL_ENOMEM : 0);
            if (be) {
                be->ops->kv_destroy(be, &kv);
                be->ops->free(be, x);
            }
            gol_backend_destroy(&be);
            if (!has_failed)
                break;
        }
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cache_takes_the_bytes_it_announces),
        cmocka_unit_test(a_cache_beyond_memory_is_refused),
        cmocka_unit_test(q8_0_needs_heads_of_whole_blocks),
        cmocka_unit_test(a_copied_block_serves_like_the_original),
        cmocka_unit_test(types_are_known_by_all_their_names),
        cmocka_unit_test(creation_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
