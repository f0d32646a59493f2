/*
 * The sizes of an engine. The KV cache is the only big one: its blocks are as many as max_seqs sequences of max_model_len
 * can use, at most what kv_bytes allows. A context that the user did not ask for is lowered to what fits, with a line in
 * the log; one that was asked for and does not fit is an error. One sequence of max_model_len always fits: that is what
 * keeps the scheduler from ever being stuck.
 */
#include "engine/engine_limits.h"

#include "base/log.h"
#include "engine/exact_cache.h"

enum {
    DEFAULT_SEQS = 64,
    DEFAULT_BATCH_TOKENS = 512,
    /* Larger: fewer table entries, more places wasted in a sequence's last block. */
    DEFAULT_BLOCK_SIZE = 16,
    DEFAULT_QUEUED_REQS = 256,
    /* A quarter of what is available: weights are in it already, others live here too. */
    DEFAULT_MEM_SHARE = 4,
    MODEL_LEN_MIN = 2, /* one token of prompt, one of answer */
    DEFAULT_EXACT_BYTES = 64 << 20,
    /* An eighth of the KV cache: a small engine keeps small. But a few prompts at least. */
    DEFAULT_EXACT_SHARE = 8,
    DEFAULT_EXACT_ROWS_MIN = 4,
    EXACT_ROWS_MAX = 1 << 16,
};

static int32_t min_i32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max_i32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int check_option(const char *name, int32_t v, int32_t max, gol_err *err)
{
    if (v >= 0 && v <= max)
        return 0;
    return gol_fail(err, GOL_EINVAL, "%s is %d, 1 to %d is accepted (0: the default)", name, v,
                    max);
}

static int check_options(const gol_engine_opts *opts, const gol_limits_basis *basis, gol_err *err)
{
    int rc = check_option("max_seqs", opts->max_seqs, GOL_ENGINE_SEQS_MAX, err);
    if (rc == 0)
        rc = check_option("max_batch_tokens", opts->max_batch_tokens, GOL_ENGINE_BATCH_TOKENS_MAX,
                          err);
    if (rc == 0)
        rc = check_option("block_size", opts->block_size, GOL_ENGINE_BLOCK_SIZE_MAX, err);
    if (rc == 0)
        rc = check_option("max_queued_reqs", opts->max_queued_reqs, GOL_ENGINE_QUEUED_REQS_MAX,
                          err);
    if (rc != 0)
        return rc;
    if (opts->policy != GOL_SCHED_FCFS && opts->policy != GOL_SCHED_PRIORITY)
        return gol_fail(err, GOL_EINVAL, "policy is %d, fcfs (0) and priority (1) are known",
                        (int)opts->policy);
    if (gol_kv_type_name(opts->kv_type) == NULL)
        return gol_fail(err, GOL_EINVAL,
                        "kv_type is %d, f16 (0), f32 (1), bf16 (2) and q8_0 (3) are known",
                        (int)opts->kv_type);
    const int32_t len = opts->max_model_len;
    if (len != 0 && (len < MODEL_LEN_MIN || len > basis->n_ctx))
        return gol_fail(err, GOL_EINVAL,
                        "max_model_len is %d, %d to the model's context of %d is accepted", len,
                        MODEL_LEN_MIN, basis->n_ctx);
    if (opts->max_seqs != 0 && opts->max_batch_tokens != 0 &&
        opts->max_batch_tokens < opts->max_seqs)
        return gol_fail(err, GOL_EINVAL,
                        "max_batch_tokens is %d, fewer than max_seqs, which is %d: not every "
                        "sequence could get a token in every step",
                        opts->max_batch_tokens, opts->max_seqs);
    return 0;
}

/* Of two options of which one may follow the other, the one that was given decides. */
static void set_batch_sizes(gol_engine_limits *out, const gol_engine_opts *opts)
{
    out->max_batch_tokens = opts->max_batch_tokens ? opts->max_batch_tokens
                                                   : max_i32(DEFAULT_BATCH_TOKENS, opts->max_seqs);
    out->max_seqs = opts->max_seqs ? opts->max_seqs : min_i32(DEFAULT_SEQS, out->max_batch_tokens);
}

static uint64_t kv_bytes(const gol_limits_basis *basis, const gol_engine_opts *opts,
                         int32_t block_size, int32_t n_blocks)
{
    const gol_kv_shape shape = {
        .type = opts->kv_type,
        .n_layers = basis->n_layers,
        .n_blocks = n_blocks,
        .block_size = block_size,
        .layers = basis->layers,
    };
    return basis->be->ops->kv_bytes(basis->be, &shape);
}

/* The most blocks whose cache takes at most n_bytes, up to n_max; 0: not even one. Bytes grow with blocks, by what rule is
 * the backend's business, so it is a search. */
static int32_t n_blocks_in(const gol_limits_basis *basis, const gol_engine_opts *opts,
                           int32_t block_size, uint64_t n_bytes, int32_t n_max)
{
    int32_t lo = 0;
    int32_t hi = n_max;
    while (lo < hi) {
        const int32_t mid = hi - (hi - lo) / 2;
        if (kv_bytes(basis, opts, block_size, mid) <= n_bytes)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

static double mib(uint64_t n_bytes)
{
    return (double)n_bytes / (1024 * 1024);
}

static int fail_too_small(const gol_limits_basis *basis, const gol_engine_opts *opts,
                          const gol_engine_limits *limits, uint64_t n_bytes, int32_t n_tokens,
                          gol_err *err)
{
    const int32_t len = opts->max_model_len ? opts->max_model_len : MODEL_LEN_MIN;
    const int32_t n_blocks = (len - 1) / limits->block_size + 1;
    const double needed = mib(kv_bytes(basis, opts, limits->block_size, n_blocks));
    if (opts->kv_bytes != 0)
        return gol_fail(err, GOL_EINVAL,
                        "max_model_len %d needs a KV cache of %.1f MiB; kv_bytes is %.1f MiB, "
                        "enough for %d tokens",
                        len, needed, mib(n_bytes), n_tokens);
    return gol_fail(err, GOL_ENOMEM,
                    "max_model_len %d needs a KV cache of %.1f MiB; a quarter of the available "
                    "memory is %.1f MiB, enough for %d tokens (kv_bytes would set another share)",
                    len, needed, mib(n_bytes), n_tokens);
}

static int set_kv(gol_engine_limits *out, const gol_engine_opts *opts,
                  const gol_limits_basis *basis, gol_err *err)
{
    const int32_t bs = out->block_size;
    const int32_t n_addressable = INT32_MAX / bs; /* slots are counted in 32 bits */
    int32_t len = opts->max_model_len ? opts->max_model_len : basis->n_ctx;
    int32_t n_wanted = n_addressable;
    uint64_t n_bytes = opts->kv_bytes;
    if (n_bytes == 0) {
        n_bytes = basis->mem_available / DEFAULT_MEM_SHARE;
        const int64_t n = (int64_t)out->max_seqs * ((len - 1) / bs + 1);
        n_wanted = n < n_addressable ? (int32_t)n : n_addressable;
    }
    out->n_blocks = n_blocks_in(basis, opts, bs, n_bytes, n_wanted);
    const int64_t n_tokens = (int64_t)out->n_blocks * bs;
    if (n_tokens < (opts->max_model_len ? len : MODEL_LEN_MIN))
        return fail_too_small(basis, opts, out, n_bytes, (int32_t)n_tokens, err);
    if (n_tokens < len) {
        gol_log_info("engine", "the context is %d tokens: the model's %d do not fit %.1f MiB",
                     (int32_t)n_tokens, len, mib(n_bytes));
        len = (int32_t)n_tokens;
    }
    out->max_model_len = len;
    out->kv_bytes = kv_bytes(basis, opts, bs, out->n_blocks);
    return 0;
}

/* Rows of logits for whole prompts. There is no use for more than there are blocks. */
static int set_exact(gol_engine_limits *out, const gol_engine_opts *opts,
                     const gol_limits_basis *basis, gol_err *err)
{
    if (opts->exact_cache_bytes < -1)
        return gol_fail(
            err, GOL_EINVAL,
            "exact_cache_bytes is %lld, 0 (the default), -1 (none) and more are accepted",
            (long long)opts->exact_cache_bytes);
    out->has_prefix_caching = !opts->no_prefix_caching;
    if (opts->no_prefix_caching || opts->exact_cache_bytes == -1)
        return 0;
    const uint64_t row_bytes = gol_exact_cache_bytes(1, basis->n_vocab, out->block_size);
    uint64_t n_bytes = (uint64_t)opts->exact_cache_bytes;
    if (n_bytes == 0) {
        n_bytes = out->kv_bytes / DEFAULT_EXACT_SHARE;
        n_bytes = n_bytes < DEFAULT_EXACT_BYTES ? n_bytes : DEFAULT_EXACT_BYTES;
        const uint64_t least = DEFAULT_EXACT_ROWS_MIN * row_bytes;
        n_bytes = n_bytes > least ? n_bytes : least;
    }
    const uint64_t n_rows = n_bytes / row_bytes;
    out->n_exact_rows = n_rows < EXACT_ROWS_MAX ? (int32_t)n_rows : EXACT_ROWS_MAX;
    out->n_exact_rows = min_i32(out->n_exact_rows, out->n_blocks);
    out->exact_cache_bytes = gol_exact_cache_bytes(out->n_exact_rows, basis->n_vocab,
                                                   out->block_size);
    return 0;
}

int gol_engine_limits_init(gol_engine_limits *out, const gol_engine_opts *opts,
                           const gol_limits_basis *basis, gol_err *err)
{
    *out = (gol_engine_limits){0};
    if (basis->n_ctx < MODEL_LEN_MIN)
        return gol_fail(err, GOL_EINVAL, "the model's context is %d, at least %d are needed",
                        basis->n_ctx, MODEL_LEN_MIN);
    int rc = check_options(opts, basis, err);
    if (rc != 0)
        return rc;
    set_batch_sizes(out, opts);
    out->block_size = opts->block_size ? opts->block_size : DEFAULT_BLOCK_SIZE;
    out->max_queued_reqs = opts->max_queued_reqs ? opts->max_queued_reqs : DEFAULT_QUEUED_REQS;
    out->kv_type = opts->kv_type;
    rc = set_kv(out, opts, basis, err);
    return rc == 0 ? set_exact(out, opts, basis, err) : rc;
}
