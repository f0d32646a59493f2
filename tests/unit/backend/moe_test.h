/*
 * What the tests of mixtures of experts share: stacks of random matrices, and rows in the order of experts as a plain walk finds
 * them.
 */
#ifndef TESTS_UNIT_BACKEND_MOE_TEST_H
#define TESTS_UNIT_BACKEND_MOE_TEST_H

#include "unit/backend/backend_test.h"

#include "quant/types.h"
#include "support/random_blocks.h"

enum { STACK_MAX = 256 };

typedef struct stack {
    uint8_t *bytes[STACK_MAX]; /* one matrix each: they need not lie one after another */
    gol_weight w;
} stack;

static inline stack make_stack(gol_backend *be, gol_rng *rng, gol_type type, int32_t n,
                               int64_t n_out, int64_t n_in)
{
    stack s = {0};
    gol_err err = {0};
    size_t row_bytes;
    assert_true(gol_type_row_bytes(&row_bytes, type, (uint64_t)n_in));
    for (int32_t i = 0; i < n; i++) {
        s.bytes[i] = malloc(row_bytes * (size_t)n_out);
        assert_non_null(s.bytes[i]);
        random_blocks(rng, type, s.bytes[i], (size_t)(n_out * n_in));
    }
    const gol_weight_desc desc = {
        .name = "experts",
        .type = type,
        .n_out = n_out,
        .n_in = n_in,
        .n_bytes = row_bytes * (size_t)n_out,
    };
    if (be->ops->stack_load(be, &s.w, &desc, (const void *const *)s.bytes, n, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(s.w.n_stack, n);
    assert_int_equal(s.w.n_bytes, be->ops->weight_bytes(be, &desc) * (size_t)n);
    return s;
}

static inline void free_stack(gol_backend *be, stack *s)
{
    for (int32_t i = 0; i < s->w.n_stack; i++)
        free(s->bytes[i]);
    be->ops->weight_free(be, &s->w);
}

/* A routing that makes the weights say nothing and the ids what `wanted` [n_tokens][n_used] says: its logits are the only high
 * ones, falling from slot to slot. */
static inline gol_moe *route_to(gol_backend *be, const int32_t *wanted, int32_t n_tokens,
                                int32_t n_experts, int32_t n_used)
{
    gol_moe *moe;
    gol_err err = {0};
    assert_int_equal(be->ops->moe_create(be, &moe, n_tokens, n_experts, n_used, &err), 0);
    float *logits = calloc((size_t)n_tokens * (size_t)n_experts, sizeof *logits);
    assert_non_null(logits);
    for (int32_t t = 0; t < n_tokens; t++)
        for (int32_t s = 0; s < n_used; s++)
            logits[t * n_experts + wanted[t * n_used + s]] = 2.0f - (float)s / (float)n_used;
    const gol_routing routing = {.gating = GOL_GATING_SOFTMAX, .is_normed = true, .scale = 1.0f};
    be->ops->moe_route(be, moe, logits, &routing, n_tokens);
    free(logits);
    return moe;
}

/* slots[row] = t * n_used + s, rows sorted by expert and then by token. Returns the number of rows. */
static inline int32_t sort_slots(int32_t *slots, const int32_t *ids, int32_t n_tokens,
                                 int32_t n_experts, int32_t n_used)
{
    int32_t n = 0;
    for (int32_t e = 0; e < n_experts; e++)
        for (int32_t i = 0; i < n_tokens * n_used; i++)
            if (ids[i] == e)
                slots[n++] = i;
    return n;
}

#endif
