/* Routing and combining in a mixture of experts, against plain references in double. */
#include "unit/backend/moe_test.h"

#include "base/mem.h"

enum { N_EXPERTS = 40, N_USED = 6, N_TOKENS = 64 };

/* The routing by its definition: the slot's expert is the largest that no slot before it has. */
static void route_reference(int32_t *ids, double *weights, const float *logits, int32_t n_experts,
                            int32_t n_used, const gol_routing *r)
{
    double value[GOL_MOE_EXPERTS_MAX];
    double sum = 0.0;
    for (int32_t e = 0; e < n_experts; e++)
        sum += exp((double)logits[e]);
    for (int32_t e = 0; e < n_experts; e++) {
        const double x = (double)logits[e];
        value[e] = r->gating == GOL_GATING_SOFTMAX   ? exp(x) / sum
                   : r->gating == GOL_GATING_SIGMOID ? 1.0 / (1.0 + exp(-x))
                                                     : x;
    }
    bool is_taken[GOL_MOE_EXPERTS_MAX] = {false};
    double chosen_sum = 0.0;
    double chosen_exp = 0.0;
    for (int32_t s = 0; s < n_used; s++) {
        int32_t best = -1;
        for (int32_t e = 0; e < n_experts; e++) {
            const double bias = r->select_bias ? (double)r->select_bias[e] : 0.0;
            const double best_bias = best >= 0 && r->select_bias ? (double)r->select_bias[best]
                                                                 : 0.0;
            if (!is_taken[e] && (best < 0 || value[e] + bias > value[best] + best_bias))
                best = e;
        }
        is_taken[best] = true;
        ids[s] = best;
        weights[s] = value[best];
        chosen_sum += value[best];
        chosen_exp += exp(value[best]);
    }
    for (int32_t s = 0; s < n_used; s++) {
        if (r->gating == GOL_GATING_SOFTMAX_TOP)
            weights[s] = exp(weights[s]) / chosen_exp;
        else if (r->is_normed)
            weights[s] /= chosen_sum;
        weights[s] *= (double)r->scale;
    }
}

static void every_gating_chooses_and_weighs_as_defined(void **state)
{
    (void)state;
    gol_rng rng = {.key = 5};
    float *bias = random_floats(&rng, N_EXPERTS);
    const gol_routing routings[] = {
        {GOL_GATING_SOFTMAX, true, 1.0f, NULL},     {GOL_GATING_SOFTMAX, false, 1.0f, NULL},
        {GOL_GATING_SOFTMAX, false, 16.0f, NULL},   {GOL_GATING_SOFTMAX_TOP, false, 1.0f, NULL},
        {GOL_GATING_SIGMOID, true, 2.5f, bias},     {GOL_GATING_SIGMOID, false, 1.0f, NULL},
        {GOL_GATING_SOFTMAX_TOP, true, 0.5f, NULL},
    };
    float *logits = random_floats(&rng, N_TOKENS * N_EXPERTS);
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        gol_backend *be = make_backend(n_threads);
        gol_moe *moe;
        gol_err err;
        assert_int_equal(be->ops->moe_create(be, &moe, N_TOKENS, N_EXPERTS, N_USED, &err), 0);
        for (size_t k = 0; k < sizeof routings / sizeof routings[0]; k++) {
            int32_t ids[N_TOKENS * N_USED];
            float weights[N_TOKENS * N_USED];
            be->ops->moe_route(be, moe, logits, &routings[k], N_TOKENS);
            be->ops->moe_read(be, moe, ids, weights);
            for (int t = 0; t < N_TOKENS; t++) {
                int32_t want_ids[N_USED];
                double want[N_USED];
                route_reference(want_ids, want, logits + t * N_EXPERTS, N_EXPERTS, N_USED,
                                &routings[k]);
                assert_memory_equal(ids + t * N_USED, want_ids, sizeof want_ids);
                for (int s = 0; s < N_USED; s++)
                    assert_close((double)weights[t * N_USED + s], want[s], 1e-5 * want[s]);
            }
        }
        be->ops->moe_destroy(be, &moe);
        assert_null(moe);
        gol_backend_destroy(&be);
    }
    free(logits);
    free(bias);
}

static void equal_logits_go_to_the_lower_expert_first(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    const float logits[] = {1, 3, 3, 0, 3, 1, 3, 1, /* */ 0, 0, 0, 0, 0, 0, 0, 0};
    const int32_t want[] = {1, 2, 4, 6, 0, /* */ 0, 1, 2, 3, 4};
    gol_moe *moe;
    gol_err err;
    assert_int_equal(be->ops->moe_create(be, &moe, 2, 8, 5, &err), 0);
    for (gol_gating g = GOL_GATING_SOFTMAX; g <= GOL_GATING_SIGMOID; g++) {
        int32_t ids[10];
        float weights[10];
        be->ops->moe_route(be, moe, logits, &(gol_routing){g, true, 1.0f, NULL}, 2);
        be->ops->moe_read(be, moe, ids, weights);
        assert_memory_equal(ids, want, sizeof want);
    }
    be->ops->moe_destroy(be, &moe);
    gol_backend_destroy(&be);
}

static void logits_that_are_no_numbers_still_choose_different_experts(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -NAN};
    gol_rng rng = {.key = 9};
    gol_moe *moe;
    gol_err err;
    assert_int_equal(be->ops->moe_create(be, &moe, 1, N_EXPERTS, N_USED, &err), 0);
    for (int k = 0; k < 500; k++) {
        float logits[N_EXPERTS];
        float bias[N_EXPERTS];
        for (int e = 0; e < N_EXPERTS; e++) {
            logits[e] = k == 0 ? NAN : special[gol_rng_next(&rng) % 5];
            bias[e] = special[gol_rng_next(&rng) % 5];
        }
        const gol_routing routing = {(gol_gating)(k % 3), k % 2 == 0, 1.0f,
                                     k % 5 == 0 ? bias : NULL};
        int32_t ids[N_USED];
        float weights[N_USED];
        be->ops->moe_route(be, moe, logits, &routing, 1);
        be->ops->moe_read(be, moe, ids, weights);
        bool is_taken[N_EXPERTS] = {false};
        for (int s = 0; s < N_USED; s++) {
            assert_in_range(ids[s], 0, N_EXPERTS - 1);
            assert_false(is_taken[ids[s]]);
            is_taken[ids[s]] = true;
        }
    }
    be->ops->moe_destroy(be, &moe);
    gol_backend_destroy(&be);
}

static void the_largest_mixture_uses_all_experts_it_may(void **state)
{
    (void)state;
    gol_backend *be = make_backend(2);
    gol_rng rng = {.key = 11};
    gol_moe *moe;
    gol_err err;
    assert_int_equal(be->ops->moe_create(be, &moe, 3, GOL_MOE_EXPERTS_MAX, GOL_MOE_USED_MAX, &err),
                     0);
    float *logits = random_floats(&rng, 3 * GOL_MOE_EXPERTS_MAX);
    int32_t ids[3 * GOL_MOE_USED_MAX];
    float weights[3 * GOL_MOE_USED_MAX];
    const gol_routing routing = {GOL_GATING_SIGMOID, true, 1.0f, NULL};
    be->ops->moe_route(be, moe, logits, &routing, 3);
    be->ops->moe_read(be, moe, ids, weights);
    for (int t = 0; t < 3; t++) {
        int32_t want[GOL_MOE_USED_MAX];
        double want_weights[GOL_MOE_USED_MAX];
        route_reference(want, want_weights, logits + t * GOL_MOE_EXPERTS_MAX, GOL_MOE_EXPERTS_MAX,
                        GOL_MOE_USED_MAX, &routing);
        assert_memory_equal(ids + t * GOL_MOE_USED_MAX, want, sizeof want);
    }
    free(logits);
    be->ops->moe_destroy(be, &moe);
    /* and one expert that everybody uses */
    assert_int_equal(be->ops->moe_create(be, &moe, 3, 1, 1, &err), 0);
    const float three[] = {-80.0f, 0.0f, 80.0f};
    be->ops->moe_route(be, moe, three, &(gol_routing){GOL_GATING_SOFTMAX, true, 1.0f, NULL}, 3);
    be->ops->moe_read(be, moe, ids, weights);
    for (int t = 0; t < 3; t++) {
        assert_int_equal(ids[t], 0);
        assert_true(weights[t] == 1.0f);
    }
    be->ops->moe_destroy(be, &moe);
    gol_backend_destroy(&be);
}

static void combining_adds_a_tokens_rows_with_their_weights(void **state)
{
    (void)state;
    enum { N = 1037 }; /* more than a run, and not whole */
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        gol_backend *be = make_backend(n_threads);
        gol_rng rng = {.key = 13};
        gol_moe *moe;
        gol_err err;
        assert_int_equal(be->ops->moe_create(be, &moe, N_TOKENS, N_EXPERTS, N_USED, &err), 0);
        float *logits = random_floats(&rng, N_TOKENS * N_EXPERTS);
        const gol_routing routing = {GOL_GATING_SOFTMAX, true, 1.0f, NULL};
        be->ops->moe_route(be, moe, logits, &routing, N_TOKENS);
        int32_t ids[N_TOKENS * N_USED];
        float weights[N_TOKENS * N_USED];
        int32_t slots[N_TOKENS * N_USED];
        be->ops->moe_read(be, moe, ids, weights);
        const int32_t n_rows = sort_slots(slots, ids, N_TOKENS, N_EXPERTS, N_USED);
        assert_int_equal(n_rows, N_TOKENS * N_USED);
        float *y = random_floats(&rng, (size_t)n_rows * N);
        float *out = malloc(sizeof *out * N_TOKENS * N);
        double *want = calloc(N_TOKENS * N, sizeof *want);
        be->ops->moe_combine(be, out, moe, y, N);
        for (int32_t row = 0; row < n_rows; row++)
            for (int32_t i = 0; i < N; i++)
                want[slots[row] / N_USED * N + i] += (double)weights[slots[row]] *
                                                     (double)y[row * N + i];
        for (int32_t i = 0; i < N_TOKENS * N; i++)
            assert_close((double)out[i], want[i], 1e-5);
        free(want);
        free(out);
        free(y);
        free(logits);
        be->ops->moe_destroy(be, &moe);
        gol_backend_destroy(&be);
    }
}

static void rows_are_gated_by_a_sigmoid_each(void **state)
{
    (void)state;
    enum { N_ROWS = 5, N = 700 };
    gol_backend *be = make_backend(2);
    gol_rng rng = {.key = 17};
    float *x = random_floats(&rng, N_ROWS * N);
    const float gate[N_ROWS] = {0.0f, -3.0f, 2.0f, 90.0f, -90.0f};
    float *out = malloc(sizeof *out * N_ROWS * N);
    be->ops->gate_rows(be, out, x, gate, N_ROWS, N);
    for (int i = 0; i < N_ROWS * N; i++)
        assert_close((double)out[i], (double)x[i] / (1.0 + exp(-(double)gate[i / N])), 1e-6);
    be->ops->gate_rows(be, x, x, gate, N_ROWS, N); /* in place */
    assert_memory_equal(x, out, sizeof *out * N_ROWS * N);
    free(out);
    free(x);
    gol_backend_destroy(&be);
}

static void a_routing_that_does_not_fit_into_memory_is_refused(void **state)
{
    (void)state;
    gol_backend *be = make_backend(1);
    gol_err err = {0};
    gol_moe *moe;
    gol_mem_fail_nth(1, false);
    const int rc = be->ops->moe_create(be, &moe, 7, 8, 2, &err);
    gol_mem_fail_nth(0, false);
    assert_int_equal(rc, GOL_ENOMEM);
    assert_null(moe);
    assert_string_equal(err.message, "cpu: out of memory for the routing of 7 tokens");
    gol_backend_destroy(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gating_chooses_and_weighs_as_defined),
        cmocka_unit_test(equal_logits_go_to_the_lower_expert_first),
        cmocka_unit_test(logits_that_are_no_numbers_still_choose_different_experts),
        cmocka_unit_test(the_largest_mixture_uses_all_experts_it_may),
        cmocka_unit_test(combining_adds_a_tokens_rows_with_their_weights),
        cmocka_unit_test(rows_are_gated_by_a_sigmoid_each),
        cmocka_unit_test(a_routing_that_does_not_fit_into_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
