/* Both versions of mirostat over whole answers against their definitions in double precision, and what they are for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/engine/sampler_test.h"

typedef struct item {
    int32_t token;
    double p;
} item;

static int by_rank(const void *a, const void *b)
{
    const item *x = a;
    const item *y = b;
    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return x->token - y->token;
}

static int by_token(const void *a, const void *b)
{
    return ((const item *)a)->token - ((const item *)b)->token;
}

static void normalize(item *items, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += items[i].p;
    for (int32_t i = 0; i < n; i++)
        items[i].p /= sum;
}

/* How many stay: version 1, algorithm 1 of the paper with m = 100. */
static int32_t cut_1(const item *items, int32_t n, double mu, double *k_exact)
{
    const int32_t m = n < 100 ? n : 100;
    double tb = 0, tt = 0;
    for (int32_t i = 0; i + 1 < m; i++) {
        const double t = log((i + 2.0) / (i + 1.0));
        tb += t * log(items[i].p / items[i + 1].p);
        tt += t * t;
    }
    const double s = tb / tt;
    const double eps = s - 1;
    *k_exact = pow(eps * pow(2, mu) / (1 - pow(n, -eps)), 1 / s);
    return *k_exact < 1 ? 1 : *k_exact > n ? n : (int32_t)*k_exact;
}

static int32_t cut_2(const item *items, int32_t n, double mu, double *k_exact)
{
    int32_t k = 0;
    while (k < n && -log2(items[k].p) <= mu)
        k++;
    *k_exact = 0.5;
    for (int32_t i = 0; i < n; i++)
        if (fabs(-log2(items[i].p) - mu) < 1e-4)
            *k_exact = 0; /* too close to tell */
    return k > 0 ? k : 1;
}

/* n_steps tokens; returns how many were compared until some decision was too close to tell. */
static int run_beside(int version, uint64_t seed, int32_t n_vocab, int n_steps)
{
    static float logits[N_VOCAB_MAX];
    static item items[N_VOCAB_MAX];
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.mirostat = version;
    x.mirostat_tau = 3.0f;
    x.mirostat_eta = 0.2f;
    p.temperature = 0.9f;
    p.seed = seed;
    gol_sampler s;
    gol_seq_extras *extras;
    assert_int_equal(gol_sampler_init(&s, n_vocab, NULL), 0);
    assert_int_equal(gol_seq_extras_create(&extras, &x, n_vocab, 1, NULL), 0);
    double mu = 2 * 3.0;
    int step = 0;
    for (; step < n_steps; step++) {
        fill_normal(logits, n_vocab, seed * 1000 + (uint64_t)step, 2.5);
        const gol_draw d = {.params = &p, .extras = extras, .position = step, .n_logprobs = -1};
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));

        for (int32_t i = 0; i < n_vocab; i++)
            items[i] = (item){i, exp((double)logits[i] / (double)p.temperature)};
        normalize(items, n_vocab);
        qsort(items, (size_t)n_vocab, sizeof *items, by_rank);
        double k_exact;
        const int32_t k = (version == 1 ? cut_1 : cut_2)(items, n_vocab, mu, &k_exact);
        if (fabs(k_exact - round(k_exact)) < 1e-3 * (1 + k_exact) && k_exact < n_vocab)
            break;
        normalize(items, k);
        qsort(items, (size_t)k, sizeof *items, by_token);
        const double u = gol_rng_unit(seed, (uint64_t)step);
        double sum = 0;
        int32_t i = 0;
        while (i < k - 1 && sum + items[i].p <= u)
            sum += items[i++].p;
        if (fabs(sum - u) < 1e-5 || fabs(sum + items[i].p - u) < 1e-5)
            break;
        assert_int_equal(sample.token, items[i].token);
        mu -= (double)x.mirostat_eta * (-log2(items[i].p) - (double)x.mirostat_tau);
        assert_true(fabs((double)sample.mu - mu) < 1e-3);
        extras->mu = sample.mu;
    }
    gol_seq_extras_destroy(&extras);
    gol_sampler_deinit(&s);
    return step;
}

static void answers_equal_the_definition(void **state)
{
    (void)state;
    for (int version = 1; version <= 2; version++) {
        int n_compared = 0;
        for (uint64_t seed = 1; seed <= 60; seed++)
            n_compared += run_beside(version, seed, seed % 3 ? 500 : 40, 60);
        assert_in_range(n_compared, 600, 60 * 60);
    }
}

/* Tokens of a Zipf distribution: whatever tau is, drawn tokens are that surprising on average among those that are left. */
static void surprise_settles_at_tau(void **state)
{
    (void)state;
    enum { N = 1000, N_STEPS = 3000 };
    static float logits[N];
    for (int32_t i = 0; i < N; i++)
        logits[i] = -1.1f * logf((float)i + 1.0f);
    for (int which = 0; which < 6; which++) {
        gol_sampling_params p = GOL_SAMPLING_DEFAULT;
        gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
        x.mirostat = 1 + which % 2;
        x.mirostat_tau = 2.0f + (float)(which / 2);
        p.extras = &x;
        gol_sampler s;
        gol_seq_extras *extras;
        assert_int_equal(gol_sampler_init(&s, N, NULL), 0);
        assert_int_equal(gol_seq_extras_create(&extras, &x, N, 1, NULL), 0);
        assert_true(extras->mu == 2.0f * x.mirostat_tau);
        double sum = 0;
        for (int32_t i = 0; i < N_STEPS; i++) {
            const gol_draw d = {.params = &p, .extras = extras, .position = i, .n_logprobs = -1};
            gol_sample sample;
            assert_true(gol_sampler_draw(&s, &sample, logits, &d));
            /* mu moved by eta * (tau - surprise) */
            sum += (double)x.mirostat_tau -
                   ((double)sample.mu - (double)extras->mu) / (double)x.mirostat_eta;
            extras->mu = sample.mu;
        }
        if (fabs(sum / N_STEPS - (double)x.mirostat_tau) > 0.1)
            fail_msg("version %d, tau %g: %g bits", x.mirostat, (double)x.mirostat_tau,
                     sum / N_STEPS);
        gol_seq_extras_destroy(&extras);
        gol_sampler_deinit(&s);
    }
}

static void even_distributions_and_any_mu_draw_something(void **state)
{
    (void)state;
    float logits[2][300];
    fill_normal(logits[0], 300, 1, 0.0);
    fill_normal(logits[1], 300, 1, 30.0);
    static const float mus[] = {-1e10f, -1.0f, 0.0f, 1e-6f, 8.0f, 9.0f, 1e4f, 1e30f};
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 300, NULL), 0);
    for (int i = 0; i < 2 * 2 * 8; i++) {
        gol_seq_extras *extras;
        x.mirostat = 1 + i % 2;
        assert_int_equal(gol_seq_extras_create(&extras, &x, 300, 1, NULL), 0);
        extras->mu = mus[i / 4];
        const gol_draw d = {.params = &p, .extras = extras, .position = i, .n_logprobs = -1};
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, logits[i / 2 % 2], &d));
        assert_in_range(sample.token, 0, 299);
        assert_true(isfinite(sample.mu));
        gol_seq_extras_destroy(&extras);
    }
    gol_sampler_deinit(&s);
}

static void temperature_zero_leaves_mu_alone(void **state)
{
    (void)state;
    const float logits[] = {0.0f, 2.0f, 1.0f};
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.mirostat = 2;
    p.extras = &x;
    p.temperature = 0.0f;
    const gol_sample sample = draw_with(logits, 3, &p, 0);
    assert_int_equal(sample.token, 1);
    assert_true(sample.mu == 10.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_equal_the_definition),
        cmocka_unit_test(surprise_settles_at_tau),
        cmocka_unit_test(even_distributions_and_any_mu_draw_something),
        cmocka_unit_test(temperature_zero_leaves_mu_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
