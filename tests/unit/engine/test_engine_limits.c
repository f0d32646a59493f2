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

enum { TOKEN_BYTES = 1024, FIXED_BYTES = 100, SCRATCH_BYTES = 5000, CTX_BYTES = 4 };

static size_t kv_bytes(gol_backend *be, const gol_kv_shape *shape)
{
    (void)be;
    return FIXED_BYTES + (size_t)shape->n_blocks * (size_t)shape->block_size * TOKEN_BYTES;
}

/* Grows with the context, as attention's does. */
static size_t reserve_bytes(gol_backend *be, const gol_scratch_shape *shape)
{
    (void)be;
    return SCRATCH_BYTES + (size_t)shape->n_ctx_max * CTX_BYTES;
}

static int n_lanes(gol_backend *be)
{
    (void)be;
    return 1;
}

static const gol_backend_ops ops = {
    .name = "fake", .n_lanes = n_lanes, .kv_bytes = kv_bytes, .reserve_bytes = reserve_bytes};
static gol_backend backend = {.ops = &ops};
static gol_config config = {.n_vocab = 1000, .n_embd = 8, .is_causal = true, .has_logits = true};
static gol_memory_plan plan; /* of the last call */
static const uint64_t mib = 1u << 20;
static const uint64_t gib = 1u << 30;

static gol_memory_basis basis(int32_t n_ctx, uint64_t available)
{
    config.n_ctx_train = n_ctx;
    return (gol_memory_basis){.be = &backend, .config = &config, .available = available};
}

static gol_engine_limits limits_of(gol_engine_opts opts, gol_memory_basis b)
{
    gol_engine_limits limits;
    gol_err err = {0};
    if (gol_engine_limits_init(&limits, &plan, &opts, &b, &err) != 0)
        fail_msg("%s", err.message);
    return limits;
}

/* The message. */
static const char *failure_of(gol_engine_opts opts, gol_memory_basis b, int code)
{
    static gol_err err;
    gol_engine_limits limits;
    err = (gol_err){0};
    assert_int_equal(gol_engine_limits_init(&limits, &plan, &opts, &b, &err), code);
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
    assert_int_equal(l.max_queued_tokens, 0);
    assert_int_equal(l.max_itl_ms, 200);
    const gol_engine_opts no_limit = {.max_itl_ms = -1};
    assert_int_equal(limits_of(no_limit, basis(1000, 64 * gib)).max_itl_ms, 0);
    assert_int_equal(l.n_blocks, 64 * 63);
    assert_int_equal(l.kv_bytes, FIXED_BYTES + 64 * 63 * 16 * TOKEN_BYTES);
}

static void an_encoder_reads_its_longest_prompt_in_one_step(void **state)
{
    (void)state;
    config.is_causal = config.has_logits = false;
    gol_engine_limits l = limits_of((gol_engine_opts){0}, basis(2048, gib));
    assert_int_equal(l.max_batch_tokens, 2048);
    assert_false(l.has_prefix_caching);
    assert_int_equal(l.n_exact_rows, 0);
    l = limits_of((gol_engine_opts){0}, basis(256, gib));
    assert_int_equal(l.max_batch_tokens, 512);
    l = limits_of((gol_engine_opts){0}, basis(1 << 15, 64 * gib));
    assert_int_equal(l.max_batch_tokens, 8192);
    l = limits_of((gol_engine_opts){.max_model_len = 1024}, basis(2048, gib));
    assert_int_equal(l.max_batch_tokens, 1024);
    l = limits_of((gol_engine_opts){.max_batch_tokens = 100}, basis(2048, gib));
    assert_int_equal(l.max_batch_tokens, 100);
    config.is_causal = config.has_logits = true;
}

static void rows_of_whole_prompts_are_kept_within_their_budget(void **state)
{
    (void)state;
    const gol_memory_basis b = basis(1000, 64 * gib);
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

/* What everything but the KV cache takes, and what the cache's smallest form does. */
static uint64_t rest_of(gol_engine_opts opts, int32_t n_ctx)
{
    opts.kv_bytes = FIXED_BYTES + 16 * TOKEN_BYTES;
    opts.max_model_len = 0;
    limits_of(opts, basis(n_ctx, gib));
    return plan.total;
}

static void without_a_budget_the_cache_takes_half_of_what_is_left(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of((gol_engine_opts){0}, basis(100000, gib));
    const uint64_t may_be_taken = gib - gib / 8;
    const uint64_t rest = rest_of((gol_engine_opts){0}, 100000);
    const uint64_t wanted = rest + (may_be_taken - rest) / 2;
    limits_of((gol_engine_opts){0}, basis(100000, gib));
    assert_int_equal(plan.max, may_be_taken);
    assert_true(plan.total <= wanted);
    assert_true(plan.total + 17 * (TOKEN_BYTES + 1024) > wanted); /* and all of it */
    assert_int_equal(l.max_model_len, 100000);                    /* one sequence still fits */
    assert_true(l.kv_bytes < plan.total);
}

static void the_margin_is_an_eighth_and_at_most_a_gib(void **state)
{
    (void)state;
    limits_of((gol_engine_opts){0}, basis(1000, 64 * gib));
    assert_int_equal(plan.max, 63 * gib);
    limits_of((gol_engine_opts){0}, basis(1000, 8 * gib));
    assert_int_equal(plan.max, 7 * gib);
    limits_of((gol_engine_opts){0}, basis(1000, 256 * mib));
    assert_int_equal(plan.max, 224 * mib);
    assert_int_equal(plan.available, 256 * mib);
}

static void a_context_that_was_asked_for_may_take_more_than_the_half(void **state)
{
    (void)state;
    const gol_engine_limits free_len = limits_of((gol_engine_opts){0}, basis(1000000, gib));
    assert_true(free_len.max_model_len < 400000);
    const gol_engine_opts asked = {.max_model_len = 480000};
    const gol_engine_limits l = limits_of(asked, basis(1000000, gib));
    assert_int_equal(l.max_model_len, 480000);
    assert_int_equal(l.n_blocks, 480000 / 16); /* one sequence, not more */
    const gol_engine_opts less = {.max_model_len = 1000};
    const gol_engine_limits m = limits_of(less, basis(1000000, 64 * mib));
    assert_int_equal(m.max_model_len, 1000);
    assert_true(plan.total < 56 * mib); /* within the half nothing changes */
}

static void a_budget_is_used_to_the_last_block_and_never_exceeded(void **state)
{
    (void)state;
    const gol_engine_opts ten = {.memory = 100 * mib, .max_model_len = 160};
    const gol_engine_limits l = limits_of(ten, basis(1000, gib));
    assert_true(plan.total <= 100 * mib);
    assert_int_equal(plan.max, 100 * mib);
    assert_int_equal(l.n_blocks, 64 * 10); /* all that the sequences can use */

    /* exactly what one sequence needs, and one byte less */
    gol_engine_opts opts = {.max_seqs = 4, .max_model_len = 160, .kv_bytes = 1};
    opts.kv_bytes = FIXED_BYTES + 10 * 16 * TOKEN_BYTES;
    assert_int_equal(limits_of(opts, basis(1000, gib)).n_blocks, 10);
    const uint64_t exact = plan.total;
    opts.kv_bytes = 0;
    opts.memory = exact;
    assert_int_equal(limits_of(opts, basis(1000, gib)).n_blocks, 10);
    assert_int_equal(plan.total, exact);
    opts.memory = exact - 1;
    const char *message = failure_of(opts, basis(1000, gib), GOL_ENOMEM);
    assert_non_null(strstr(message, "160"));
    assert_non_null(strstr(message, "144 tokens"));
    assert_non_null(strstr(message, "q8_0"));
    assert_int_equal(plan.total, exact); /* the plan is the one that was refused */
    assert_int_equal(plan.max, exact - 1);
}

static void a_budget_counts_weights_and_everything_else(void **state)
{
    (void)state;
    gol_memory_basis b = basis(1000, gib);
    b.weights = (gol_weight_bytes){.owned = 300 * mib, .mapped = 50 * mib};
    b.other_bytes = 20 * mib;
    const gol_engine_opts opts = {.memory = 380 * mib, .max_model_len = 100};
    limits_of(opts, b);
    assert_int_equal(plan.bytes[GOL_MEMORY_WEIGHTS], 300 * mib);
    assert_int_equal(plan.bytes[GOL_MEMORY_FILE], 50 * mib);
    assert_int_equal(plan.bytes[GOL_MEMORY_OTHER], 20 * mib);
    uint64_t sum = 0;
    for (int i = 0; i < GOL_N_MEMORY_PARTS; i++)
        sum += plan.bytes[i];
    assert_int_equal(sum, plan.total);
    assert_true(plan.total <= opts.memory);
    const gol_engine_opts less = {.memory = 370 * mib};
    const char *message = failure_of(less, b, GOL_ENOMEM);
    assert_non_null(strstr(message, "350.0")); /* weights */
    assert_non_null(strstr(message, "370.0"));
    assert_non_null(strstr(message, "smaller quantization"));
}

static void a_budget_above_what_is_available_is_refused(void **state)
{
    (void)state;
    const gol_engine_opts opts = {.memory = gib};
    limits_of(opts, basis(1000, gib));
    const char *message = failure_of(opts, basis(1000, gib - mib), GOL_ENOMEM);
    assert_non_null(strstr(message, "1024.0"));
    assert_non_null(strstr(message, "1023.0"));
    limits_of(opts, basis(1000, 0)); /* where nobody knows, what was said holds */
    assert_int_equal(plan.max, gib);
    assert_int_equal(plan.available, 0);
}

static void sums_beyond_64_bits_do_not_wrap(void **state)
{
    (void)state;
    gol_memory_basis b = basis(1000, gib);
    b.weights.owned = UINT64_MAX - 10;
    b.other_bytes = 100;
    failure_of((gol_engine_opts){0}, b, GOL_ENOMEM);
    assert_int_equal(plan.total, UINT64_MAX);
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

static void a_context_that_does_not_fit_kv_bytes_is_an_error_with_numbers(void **state)
{
    (void)state;
    const uint64_t bytes = FIXED_BYTES + 10 * 16 * TOKEN_BYTES;
    gol_engine_opts opts = {.kv_bytes = bytes, .max_model_len = 160};
    assert_int_equal(limits_of(opts, basis(1000, gib)).max_model_len, 160);
    opts.max_model_len = 161;
    const char *message = failure_of(opts, basis(1000, gib), GOL_EINVAL);
    assert_non_null(strstr(message, "161"));
    assert_non_null(strstr(message, "160 tokens"));
}

static void no_memory_at_all_is_an_error(void **state)
{
    (void)state;
    assert_non_null(strstr(failure_of((gol_engine_opts){0}, basis(1000, 0), GOL_ENOMEM), "memory"));
    failure_of((gol_engine_opts){0}, basis(1000, 1), GOL_ENOMEM);
    failure_of((gol_engine_opts){.kv_bytes = 1}, basis(1000, gib), GOL_EINVAL);
}

static void kv_bytes_that_were_given_are_used_whole(void **state)
{
    (void)state;
    const gol_engine_opts opts = {.kv_bytes = gib, .max_seqs = 1};
    const gol_engine_limits l = limits_of(opts, basis(100, 2 * gib));
    assert_true(l.kv_bytes > gib - 17 * TOKEN_BYTES && l.kv_bytes <= gib);
    assert_int_equal(l.max_model_len, 100);
    limits_of(opts, basis(100, 0)); /* where nobody knows, too */
    assert_int_equal(plan.max, UINT64_MAX);
    const char *message = failure_of(opts, basis(100, gib), GOL_ENOMEM); /* all but the rest */
    assert_non_null(strstr(message, "1024.0"));
    const gol_engine_opts both = {.kv_bytes = gib, .memory = gib};
    failure_of(both, basis(100, 2 * gib), GOL_ENOMEM);
}

static void prompts_are_let_in_up_to_four_caches_full(void **state)
{
    (void)state;
    uint64_t bytes = FIXED_BYTES + 2000 * 16 * TOKEN_BYTES;
    gol_engine_limits l = limits_of((gol_engine_opts){.kv_bytes = bytes}, basis(100000, gib));
    assert_int_equal(gol_memory_prompt_tokens(&l), 4 * 2000 * 16);
    assert_int_equal(gol_memory_n_full_seqs(&l), 1);
    bytes = FIXED_BYTES + 100 * 16 * TOKEN_BYTES;
    l = limits_of((gol_engine_opts){.kv_bytes = bytes}, basis(100000, gib));
    assert_int_equal(gol_memory_prompt_tokens(&l), GOL_PROMPT_TOKENS_MIN);
    const gol_engine_opts few = {.max_seqs = 2, .max_queued_reqs = 3, .max_model_len = 8};
    l = limits_of(few, basis(1000, gib));
    assert_int_equal(gol_memory_prompt_tokens(&l), 5 * 8); /* more cannot come */
    assert_int_equal(gol_memory_n_full_seqs(&l), 2);
}

static void slots_stay_within_32_bits(void **state)
{
    (void)state;
    const gol_engine_limits l = limits_of(
        (gol_engine_opts){.kv_bytes = UINT64_MAX, .block_size = 1000}, basis(GOL_CTX_MAX, 0));
    assert_true((int64_t)l.n_blocks * l.block_size <= INT32_MAX);
    assert_int_equal(l.n_blocks, INT32_MAX / 1000);
}

static void batch_size_and_sequences_follow_each_other(void **state)
{
    (void)state;
    const gol_memory_basis b = basis(1000, gib);
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
        {"max_queued_tokens", {.max_queued_tokens = -1}},
        {"max_itl_ms", {.max_itl_ms = -2}},
        {"max_itl_ms", {.max_itl_ms = GOL_ENGINE_ITL_MS_MAX + 1}},
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
        .max_itl_ms = GOL_ENGINE_ITL_MS_MAX,
    };
    limits_of(highest, basis(1000, gib));
    failure_of((gol_engine_opts){0}, basis(1, gib), GOL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_header),
        cmocka_unit_test(an_encoder_reads_its_longest_prompt_in_one_step),
        cmocka_unit_test(rows_of_whole_prompts_are_kept_within_their_budget),
        cmocka_unit_test(without_a_budget_the_cache_takes_half_of_what_is_left),
        cmocka_unit_test(the_margin_is_an_eighth_and_at_most_a_gib),
        cmocka_unit_test(a_context_that_was_asked_for_may_take_more_than_the_half),
        cmocka_unit_test(a_budget_is_used_to_the_last_block_and_never_exceeded),
        cmocka_unit_test(a_budget_counts_weights_and_everything_else),
        cmocka_unit_test(a_budget_above_what_is_available_is_refused),
        cmocka_unit_test(sums_beyond_64_bits_do_not_wrap),
        cmocka_unit_test(a_context_nobody_asked_for_is_lowered_to_what_fits),
        cmocka_unit_test(a_context_that_does_not_fit_kv_bytes_is_an_error_with_numbers),
        cmocka_unit_test(no_memory_at_all_is_an_error),
        cmocka_unit_test(kv_bytes_that_were_given_are_used_whole),
        cmocka_unit_test(prompts_are_let_in_up_to_four_caches_full),
        cmocka_unit_test(slots_stay_within_32_bits),
        cmocka_unit_test(batch_size_and_sequences_follow_each_other),
        cmocka_unit_test(options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
