/*
 * Carries a plan out: copies of blocks -> what kept rows say -> batch -> forward pass -> scores of prompts that asked for them, and
 * one sampled token for every sequence whose computation has caught up with its tokens. All memory is allocated by init(); a run
 * allocates nothing and cannot fail, only a single sequence can.
 */
#ifndef GOL_ENGINE_RUNNER_H
#define GOL_ENGINE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/sampler.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "model/model.h"

typedef struct gol_step_result {
    gol_seq *seq;
    bool is_finite; /* false: its logits were not, sample is undefined */
    gol_sample sample;
} gol_step_result;

/* A row of logits, and what becomes of it. */
typedef struct gol_row_job {
    const float *logits; /* [n_vocab] */
    int32_t position;    /* of its token */
    bool is_draw;        /* a token is drawn from it; otherwise it scores a prompt's next token */
    gol_step_result result; /* without sample, of scores */
} gol_row_job;

typedef struct gol_runner {
    gol_backend *be;
    gol_kv *kv;
    gol_state *state; /* NULL: the model has none */
    gol_forward *fwd;
    gol_sampler *samplers;  /* [n_lanes] */
    int32_t n_lanes;        /* of the backend, at most max_seqs */
    gol_exact_cache *exact; /* rows behind whole prompts are kept here */
    int32_t n_vocab;
    int32_t n_embd;
    int32_t n_classes;
    bool has_types; /* a second text has token types of its own */
    int32_t block_size;
    int32_t n_groups;         /* of layers */
    int32_t *tokens;          /* [max_batch_tokens] */
    int32_t *positions;       /* [max_batch_tokens] */
    int32_t *types;           /* [max_batch_tokens] */
    int32_t *slot_mapping;    /* [n_groups * max_batch_tokens] */
    gol_batch_seq *seqs;      /* [max_seqs] */
    int32_t *output_rows;     /* [max_batch_tokens] */
    gol_seq **output_seqs;    /* [max_batch_tokens] whose they are */
    int32_t *state_rows;      /* [max_batch_tokens] rows for embeddings */
    gol_seq **state_seqs;     /* [max_batch_tokens] whose they are */
    gol_row_job *row_jobs;    /* [max_seqs] a slice of outputs */
    gol_step_result *results; /* [max_seqs] at most one of each sequence */
    int32_t n_results;
    int32_t n_outputs;   /* of the last forward pass */
    int32_t n_scored;    /* of these: rows that were scored */
    uint64_t scoring_ns; /* what came of their logits */
} gol_runner;

/* The model and the cache must outlive it. Errors: GOL_ENOMEM; *r is then zeroed. */
int gol_runner_init(gol_runner *r, const gol_model *model, const gol_engine_limits *limits,
                    gol_exact_cache *exact, gol_err *err);
void gol_runner_deinit(gol_runner *r); /* zeroed is fine */
/* What init() allocates, without KV cache and forward pass, which have functions of their own. */
uint64_t gol_runner_bytes(gol_backend *be, int32_t n_vocab, const gol_engine_limits *limits);

/* What of the last run with a forward pass was attention, and what the rows of scored prompts took beyond what every row takes:
 * their share of the logits' time, and their log-probabilities. */
uint64_t gol_runner_attention_ns(const gol_runner *r);
uint64_t gol_runner_scores_ns(const gol_runner *r);

/* Returns how many of r->results are filled: the plan's hits, then its sequences, in the plan's order, those with embeddings
 * last: those that have caught up, and those that failed. Of sequences it changes what has been pooled alone; scores and embeddings
 * go to where the request said. */
int32_t gol_runner_run(gol_runner *r, const gol_plan *plan);

#endif
