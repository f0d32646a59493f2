/*
 * The sizes of an engine. What can be chosen is the number of KV blocks: as many as max_seqs sequences of max_model_len can
 * use, at most what memory allows. Other parts grow with them (attention's scratch with the context, requests with the tokens
 * that are there), so the number is searched for with the whole plan. A context that the user did not ask for is lowered
 * to what fits; one that was asked for and does not fit is an error. One sequence of max_model_len always fits: that is what
 * keeps the scheduler from ever being stuck.
 */
#include "engine/engine_limits.h"

#include <stdio.h>

#include "base/minmax.h"
#include "engine/exact_cache.h"

enum {
    DEFAULT_SEQS = 64,
    DEFAULT_BATCH_TOKENS = 512,
    ENCODER_BATCH_TOKENS_MAX = 8192,
    /* Larger: fewer table entries, more places wasted in a sequence's last block. */
    DEFAULT_BLOCK_SIZE = 16,
    DEFAULT_QUEUED_REQS = 256,
    /* Five tokens a second: about as fast as people read. */
    DEFAULT_ITL_MS = 200,
    MARGIN_SHARE = 8,
    MODEL_LEN_MIN = 2, /* one token of prompt, one of answer */
    /* Of what the weights leave: the states of sequences, when their number is not given, and those that are kept. */
    STATES_SHARE = 4,
    SNAPSHOTS_SHARE = 8,
    DEFAULT_EXACT_BYTES = 64 << 20,
    /* An eighth of the KV cache: a small engine keeps small. But a few prompts at least. */
    DEFAULT_EXACT_SHARE = 8,
    DEFAULT_EXACT_ROWS_MIN = 4,
    EXACT_ROWS_MAX = 1 << 16,
};

static const uint64_t margin_max = (uint64_t)1 << 30;

static int check_option(const char *name, int32_t v, int32_t max, gol_err *err)
{
    if (v >= 0 && v <= max)
        return 0;
    return gol_fail(err, GOL_EINVAL, "%s is %d, 1 to %d is accepted (0: the default)", name, v,
                    max);
}

static int check_options(const gol_engine_opts *opts, int32_t n_ctx, gol_err *err)
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
    if (opts->max_queued_tokens < 0)
        return gol_fail(err, GOL_EINVAL, "max_queued_tokens is %d, 0 and more is accepted",
                        opts->max_queued_tokens);
    if (opts->max_itl_ms < -1 || opts->max_itl_ms > GOL_ENGINE_ITL_MS_MAX)
        return gol_fail(err, GOL_EINVAL,
                        "max_itl_ms is %d, 1 to %d is accepted (0: %d, -1: no limit)",
                        opts->max_itl_ms, GOL_ENGINE_ITL_MS_MAX, DEFAULT_ITL_MS);
    if (opts->policy != GOL_SCHED_FCFS && opts->policy != GOL_SCHED_PRIORITY)
        return gol_fail(err, GOL_EINVAL, "policy is %d, fcfs (0) and priority (1) are known",
                        (int)opts->policy);
    if (gol_kv_type_name(opts->kv_type) == NULL)
        return gol_fail(err, GOL_EINVAL,
                        "kv_type is %d, f16 (0), f32 (1), bf16 (2) and q8_0 (3) are known",
                        (int)opts->kv_type);
    if (opts->exact_cache_bytes < -1)
        return gol_fail(
            err, GOL_EINVAL,
            "exact_cache_bytes is %lld, 0 (the default), -1 (none) and more are accepted",
            (long long)opts->exact_cache_bytes);
    const int32_t len = opts->max_model_len;
    if (len != 0 && (len < MODEL_LEN_MIN || len > n_ctx))
        return gol_fail(err, GOL_EINVAL,
                        "max_model_len is %d, %d to the model's context of %d is accepted", len,
                        MODEL_LEN_MIN, n_ctx);
    if (opts->max_seqs != 0 && opts->max_batch_tokens != 0 &&
        opts->max_batch_tokens < opts->max_seqs)
        return gol_fail(err, GOL_EINVAL,
                        "max_batch_tokens is %d, fewer than max_seqs, which is %d: not every "
                        "sequence could get a token in every step",
                        opts->max_batch_tokens, opts->max_seqs);
    return 0;
}

/* Of two options of which one may follow the other, the one that was given decides. */
static void set_batch_sizes(gol_engine_limits *out, const gol_engine_opts *opts,
                            const gol_config *config)
{
    int32_t n_tokens = DEFAULT_BATCH_TOKENS;
    if (!config->is_causal) { /* the longest prompt goes into one step */
        const int32_t len = opts->max_model_len ? opts->max_model_len : config->n_ctx_train;
        n_tokens = gol_max_i32(n_tokens, gol_min_i32(len, ENCODER_BATCH_TOKENS_MAX));
    }
    out->max_batch_tokens = opts->max_batch_tokens ? opts->max_batch_tokens
                                                   : gol_max_i32(n_tokens, opts->max_seqs);
    out->max_seqs = opts->max_seqs ? opts->max_seqs
                                   : gol_min_i32(DEFAULT_SEQS, out->max_batch_tokens);
}

/* What one search knows. */
typedef struct search {
    gol_engine_limits *limits;
    gol_memory_plan *plan;
    const gol_memory_basis *basis;
    int64_t exact_bytes; /* as in the options */
    int32_t len;         /* the context that was asked for, or the model's */
    bool is_len_fixed;   /* it was asked for */
} search;

/* Rows of logits for whole prompts. There is no use for more than there are blocks. */
static void set_exact(const search *s)
{
    gol_engine_limits *limits = s->limits;
    const int32_t n_vocab = s->basis->config->n_vocab;
    limits->n_exact_rows = 0;
    limits->exact_cache_bytes = 0;
    /* A row is of use with all the prompt's tokens; a recurrent model has their state at borders of blocks only. */
    if (!limits->has_prefix_caching || s->exact_bytes == -1 || limits->n_states > 0)
        return;
    const uint64_t row_bytes = gol_exact_cache_bytes(1, n_vocab, limits->block_size);
    uint64_t n_bytes = (uint64_t)s->exact_bytes;
    if (n_bytes == 0) {
        n_bytes = limits->kv_bytes / DEFAULT_EXACT_SHARE;
        n_bytes = n_bytes < DEFAULT_EXACT_BYTES ? n_bytes : DEFAULT_EXACT_BYTES;
        const uint64_t least = DEFAULT_EXACT_ROWS_MIN * row_bytes;
        n_bytes = n_bytes > least ? n_bytes : least;
    }
    const uint64_t n_rows = n_bytes / row_bytes;
    limits->n_exact_rows = n_rows < EXACT_ROWS_MAX ? (int32_t)n_rows : EXACT_ROWS_MAX;
    limits->n_exact_rows = gol_min_i32(limits->n_exact_rows, limits->n_blocks);
    limits->exact_cache_bytes = gol_exact_cache_bytes(limits->n_exact_rows, n_vocab,
                                                      limits->block_size);
}

/* Sizes and plan with n_blocks, one for each group of layers at least; returns what they take. */
static uint64_t try_blocks(const search *s, int32_t n_blocks)
{
    gol_engine_limits *limits = s->limits;
    limits->n_blocks = n_blocks;
    limits->max_model_len = gol_kv_layout_longest(&limits->layout, n_blocks, s->len);
    limits->kv_bytes = gol_memory_kv_bytes(s->basis, limits, n_blocks);
    set_exact(s);
    gol_memory_plan_fill(s->plan, s->basis, limits);
    return s->plan->total;
}

/* The most blocks from n_min to n_max with which everything takes at most n_bytes (or, by_kv, the KV cache alone); n_min - 1: not
 * even n_min. Bytes grow with blocks, by what rule is the backend's business, so it is a search. */
static int32_t most_blocks(const search *s, uint64_t n_bytes, bool by_kv, int32_t n_min,
                           int32_t n_max)
{
    int32_t lo = n_min - 1;
    int32_t hi = n_max;
    while (lo < hi) {
        const int32_t mid = hi - (hi - lo) / 2;
        const uint64_t taken = by_kv ? gol_memory_kv_bytes(s->basis, s->limits, mid)
                                     : try_blocks(s, mid);
        if (taken <= n_bytes)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

/* Blocks that the sequences can use, as far as they can be numbered: slots are counted in 32 bits. */
static int32_t blocks_of_use(const search *s)
{
    const int32_t n_addressable = INT32_MAX / s->limits->block_size;
    const int64_t n = (int64_t)s->limits->max_seqs *
                      gol_kv_layout_blocks_for(&s->limits->layout, s->len);
    return n < n_addressable ? (int32_t)n : n_addressable;
}

/* The fewest blocks that are acceptable. */
static int32_t blocks_of_need(const search *s)
{
    return gol_kv_layout_blocks_for(&s->limits->layout, s->is_len_fixed ? s->len : MODEL_LEN_MIN);
}

static double mib(uint64_t n_bytes)
{
    return (double)n_bytes / (1024 * 1024);
}

/* s->plan is over s->plan->max. */
static int fail_no_room(const search *s, const gol_engine_opts *opts, gol_err *err)
{
    const uint64_t *bytes = s->plan->bytes;
    const double needed = mib(s->plan->total);
    const int32_t n_ctx = s->limits->max_model_len;
    const int32_t n_blocks = s->limits->n_blocks;
    char states[64] = "";
    if (s->limits->n_states > 0)
        snprintf(states, sizeof states, ", %d recurrent states %.1f", s->limits->n_states,
                 mib(bytes[GOL_MEMORY_STATES]));
    char parts[320];
    snprintf(
        parts, sizeof parts,
        "weights %.1f, KV cache of %lld tokens %.1f%s, scratch %.1f, requests and the rest %.1f",
        mib(bytes[GOL_MEMORY_WEIGHTS] + bytes[GOL_MEMORY_FILE]),
        (long long)gol_memory_kv_tokens(s->limits), mib(bytes[GOL_MEMORY_KV]), states,
        mib(bytes[GOL_MEMORY_SCRATCH]),
        mib(bytes[GOL_MEMORY_REQUESTS] + bytes[GOL_MEMORY_PROMPTS] + bytes[GOL_MEMORY_OTHER]));
    const char *whose = opts->memory != 0     ? "memory is"
                        : opts->kv_bytes != 0 ? "available are"
                                              : "what is available less a margin is";
    char fits[64] = "";
    if (s->is_len_fixed && opts->kv_bytes == 0) {
        const int32_t n_least = blocks_of_need(s);
        const int32_t n = most_blocks(s, s->plan->max, false, s->limits->layout.n_groups, n_least);
        try_blocks(s, n_least); /* what the message is about, and the plan shows */
        if (n >= s->limits->layout.n_groups)
            snprintf(fits, sizeof fits, ", enough for a context of %lld tokens",
                     (long long)gol_kv_layout_longest(&s->limits->layout, n, s->len));
    }
    return gol_fail(
        err, GOL_ENOMEM,
        "with a context (max_model_len) of %d this takes %.1f MiB (%s); %s %.1f MiB%s. "
        "Less is needed with %sa smaller quantization of the model, fewer sequences and "
        "tokens per step",
        n_ctx, needed, parts, whose, mib(s->plan->max), fits,
        n_blocks > 1 ? "a shorter context, a KV cache of q8_0, " : "");
}

static int fail_kv_bytes(const search *s, uint64_t n_bytes, gol_err *err)
{
    const int32_t n_needed = blocks_of_need(s);
    const int32_t n_fit = most_blocks(s, n_bytes, true, 1, n_needed);
    return gol_fail(err, GOL_EINVAL,
                    "max_model_len %d needs a KV cache of %.1f MiB; kv_bytes is %.1f MiB, enough "
                    "for %lld tokens",
                    s->is_len_fixed ? s->len : MODEL_LEN_MIN,
                    mib(gol_memory_kv_bytes(s->basis, s->limits, n_needed)), mib(n_bytes),
                    (long long)gol_kv_layout_longest(&s->limits->layout, n_fit, s->len));
}

/* plan->max: what everything together may take. */
static int set_max(gol_memory_plan *plan, const gol_engine_opts *opts, uint64_t available,
                   gol_err *err)
{
    plan->available = available;
    if (opts->memory != 0) {
        plan->max = opts->memory;
        if (available != 0 && opts->memory > available)
            return gol_fail(err, GOL_ENOMEM, "memory is %.1f MiB, %.1f MiB are available",
                            mib(opts->memory), mib(available));
        return 0;
    }
    if (available == 0 && opts->kv_bytes == 0)
        return gol_fail(
            err, GOL_ENOMEM,
            "no memory is available, or the system does not tell how much; `memory` says "
            "how much may be taken");
    if (opts->kv_bytes != 0) {
        plan->max = available != 0 ? available : UINT64_MAX;
        return 0;
    }
    const uint64_t margin = available / MARGIN_SHARE;
    plan->max = available - (margin < margin_max ? margin : margin_max);
    return 0;
}

/* One for each sequence, and some to keep. When nobody has said how many sequences, as many as leave room for the rest. */
static int set_states(gol_engine_limits *limits, const gol_memory_plan *plan,
                      const gol_memory_basis *basis, const gol_engine_opts *opts, gol_err *err)
{
    if (opts->max_snapshots < 0 || opts->max_snapshots > GOL_ENGINE_SNAPSHOTS_MAX)
        return gol_fail(err, GOL_EINVAL,
                        "max_snapshots is %d, 1 to %d is accepted (0: the default)",
                        opts->max_snapshots, GOL_ENGINE_SNAPSHOTS_MAX);
    limits->n_states = 0;
    if (!gol_config_has_state(basis->config))
        return 0;
    const uint64_t slot_bytes = gol_memory_state_bytes(basis, 1);
    const uint64_t room = plan->max > basis->weights.owned ? plan->max - basis->weights.owned : 0;
    const uint64_t n_seqs_fit = room / STATES_SHARE / slot_bytes;
    if (opts->max_seqs == 0 && n_seqs_fit < (uint64_t)limits->max_seqs)
        limits->max_seqs = n_seqs_fit > 0 ? (int32_t)n_seqs_fit : 1;
    int32_t n_snapshots = opts->max_snapshots;
    if (n_snapshots == 0) {
        const uint64_t n_fit = room / SNAPSHOTS_SHARE / slot_bytes;
        n_snapshots = n_fit < (uint64_t)limits->max_seqs ? (int32_t)n_fit : limits->max_seqs;
        n_snapshots = gol_max_i32(n_snapshots, 1);
    }
    limits->n_states = limits->max_seqs + (limits->has_prefix_caching ? n_snapshots : 0);
    return 0;
}

/* Sets n_blocks and all that follows from it. */
static int set_kv(const search *s, const gol_engine_opts *opts, gol_err *err)
{
    const int32_t n_least = blocks_of_need(s);
    const uint64_t max = s->plan->max;
    int32_t n_blocks;
    if (opts->kv_bytes != 0) {
        /* Without attention blocks take no bytes here. */
        const bool is_free = gol_memory_kv_bytes(s->basis, s->limits, 1) == 0;
        n_blocks = most_blocks(s, opts->kv_bytes, true, n_least,
                               is_free ? blocks_of_use(s) : INT32_MAX / s->limits->block_size);
        if (n_blocks < n_least)
            return fail_kv_bytes(s, opts->kv_bytes, err);
        return try_blocks(s, n_blocks) <= max ? 0 : fail_no_room(s, opts, err);
    }
    const uint64_t least = try_blocks(s, n_least);
    if (least > max)
        return fail_no_room(s, opts, err);
    uint64_t wanted = max;
    if (opts->memory == 0) {
        const uint64_t rest = try_blocks(s, s->limits->layout.n_groups);
        wanted = rest + (max - rest) / 2;
    }
    n_blocks = most_blocks(s, wanted, false, n_least, blocks_of_use(s));
    try_blocks(s, n_blocks < n_least ? n_least : n_blocks);
    return 0;
}

static void set_layout(gol_engine_limits *out, const gol_memory_basis *basis)
{
    static const int32_t none[] = {0};
    const gol_kv_groups *groups = &basis->groups;
    const bool has_groups = groups->n_groups > 0;
    gol_kv_layout_init(&out->layout, out->block_size, has_groups ? groups->n_groups : 1,
                       has_groups ? groups->windows : none, out->max_batch_tokens);
}

int gol_engine_limits_init(gol_engine_limits *out, gol_memory_plan *plan,
                           const gol_engine_opts *opts, const gol_memory_basis *basis, gol_err *err)
{
    const int32_t n_ctx = basis->config->n_ctx_train;
    *out = (gol_engine_limits){0};
    *plan = (gol_memory_plan){0};
    if (n_ctx < MODEL_LEN_MIN)
        return gol_fail(err, GOL_EINVAL, "the model's context is %d, at least %d are needed", n_ctx,
                        MODEL_LEN_MIN);
    int rc = check_options(opts, n_ctx, err);
    if (rc != 0)
        return rc;
    set_batch_sizes(out, opts, basis->config);
    out->block_size = opts->block_size ? opts->block_size : DEFAULT_BLOCK_SIZE;
    set_layout(out, basis);
    out->n_ctx_asked = gol_engine_ctx_asked(opts, basis->config);
    out->max_queued_tokens = opts->max_queued_tokens;
    out->max_itl_ms = opts->max_itl_ms == 0    ? DEFAULT_ITL_MS
                      : opts->max_itl_ms == -1 ? 0
                                               : opts->max_itl_ms;
    out->max_queued_reqs = opts->max_queued_reqs ? opts->max_queued_reqs : DEFAULT_QUEUED_REQS;
    out->kv_type = opts->kv_type;
    out->has_prefix_caching = !opts->no_prefix_caching && basis->config->has_logits;
    const search s = {
        .limits = out,
        .plan = plan,
        .basis = basis,
        .exact_bytes = opts->exact_cache_bytes,
        .len = opts->max_model_len ? opts->max_model_len : n_ctx,
        .is_len_fixed = opts->max_model_len != 0,
    };
    rc = set_max(plan, opts, basis->available, err);
    if (rc == 0)
        rc = set_states(out, plan, basis, opts, err);
    return rc != 0 ? rc : set_kv(&s, opts, err);
}
