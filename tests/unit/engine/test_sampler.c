/*
 * The sampler against a naive one that sorts everything in double precision and reads like request.h; its distribution
 * against the exact one; and the edges of every parameter.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/sampler.h"
#include "engine/softmax.h"

enum { N_VOCAB_MAX = 4096 };

static gol_sampling_params defaults(void)
{
    return GOL_SAMPLING_DEFAULT;
}

static void fill_normal(float *logits, int32_t n, uint64_t seed, double scale)
{
    gol_rng rng = {.key = seed};
    for (int32_t i = 0; i < n; i++)
        logits[i] = (float)(scale * gol_rng_next_normal(&rng));
}

/* One draw of a fresh sampler. */
static gol_sample draw(const float *logits, int32_t n_vocab, const gol_sampling_params *params,
                       int32_t position)
{
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, n_vocab, NULL), 0);
    gol_sample sample;
    const gol_draw d = {.params = params, .position = position, .n_logprobs = -1};
    assert_true(gol_sampler_draw(&s, &sample, logits, &d));
    gol_sampler_deinit(&s);
    return sample;
}

/* ---- the reference ---- */

typedef struct naive {
    int32_t token;
    double logit;
    double p;
} naive;

static int by_likelihood(const void *a, const void *b)
{
    const naive *x = a;
    const naive *y = b;
    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return x->token < y->token ? -1 : 1;
}

static int by_token(const void *a, const void *b)
{
    return ((const naive *)a)->token - ((const naive *)b)->token;
}

static void normalize(naive *c, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += c[i].p;
    for (int32_t i = 0; i < n; i++)
        c[i].p /= sum;
}

/* The distribution that is drawn from, by token; returns how many tokens are left. *is_close: some decision hung on less
 * than float precision, the case proves nothing. */
static int32_t naive_distribution(naive *c, const float *logits, int32_t n,
                                  const gol_sampling_params *p, bool *is_close)
{
    *is_close = false;
    for (int32_t i = 0; i < n; i++)
        c[i] = (naive){i, (double)logits[i] / (double)p->temperature, 0};
    qsort(c, (size_t)n, sizeof *c, by_likelihood);
    const double max = c[0].logit;
    for (int32_t i = 0; i < n; i++)
        c[i].p = exp(c[i].logit - max);
    if (p->min_p > 0.0f) {
        int32_t n_kept = 0;
        while (n_kept < n && c[n_kept].p >= (double)p->min_p)
            n_kept++;
        for (int32_t i = 0; i < n; i++)
            *is_close |= fabs(c[i].p / (double)p->min_p - 1) < 1e-5;
        n = n_kept;
    }
    if (p->top_k > 0 && p->top_k < n)
        n = p->top_k;
    normalize(c, n);
    if (p->top_p < 1.0f) {
        double sum = 0;
        int32_t n_kept = 0;
        while (n_kept < n && sum < (double)p->top_p) {
            sum += c[n_kept++].p;
            *is_close |= fabs(sum - (double)p->top_p) < 1e-6;
        }
        n = n_kept;
        normalize(c, n);
    }
    qsort(c, (size_t)n, sizeof *c, by_token);
    return n;
}

static int32_t naive_draw(const naive *c, int32_t n, double u, bool *is_close)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += c[i].p;
        *is_close |= fabs(sum - u) < 1e-6;
        if (sum > u)
            return c[i].token;
    }
    return c[n - 1].token;
}

static void draws_equal_the_naive_reference(void **state)
{
    (void)state;
    static float logits[N_VOCAB_MAX];
    static naive c[N_VOCAB_MAX];
    gol_rng rng = {.key = 11};
    int n_compared = 0;
    for (int round = 0; round < 3000; round++) {
        const int32_t n_vocab = 1 + (int32_t)gol_rng_below(&rng, round % 10 ? 300 : N_VOCAB_MAX);
        fill_normal(logits, n_vocab, gol_rng_next(&rng), 0.1 + 5 * gol_rng_next_unit(&rng));
        if (round % 7 == 0) { /* many equal logits */
            for (int32_t i = 0; i < n_vocab; i++)
                logits[i] = roundf(logits[i]);
        }
        gol_sampling_params p = defaults();
        p.seed = gol_rng_next(&rng);
        p.temperature = (float)(0.05 + 2 * gol_rng_next_unit(&rng));
        if (gol_rng_below(&rng, 2))
            p.top_p = (float)(1 - gol_rng_next_unit(&rng));
        if (gol_rng_below(&rng, 2))
            p.min_p = (float)gol_rng_next_unit(&rng);
        if (gol_rng_below(&rng, 2))
            p.top_k = 1 + (int32_t)gol_rng_below(&rng, 2 * (uint64_t)n_vocab);
        bool is_close;
        const int32_t n = naive_distribution(c, logits, n_vocab, &p, &is_close);
        const int32_t position = (int32_t)gol_rng_below(&rng, INT32_MAX);
        const double u = gol_rng_unit(p.seed, (uint64_t)position);
        const int32_t expected = naive_draw(c, n, u, &is_close);
        if (is_close)
            continue;
        assert_int_equal(draw(logits, n_vocab, &p, position).token, expected);
        n_compared++;
    }
    assert_true(n_compared > 2500);
}

/* ---- the distribution ---- */

/* Pearson's chi-square of n draws at rising positions against the naive distribution. */
static double chi_square(const float *logits, int32_t n_vocab, const gol_sampling_params *p,
                         int32_t n_draws, int32_t *n_cells)
{
    naive c[64];
    bool is_close;
    *n_cells = naive_distribution(c, logits, n_vocab, p, &is_close);
    int32_t seen[64] = {0};
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, n_vocab, NULL), 0);
    for (int32_t i = 0; i < n_draws; i++) {
        gol_sample sample;
        const gol_draw d = {.params = p, .position = i, .n_logprobs = -1};
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));
        seen[sample.token]++;
    }
    gol_sampler_deinit(&s);
    double sum = 0;
    int32_t n_seen = 0;
    for (int32_t i = 0; i < *n_cells; i++) {
        const double expected = c[i].p * n_draws;
        sum += pow(seen[c[i].token] - expected, 2) / expected;
        n_seen += seen[c[i].token];
    }
    assert_int_equal(n_seen, n_draws); /* nothing outside the support */
    return sum;
}

static void the_frequencies_are_those_of_the_distribution(void **state)
{
    (void)state;
    float logits[16];
    fill_normal(logits, 16, 3, 1.0);
    const gol_sampling_params cases[] = {
        {.temperature = 1.0f, .top_p = 1.0f, .repetition_penalty = 1.0f, .seed = 1},
        {.temperature = 2.5f, .top_p = 1.0f, .repetition_penalty = 1.0f, .seed = 2},
        {.temperature = 1.0f, .top_p = 0.8f, .repetition_penalty = 1.0f, .seed = 3},
        {.temperature = 1.0f, .top_p = 1.0f, .top_k = 5, .repetition_penalty = 1.0f, .seed = 4},
        {.temperature = 0.7f,
         .top_p = 0.9f,
         .min_p = 0.1f,
         .top_k = 9,
         .repetition_penalty = 1.0f,
         .seed = 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t n_cells;
        const double x = chi_square(logits, 16, &cases[i], 40000, &n_cells);
        /* Mean n - 1, variance 2 (n - 1): five deviations. The seeds are fixed, so it never fails by chance. */
        assert_true(n_cells >= 3);
        assert_true(x < n_cells - 1 + 5 * sqrt(2.0 * (n_cells - 1)));
    }
}

/* ---- edges ---- */

static void temperature_zero_takes_the_most_likely_and_of_equals_the_lowest(void **state)
{
    (void)state;
    float logits[100];
    fill_normal(logits, 100, 9, 1.0);
    gol_sampling_params p = defaults();
    p.temperature = 0.0f;
    p.top_p = 0.1f;
    p.min_p = 0.9f;
    logits[41] = logits[97] = 50.0f;
    for (int32_t position = 0; position < 20; position++)
        assert_int_equal(draw(logits, 100, &p, position).token, 41);
    for (int32_t i = 0; i < 100; i++)
        logits[i] = -3.0f;
    assert_int_equal(draw(logits, 100, &p, 0).token, 0);
    assert_int_equal(draw(logits, 1, &p, 0).token, 0);
}

static void zeros_of_both_signs_are_equal(void **state)
{
    (void)state;
    const float logits[] = {-0.0f, 0.0f, -0.0f, 0.0f};
    gol_sampling_params p = defaults();
    int seen[4] = {0};
    for (int32_t position = 0; position < 400; position++)
        seen[draw(logits, 4, &p, position).token]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(seen[i], 60, 140);
    p.top_k = 2;
    for (int32_t position = 0; position < 100; position++)
        assert_in_range(draw(logits, 4, &p, position).token, 0, 1);
}

static void top_k_one_and_tiny_top_p_and_min_p_one_leave_the_most_likely(void **state)
{
    (void)state;
    float logits[300];
    fill_normal(logits, 300, 21, 0.01);
    int32_t best = 0;
    for (int32_t i = 1; i < 300; i++)
        best = logits[i] > logits[best] ? i : best;
    gol_sampling_params k = defaults();
    k.top_k = 1;
    gol_sampling_params top = defaults();
    top.top_p = FLT_MIN;
    gol_sampling_params min = defaults();
    min.min_p = 1.0f;
    for (int32_t position = 0; position < 50; position++) {
        assert_int_equal(draw(logits, 300, &k, position).token, best);
        assert_int_equal(draw(logits, 300, &top, position).token, best);
        assert_int_equal(draw(logits, 300, &min, position).token, best);
    }
}

static void filters_that_are_too_wide_keep_everything(void **state)
{
    (void)state;
    float logits[300];
    fill_normal(logits, 300, 22, 3.0);
    gol_sampling_params off = defaults();
    gol_sampling_params wide = defaults();
    wide.top_k = 300;
    wide.min_p = 1e-30f;
    wide.top_p = nextafterf(1.0f, 0.0f);
    for (int32_t position = 0; position < 200; position++)
        assert_int_equal(draw(logits, 300, &off, position).token,
                         draw(logits, 300, &wide, position).token);
}

/* Token i has probability 2^-(i+1), the last one twice that: sums are exact in binary. */
static void top_p_keeps_the_smallest_set_that_reaches_it(void **state)
{
    (void)state;
    const float p4[] = {0.5f, 0.25f, 0.125f, 0.125f};
    float logits[4];
    for (int i = 0; i < 4; i++)
        logits[i] = logf(p4[i]);
    const struct {
        float top_p;
        int32_t last;
    } cases[] = {{0.4f, 0}, {0.51f, 1}, {0.74f, 1}, {0.76f, 2}, {0.87f, 2}, {0.88f, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        gol_sampling_params p = defaults();
        p.top_p = cases[c].top_p;
        int32_t last = 0;
        for (int32_t position = 0; position < 300; position++) {
            const int32_t token = draw(logits, 4, &p, position).token;
            last = token > last ? token : last;
        }
        assert_int_equal(last, cases[c].last);
    }
}

static void min_p_drops_what_is_less_likely_than_its_share_of_the_best(void **state)
{
    (void)state;
    float logits[] = {0.0f, 2.0f, 1.0f, -4.0f}; /* relative to the best: e^-2, 1, e^-1, e^-6 */
    gol_sampling_params p = defaults();
    const struct {
        float min_p;
        int n_left;
    } cases[] = {{0.4f, 1}, {0.36f, 2}, {0.14f, 2}, {0.13f, 3}, {0.002f, 4}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        p.min_p = cases[c].min_p;
        bool seen[4] = {false};
        for (int32_t position = 0; position < 4000; position++)
            seen[draw(logits, 4, &p, position).token] = true;
        assert_int_equal(seen[0] + seen[1] + seen[2] + seen[3], cases[c].n_left);
    }
}

static void extreme_logits_and_temperatures_draw_what_they_should(void **state)
{
    (void)state;
    const float huge[] = {-FLT_MAX, FLT_MAX, -FLT_MAX, FLT_MAX};
    gol_sampling_params p = defaults();
    for (int32_t position = 0; position < 50; position++)
        assert_int_equal(draw(huge, 4, &p, position).token % 2, 1);
    const float close[] = {1.0f, 1.0001f, 0.9999f};
    p.temperature = FLT_MIN;
    for (int32_t position = 0; position < 50; position++)
        assert_int_equal(draw(close, 3, &p, position).token, 1);
    p.temperature = 1e6f;
    int seen[3] = {0};
    for (int32_t position = 0; position < 300; position++)
        seen[draw(close, 3, &p, position).token]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 60, 140);
}

static void logits_that_are_not_finite_are_reported(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 37, NULL), 0);
    for (int i = 0; i < 3; i++) {
        for (int32_t at = 0; at < 37; at++) {
            float logits[37];
            fill_normal(logits, 37, 5, 1.0);
            gol_sampling_params p = defaults();
            p.temperature = at % 2 ? 0.0f : 1.0f;
            const gol_draw d = {.params = &p, .n_logprobs = -1};
            gol_sample sample;
            assert_true(gol_sampler_draw(&s, &sample, logits, &d));
            logits[at] = bad[i];
            assert_false(gol_sampler_draw(&s, &sample, logits, &d));
        }
    }
    gol_sampler_deinit(&s);
}

static void banned_tokens_are_never_drawn(void **state)
{
    (void)state;
    float logits[10] = {0};
    logits[3] = 20.0f;
    logits[7] = 10.0f;
    const int32_t banned[] = {3, 7};
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 10, NULL), 0);
    gol_sampling_params p = defaults();
    for (int32_t position = 0; position < 400; position++) {
        p.temperature = position % 2 ? 0.0f : 1.0f;
        const gol_draw d = {
            .params = &p, .banned = banned, .n_banned = 2, .position = position, .n_logprobs = -1};
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));
        assert_true(sample.token != 3 && sample.token != 7);
    }
    gol_sampler_deinit(&s);
}

/* ---- penalties ---- */

typedef struct penalty_case {
    gol_sampling_params p;
    float expected[6];
} penalty_case;

static void penalties_change_exactly_the_tokens_they_speak_of(void **state)
{
    (void)state;
    /* Prompt: 0 1 1. Output: 1 2 2. Never seen: 3 4 5. */
    gol_token_counts counts;
    assert_int_equal(gol_token_counts_init(&counts, 6, NULL), 0);
    gol_token_counts_add_prompt(&counts, 0);
    gol_token_counts_add_prompt(&counts, 1);
    gol_token_counts_add_prompt(&counts, 1);
    gol_token_counts_add_output(&counts, 1);
    gol_token_counts_add_output(&counts, 2);
    gol_token_counts_add_output(&counts, 2);
    const float logits[6] = {2.0f, -2.0f, 4.0f, 1.0f, -1.0f, 0.0f};
    const penalty_case cases[] = {
        {{.repetition_penalty = 2.0f}, {1.0f, -4.0f, 2.0f, 1.0f, -1.0f, 0.0f}},
        {{.repetition_penalty = 0.5f}, {4.0f, -1.0f, 8.0f, 1.0f, -1.0f, 0.0f}},
        {{.repetition_penalty = 1.0f, .presence_penalty = 1.5f},
         {2.0f, -3.5f, 2.5f, 1.0f, -1.0f, 0.0f}},
        {{.repetition_penalty = 1.0f, .frequency_penalty = 0.5f},
         {2.0f, -2.5f, 3.0f, 1.0f, -1.0f, 0.0f}},
        {{.repetition_penalty = 2.0f, .presence_penalty = 1.0f, .frequency_penalty = -0.25f},
         {1.0f, -4.75f, 1.5f, 1.0f, -1.0f, 0.0f}},
    };
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 6, NULL), 0);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        gol_sampling_params p = cases[c].p;
        p.top_p = 1.0f;
        const gol_sampling_params plain = {
            .temperature = 1.0f, .top_p = 1.0f, .repetition_penalty = 1.0f, .seed = 77};
        for (int32_t position = 0; position < 300; position++) {
            p.temperature = position % 3 ? 1.0f : 0.0f;
            p.seed = 77;
            const gol_draw d = {
                .params = &p, .counts = &counts, .position = position, .n_logprobs = 6};
            gol_sample sample;
            assert_true(gol_sampler_draw(&s, &sample, logits, &d));
            gol_sampling_params q = plain;
            q.temperature = p.temperature;
            assert_int_equal(sample.token, draw(cases[c].expected, 6, &q, position).token);
            /* The model's own distribution, unpenalized. */
            assert_int_equal(sample.top[0].token, 2);
        }
    }
    gol_sampler_deinit(&s);
    gol_token_counts_deinit(&counts);
}

static void penalties_that_overflow_still_draw(void **state)
{
    (void)state;
    gol_token_counts counts;
    assert_int_equal(gol_token_counts_init(&counts, 2, NULL), 0);
    gol_token_counts_add_prompt(&counts, 0);
    gol_token_counts_add_prompt(&counts, 1);
    const float logits[3] = {FLT_MAX, -FLT_MAX, 0.0f};
    gol_sampling_params p = defaults();
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 3, NULL), 0);
    const float penalties[] = {1e6f, FLT_MIN};
    for (int i = 0; i < 2; i++) {
        p.repetition_penalty = penalties[i];
        const gol_draw d = {.params = &p, .counts = &counts, .n_logprobs = -1};
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));
        assert_int_equal(sample.token, 0);
    }
    gol_sampler_deinit(&s);
    gol_token_counts_deinit(&counts);
}

static void token_counts_equal_a_plain_array_of_counts(void **state)
{
    (void)state;
    enum { N = 500 };
    static int32_t n_output[N];
    static bool is_there[N];
    gol_token_counts counts;
    assert_int_equal(gol_token_counts_init(&counts, N, NULL), 0);
    gol_rng rng = {.key = 2};
    for (int i = 0; i < 4000; i++) {
        const int32_t token = (int32_t)gol_rng_below(&rng, N);
        is_there[token] = true;
        if (i < 100) {
            gol_token_counts_add_prompt(&counts, token);
        } else {
            gol_token_counts_add_output(&counts, token);
            n_output[token]++;
        }
    }
    int32_t n_distinct = 0;
    for (int32_t i = 0; i < N; i++)
        n_distinct += is_there[i];
    assert_int_equal(counts.n_entries, n_distinct);
    for (int32_t i = 0; i < counts.n_entries; i++) {
        const int32_t token = counts.entries[i].token;
        assert_true(is_there[token]);
        is_there[token] = false; /* each once */
        assert_int_equal(counts.entries[i].n_output, n_output[token]);
    }
    gol_token_counts_deinit(&counts);
}

/* ---- log-probabilities, arithmetic, determinism ---- */

static void logprobs_are_those_of_the_raw_row_sorted_and_ties_by_id(void **state)
{
    (void)state;
    static float logits[1000];
    static naive c[1000];
    fill_normal(logits, 1000, 33, 4.0);
    logits[10] = logits[500] = logits[999] = 30.0f;
    for (int32_t i = 0; i < 1000; i++)
        c[i] = (naive){i, (double)logits[i], exp((double)logits[i])};
    normalize(c, 1000);
    qsort(c, 1000, sizeof *c, by_likelihood);
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 1000, NULL), 0);
    gol_sampling_params p = {
        .temperature = 0.3f, .top_p = 0.9f, .top_k = 3, .repetition_penalty = 1.0f};
    for (int32_t n = -1; n <= GOL_LOGPROBS_MAX; n++) {
        const gol_draw d = {.params = &p, .position = n + 1, .n_logprobs = n};
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));
        assert_int_equal(sample.n_top, n < 0 ? 0 : n);
        for (int32_t i = 0; i < sample.n_top; i++) {
            assert_int_equal(sample.top[i].token, c[i].token);
            assert_true(fabs((double)sample.top[i].logprob - log(c[i].p)) < 2e-6);
        }
        if (n < 0)
            continue;
        for (int32_t i = 0; i < 1000; i++) {
            if (c[i].token == sample.token)
                assert_true(fabs((double)sample.logprob - log(c[i].p)) < 2e-6);
        }
    }
    gol_sampler_deinit(&s);
}

static void a_small_vocabulary_gives_fewer_top_logprobs(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 3.0f, 2.0f};
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 3, NULL), 0);
    const gol_sampling_params p = defaults();
    const gol_draw d = {.params = &p, .n_logprobs = GOL_LOGPROBS_MAX};
    gol_sample sample;
    assert_true(gol_sampler_draw(&s, &sample, logits, &d));
    assert_int_equal(sample.n_top, 3);
    assert_int_equal(sample.top[0].token, 1);
    assert_int_equal(sample.top[1].token, 2);
    assert_int_equal(sample.top[2].token, 0);
    gol_sampler_deinit(&s);
}

static void exponentials_are_within_two_ulp(void **state)
{
    (void)state;
    double worst = 0;
    for (int32_t i = 0; i < 870000; i++) {
        const float depth = (float)i * 1e-4f;
        float e;
        gol_row_loops_get()->exp(&e, &depth, 1);
        const double exact = exp(-(double)depth);
        const double error = fabs((double)e - exact) / exact;
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 2 * 0x1p-23);
    const float edges[] = {0.0f, 86.9999f, 87.0f, 1e30f, INFINITY};
    float e[5];
    gol_row_loops_get()->exp(e, edges, 5);
    assert_true(e[0] == 1.0f);
    assert_true(e[1] > 0.0f);
    assert_true(e[2] == 0.0f && e[3] == 0.0f && e[4] == 0.0f);
}

static void the_loops_give_the_same_bits_at_every_cpu_level(void **state)
{
    (void)state;
    enum { N_MAX = 1500, N_BLOCKS = N_MAX / GOL_ROW_BLOCK + 1 };
    static float x[N_MAX], want[N_MAX], got[N_MAX];
    static int32_t want_ids[N_MAX], got_ids[N_MAX];
    const gol_row_loops *c = &gol_row_loops_c;
    const gol_row_loops *best = gol_row_loops_get();
    for (int32_t n = 1; n <= N_MAX; n += n % 7 ? 1 : 13) {
        float max_c[N_BLOCKS], max_best[N_BLOCKS];
        double sums_c[N_BLOCKS], sums_best[N_BLOCKS];
        const size_t n_blocks = (size_t)gol_row_n_blocks(n);
        fill_normal(x, n, (uint64_t)n, 3.0);
        assert_true(c->scan(max_c, x, n) && best->scan(max_best, x, n));
        assert_memory_equal(max_c, max_best, n_blocks * sizeof *max_c);
        c->weights(want, sums_c, x, n, 15.0f, 0.7f);
        best->weights(got, sums_best, x, n, 15.0f, 0.7f);
        assert_memory_equal(want, got, (size_t)n * sizeof *want);
        assert_memory_equal(sums_c, sums_best, n_blocks * sizeof *sums_c);
        const double sum = c->sum(want, n);
        assert_true(sum == best->sum(want, n));
        assert_true(sum == c->sum_weights(x, n, 15.0f, 0.7f));
        assert_true(sum == best->sum_weights(x, n, 15.0f, 0.7f));
        const int32_t n_ids = c->collect(want_ids, x, max_c, n, 4.0f);
        assert_int_equal(n_ids, best->collect(got_ids, x, max_c, n, 4.0f));
        assert_memory_equal(want_ids, got_ids, (size_t)n_ids * sizeof *got_ids);
        int32_t n_wanted = 0;
        for (int32_t i = 0; i < n; i++)
            n_wanted += x[i] >= 4.0f;
        assert_int_equal(n_ids, n_wanted);
    }
}

static void a_draw_does_not_depend_on_what_was_drawn_before(void **state)
{
    (void)state;
    static float logits[2][777];
    fill_normal(logits[0], 777, 1, 2.0);
    fill_normal(logits[1], 777, 2, 2.0);
    gol_sampling_params p[2] = {defaults(), defaults()};
    p[0].top_p = 0.9f;
    p[1].top_k = 40;
    p[1].min_p = 0.01f;
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 777, NULL), 0);
    for (int32_t i = 0; i < 200; i++) {
        const int which = i * 7 % 3 % 2;
        const gol_draw d = {.params = &p[which], .position = i, .n_logprobs = 5};
        gol_sample shared;
        assert_true(gol_sampler_draw(&s, &shared, logits[which], &d));
        gol_sampler fresh;
        assert_int_equal(gol_sampler_init(&fresh, 777, NULL), 0);
        gol_sample alone;
        assert_true(gol_sampler_draw(&fresh, &alone, logits[which], &d));
        assert_int_equal(shared.token, alone.token);
        assert_memory_equal(&shared.logprob, &alone.logprob, sizeof shared.logprob);
        assert_memory_equal(shared.top, alone.top, 5 * sizeof *shared.top);
        gol_sampler_deinit(&fresh);
    }
    gol_sampler_deinit(&s);
}

static void a_draw_allocates_nothing_and_init_survives_running_out(void **state)
{
    (void)state;
    gol_sampler s;
    int n_failures = 0;
    for (uint64_t n = 1;; n++) {
        gol_mem_fail_nth(n, false);
        const int rc = gol_sampler_init(&s, 100, NULL);
        gol_mem_fail_nth(0, false);
        if (rc == 0)
            break;
        assert_int_equal(rc, GOL_ENOMEM);
        n_failures++;
    }
    assert_int_equal(n_failures, 7);
    float logits[100];
    fill_normal(logits, 100, 1, 1.0);
    const gol_sampling_params p = {
        .temperature = 1.0f, .top_p = 0.5f, .min_p = 0.1f, .top_k = 7, .repetition_penalty = 1.0f};
    const gol_draw d = {.params = &p, .n_logprobs = 20};
    gol_sample sample;
    const uint64_t n_before = gol_mem_n_forbidden();
    gol_mem_forbid(true);
    assert_true(gol_sampler_draw(&s, &sample, logits, &d));
    gol_mem_forbid(false);
    assert_int_equal(gol_mem_n_forbidden(), n_before);
    gol_sampler_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_equal_the_naive_reference),
        cmocka_unit_test(the_frequencies_are_those_of_the_distribution),
        cmocka_unit_test(temperature_zero_takes_the_most_likely_and_of_equals_the_lowest),
        cmocka_unit_test(zeros_of_both_signs_are_equal),
        cmocka_unit_test(top_k_one_and_tiny_top_p_and_min_p_one_leave_the_most_likely),
        cmocka_unit_test(filters_that_are_too_wide_keep_everything),
        cmocka_unit_test(top_p_keeps_the_smallest_set_that_reaches_it),
        cmocka_unit_test(min_p_drops_what_is_less_likely_than_its_share_of_the_best),
        cmocka_unit_test(extreme_logits_and_temperatures_draw_what_they_should),
        cmocka_unit_test(logits_that_are_not_finite_are_reported),
        cmocka_unit_test(banned_tokens_are_never_drawn),
        cmocka_unit_test(penalties_change_exactly_the_tokens_they_speak_of),
        cmocka_unit_test(penalties_that_overflow_still_draw),
        cmocka_unit_test(token_counts_equal_a_plain_array_of_counts),
        cmocka_unit_test(logprobs_are_those_of_the_raw_row_sorted_and_ties_by_id),
        cmocka_unit_test(a_small_vocabulary_gives_fewer_top_logprobs),
        cmocka_unit_test(exponentials_are_within_two_ulp),
        cmocka_unit_test(the_loops_give_the_same_bits_at_every_cpu_level),
        cmocka_unit_test(a_draw_does_not_depend_on_what_was_drawn_before),
        cmocka_unit_test(a_draw_allocates_nothing_and_init_survives_running_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
