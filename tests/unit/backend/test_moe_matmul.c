/* Products of a mixture of experts: each row by its expert's matrix, the same bits in every batch and with every number of
 * threads. The product of one matrix, which other tests compare with double, is the reference. */
#include "unit/backend/moe_test.h"

#include "base/mem.h"

enum { N_IN = 512, N_OUT = 83, N_EXPERTS = 9, N_USED = 3 };

/* out[n_rows][n_out]: every row by itself, with its expert alone as a weight, by one thread. */
static void multiply_rows(float *out, const float *x, const stack *s, const float *bias,
                          const int32_t *slots, const int32_t *ids, int32_t n_rows, int32_t n_used,
                          bool is_sorted)
{
    const size_t n_out = (size_t)s->w.n_out;
    const size_t n_in = (size_t)s->w.n_in;
    gol_err err;
    size_t row_bytes;
    gol_backend *be = make_backend(1);
    assert_true(gol_type_row_bytes(&row_bytes, s->w.type, n_in));
    for (int32_t e = 0; e < s->w.n_stack; e++) {
        gol_weight w;
        const gol_weight_desc desc = {"one",       s->w.type,         s->w.n_out, s->w.n_in,
                                      s->bytes[e], row_bytes * n_out, false};
        assert_int_equal(be->ops->weight_load(be, &w, &desc, &err), 0);
        for (int32_t row = 0; row < n_rows; row++) {
            if (ids[slots[row]] != e)
                continue;
            const size_t from = (size_t)(is_sorted ? row : slots[row] / n_used);
            be->ops->matmul(be, out + (size_t)row * n_out, x + from * n_in, &w,
                            bias ? bias + (size_t)e * n_out : NULL, 1);
        }
        be->ops->weight_free(be, &w);
    }
    gol_backend_destroy(&be);
}

/* Products of n_tokens that go where ids says, compared with the rows' own; gate and up at once, with a bias on the first. */
static void check_products(gol_backend *be, gol_rng *rng, gol_type type, const int32_t *ids,
                           int32_t n_tokens, int32_t n_experts, int32_t n_used, bool is_sorted)
{
    const int32_t n_rows = n_tokens * n_used;
    stack gate = make_stack(be, rng, type, n_experts, N_OUT, N_IN);
    stack up = make_stack(be, rng, type, n_experts, N_OUT, N_IN);
    gol_moe *moe = route_to(be, ids, n_tokens, n_experts, n_used);
    int32_t *slots = malloc((size_t)n_rows * sizeof *slots);
    assert_int_equal(sort_slots(slots, ids, n_tokens, n_experts, n_used), n_rows);
    float *x = random_floats(rng, (size_t)(is_sorted ? n_rows : n_tokens) * N_IN);
    float *bias = random_floats(rng, (size_t)n_experts * N_OUT);
    const size_t n_bytes = (size_t)n_rows * N_OUT * sizeof(float);
    float *out[3] = {malloc(n_bytes), malloc(n_bytes), malloc(n_bytes)};
    const gol_moe_matmul m = {
        .x = x,
        .is_sorted = is_sorted,
        .n_products = 2,
        .products = {{out[0], &gate.w, bias}, {out[1], &up.w, NULL}},
    };
    be->ops->moe_matmul(be, moe, &m);
    multiply_rows(out[2], x, &gate, bias, slots, ids, n_rows, n_used, is_sorted);
    assert_memory_equal(out[0], out[2], n_bytes);
    multiply_rows(out[2], x, &up, NULL, slots, ids, n_rows, n_used, is_sorted);
    assert_memory_equal(out[1], out[2], n_bytes);
    for (int i = 0; i < 3; i++)
        free(out[i]);
    free(bias);
    free(x);
    free(slots);
    be->ops->moe_destroy(be, &moe);
    free_stack(be, &up);
    free_stack(be, &gate);
}

/* Each token to n_used different experts. */
static void random_ids(gol_rng *rng, int32_t *ids, int32_t n_tokens, int32_t n_experts,
                       int32_t n_used)
{
    for (int32_t t = 0; t < n_tokens; t++) {
        bool is_taken[STACK_MAX] = {false};
        for (int32_t s = 0; s < n_used; s++) {
            int32_t e;
            do
                e = (int32_t)(gol_rng_next(rng) % (uint32_t)n_experts);
            while (is_taken[e]);
            is_taken[e] = true;
            ids[t * n_used + s] = e;
        }
    }
}

static void rows_meet_their_experts_for_every_type(void **state)
{
    (void)state;
    static const gol_type types[] = {GOL_TYPE_F32,   GOL_TYPE_F16,  GOL_TYPE_BF16,  GOL_TYPE_Q4_0,
                                     GOL_TYPE_Q8_0,  GOL_TYPE_Q2_K, GOL_TYPE_Q4_K,  GOL_TYPE_Q6_K,
                                     GOL_TYPE_MXFP4, GOL_TYPE_Q3_K, GOL_TYPE_IQ4_XS};
    gol_rng rng = {.key = 21};
    gol_backend *be = make_backend(2);
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
        for (int32_t n_tokens = 1; n_tokens <= 61; n_tokens += 20) {
            int32_t ids[61 * N_USED];
            random_ids(&rng, ids, n_tokens, N_EXPERTS, N_USED);
            check_products(be, &rng, types[k], ids, n_tokens, N_EXPERTS, N_USED, k % 2 == 0);
        }
    gol_backend_destroy(&be);
}

static void an_expert_may_get_all_rows_or_none(void **state)
{
    (void)state;
    enum { N_TOKENS = 64 };
    gol_rng rng = {.key = 23};
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        gol_backend *be = make_backend(n_threads);
        int32_t ids[N_TOKENS];
        for (int32_t only = 0; only < N_EXPERTS; only += N_EXPERTS - 1) { /* first, last */
            for (int t = 0; t < N_TOKENS; t++)
                ids[t] = only;
            check_products(be, &rng, GOL_TYPE_Q4_K, ids, N_TOKENS, N_EXPERTS, 1, false);
            check_products(be, &rng, GOL_TYPE_F16, ids, N_TOKENS, N_EXPERTS, 1, true);
        }
        for (int t = 0; t < N_TOKENS; t++) /* all to one but the last token */
            ids[t] = t < N_TOKENS - 1 ? 4 : 5;
        check_products(be, &rng, GOL_TYPE_Q8_0, ids, N_TOKENS, N_EXPERTS, 1, false);
        gol_backend_destroy(&be);
    }
}

static void rows_that_exceed_the_scratch_go_in_rounds(void **state)
{
    (void)state;
    enum { N_TOKENS = 600, MANY = 100 };
    gol_rng rng = {.key = 29};
    for (int n_threads = 1; n_threads <= 3; n_threads += 2) {
        gol_backend *be;
        gol_err err;
        assert_int_equal(gol_backend_cpu_create(&be, &(gol_cpu_opts){n_threads}, &err), 0);
        assert_int_equal(be->ops->reserve(be, 3, N_IN, 16, &err), 0); /* a tile or so */
        int32_t *ids = malloc(sizeof *ids * N_TOKENS * 2);
        random_ids(&rng, ids, 40, MANY, 2); /* most experts with one row */
        check_products(be, &rng, GOL_TYPE_Q4_K, ids, 40, MANY, 2, false);
        random_ids(&rng, ids, N_TOKENS, 3, 2); /* more rows of an expert than a slab has */
        check_products(be, &rng, GOL_TYPE_Q8_0, ids, N_TOKENS, 3, 2, false);
        check_products(be, &rng, GOL_TYPE_F32, ids, N_TOKENS, 3, 2, true);
        free(ids);
        gol_backend_destroy(&be);
    }
}

static void a_row_has_the_same_bits_in_every_batch_and_with_every_thread_count(void **state)
{
    (void)state;
    enum { N_TOKENS = 50 };
    static const gol_type types[] = {GOL_TYPE_F16, GOL_TYPE_Q4_K, GOL_TYPE_Q6_K, GOL_TYPE_MXFP4};
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        float *first = NULL;
        for (int n_threads = 1; n_threads <= 4; n_threads++) {
            gol_rng rng = {.key = 31};
            gol_backend *be = make_backend(n_threads);
            stack s = make_stack(be, &rng, types[k], N_EXPERTS, N_OUT, N_IN);
            float *x = random_floats(&rng, N_TOKENS * N_IN);
            int32_t ids[N_TOKENS * N_USED];
            int32_t slots[N_TOKENS * N_USED];
            random_ids(&rng, ids, N_TOKENS, N_EXPERTS, N_USED);
            sort_slots(slots, ids, N_TOKENS, N_EXPERTS, N_USED);
            gol_moe *moe = route_to(be, ids, N_TOKENS, N_EXPERTS, N_USED);
            float *out = malloc(sizeof *out * N_TOKENS * N_USED * N_OUT);
            be->ops->moe_matmul(
                be, moe,
                &(gol_moe_matmul){.x = x, .n_products = 1, .products = {{out, &s.w, NULL}}});
            be->ops->moe_destroy(be, &moe);
            for (int t = 0; t < N_TOKENS; t++) { /* alone */
                float alone[N_USED * N_OUT];
                int32_t alone_slots[N_USED];
                moe = route_to(be, ids + t * N_USED, 1, N_EXPERTS, N_USED);
                sort_slots(alone_slots, ids + t * N_USED, 1, N_EXPERTS, N_USED);
                be->ops->moe_matmul(be, moe,
                                    &(gol_moe_matmul){.x = x + t * N_IN,
                                                      .n_products = 1,
                                                      .products = {{alone, &s.w, NULL}}});
                be->ops->moe_destroy(be, &moe);
                for (int row = 0; row < N_TOKENS * N_USED; row++)
                    for (int i = 0; i < N_USED; i++)
                        if (slots[row] == t * N_USED + alone_slots[i])
                            assert_memory_equal(out + row * N_OUT, alone + i * N_OUT,
                                                N_OUT * sizeof *out);
            }
            if (first)
                assert_memory_equal(out, first, sizeof *out * N_TOKENS * N_USED * N_OUT);
            else
                first = out;
            if (out != first)
                free(out);
            free(x);
            free_stack(be, &s);
            gol_backend_destroy(&be);
        }
        free(first);
    }
}

static void products_of_different_types_may_be_asked_for_together(void **state)
{
    (void)state;
    enum { N_TOKENS = 5 };
    gol_rng rng = {.key = 37};
    gol_backend *be = make_backend(2);
    stack gate = make_stack(be, &rng, GOL_TYPE_Q6_K, N_EXPERTS, N_OUT, N_IN);
    stack up = make_stack(be, &rng, GOL_TYPE_Q4_K, N_EXPERTS, 32, N_IN);
    int32_t ids[N_TOKENS];
    int32_t slots[N_TOKENS];
    random_ids(&rng, ids, N_TOKENS, N_EXPERTS, 1);
    sort_slots(slots, ids, N_TOKENS, N_EXPERTS, 1);
    gol_moe *moe = route_to(be, ids, N_TOKENS, N_EXPERTS, 1);
    float *x = random_floats(&rng, N_TOKENS * N_IN);
    float out[2][N_TOKENS * N_OUT];
    float want[N_TOKENS * N_OUT];
    be->ops->moe_matmul(
        be, moe,
        &(gol_moe_matmul){
            .x = x, .n_products = 2, .products = {{out[0], &gate.w, NULL}, {out[1], &up.w, NULL}}});
    multiply_rows(want, x, &gate, NULL, slots, ids, N_TOKENS, 1, false);
    assert_memory_equal(out[0], want, sizeof want);
    multiply_rows(want, x, &up, NULL, slots, ids, N_TOKENS, 1, false);
    assert_memory_equal(out[1], want, sizeof *want * N_TOKENS * 32);
    be->ops->moe_destroy(be, &moe);
    free(x);
    free_stack(be, &up);
    free_stack(be, &gate);
    gol_backend_destroy(&be);
}

static void a_stack_that_cannot_be_loaded_says_why(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    gol_err err = {0};
    gol_weight w;
    const double values[4] = {1, 2, 3, 4};
    const void *data[] = {values, values};
    gol_weight_desc desc = {.name = "blk.0.ffn_up_exps.weight",
                            .type = GOL_TYPE_F64,
                            .n_out = 2,
                            .n_in = 2,
                            .n_bytes = sizeof values};
    assert_int_equal(be->ops->stack_load(be, &w, &desc, data, 2, &err), GOL_EUNSUPPORTED);
    assert_string_equal(err.message, "tensor 'blk.0.ffn_up_exps.weight': experts of type F64 are "
                                     "not possible");
    assert_null(w.owned);
    desc.type = GOL_TYPE_F32;
    assert_int_equal(be->ops->stack_load(be, &w, &desc, data, 2, &err), GOL_EMODEL);
    desc.n_bytes = 16;
    gol_mem_fail_nth(1, false);
    const int rc = be->ops->stack_load(be, &w, &desc, data, 2, &err);
    gol_mem_fail_nth(0, false);
    assert_int_equal(rc, GOL_ENOMEM);
    assert_int_equal(w.n_out, 0);
    gol_backend_destroy(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_meet_their_experts_for_every_type),
        cmocka_unit_test(an_expert_may_get_all_rows_or_none),
        cmocka_unit_test(rows_that_exceed_the_scratch_go_in_rounds),
        cmocka_unit_test(a_row_has_the_same_bits_in_every_batch_and_with_every_thread_count),
        cmocka_unit_test(products_of_different_types_may_be_asked_for_together),
        cmocka_unit_test(a_stack_that_cannot_be_loaded_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
