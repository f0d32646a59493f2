/*
 * Sampling, in the order that request.h states, with the filters that most requests use; those of gol_sampling_extras are in
 * sampler_chain.c and sampler_mirostat.c. Owns scratch for one row. Nothing sorts, and only few passes see the whole row: one
 * finds the maximum of each block of 256, and from these follows a bound below which no logit can pass the filters, so that the
 * filters work on a few hundred candidates.
 *
 * Everything after the penalties is expressed as depth below the maximum, (max - logit) / temperature: it is never negative
 * and never NaN, the exponential of its negative is in [0, 1], and the tests of min_p, top_k and top_p are comparisons of
 * depths and sums.
 */
#include "engine/sampler.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/sampler_parts.h"
#include "engine/softmax.h"

int gol_sampler_init(gol_sampler *s, int32_t n_vocab, gol_err *err)
{
    assert(n_vocab >= 1);
    const size_t n_blocks = (size_t)gol_row_n_blocks(n_vocab);
    *s = (gol_sampler){.n_vocab = n_vocab, .loops = gol_row_loops_get()};
    s->logits = gol_try_array((size_t)n_vocab, sizeof *s->logits);
    s->block_max = gol_try_array(n_blocks, sizeof *s->block_max);
    s->sums = gol_try_array(n_blocks, sizeof *s->sums);
    if (!s->logits || !s->block_max || !s->sums) {
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
    gol_free(s->block_max);
    gol_free(s->logits);
    *s = (gol_sampler){0};
}

/* top_p of the whole row. Its few likely candidates mostly reach the mass already. Nothing deeper than `deepest` is ever needed: all
 * of that together weighs less than top_p leaves over. */
static void filter_by_mass(gol_sampler *s, const float *logits, float max,
                           const gol_sampling_params *p)
{
    gol_candidates *c = &s->candidates;
    const double total = s->loops->sum_weights(logits, s->n_vocab, max, p->temperature);
    const double mass = (double)p->top_p * total;
    const double needed = log((double)s->n_vocab / (total - mass)) + 1e-3;
    const double deepest = fmin((double)gol_depth_max, needed);
    double depth = fmin(4.0, deepest);
    for (;;) {
        const float least = gol_sampler_bound(max, depth, p->temperature);
        gol_sampler_gather(s, logits, max, p->temperature, least);
        s->loops->exp(c->weights, c->depths, c->n);
        if (depth == deepest || s->loops->sum(c->weights, c->n) >= mass)
            break;
        depth = fmin(2.0 * depth, deepest);
    }
    gol_candidates_keep_mass(c, mass);
}

/* min_p, top_k and top_p of what they leave. */
static void filter(gol_sampler *s, const float *logits, float max, const gol_sampling_params *p)
{
    gol_candidates *c = &s->candidates;
    const float min_p_depth = p->min_p > 0.0f ? (float)-log((double)p->min_p) : gol_depth_max;
    const double depth_max = (double)fminf(min_p_depth, gol_depth_max);
    float least = gol_sampler_bound(max, depth_max, p->temperature);
    if (p->top_k > 0)
        least = fmaxf(least, gol_sampler_least_of(s, p->top_k));
    gol_sampler_gather(s, logits, max, p->temperature, least);
    if (p->min_p > 0.0f)
        gol_candidates_keep_depth(c, min_p_depth);
    if (p->top_k > 0)
        gol_candidates_keep_count(c, p->top_k);
    s->loops->exp(c->weights, c->depths, c->n);
    if (p->top_p < 1.0f)
        gol_candidates_keep_mass(c, (double)p->top_p * s->loops->sum(c->weights, c->n));
}

static int32_t draw_token(gol_sampler *s, const float *logits, const gol_draw *draw)
{
    const gol_sampling_params *p = draw->params;
    gol_candidates *c = &s->candidates;
    const float max = gol_sampler_max(s);
    const double u = gol_rng_unit(p->seed, (uint64_t)draw->position);
    const bool is_by_rank = p->min_p > 0.0f || p->top_k > 0;
    if (!is_by_rank && p->top_p >= 1.0f) {
        s->loops->weights(c->weights, s->sums, logits, s->n_vocab, max, p->temperature);
        return gol_sampler_draw_index(s, c->weights, s->n_vocab, u);
    }
    if (is_by_rank)
        filter(s, logits, max, p);
    else
        filter_by_mass(s, logits, max, p);
    return c->ids[gol_sampler_draw_candidate(s, u)];
}

/* The token, and in *mu what mirostat then remembers. */
static int32_t choose(gol_sampler *s, const float *row, const gol_draw *draw, float *mu)
{
    const gol_seq_extras *x = draw->extras;
    *mu = x ? x->mu : 0.0f;
    if (draw->params->temperature == 0.0f)
        return gol_sampler_find_max(s, row);
    if (!x || !x->has_chain)
        return draw_token(s, row, draw);
    return x->params.mirostat != 0 ? gol_sampler_draw_mirostat(s, row, draw, mu)
                                   : gol_sampler_draw_chain(s, row, draw);
}

/* Puts logits[begin, end) among the n most likely by insertion: nearly every one fails the comparison with the last of them. */
static void insert_top(gol_sample *out, int32_t n, const float *logits, int32_t begin, int32_t end)
{
    gol_top_logprob *top = out->top;
    for (int32_t i = begin; i < end; i++) {
        if (out->n_top == n && logits[i] <= top[n - 1].logprob)
            continue;
        int32_t j = out->n_top < n ? out->n_top++ : n - 1;
        for (; j > 0 && top[j - 1].logprob < logits[i]; j--)
            top[j] = top[j - 1];
        top[j] = (gol_top_logprob){.token = i, .logprob = logits[i]};
    }
}

/* Under the model's own distribution: the row as it came, whose block maxima are at hand, at temperature 1. */
static void add_logprobs(const gol_sampler *s, gol_sample *out, const float *logits,
                         int32_t n_logprobs)
{
    const float max = gol_sampler_max(s);
    const double log_sum = (double)max + log(s->loops->sum_weights(logits, s->n_vocab, max, 1.0f));
    out->logprob = (float)((double)logits[out->token] - log_sum);
    if (n_logprobs == 0)
        return;
    for (int32_t begin = 0; begin < s->n_vocab; begin += GOL_ROW_BLOCK) {
        if (out->n_top == n_logprobs &&
            s->block_max[begin / GOL_ROW_BLOCK] <= out->top[n_logprobs - 1].logprob)
            continue;
        const int32_t end = begin + GOL_ROW_BLOCK;
        insert_top(out, n_logprobs, logits, begin, end < s->n_vocab ? end : s->n_vocab);
    }
    for (int32_t i = 0; i < out->n_top; i++)
        out->top[i].logprob = (float)((double)out->top[i].logprob - log_sum);
}

bool gol_sampler_draw(gol_sampler *s, gol_sample *out, const float *logits, const gol_draw *draw)
{
    assert(draw->n_logprobs <= GOL_LOGPROBS_MAX);
    if (!s->loops->scan(s->block_max, logits, s->n_vocab))
        return false;
    const float *row = gol_sampler_adjust(s, logits, draw);
    if (row != logits)
        s->loops->scan(s->block_max, row, s->n_vocab);
    out->token = choose(s, row, draw, &out->mu);
    out->logprob = 0.0f;
    out->n_top = 0;
    if (draw->n_logprobs < 0)
        return true;
    if (row != logits)
        s->loops->scan(s->block_max, logits, s->n_vocab);
    add_logprobs(s, out, logits, draw->n_logprobs);
    return true;
}

/* Ties go to the lower id, here as among the most likely ones. Blocks whose greatest is less have nobody before the token. */
static int32_t find_rank(const gol_sampler *s, const float *logits, int32_t token)
{
    const float x = logits[token];
    int32_t n_before = 0;
    for (int32_t begin = 0; begin < s->n_vocab; begin += GOL_ROW_BLOCK) {
        if (s->block_max[begin / GOL_ROW_BLOCK] < x)
            continue;
        const int32_t n_left = s->n_vocab - begin;
        const int32_t end = begin + (n_left < GOL_ROW_BLOCK ? n_left : GOL_ROW_BLOCK);
        for (int32_t i = begin; i < end; i++)
            n_before += logits[i] > x || (i < token && logits[i] == x);
    }
    return 1 + n_before;
}

bool gol_sampler_score(gol_sampler *s, gol_prompt_score *out, gol_top_logprob *top,
                       const float *logits, int32_t token, int32_t n_top)
{
    assert(n_top <= GOL_LOGPROBS_MAX && n_top <= s->n_vocab);
    if (!s->loops->scan(s->block_max, logits, s->n_vocab))
        return false;
    gol_sample sample = {.token = token};
    add_logprobs(s, &sample, logits, n_top);
    *out = (gol_prompt_score){sample.logprob, find_rank(s, logits, token)};
    if (n_top > 0)
        memcpy(top, sample.top, (size_t)n_top * sizeof *top);
    return true;
}

uint64_t gol_sampler_bytes(int32_t n_vocab)
{
    const uint64_t n_blocks = (uint64_t)gol_row_n_blocks(n_vocab);
    return (uint64_t)n_vocab * sizeof(float) + n_blocks * (sizeof(float) + sizeof(double)) +
           gol_candidates_bytes(n_vocab);
}
