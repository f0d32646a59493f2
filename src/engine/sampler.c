/*
 * Sampling, in the order that request.h states. Owns scratch for one row; every pass is O(n_vocab), none sorts.
 *
 * Everything after the penalties is expressed as depth below the maximum, (max - logit) / temperature: it is never negative
 * and never NaN, the exponential of its negative is in [0, 1], and the tests of min_p, top_k and top_p are comparisons of
 * depths and sums.
 */
#include "engine/sampler.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/softmax.h"

enum { SUM_BLOCK = 256 }; /* weights per partial sum: a draw scans sums first, then one block */

int gol_sampler_init(gol_sampler *s, int32_t n_vocab, gol_err *err)
{
    assert(n_vocab >= 1);
    *s = (gol_sampler){.n_vocab = n_vocab};
    s->logits = gol_try_array((size_t)n_vocab, sizeof *s->logits);
    s->sums = gol_try_array((size_t)n_vocab / SUM_BLOCK + 1, sizeof *s->sums);
    if (!s->logits || !s->sums) {
        gol_sampler_deinit(s);
        return gol_fail(err, GOL_ENOMEM, "out of memory for sampling from %d tokens", n_vocab);
    }
    const int rc = gol_candidates_init(&s->candidates, n_vocab, err);
    if (rc != 0)
        gol_sampler_deinit(s);
    return rc;
}

void gol_sampler_deinit(gol_sampler *s)
{
    gol_candidates_deinit(&s->candidates);
    gol_free(s->sums);
    gol_free(s->logits);
    *s = (gol_sampler){0};
}

/* Penalties may be large; the row stays finite. */
static float clamp_finite(float x)
{
    if (x > FLT_MAX)
        return FLT_MAX;
    return x < -FLT_MAX ? -FLT_MAX : x;
}

static float penalize(float logit, const gol_sampling_params *p, int32_t n_output)
{
    const float r = p->repetition_penalty;
    float x = logit > 0.0f ? logit / r : logit * r;
    if (n_output > 0)
        x -= p->presence_penalty + p->frequency_penalty * (float)n_output;
    return clamp_finite(x);
}

/* The row that is drawn from: the model's own when nothing changes it. */
static const float *adjust(gol_sampler *s, const float *logits, const gol_draw *draw)
{
    if (!draw->counts && draw->n_banned == 0)
        return logits;
    memcpy(s->logits, logits, (size_t)s->n_vocab * sizeof *logits);
    if (draw->counts) {
        for (int32_t i = 0; i < draw->counts->n_entries; i++) {
            const gol_token_count *entry = &draw->counts->entries[i];
            float *logit = &s->logits[entry->token];
            *logit = penalize(*logit, draw->params, entry->n_output);
        }
    }
    for (int32_t i = 0; i < draw->n_banned; i++)
        s->logits[draw->banned[i]] = -INFINITY;
    return s->logits;
}

/* Candidate at which the running sum of weights passes u * total. u < 1; a candidate of weight 0 is never drawn. */
static int32_t draw_candidate(gol_sampler *s, double u)
{
    const gol_candidates *c = &s->candidates;
    const int32_t n_sums = (c->n - 1) / SUM_BLOCK + 1;
    double total = 0;
    for (int32_t b = 0; b < n_sums; b++) {
        const int32_t begin = b * SUM_BLOCK;
        const int32_t n = c->n - begin < SUM_BLOCK ? c->n - begin : SUM_BLOCK;
        s->sums[b] = gol_row_sum(c->weights + begin, n);
        total += s->sums[b];
    }
    const double target = u * total;

    double below = 0;
    int32_t block = 0;
    while (block < n_sums - 1 && below + s->sums[block] <= target)
        below += s->sums[block++];
    /* The block's elements may sum to a rounding error less than its sum, and the last blocks may hold zeros only: then it
     * is the last candidate of weight before that point. */
    const int32_t end = (block + 1) * SUM_BLOCK < c->n ? (block + 1) * SUM_BLOCK : c->n;
    int32_t i = block * SUM_BLOCK;
    for (; i < end; i++) {
        below += (double)c->weights[i];
        if (below > target)
            return c->ids[i];
    }
    do
        i--;
    while (c->weights[i] == 0.0f);
    return c->ids[i];
}

static int32_t draw_token(gol_sampler *s, const float *logits, const gol_draw *draw)
{
    const gol_sampling_params *p = draw->params;
    gol_candidates *c = &s->candidates;
    c->n = s->n_vocab;
    for (int32_t i = 0; i < c->n; i++)
        c->ids[i] = i;
    gol_row_depths(c->depths, logits, c->n, gol_row_max(logits, c->n), p->temperature);
    if (p->min_p > 0.0f)
        gol_candidates_keep_depth(c, (float)-log((double)p->min_p));
    if (p->top_k > 0)
        gol_candidates_keep_count(c, p->top_k);
    gol_row_exp(c->weights, c->depths, c->n);
    if (p->top_p < 1.0f)
        gol_candidates_keep_mass(c, (double)p->top_p);
    return draw_candidate(s, gol_rng_unit(p->seed, (uint64_t)draw->position));
}

/* The n most likely of the row by insertion: nearly every element fails the one comparison with the last of them. */
static int32_t find_top(gol_top_logprob *top, int32_t n, const float *logits, int32_t n_vocab)
{
    int32_t n_top = 0;
    for (int32_t i = 0; i < n_vocab; i++) {
        if (n_top == n && logits[i] <= top[n - 1].logprob)
            continue;
        int32_t j = n_top < n ? n_top++ : n - 1;
        for (; j > 0 && top[j - 1].logprob < logits[i]; j--)
            top[j] = top[j - 1];
        top[j] = (gol_top_logprob){.token = i, .logprob = logits[i]};
    }
    return n_top;
}

/* Under the model's own distribution: the row as it came, at temperature 1. */
static void add_logprobs(gol_sampler *s, gol_sample *out, const float *logits, int32_t n_logprobs)
{
    float *weights = s->candidates.weights;
    const float max = gol_row_max(logits, s->n_vocab);
    gol_row_depths(weights, logits, s->n_vocab, max, 1.0f);
    gol_row_exp(weights, weights, s->n_vocab);
    const double log_sum = (double)max + log(gol_row_sum(weights, s->n_vocab));
    out->logprob = (float)((double)logits[out->token] - log_sum);
    if (n_logprobs == 0)
        return;
    out->n_top = find_top(out->top, n_logprobs, logits, s->n_vocab);
    for (int32_t i = 0; i < out->n_top; i++)
        out->top[i].logprob = (float)((double)out->top[i].logprob - log_sum);
}

bool gol_sampler_draw(gol_sampler *s, gol_sample *out, const float *logits, const gol_draw *draw)
{
    assert(draw->n_logprobs <= GOL_LOGPROBS_MAX);
    if (!gol_row_is_finite(logits, s->n_vocab))
        return false;
    const float *row = adjust(s, logits, draw);
    out->token = draw->params->temperature == 0.0f ? gol_row_argmax(row, s->n_vocab)
                                                   : draw_token(s, row, draw);
    out->logprob = 0.0f;
    out->n_top = 0;
    if (draw->n_logprobs >= 0)
        add_logprobs(s, out, logits, draw->n_logprobs);
    return true;
}
