/*
 * Mirostat (Basu, Ramachandran, Keskar, Varshney: "Mirostat: a neural text decoding algorithm that directly controls perplexity",
 * ICLR 2021): a cut whose place a feedback loop moves, so that drawn tokens are tau bits surprising on average. Version 1 estimates
 * the exponent of Zipf's law and cuts by rank, version 2 cuts by surprise.
 */
#include <assert.h>
#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "engine/sampler_parts.h"
#include "engine/softmax.h"

enum { N_ZIPF = 100 }; /* most likely tokens that the exponent is estimated from: the paper's m */

/* Sorts few numbers, the least first. */
static void sort(float *x, int32_t n)
{
    for (int32_t i = 1; i < n; i++) {
        const float moved = x[i];
        int32_t j = i;
        for (; j > 0 && x[j - 1] > moved; j--)
            x[j] = x[j - 1];
        x[j] = moved;
    }
}

/* The paper's least-squares estimate of the exponent, from the ratios of neighbours' probabilities, which are exp of differences
 * of depths [n] in rising order. */
static double find_zipf_exponent(const float *depths, int32_t n)
{
    double above = 0;
    double below = 0;
    for (int32_t i = 0; i + 1 < n; i++) {
        const double t = log((double)(i + 2) / (double)(i + 1));
        above += t * ((double)depths[i + 1] - (double)depths[i]);
        below += t * t;
    }
    return above / below;
}

/* The rank at which surprises of a Zipf distribution over n_vocab reach mu: (eps 2^mu / (1 - N^-eps))^(1/s), eps = s - 1. */
static int32_t find_rank(double exponent, double mu, int32_t n_vocab)
{
    const double eps = exponent - 1.0;
    const double log_n = log((double)n_vocab);
    const double share = fabs(eps) < 1e-9 ? 1.0 / log_n : eps / -expm1(-eps * log_n);
    const double k = pow(share * exp2(mu), 1.0 / exponent);
    if (k >= (double)n_vocab)
        return n_vocab;
    return k >= 1.0 ? (int32_t)k : 1;
}

/* The k most likely tokens as candidates, with depths. */
static void gather_most_likely(gol_sampler *s, const float *row, float temperature, int32_t k)
{
    const float max = gol_sampler_max(s);
    float least = gol_sampler_bound(max, (double)gol_depth_max, temperature);
    least = fmaxf(fmaxf(least, -FLT_MAX), gol_sampler_least_of(s, k));
    gol_sampler_gather(s, row, max, temperature, least);
    gol_candidates_keep_count(&s->candidates, k);
}

static void cut_by_rank(gol_sampler *s, const float *row, float temperature, float mu)
{
    gol_candidates *c = &s->candidates;
    gather_most_likely(s, row, temperature, N_ZIPF);
    if (c->n < 2)
        return;
    sort(c->depths, c->n);
    const double exponent = find_zipf_exponent(c->depths, c->n);
    gather_most_likely(s, row, temperature, find_rank(exponent, (double)mu, s->n_vocab));
}

/* -log2 p <= mu is depth <= mu ln 2 - ln(sum of weights). The most likely one always stays. */
static void cut_by_surprise(gol_sampler *s, const float *row, float temperature, float mu)
{
    gol_candidates *c = &s->candidates;
    gather_most_likely(s, row, temperature, s->n_vocab);
    s->loops->exp(c->weights, c->depths, c->n);
    const double total = s->loops->sum(c->weights, c->n);
    const float depth_max = (float)((double)mu * log(2.0) - log(total));
    if (depth_max >= 0.0f)
        gol_candidates_keep_depth(c, depth_max);
    else
        gol_candidates_keep_count(c, 1);
}

int32_t gol_sampler_draw_mirostat(gol_sampler *s, const float *row, const gol_draw *draw, float *mu)
{
    const gol_sampling_extras *x = &draw->extras->params;
    gol_candidates *c = &s->candidates;
    assert(x->mirostat == 1 || x->mirostat == 2);
    if (x->mirostat == 1)
        cut_by_rank(s, row, draw->params->temperature, *mu);
    else
        cut_by_surprise(s, row, draw->params->temperature, *mu);
    s->loops->exp(c->weights, c->depths, c->n);
    const double u = gol_rng_unit(draw->params->seed, (uint64_t)draw->position);
    const int32_t i = gol_sampler_draw_candidate(s, u);
    const double p = (double)c->weights[i] / s->loops->sum(c->weights, c->n);
    *mu = (float)((double)*mu - (double)x->mirostat_eta * (-log2(p) - (double)x->mirostat_tau));
    return c->ids[i];
}
