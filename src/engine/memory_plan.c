/* Sizes to bytes. Sums stop at UINT64_MAX: what does not fit into 64 bits does not fit into memory either. */
#include "engine/memory_plan.h"

#include <assert.h>

#include "engine/inbox.h"
#include "engine/kv_cache.h"
#include "engine/runner.h"
#include "engine/sequence.h"

static uint64_t add(uint64_t a, uint64_t b)
{
    return b < UINT64_MAX - a ? a + b : UINT64_MAX;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

int64_t gol_memory_kv_tokens(const gol_engine_limits *limits)
{
    return gol_kv_layout_n_tokens(&limits->layout, limits->n_blocks, limits->max_model_len);
}

uint64_t gol_memory_kv_bytes(const gol_memory_basis *basis, const gol_engine_limits *limits,
                             int32_t n_blocks)
{
    const gol_kv_shape shape = {
        .type = limits->kv_type,
        .n_layers = basis->config->n_layers,
        .n_blocks = n_blocks,
        .block_size = limits->block_size,
        .layers = basis->layers,
    };
    const size_t n_bytes = basis->be->ops->kv_bytes(basis->be, &shape);
    return n_bytes == SIZE_MAX ? UINT64_MAX : n_bytes;
}

uint64_t gol_memory_state_bytes(const gol_memory_basis *basis, int32_t n_states)
{
    return gol_config_state_bytes(basis->config, basis->be, n_states);
}

int32_t gol_memory_n_full_seqs(const gol_engine_limits *limits)
{
    const int32_t n = limits->n_blocks /
                      gol_kv_layout_blocks_for(&limits->layout, limits->max_model_len);
    return n < limits->max_seqs ? n : limits->max_seqs;
}

int64_t gol_memory_prompt_tokens(const gol_engine_limits *limits)
{
    const int64_t n_places = (int64_t)limits->max_seqs + limits->max_queued_reqs;
    const int64_t n_most = n_places * limits->max_model_len;
    int64_t n_room = GOL_PROMPTS_PER_KV * gol_memory_kv_tokens(limits);
    n_room = n_room > GOL_PROMPT_TOKENS_MIN ? n_room : GOL_PROMPT_TOKENS_MIN;
    return n_most < n_room ? n_most : n_room;
}

static uint64_t scratch_bytes(const gol_memory_basis *basis, const gol_engine_limits *limits)
{
    const gol_config *c = basis->config;
    const uint64_t forward = gol_forward_bytes(c, basis->be, limits->max_batch_tokens,
                                               limits->max_seqs, limits->max_model_len);
    return add(forward, gol_runner_bytes(basis->be, c->n_vocab, limits));
}

/* Answers: tokens that are computed stand in the KV cache, so it bounds them too. */
static uint64_t request_bytes(const gol_engine_limits *limits, int32_t n_vocab)
{
    const uint64_t n_places = (uint64_t)limits->max_seqs + (uint64_t)limits->max_queued_reqs;
    const uint64_t n_answer = (uint64_t)gol_memory_kv_tokens(limits);
    const uint64_t n_most = mul((uint64_t)limits->max_seqs, (uint64_t)limits->max_model_len);
    const uint64_t bitmaps = (uint64_t)n_vocab / 4; /* two of a bit for each id: of repetitions */
    uint64_t sum = mul(n_places, GOL_REQUEST_BYTES + sizeof(gol_seq) + bitmaps);
    sum = add(sum, gol_inbox_bytes(limits->max_queued_reqs, limits->max_seqs));
    sum = add(sum, mul((uint64_t)gol_memory_prompt_tokens(limits), GOL_PROMPT_TOKEN_BYTES));
    return add(sum, mul(n_answer < n_most ? n_answer : n_most, GOL_ANSWER_TOKEN_BYTES));
}

void gol_memory_plan_fill(gol_memory_plan *plan, const gol_memory_basis *basis,
                          const gol_engine_limits *limits)
{
    assert(limits->n_blocks >= 1 && limits->max_model_len >= 1);
    uint64_t *bytes = plan->bytes;
    bytes[GOL_MEMORY_WEIGHTS] = basis->weights.owned;
    bytes[GOL_MEMORY_FILE] = basis->weights.mapped;
    bytes[GOL_MEMORY_KV] = add(gol_memory_kv_bytes(basis, limits, limits->n_blocks),
                               gol_kv_cache_bytes(limits->n_blocks, limits->block_size));
    bytes[GOL_MEMORY_STATES] = add(gol_memory_state_bytes(basis, limits->n_states),
                                   gol_state_pool_bytes(limits->n_states));
    bytes[GOL_MEMORY_PROMPTS] = limits->exact_cache_bytes;
    bytes[GOL_MEMORY_SCRATCH] = scratch_bytes(basis, limits);
    bytes[GOL_MEMORY_REQUESTS] = request_bytes(limits, basis->config->n_vocab);
    bytes[GOL_MEMORY_OTHER] = basis->other_bytes;
    plan->total = 0;
    for (int i = 0; i < GOL_N_MEMORY_PARTS; i++)
        plan->total = add(plan->total, bytes[i]);
}
