/*
 * What a running model takes in memory, before any of it is allocated: from sizes to bytes. Nothing is allocated or measured
 * here; who may take how much is decided in engine_limits.h.
 *
 *     gol_memory_plan plan;
 *     gol_memory_plan_fill(&plan, &basis, &limits);
 *     if (plan.total > may_be_taken) ...
 *
 * A plan is an upper bound with every page touched. Memory that is allocated but was never used costs nothing yet, so a young
 * process is smaller.
 */
#ifndef GOL_ENGINE_MEMORY_PLAN_H
#define GOL_ENGINE_MEMORY_PLAN_H

#include <stdint.h>

#include "backend/backend.h"
#include "engine/engine.h"
#include "model/model.h"

enum {
    /* Tokens of prompts that may be there at once, running and waiting, in KV caches full: more are refused as a full
     * queue is. Bounds memory where a count of requests does not, because prompts may be as long as the context. So many are
     * let in beside the smallest cache. */
    GOL_PROMPTS_PER_KV = 4,
    GOL_PROMPT_TOKENS_MIN = 1 << 16,
    /* Of one token of a prompt: its id with the api and in the sequence, its share of the token counts that penalties need and
     * of scratch for repetitions, its text. */
    GOL_PROMPT_TOKEN_BYTES = 64,
    /* Of one token of an answer: the same, and the 20 most likely tokens beside it. */
    GOL_ANSWER_TOKEN_BYTES = 224,
    /* Of one request besides its tokens: structs, JSON, stop strings. */
    GOL_REQUEST_BYTES = 16 << 10,
};

/* What sizes are turned into bytes by. */
typedef struct gol_memory_basis {
    gol_backend *be;
    const gol_config *config;
    const gol_kv_layer_shape *layers; /* [config->n_layers] gol_config_kv_groups() */
    gol_kv_groups groups;             /* the same; all zero: one without a window */
    gol_weight_bytes weights;
    uint64_t other_bytes; /* what the process takes besides: the caller knows */
    uint64_t available;   /* gol_sysmem_available() before anything was allocated; 0: unknown */
} gol_memory_basis;

/* Fills plan->bytes and total from the sizes of `limits`: kv_bytes is not read, but found. */
void gol_memory_plan_fill(gol_memory_plan *plan, const gol_memory_basis *basis,
                          const gol_engine_limits *limits);

/* Tokens that the KV cache holds, of sequences that are as long as possible. */
int64_t gol_memory_kv_tokens(const gol_engine_limits *limits);

/* Tokens of prompts that these sizes let in at once. */
int64_t gol_memory_prompt_tokens(const gol_engine_limits *limits);

/* Bytes of the backend's KV cache of n_blocks, UINT64_MAX on overflow. */
uint64_t gol_memory_kv_bytes(const gol_memory_basis *basis, const gol_engine_limits *limits,
                             int32_t n_blocks);

/* Bytes of so many recurrent states, 0 where the model has none, UINT64_MAX on overflow. */
uint64_t gol_memory_state_bytes(const gol_memory_basis *basis, int32_t n_states);

/* Sequences of full length that fit the KV cache at once. */
int32_t gol_memory_n_full_seqs(const gol_engine_limits *limits);

#endif
