/*
 * The filters of gol_sampling_extras together with the plain ones, one after the other over a list of candidates, in the two orders
 * of request.h.
 *
 * Depths are distances below the greatest logit of the candidates that are left, divided by the temperature of the moment; so the
 * weights' sum is at least 1 whatever a filter has taken away from the top.
 */
#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "engine/sampler_parts.h"
#include "engine/softmax.h"

typedef struct chain {
    gol_sampler *s;
    const float *row; /* [n_vocab] */
    const gol_sampling_params *params;
    const gol_sampling_extras *extras;
    uint64_t position;
} chain;

static double sum_weights(const chain *ch)
{
    return ch->s->loops->sum(ch->s->candidates.weights, ch->s->candidates.n);
}

/* Depths and weights of the candidates at this temperature. */
static void weigh(const chain *ch, float temperature)
{
    gol_candidates *c = &ch->s->candidates;
    float max = -INFINITY;
    for (int32_t i = 0; i < c->n; i++) {
        c->depths[i] = ch->row[c->ids[i]];
        max = fmaxf(max, c->depths[i]);
    }
    ch->s->loops->depths(c->depths, c->depths, c->n, max, temperature);
    ch->s->loops->exp(c->weights, c->depths, c->n);
}

/* The mean depth, E[d]. As a surprise is d + ln(sum of weights), the entropy is E[d] + ln(sum of weights). */
static double find_mean_depth(const chain *ch, double total)
{
    const gol_candidates *c = &ch->s->candidates;
    double sum = 0;
    for (int32_t i = 0; i < c->n; i++) {
        if (c->weights[i] > 0.0f)
            sum += (double)c->weights[i] * (double)c->depths[i];
    }
    return sum / total;
}

/* The temperature for the candidates as they are, weighed at temperature 1; n: how many they count as. */
static float find_temperature(const chain *ch, int32_t n)
{
    const double base = (double)ch->params->temperature;
    const double range = (double)ch->extras->dynatemp_range;
    if (range == 0.0 || n < 2)
        return ch->params->temperature;
    const double low = fmax(base - range, 0.0);
    const double high = base + range;
    const double total = sum_weights(ch);
    const double entropy = find_mean_depth(ch, total) + log(total);
    const double share = fmin(fmax(entropy / log((double)n), 0.0), 1.0);
    const double t = low + (high - low) * pow(share, (double)ch->extras->dynatemp_exponent);
    return fmaxf((float)t, FLT_MIN); /* 0 is the limit of small ones */
}

/* The logit that top_n_sigma asks for: x passes exactly when x >= it. */
static float find_sigma_least(const chain *ch, float max)
{
    double mean, variance;
    ch->s->loops->moments(&mean, &variance, ch->row, ch->s->n_vocab, max);
    const double least = (double)max - (double)ch->extras->top_n_sigma * sqrt(variance);
    if (least <= (double)-FLT_MAX)
        return -FLT_MAX;
    const float rounded = (float)least;
    return (double)rounded < least ? nextafterf(rounded, INFINITY) : rounded;
}

/* Candidates from the row: those that can have a weight at this temperature, less what top_n_sigma and top_k drop. */
static void gather(const chain *ch, float temperature)
{
    gol_sampler *s = ch->s;
    const float max = gol_sampler_max(s);
    const double depth_max = (double)gol_depth_max;
    float least = fmaxf(gol_sampler_bound(max, depth_max, temperature), -FLT_MAX);
    if (ch->extras->top_n_sigma > 0.0f)
        least = fmaxf(least, find_sigma_least(ch, max));
    if (ch->params->top_k > 0)
        least = fmaxf(least, gol_sampler_least_of(s, ch->params->top_k));
    gol_sampler_gather(s, ch->row, max, temperature, least);
    if (ch->params->top_k > 0)
        gol_candidates_keep_count(&s->candidates, ch->params->top_k);
}

static void keep_min_p(const chain *ch)
{
    if (ch->params->min_p > 0.0f)
        gol_candidates_keep_depth(&ch->s->candidates, (float)-log((double)ch->params->min_p));
}

static void keep_top_p(const chain *ch)
{
    if (ch->params->top_p < 1.0f)
        gol_candidates_keep_mass(&ch->s->candidates, (double)ch->params->top_p * sum_weights(ch));
}

/* |surprise - entropy| is |d - E[d]|: with it in the place of depth, the typical come first. */
static void keep_typical(const chain *ch, float temperature)
{
    gol_candidates *c = &ch->s->candidates;
    if (ch->extras->typical_p >= 1.0f)
        return;
    const double total = sum_weights(ch);
    const double mean = find_mean_depth(ch, total);
    for (int32_t i = 0; i < c->n; i++)
        c->depths[i] = (float)fabs((double)c->depths[i] - mean);
    gol_candidates_keep_mass(c, (double)ch->extras->typical_p * total);
    weigh(ch, temperature);
}

static void drop_top_choices(const chain *ch)
{
    if (!gol_sampling_has_xtc(ch->extras))
        return;
    const uint64_t stream = (uint64_t)1
                            << 32; /* positions are below: the draw's own numbers are others */
    if (gol_rng_unit(ch->params->seed, stream | ch->position) >=
        (double)ch->extras->xtc_probability)
        return;
    gol_candidates_drop_top(&ch->s->candidates,
                            (double)ch->extras->xtc_threshold * sum_weights(ch));
}

/* Of all tokens that are not banned. */
static float find_first_temperature(const chain *ch)
{
    if (ch->extras->dynatemp_range == 0.0f)
        return ch->params->temperature;
    gol_sampler *s = ch->s;
    const float max = gol_sampler_max(s);
    const double depth_max = (double)gol_depth_max;
    double mean, variance;
    const int32_t n = s->loops->moments(&mean, &variance, ch->row, s->n_vocab, max);
    gol_sampler_gather(s, ch->row, max, 1.0f,
                       fmaxf(gol_sampler_bound(max, depth_max, 1.0f), -FLT_MAX));
    s->loops->exp(s->candidates.weights, s->candidates.depths, s->candidates.n);
    return find_temperature(ch, n);
}

static void filter_temperature_first(const chain *ch)
{
    const float temperature = find_first_temperature(ch);
    gather(ch, temperature);
    keep_min_p(ch); /* both keep the most likely ones: top_k may as well come before it */
    weigh(ch, temperature);
    keep_typical(ch, temperature);
    keep_top_p(ch);
    drop_top_choices(ch);
}

static void filter_temperature_last(const chain *ch)
{
    const float hottest = ch->params->temperature + ch->extras->dynatemp_range;
    gather(ch, fmaxf(hottest, 1.0f)); /* what has no weight at 1 may get some at the end */
    weigh(ch, 1.0f);
    keep_typical(ch, 1.0f);
    keep_top_p(ch);
    keep_min_p(ch);
    drop_top_choices(ch);
    weigh(ch, find_temperature(ch, ch->s->candidates.n));
}

int32_t gol_sampler_draw_chain(gol_sampler *s, const float *row, const gol_draw *draw)
{
    const chain ch = {
        .s = s,
        .row = row,
        .params = draw->params,
        .extras = &draw->extras->params,
        .position = (uint64_t)draw->position,
    };
    if (ch.extras->order == GOL_ORDER_TEMPERATURE_LAST)
        filter_temperature_last(&ch);
    else
        filter_temperature_first(&ch);
    const double u = gol_rng_unit(draw->params->seed, (uint64_t)draw->position);
    return s->candidates.ids[gol_sampler_draw_candidate(s, u)];
}
