/* What becomes of the options: defaults, contradictions, and the KV cache's size against memory. No model: a backend that
 * only knows what a cache takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine_limits.h"
#include "engine/exact_cache.h"

enum { TOKEN_BYTES = 1024, FIXED_BYTES = 100 };

static size_t kv_bytes(gol_backend *be, const gol_kv_shape *shape)
{
    (void)be;
    return FIXED_BYTES + (size_t)shape->n_blocks * (size_t)shape->block_size * TOKEN_BYTES;
}

static const gol_backend_ops ops = {.name = "fake", .kv_bytes = kv_bytes};
static gol_backend backend = {.ops = &ops};
static const uint64_t gib = 1u << 30;

static gol_limits_basis basis(int32_t n_ctx, uint64_t mem_available)
{
    return (gol_limits_basis){
        .be = &backend, .n_ctx = n_ctx, .n_vocab = 1000, .mem_available = mem_available};
}

static gol_engine_limits limits_of(gol_engine_opts opts, gol_limits_basis b)
{
    gol_engine_limits limits;
    gol_err err = {0};
    if (gol_engine_limits_init(&limits, &opts, &b, &err) != 0)
        fail_msg("%s", err.message);
    return limits;
}

/* The message. */
static const char *failure_of(gol_engine_opts opts, gol_limits_basis b, int code)
{
    static gol_err err;
    gol_engine_limits limits;
    err = (gol_err){0};
    assert_int_equal(gol_engine_limits_init(&limits, &opts, &b, &err), code);
    return err.message;
}

static void defaults_are_those_of_the_header(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of((gol_engine_opts){0}, basis(1000, 64 * gib));
    assert_int_equal(l.max_seqs, 64);
    assert_int_equal(l.max_batch_tokens, 512);
    assert_int_equal(l.max_model_len, 1000);
    assert_int_equal(l.block_size, 16);
    assert_int_equal(l.max_queued_reqs, 256);
    assert_int_equal(l.n_blocks, 64 * 63);
    assert_int_equal(l.kv_bytes, FIXED_BYTES + 64 * 63 * 16 * TOKEN_BYTES);
}

static void rows_of_whole_prompts_are_kept_within_their_budget(void **state)
{
    (void)state;
    const gol_limits_basis b = basis(1000, 64 * gib);
    const int64_t row = (int64_t)gol_exact_cache_bytes(1, 1000, 16);
    gol_engine_limits l = limits_of((gol_engine_opts){0}, b);
    assert_true(l.has_prefix_caching);
    assert_int_equal(l.n_exact_rows, l.kv_bytes / 8 / (uint64_t)row);
    assert_int_equal(l.exact_cache_bytes, gol_exact_cache_bytes(l.n_exact_rows, 1000, 16));
    l = limits_of((gol_engine_opts){.exact_cache_bytes = 3 * row}, b);
    assert_int_equal(l.n_exact_rows, 3);
    l = limits_of((gol_engine_opts){.exact_cache_bytes = 3 * row - 1}, b);
    assert_int_equal(l.n_exact_rows, 2);
    l = limits_of((gol_engine_opts){.exact_cache_bytes = row - 1}, b);
    assert_int_equal(l.n_exact_rows, 0);
    l = limits_of((gol_engine_opts){.exact_cache_bytes = INT64_MAX}, b);
    assert_int_equal(l.n_exact_rows, l.n_blocks); /* no use for more */
    l = limits_of((gol_engine_opts){.exact_cache_bytes = -1}, b);
    assert_int_equal(l.n_exact_rows, 0);
    assert_true(l.has_prefix_caching);
    l = limits_of((gol_engine_opts){.no_prefix_caching = true, .exact_cache_bytes = 3 * row}, b);
    assert_int_equal(l.n_exact_rows, 0);
    assert_int_equal(l.exact_cache_bytes, 0);
    assert_false(l.has_prefix_caching);
    const char *message = failure_of((gol_engine_opts){.exact_cache_bytes = -2}, b, GOL_EINVAL);
    assert_non_null(strstr(message, "exact_cache_bytes is -2"));
    /* A cache as large as it likes is cut at 64 MiB, a tiny one keeps four rows. */
    l = limits_of((gol_engine_opts){.max_seqs = 512}, basis(10000, 640 * gib));
    assert_in_range(l.exact_cache_bytes, (64 << 20) - row, 64 << 20);
    l = limits_of((gol_engine_opts){.kv_bytes = 8 * 16 * TOKEN_BYTES + FIXED_BYTES}, b);
    assert_int_equal(l.n_exact_rows, 4);
}

static void the_cache_takes_at_most_a_quarter_of_the_memory(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of((gol_engine_opts){0}, basis(1000, gib / 32));
    assert_true(l.kv_bytes <= gib / 128);
    assert_true(l.kv_bytes + 16 * TOKEN_BYTES > gib / 128); /* and all of it */
    assert_int_equal(l.max_model_len, 1000);                /* one sequence still fits */
}

static void a_context_nobody_asked_for_is_lowered_to_what_fits(void **state)
{
    (void)state;
    const uint64_t bytes = FIXED_BYTES + 10 * 16 * TOKEN_BYTES;
    const gol_engine_limits l = limits_of((gol_engine_opts){.kv_bytes = bytes}, basis(100000, gib));
    assert_int_equal(l.n_blocks, 10);
    assert_int_equal(l.max_model_len, 160);
    const gol_engine_limits less = limits_of((gol_engine_opts){.kv_bytes = bytes - 1},
                                             basis(100000, gib));
    assert_int_equal(less.n_blocks, 9);
}

static void a_context_that_was_asked_for_and_does_not_fit_is_an_error_with_numbers(void **state)
{
    (void)state;
    const uint64_t bytes = FIXED_BYTES + 10 * 16 * TOKEN_BYTES;
    gol_engine_opts opts = {.kv_bytes = bytes, .max_model_len = 160};
    assert_int_equal(limits_of(opts, basis(1000, gib)).max_model_len, 160);
    opts.max_model_len = 161;
    const char *message = failure_of(opts, basis(1000, gib), GOL_EINVAL);
    assert_non_null(strstr(message, "161"));
    assert_non_null(strstr(message, "160 tokens"));
    opts.kv_bytes = 0;
    message = failure_of(opts, basis(1000, 4 * bytes), GOL_ENOMEM);
    assert_non_null(strstr(message, "161"));
    assert_non_null(strstr(message, "160 tokens"));
}

static void no_memory_at_all_is_an_error(void **state)
{
    (void)state;
    failure_of((gol_engine_opts){0}, basis(1000, 0), GOL_ENOMEM);
    failure_of((gol_engine_opts){.kv_bytes = 1}, basis(1000, gib), GOL_EINVAL);
}

static void bytes_that_were_given_are_used_whole(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of((gol_engine_opts){.kv_bytes = gib, .max_seqs = 1},
                                          basis(100, gib / 1024));
    assert_true(l.kv_bytes > gib - 17 * TOKEN_BYTES && l.kv_bytes <= gib);
    assert_int_equal(l.max_model_len, 100);
}

static void slots_stay_within_32_bits(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of(
        (gol_engine_opts){.kv_bytes = UINT64_MAX, .block_size = 1000}, basis(GOL_CTX_MAX, gib));
    assert_true((int64_t)l.n_blocks * l.block_size <= INT32_MAX);
    assert_int_equal(l.n_blocks, INT32_MAX / 1000);
}

static void batch_size_and_sequences_follow_each_other(void **state)
{
    (void)state;
    const gol_limits_basis b = basis(1000, gib);
    assert_int_equal(limits_of((gol_engine_opts){.max_batch_tokens = 8}, b).max_seqs, 8);
    assert_int_equal(limits_of((gol_engine_opts){.max_seqs = 1000}, b).max_batch_tokens, 1000);
    const gol_engine_opts equal = {.max_seqs = 9, .max_batch_tokens = 9};
    assert_int_equal(limits_of(equal, b).max_batch_tokens, 9);
    const gol_engine_opts fewer = {.max_seqs = 9, .max_batch_tokens = 8};
    assert_non_null(strstr(failure_of(fewer, b, GOL_EINVAL), "max_batch_tokens"));
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    const struct {
        const char *name;
        gol_engine_opts opts;
    } cases[] = {
        {"max_seqs", {.max_seqs = -1}},
        {"max_seqs", {.max_seqs = GOL_ENGINE_SEQS_MAX + 1}},
        {"max_batch_tokens", {.max_batch_tokens = -1}},
        {"max_batch_tokens", {.max_batch_tokens = GOL_ENGINE_BATCH_TOKENS_MAX + 1}},
        {"max_model_len", {.max_model_len = -1}},
        {"max_model_len", {.max_model_len = 1}},
        {"max_model_len", {.max_model_len = 1001}},
        {"block_size", {.block_size = -16}},
        {"block_size", {.block_size = GOL_ENGINE_BLOCK_SIZE_MAX + 1}},
        {"max_queued_reqs", {.max_queued_reqs = -1}},
        {"max_queued_reqs", {.max_queued_reqs = GOL_ENGINE_QUEUED_REQS_MAX + 1}},
        {"policy", {.policy = (gol_sched_policy)2}},
        {"kv_type", {.kv_type = GOL_N_KV_TYPES}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *message = failure_of(cases[i].opts, basis(1000, gib), GOL_EINVAL);
        if (!strstr(message, cases[i].name))
            fail_msg("'%s' does not name %s", message, cases[i].name);
    }
    const gol_engine_opts highest = {
        .max_seqs = GOL_ENGINE_SEQS_MAX,
        .max_batch_tokens = GOL_ENGINE_BATCH_TOKENS_MAX,
        .max_model_len = 1000,
        .block_size = GOL_ENGINE_BLOCK_SIZE_MAX,
        .max_queued_reqs = GOL_ENGINE_QUEUED_REQS_MAX,
    };
    limits_of(highest, basis(1000, gib));
    failure_of((gol_engine_opts){0}, basis(1, gib), GOL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_header),
        cmocka_unit_test(rows_of_whole_prompts_are_kept_within_their_budget),
        cmocka_unit_test(the_cache_takes_at_most_a_quarter_of_the_memory),
        cmocka_unit_test(a_context_nobody_asked_for_is_lowered_to_what_fits),
        cmocka_unit_test(a_context_that_was_asked_for_and_does_not_fit_is_an_error_with_numbers),
        cmocka_unit_test(no_memory_at_all_is_an_error),
        cmocka_unit_test(bytes_that_were_given_are_used_whole),
        cmocka_unit_test(slots_stay_within_32_bits),
        cmocka_unit_test(batch_size_and_sequences_follow_each_other),
        cmocka_unit_test(options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
