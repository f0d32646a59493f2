/*
 * Continuous batching over one model: requests in from any thread, events out by callback. One engine thread owns every
 * sequence, the block pool, the KV cache and the sampler; it runs steps as long as there is work and sleeps otherwise.
 *
 *     gol_engine *engine;
 *     gol_engine_create(&engine, model, &opts, &err);
 *     uint64_t id;
 *     rc = gol_engine_submit(engine, &request, &id, &err);   // GOL_EBUSY, GOL_ECONTEXT, … : nothing was queued
 *     ...events arrive at request.on_output...
 *     gol_engine_abort(engine, id);                          // takes effect before the next step
 *     gol_engine_destroy(&engine);
 *
 * A step: scheduler -> batch -> forward -> sample -> events. Nothing is allocated in it: what a sequence needs is allocated
 * by submit, in the caller's thread, and freed by the engine thread between steps.
 */
#ifndef GOL_ENGINE_ENGINE_H
#define GOL_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/histogram.h"
#include "engine/kv_layout.h"
#include "engine/request.h"
#include "engine/sched_policy.h"
#include "model/model.h"

typedef struct gol_engine gol_engine;

/* All zero is a good choice. */
typedef struct gol_engine_opts {
    int32_t max_seqs;         /* running at once; 0: 64 */
    int32_t max_batch_tokens; /* rows of a step, >= max_seqs; 0: 512 */
    /* Prompt + answer of one sequence; 0: the model's context, lowered to what fits kv_bytes. */
    int32_t max_model_len;
    int32_t
        block_size; /* tokens; 0: 16. Multiples of 16 waste no memory. No answer depends on it */
    /* What the whole process may take: weights, KV cache, scratch, requests. 0: what is available, and of what the rest leaves of
     * that half for the KV cache. engine_limits.h has the rule. */
    uint64_t memory;
    /* Memory for the KV cache; 0: enough for max_seqs sequences of max_model_len, at most what `memory` leaves. */
    uint64_t kv_bytes;
    gol_kv_type kv_type;
    gol_sched_policy policy;
    /* A step takes so many rows of prompts that it is expected to last nine tenths of this, as long as somebody's answer waits for it
     * (five times all of it otherwise). In milliseconds; 0: 200, -1: no limit. */
    int32_t max_itl_ms;
    int32_t max_queued_reqs;   /* waiting; more are refused with GOL_EBUSY; 0: 256 */
    int32_t max_queued_tokens; /* of waiting prompts, if it is more than one; 0: as memory allows */
    bool no_prefix_caching;    /* every prompt is computed as if it were the first */
    /* Memory for the logits behind whole prompts: an exact repeat then costs no computation. 0: up to 64 MiB, -1: none. */
    int64_t exact_cache_bytes;
    /* Of a model with recurrent layers: states that are kept for prompts that begin alike, beside one for each sequence. 0: as
     * many as sequences, as memory allows. */
    int32_t max_snapshots;
    /* For who plans before loading, so that the plan and what comes of it agree: the memory that was available before the model
     * was loaded (0: what is now, and the weights), and what the process takes besides. */
    uint64_t mem_available;
    uint64_t other_bytes;
} gol_engine_opts;

/* What create() made of the options. */
typedef struct gol_engine_limits {
    int32_t max_seqs;
    int32_t max_batch_tokens;
    int32_t max_model_len;
    int32_t n_ctx_asked; /* what max_model_len was to be, or the model's */
    int32_t block_size;
    int32_t n_blocks; /* each for the layers of one group, see layout */
    gol_kv_layout layout;
    int32_t max_queued_reqs;
    int32_t max_queued_tokens; /* 0: as memory allows */
    int32_t max_itl_ms;        /* 0: no limit */
    uint64_t kv_bytes;
    gol_kv_type kv_type;
    bool has_prefix_caching;
    int32_t n_exact_rows; /* prompts whose logits are kept */
    uint64_t exact_cache_bytes;
    int32_t n_states; /* recurrent ones, of sequences and snapshots; 0: the model has none */
} gol_engine_limits;

/* Where memory goes. */
typedef enum gol_memory_part {
    GOL_MEMORY_WEIGHTS,  /* repacked */
    GOL_MEMORY_FILE,     /* weights that are read where they lie in the file */
    GOL_MEMORY_KV,       /* the cache, and the tables of its blocks */
    GOL_MEMORY_STATES,   /* of recurrent layers: sequences and snapshots */
    GOL_MEMORY_PROMPTS,  /* the exact-prompt cache: rows of logits */
    GOL_MEMORY_SCRATCH,  /* activations, logits, what the backend and the sampler need */
    GOL_MEMORY_REQUESTS, /* running and waiting ones */
    GOL_MEMORY_OTHER,    /* program, tokenizer, connections: an allowance */
    GOL_N_MEMORY_PARTS
} gol_memory_part;

const char *gol_memory_part_name(gol_memory_part part); /* "kv_cache", for machines */

/* Upper bounds with every page touched, made before anything is allocated (memory_plan.h). */
typedef struct gol_memory_plan {
    uint64_t bytes[GOL_N_MEMORY_PARTS];
    uint64_t total; /* their sum, never above max */
    uint64_t max;   /* what may be taken; UINT64_MAX: the system does not tell, and nobody said */
    uint64_t available; /* before loading; 0: unknown */
} gol_memory_plan;

/* A snapshot; each figure is exact at some moment, together they need not be. */
typedef struct gol_engine_stats {
    int32_t n_running;
    int32_t n_waiting;     /* preempted ones included */
    int32_t n_blocks_free; /* held by no sequence: content that can be found does not count */
    int32_t n_blocks;
    int32_t n_blocks_cached;    /* with content that can be found, held or not */
    int32_t n_states;           /* recurrent ones; 0: the model has none */
    int32_t n_states_free;      /* held by no sequence: snapshots do not count */
    int32_t n_snapshots;        /* states that are kept for prompts that begin alike */
    uint64_t n_prefix_queries;  /* tokens of prompts that were looked up in the prefix cache */
    uint64_t n_prefix_hits;     /* of these: found */
    uint64_t n_exact_hits;      /* prompts that needed no computation */
    uint64_t n_block_evictions; /* blocks whose content gave way to another */
    uint64_t n_block_copies;
    uint64_t n_snapshot_evictions; /* snapshots that gave way to others, or to a sequence */
    uint64_t n_steps;
    uint64_t n_prompt_tokens; /* computed, recomputation after preemption included */
    uint64_t n_generated_tokens;
    uint64_t n_preemptions;
    uint64_t n_finished[GOL_FINISH_ERROR + 1]; /* by reason */
    /* gol_clock_ns() when the last step ended: liveness while n_running + n_waiting > 0. 0 before the first. */
    uint64_t last_step_ns;
} gol_engine_stats;

/* Distributions: id, unit, name for Prometheus, help. Of requests each counts once, when it has ended or got that far. */
#define GOL_ENGINE_HISTOGRAMS(X)                                                                   \
    X(QUEUE_TIME, SECONDS, "request_queue_time_seconds",                                           \
      "From a request's arrival to the first step that works on it.")                              \
    X(FIRST_TOKEN_TIME, SECONDS, "time_to_first_token_seconds",                                    \
      "From a request's arrival to its first token.")                                              \
    X(TOKEN_TIME, SECONDS, "inter_token_latency_seconds", "Between two tokens of a request.")      \
    X(REQUEST_TIME, SECONDS, "e2e_request_latency_seconds",                                        \
      "From a request's arrival to its end, however it ended.")                                    \
    X(PROMPT_TOKENS, TOKENS, "request_prompt_tokens", "Tokens of a request's prompt.")             \
    X(ANSWER_TOKENS, TOKENS, "request_generation_tokens", "Tokens of a request's answer.")         \
    X(STEP_TIME, SECONDS, "step_time_seconds", "Duration of a step of the engine.")                \
    X(STEP_TOKENS, TOKENS, "iteration_tokens", "Tokens that a step computes.")                     \
    X(STEP_SEQUENCES, TOKENS, "iteration_sequences", "Sequences that a step computes tokens of.")

typedef enum gol_engine_histogram {
#define GOL_ID(id, unit, name, help) GOL_HISTOGRAM_##id,
    GOL_ENGINE_HISTOGRAMS(GOL_ID)
#undef GOL_ID
        GOL_N_ENGINE_HISTOGRAMS
} gol_engine_histogram;

/* The model must outlive the engine. Errors: GOL_EINVAL (names the option), GOL_ENOMEM (says how much was needed for what). */
int gol_engine_create(gol_engine **out, const gol_model *model, const gol_engine_opts *opts,
                      gol_err *err);

/* Every request still there ends with ABORT, submit() answers GOL_ECLOSED, the thread is joined: so never from a callback.
 * Figures stay readable. */
void gol_engine_stop(gol_engine *engine);

/* Stops first. NULL is fine. */
void gol_engine_destroy(gol_engine **engine);

/* Errors: GOL_EINVAL (a field is out of range: which), GOL_ECONTEXT (prompt + 1 > max_model_len: says both numbers),
 * GOL_EBUSY (queue full), GOL_ENOMEM, GOL_ECLOSED (shutting down). On failure no event will come. */
int gol_engine_submit(gol_engine *engine, const gol_request *request, uint64_t *id, gol_err *err);

/* Unknown and finished ids are ignored. The last event comes from the engine's thread. */
void gol_engine_abort(gol_engine *engine, uint64_t id);

/* Refuses new requests (GOL_ECLOSED) from now on and waits until all are finished or timeout_ms are over; true: all
 * finished. Not from a callback. */
bool gol_engine_drain(gol_engine *engine, int64_t timeout_ms);

const gol_engine_limits *gol_engine_get_limits(const gol_engine *engine);
const gol_memory_plan *gol_engine_get_memory(const gol_engine *engine);
/* Any thread; never waits for a step. */
void gol_engine_get_stats(const gol_engine *engine, gol_engine_stats *out);
/* The same. */
void gol_engine_get_histogram(const gol_engine *engine, gol_engine_histogram which,
                              gol_histogram_view *out);
const gol_model *gol_engine_model(const gol_engine *engine);

#endif
