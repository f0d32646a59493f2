/*
 * Routing of a mixture of experts: which experts a token uses and with what weights, and the order of rows that the products
 * work in: a counting sort by expert, stable, so that a token's place among the rows of an expert depends on nothing but the
 * batch. Owns the memory of the routing (moe_cpu.h): one allocation.
 */
#include "backend/cpu/moe_cpu.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/backend_cpu.h"
#include "base/mem.h"

/* Where weights are divided by their sum, it is at least this: sigmoids may all be zero. */
static const float WEIGHT_SUM_MIN = 1e-20f;

typedef struct route_job {
    gol_moe *moe;
    const float *logits; /* [n_tokens][n_experts] */
    const gol_routing *routing;
} route_job;

size_t gol_backend_cpu_moe_bytes(gol_backend *be, int32_t n_tokens_max, int32_t n_experts,
                                 int32_t n_used)
{
    (void)be;
    static_assert(sizeof(float) == sizeof(int32_t), "all arrays are of four bytes");
    size_t n_bytes;
    if (gol_mul_size(&n_bytes, (size_t)n_tokens_max, (size_t)n_used) &&
        gol_mul_size(&n_bytes, n_bytes, 4 * sizeof(int32_t)))
        gol_add_size(&n_bytes, n_bytes,
                     sizeof(gol_moe) + ((size_t)n_experts + 1) * sizeof(int32_t));
    return n_bytes;
}

int gol_backend_cpu_moe_create(gol_backend *be, gol_moe **out, int32_t n_tokens_max,
                               int32_t n_experts, int32_t n_used, gol_err *err)
{
    *out = NULL;
    assert(n_tokens_max > 0);
    assert(n_experts > 0 && n_experts <= GOL_MOE_EXPERTS_MAX);
    assert(n_used > 0 && n_used <= n_experts && n_used <= GOL_MOE_USED_MAX);
    const size_t n_bytes = gol_backend_cpu_moe_bytes(be, n_tokens_max, n_experts, n_used);
    gol_moe *moe = n_bytes < SIZE_MAX ? gol_try_calloc(1, n_bytes) : NULL;
    if (!moe)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for the routing of %d tokens",
                        n_tokens_max);
    const size_t n_slots = (size_t)n_tokens_max * (size_t)n_used;
    moe->n_tokens_max = n_tokens_max;
    moe->n_experts = n_experts;
    moe->n_used = n_used;
    moe->ids = (int32_t *)(void *)(moe + 1);
    moe->rows = moe->ids + n_slots;
    moe->tokens = moe->rows + n_slots;
    moe->weights = (float *)(void *)(moe->tokens + n_slots);
    moe->first = (int32_t *)(void *)(moe->weights + n_slots);
    *out = moe;
    return 0;
}

void gol_backend_cpu_moe_destroy(gol_backend *be, gol_moe **moe)
{
    (void)be;
    gol_free(*moe);
    *moe = NULL;
}

/* out[n] = softmax of x[n]. */
static void softmax(float *out, const float *x, int32_t n)
{
    float max = x[0];
    for (int32_t i = 1; i < n; i++)
        max = fmaxf(max, x[i]);
    float sum = 0.0f;
    for (int32_t i = 0; i < n; i++) {
        out[i] = expf(x[i] - max);
        sum += out[i];
    }
    for (int32_t i = 0; i < n; i++)
        out[i] /= sum;
}

/* ids[n_used] = the largest of score[n_experts], falling; of equal ones the lower id first. A score that is not a number is below
 * all others: ids are valid and differ whatever the logits are. */
static void select_largest(int32_t *ids, int32_t n_used, const float *score, int32_t n_experts)
{
    float best[GOL_MOE_USED_MAX];
    int32_t n = 0;
    assert(n_used >= 1 && n_used <= GOL_MOE_USED_MAX);
    for (int32_t e = 0; e < n_experts; e++) {
        const float s = isnan(score[e]) ? -INFINITY : score[e];
        if (n == n_used && s <= best[n - 1])
            continue;
        int32_t at = n < n_used ? n++ : n - 1;
        for (; at > 0 && best[at - 1] < s; at--) {
            best[at] = best[at - 1];
            ids[at] = ids[at - 1];
        }
        best[at] = s;
        ids[at] = e;
    }
    assert(n == n_used);
}

static void route_token(int32_t *ids, float *weights, const gol_moe *moe, const float *logits,
                        const gol_routing *r)
{
    const int32_t n_experts = moe->n_experts;
    const int32_t n_used = moe->n_used;
    float value[GOL_MOE_EXPERTS_MAX];
    float biased[GOL_MOE_EXPERTS_MAX];
    if (r->gating == GOL_GATING_SOFTMAX)
        softmax(value, logits, n_experts);
    else if (r->gating == GOL_GATING_SIGMOID)
        for (int32_t e = 0; e < n_experts; e++)
            value[e] = 1.0f / (1.0f + expf(-logits[e]));
    else
        memcpy(value, logits, (size_t)n_experts * sizeof *value);
    /* Both functions rise: without a bias the logits are in the same order, and nothing of it is lost by rounding. */
    const float *score = logits;
    if (r->select_bias) {
        for (int32_t e = 0; e < n_experts; e++)
            biased[e] = value[e] + r->select_bias[e];
        score = biased;
    }
    select_largest(ids, n_used, score, n_experts);
    for (int32_t s = 0; s < n_used; s++)
        weights[s] = value[ids[s]];
    if (r->gating == GOL_GATING_SOFTMAX_TOP)
        softmax(weights, weights, n_used);
    float factor = r->scale;
    if (r->is_normed) {
        float sum = 0.0f;
        for (int32_t s = 0; s < n_used; s++)
            sum += weights[s];
        factor /= fmaxf(sum, WEIGHT_SUM_MIN);
    }
    for (int32_t s = 0; s < n_used; s++)
        weights[s] *= factor;
}

static void route_tokens(void *arg, int ith, int n_threads)
{
    const route_job *job = arg;
    const gol_moe *moe = job->moe;
    const size_t n_used = (size_t)moe->n_used;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)moe->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++)
        route_token(moe->ids + t * n_used, moe->weights + t * n_used, moe,
                    job->logits + t * (size_t)moe->n_experts, job->routing);
}

/* rows, tokens and first from ids. */
static void sort_rows(gol_moe *moe)
{
    const int32_t n_slots = moe->n_tokens * moe->n_used;
    int32_t next[GOL_MOE_EXPERTS_MAX + 1] = {0};
    for (int32_t i = 0; i < n_slots; i++)
        next[moe->ids[i] + 1]++;
    for (int32_t e = 0; e < moe->n_experts; e++)
        next[e + 1] += next[e];
    memcpy(moe->first, next, ((size_t)moe->n_experts + 1) * sizeof *moe->first);
    for (int32_t i = 0; i < n_slots; i++) {
        const int32_t row = next[moe->ids[i]]++;
        moe->rows[i] = row;
        moe->tokens[row] = i / moe->n_used;
    }
}

void gol_backend_cpu_moe_route(gol_backend *be, gol_moe *moe, const float *logits,
                               const gol_routing *r, int32_t n_tokens)
{
    assert(n_tokens >= 0 && n_tokens <= moe->n_tokens_max);
    moe->n_tokens = n_tokens;
    route_job job = {moe, logits, r};
    gol_backend_cpu_run(gol_backend_cpu_of(be), route_tokens, &job,
                        (size_t)n_tokens * (size_t)moe->n_experts);
    sort_rows(moe);
}

void gol_backend_cpu_moe_read(gol_backend *be, const gol_moe *moe, int32_t *ids, float *weights)
{
    (void)be;
    const size_t n_slots = (size_t)moe->n_tokens * (size_t)moe->n_used;
    memcpy(ids, moe->ids, n_slots * sizeof *ids);
    memcpy(weights, moe->weights, n_slots * sizeof *weights);
}
