/*
 * One row of logits -> one token. A pure function of (row, parameters, tokens so far, position, mu): nothing is remembered between
 * draws, so who else is in the batch, preemption and the number of threads cannot change a draw.
 */
#ifndef GOL_ENGINE_SAMPLER_H
#define GOL_ENGINE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/request.h"
#include "engine/sampler_select.h"
#include "engine/seq_extras.h"
#include "engine/token_counts.h"

typedef struct gol_sampler {
    int32_t n_vocab;
    const struct gol_row_loops *loops;
    float *logits;    /* [n_vocab] the row after penalties */
    float *block_max; /* [n_vocab / 256 + 1] of the row at hand */
    double *sums;     /* [n_vocab / 256 + 1] of weights */
    gol_candidates candidates;
} gol_sampler;

/* What a draw depends on beside the logits. */
typedef struct gol_draw {
    const gol_sampling_params *params;
    const gol_token_counts *counts; /* NULL: no penalty is on */
    /* NULL: none. Its scratch is written, its mu is read only. */
    const gol_seq_extras *extras;
    const int32_t *tokens; /* [position] prompt and output so far; read for extras only */
    int32_t n_prompt;      /* of tokens; likewise */
    const int32_t *banned; /* [n_banned] ids that must not be drawn; not the whole vocabulary */
    int32_t n_banned;
    int32_t position;   /* of the token in its sequence: the generator's counter */
    int32_t n_logprobs; /* as in gol_request */
} gol_draw;

typedef struct gol_sample {
    int32_t token;
    float logprob; /* 0 when none was asked for */
    float mu;      /* what gol_seq_extras.mu becomes when the token is taken; 0 without extras */
    int32_t n_top;
    gol_top_logprob top[GOL_LOGPROBS_MAX]; /* [n_top] most likely first */
} gol_sample;

/* Errors: GOL_ENOMEM; *s is then zeroed. */
int gol_sampler_init(gol_sampler *s, int32_t n_vocab, gol_err *err);
void gol_sampler_deinit(gol_sampler *s);
uint64_t gol_sampler_bytes(int32_t n_vocab); /* what init() allocates */

/* logits: [n_vocab], unchanged. False: some logit is not finite, *out is undefined. Allocates nothing. */
bool gol_sampler_draw(gol_sampler *s, gol_sample *out, const float *logits, const gol_draw *draw);

/* What the row says about this token: log-probability, rank, and into top[n_top] the most likely ones, n_top <= n_vocab. The same
 * bits as a draw gives. False: some logit is not finite, nothing is written. Allocates nothing. */
bool gol_sampler_score(gol_sampler *s, gol_prompt_score *out, gol_top_logprob *top,
                       const float *logits, int32_t token, int32_t n_top);

#endif
