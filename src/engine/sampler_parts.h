/*
 * What the files of the sampler share. Rows are [n_vocab], after gol_sampler_adjust(); s->block_max is that of the row at hand.
 */
#ifndef GOL_ENGINE_SAMPLER_PARTS_H
#define GOL_ENGINE_SAMPLER_PARTS_H

#include <stdint.h>

#include "engine/sampler.h"

/* The row that is drawn from: the model's own when nothing changes it, else s->logits. -infinity: banned; one token at least is
 * not. (sampler_adjust.c) */
const float *gol_sampler_adjust(gol_sampler *s, const float *logits, const gol_draw *draw);

/* Penalties of repetitions: logits [n_vocab]; scratch [n_vocab] any contents. (sampler_dry.c) */
void gol_dry_penalize(float *logits, int32_t *scratch, const gol_seq_extras *x,
                      const int32_t *tokens, int32_t n_tokens);

/* Draws with the filters of gol_sampling_extras; temperature > 0. (sampler_chain.c) */
int32_t gol_sampler_draw_chain(gol_sampler *s, const float *row, const gol_draw *draw);

/* The same with mirostat; moves *mu. (sampler_mirostat.c) */
int32_t gol_sampler_draw_mirostat(gol_sampler *s, const float *row, const gol_draw *draw,
                                  float *mu);

/* ---- sampler_parts.c ---- */

/* The first block of greatest maximum. */
int32_t gol_sampler_find_max_block(const gol_sampler *s);

static inline float gol_sampler_max(const gol_sampler *s)
{
    return s->block_max[gol_sampler_find_max_block(s)];
}

/* The lowest index of the maximum. */
int32_t gol_sampler_find_max(const gol_sampler *s, const float *row);

/* A logit that at least k tokens reach, or -infinity when that takes more than a look at the blocks' maxima. k >= 1. */
float gol_sampler_least_of(gol_sampler *s, int32_t k);

/* A logit below which no depth is <= depth_max: a little lower than it should be, because depths are rounded. */
float gol_sampler_bound(float max, double depth_max, float temperature);

/* Candidates with logits of at least `least`, and their depths. */
void gol_sampler_gather(gol_sampler *s, const float *row, float max, float temperature,
                        float least);

/* Index among weights[n], whose sums by block are s->sums. u in [0, 1); a weight of 0 is never drawn. */
int32_t gol_sampler_draw_index(const gol_sampler *s, const float *weights, int32_t n, double u);

/* Index among the candidates, by their weights. */
int32_t gol_sampler_draw_candidate(gol_sampler *s, double u);

#endif
