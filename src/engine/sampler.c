/*
 * Sampling, in the order that request.h states. Owns scratch for one row. Nothing sorts, and only few passes see the whole row: one
 * finds the maximum of each block of 256, and from these follows a bound below which no logit can pass the filters, so that the
 * filters work on a few hundred candidates.
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

/* The first block of greatest maximum. */
static int32_t find_max_block(const gol_sampler *s)
{
    const int32_t n_blocks = gol_row_n_blocks(s->n_vocab);
    int32_t best = 0;
    for (int32_t b = 1; b < n_blocks; b++)
        best = s->block_max[b] > s->block_max[best] ? b : best;
    return best;
}

/* The lowest index of the maximum. */
static int32_t find_max(const gol_sampler *s, const float *logits)
{
    const int32_t block = find_max_block(s);
    int32_t i = block * GOL_ROW_BLOCK;
    while (logits[i] != s->block_max[block])
        i++;
    return i;
}

/* The k-th greatest of x[n], which is reordered: Hoare's selection, "Algorithm 65: Find" (1961). k from 1. */
static float find_kth(float *x, int32_t n, int32_t k)
{
    int32_t low = 0;
    int32_t high = n - 1;
    while (low < high) {
        const float pivot = x[low + (high - low) / 2];
        int32_t i = low;
        int32_t j = high;
        while (i <= j) {
            while (x[i] > pivot)
                i++;
            while (x[j] < pivot)
                j--;
            if (i <= j) {
                const float swapped = x[i];
                x[i++] = x[j];
                x[j--] = swapped;
            }
        }
        if (k - 1 <= j)
            high = j;
        else if (k - 1 >= i)
            low = i;
        else
            break;
    }
    return x[k - 1];
}

/* A logit below which no depth is <= depth_max: a little lower than it should be, because depths are rounded. */
static float find_bound(float max, double depth_max, float temperature)
{
    const double x = (double)max - depth_max * (double)temperature;
    const double bound = x - (fabs(x) + fabs((double)max)) * 1e-6;
    return bound > (double)-FLT_MAX ? (float)bound : -INFINITY;
}

/* Candidates with logits of at least `least`. */
static void gather(gol_sampler *s, const float *logits, float max, float temperature, float least)
{
    gol_candidates *c = &s->candidates;
    c->n = s->loops->collect(c->ids, logits, s->block_max, s->n_vocab, least);
    for (int32_t i = 0; i < c->n; i++)
        c->depths[i] = logits[c->ids[i]];
    s->loops->depths(c->depths, c->depths, c->n, max, temperature);
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
        gather(s, logits, max, p->temperature, find_bound(max, depth, p->temperature));
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
    const int32_t n_blocks = gol_row_n_blocks(s->n_vocab);
    const float min_p_depth = p->min_p > 0.0f ? (float)-log((double)p->min_p) : gol_depth_max;
    const double depth_max = (double)fminf(min_p_depth, gol_depth_max);
    float least = find_bound(max, depth_max, p->temperature);
    if (p->top_k > 0 && p->top_k <= n_blocks) {
        /* That many blocks have a logit this great. */
        float *maxima = c->depths;
        memcpy(maxima, s->block_max, (size_t)n_blocks * sizeof *maxima);
        least = fmaxf(least, find_kth(maxima, n_blocks, p->top_k));
    }
    gather(s, logits, max, p->temperature, least);
    if (p->min_p > 0.0f)
        gol_candidates_keep_depth(c, min_p_depth);
    if (p->top_k > 0)
        gol_candidates_keep_count(c, p->top_k);
    s->loops->exp(c->weights, c->depths, c->n);
    if (p->top_p < 1.0f)
        gol_candidates_keep_mass(c, (double)p->top_p * s->loops->sum(c->weights, c->n));
}

/* Index at which the running sum of weights[n] passes u * total; sums: of each block. u < 1; a weight of 0 is never drawn. */
static int32_t draw_index(const float *weights, const double *sums, int32_t n, double u)
{
    const int32_t n_sums = gol_row_n_blocks(n);
    double total = 0;
    for (int32_t b = 0; b < n_sums; b++)
        total += sums[b];
    const double target = u * total;

    double below = 0;
    int32_t block = 0;
    while (block < n_sums - 1 && below + sums[block] <= target)
        below += sums[block++];
    /* The block's elements may sum to a rounding error less than its sum, and the last blocks may hold zeros only: then it
     * is the last candidate of weight before that point. */
    const int32_t end = (block + 1) * GOL_ROW_BLOCK < n ? (block + 1) * GOL_ROW_BLOCK : n;
    int32_t i = block * GOL_ROW_BLOCK;
    for (; i < end; i++) {
        below += (double)weights[i];
        if (below > target)
            return i;
    }
    do
        i--;
    while (weights[i] == 0.0f);
    return i;
}

static int32_t draw_token(gol_sampler *s, const float *logits, const gol_draw *draw)
{
    const gol_sampling_params *p = draw->params;
    gol_candidates *c = &s->candidates;
    const float max = s->block_max[find_max_block(s)];
    const double u = gol_rng_unit(p->seed, (uint64_t)draw->position);
    const bool is_by_rank = p->min_p > 0.0f || p->top_k > 0;
    if (!is_by_rank && p->top_p >= 1.0f) {
        s->loops->weights(c->weights, s->sums, logits, s->n_vocab, max, p->temperature);
        return draw_index(c->weights, s->sums, s->n_vocab, u);
    }
    if (is_by_rank)
        filter(s, logits, max, p);
    else
        filter_by_mass(s, logits, max, p);
    for (int32_t begin = 0; begin < c->n; begin += GOL_ROW_BLOCK)
        s->sums[begin / GOL_ROW_BLOCK] = s->loops->sum(
            c->weights + begin, c->n - begin < GOL_ROW_BLOCK ? c->n - begin : GOL_ROW_BLOCK);
    return c->ids[draw_index(c->weights, s->sums, c->n, u)];
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
    const float max = s->block_max[find_max_block(s)];
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
    const float *row = adjust(s, logits, draw);
    if (row != logits)
        s->loops->scan(s->block_max, row, s->n_vocab);
    out->token = draw->params->temperature == 0.0f ? find_max(s, row) : draw_token(s, row, draw);
    out->logprob = 0.0f;
    out->n_top = 0;
    if (draw->n_logprobs < 0)
        return true;
    if (row != logits)
        s->loops->scan(s->block_max, logits, s->n_vocab);
    add_logprobs(s, out, logits, draw->n_logprobs);
    return true;
}
