/*
 * top_n_sigma, typical_p, xtc and dynamic temperature, in both orders, against a sampler in double precision that sorts and
 * normalizes after every step, written from the definitions; the coin of xtc; and the edges.
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

#include "unit/engine/sampler_test.h"

/* ---- the reference ---- */

typedef struct item {
    int32_t token;
    double logit;
    double p;
    double key;
} item;

typedef struct list {
    item items[N_VOCAB_MAX];
    int32_t n;
    bool is_close; /* some decision hung on less than float precision: the case proves nothing */
} list;

static void note_close(list *l, double a, double b, double tolerance)
{
    l->is_close |= fabs(a - b) <= tolerance * (1 + fabs(b));
}

static int by_rank(const void *a, const void *b)
{
    const item *x = a;
    const item *y = b;
    if (x->logit != y->logit)
        return x->logit > y->logit ? -1 : 1;
    return x->token - y->token;
}

static int by_key(const void *a, const void *b)
{
    const item *x = a;
    const item *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->token - y->token;
}

/* Most likely first, p normalized. */
static void settle(list *l)
{
    qsort(l->items, (size_t)l->n, sizeof *l->items, by_rank);
    double sum = 0;
    for (int32_t i = 0; i < l->n; i++)
        sum += exp(l->items[i].logit - l->items[0].logit);
    for (int32_t i = 0; i < l->n; i++)
        l->items[i].p = exp(l->items[i].logit - l->items[0].logit) / sum;
}

static double entropy_of(const list *l)
{
    double h = 0;
    for (int32_t i = 0; i < l->n; i++)
        if (l->items[i].p > 0)
            h -= l->items[i].p * log(l->items[i].p);
    return h;
}

static void naive_temperature(list *l, const gol_sampling_params *p)
{
    double t = (double)p->temperature;
    const double range = (double)p->extras->dynatemp_range;
    if (range > 0 && l->n > 1) {
        const double low = fmax(t - range, 0);
        const double share = entropy_of(l) / log(l->n);
        t = low + (t + range - low) * pow(share, (double)p->extras->dynatemp_exponent);
        note_close(l, t, 0, 1e-3);
    }
    for (int32_t i = 0; i < l->n; i++)
        l->items[i].logit /= t;
    settle(l);
}

static void naive_top_n_sigma(list *l, const gol_sampling_params *p)
{
    const double n_sigma = (double)p->extras->top_n_sigma;
    if (n_sigma <= 0)
        return;
    double mean = 0;
    double square = 0;
    for (int32_t i = 0; i < l->n; i++)
        mean += l->items[i].logit / l->n;
    for (int32_t i = 0; i < l->n; i++)
        square += pow(l->items[i].logit - mean, 2);
    const double least = l->items[0].logit - n_sigma * sqrt(square / l->n);
    int32_t n_kept = 0;
    for (int32_t i = 0; i < l->n; i++) {
        note_close(l, l->items[i].logit, least, i == 0 ? 0 : 1e-6);
        n_kept += l->items[i].logit >= least;
    }
    l->n = n_kept;
    settle(l);
}

static void naive_top_k(list *l, const gol_sampling_params *p)
{
    if (p->top_k > 0 && p->top_k < l->n)
        l->n = p->top_k;
    settle(l);
}

static void naive_min_p(list *l, const gol_sampling_params *p)
{
    int32_t n_kept = 0;
    for (int32_t i = 0; i < l->n; i++) {
        const double least = (double)p->min_p * l->items[0].p;
        if (i > 0 && p->min_p > 0)
            note_close(l, l->items[i].p / least, 1, 1e-5);
        n_kept += l->items[i].p >= least;
    }
    l->n = n_kept;
    settle(l);
}

static int32_t count_mass(list *l, double mass)
{
    double sum = 0;
    int32_t n = 0;
    while (n < l->n && sum < mass) {
        sum += l->items[n++].p;
        note_close(l, sum, mass, 1e-6);
    }
    return n;
}

static void naive_top_p(list *l, const gol_sampling_params *p)
{
    if (p->top_p < 1)
        l->n = count_mass(l, (double)p->top_p);
    settle(l);
}

static void naive_typical(list *l, const gol_sampling_params *p)
{
    if (p->extras->typical_p >= 1)
        return;
    const double h = entropy_of(l);
    for (int32_t i = 0; i < l->n; i++)
        l->items[i].key = l->items[i].p > 0 ? fabs(-log(l->items[i].p) - h) : INFINITY;
    qsort(l->items, (size_t)l->n, sizeof *l->items, by_key);
    for (int32_t i = 0; i + 1 < l->n; i++)
        if (l->items[i].logit != l->items[i + 1].logit && l->items[i].p > 0)
            note_close(l, l->items[i].key, l->items[i + 1].key, 1e-5);
    l->n = count_mass(l, (double)p->extras->typical_p);
    settle(l);
}

static void naive_xtc(list *l, const gol_sampling_params *p, double coin)
{
    const gol_sampling_extras *x = p->extras;
    if (x->xtc_probability <= 0 || x->xtc_threshold > 0.5f || coin >= (double)x->xtc_probability)
        return;
    int32_t n_above = 0;
    for (int32_t i = 0; i < l->n; i++) {
        note_close(l, l->items[i].p / (double)x->xtc_threshold, 1, 1e-5);
        n_above += l->items[i].p >= (double)x->xtc_threshold;
    }
    if (n_above < 2)
        return;
    l->n -= n_above - 1;
    memmove(l->items, l->items + n_above - 1, (size_t)l->n * sizeof *l->items);
    settle(l);
}

/* The distribution that is drawn from, by token. */
static void naive_distribution(list *l, const float *logits, int32_t n,
                               const gol_sampling_params *p, int32_t position)
{
    const bool is_last = p->extras->order == GOL_ORDER_TEMPERATURE_LAST;
    const double coin = gol_rng_unit(p->seed, ((uint64_t)1 << 32) + (uint64_t)position);
    l->n = 0;
    l->is_close = false;
    for (int32_t i = 0; i < n; i++)
        if (logits[i] > -INFINITY)
            l->items[l->n++] = (item){.token = i, .logit = (double)logits[i]};
    settle(l);
    if (!is_last)
        naive_temperature(l, p);
    naive_top_n_sigma(l, p);
    if (!is_last)
        naive_min_p(l, p);
    naive_top_k(l, p);
    naive_typical(l, p);
    naive_top_p(l, p);
    if (is_last)
        naive_min_p(l, p);
    naive_xtc(l, p, coin);
    if (is_last)
        naive_temperature(l, p);
    for (int32_t i = 0; i < l->n; i++)
        l->items[i].key = 0;
    qsort(l->items, (size_t)l->n, sizeof *l->items, by_key);
}

static int32_t naive_draw(list *l, double u)
{
    double sum = 0;
    for (int32_t i = 0; i < l->n; i++) {
        sum += l->items[i].p;
        l->is_close |= fabs(sum - u) < 1e-5;
        if (sum > u)
            return l->items[i].token;
    }
    return l->items[l->n - 1].token;
}

/* ---- against it ---- */

static bool toss(gol_rng *rng)
{
    return gol_rng_below(rng, 2) != 0;
}

static void randomize(gol_sampling_params *p, gol_sampling_extras *x, gol_rng *rng, int32_t n_vocab)
{
    *p = GOL_SAMPLING_DEFAULT;
    *x = GOL_SAMPLING_EXTRAS_DEFAULT;
    p->extras = x;
    p->seed = gol_rng_next(rng);
    p->temperature = (float)(0.05 + 2 * gol_rng_next_unit(rng));
    if (toss(rng))
        p->top_p = (float)(1 - gol_rng_next_unit(rng));
    if (toss(rng))
        p->min_p = (float)(0.3 * gol_rng_next_unit(rng));
    if (toss(rng))
        p->top_k = 1 + (int32_t)gol_rng_below(rng, 2 * (uint64_t)n_vocab);
    if (toss(rng))
        x->top_n_sigma = (float)(3 * gol_rng_next_unit(rng));
    if (toss(rng))
        x->typical_p = (float)(1 - gol_rng_next_unit(rng));
    if (toss(rng)) {
        x->xtc_probability = (float)gol_rng_next_unit(rng);
        x->xtc_threshold = (float)(0.6 * gol_rng_next_unit(rng));
    }
    if (toss(rng)) {
        x->dynatemp_range = (float)gol_rng_next_unit(rng);
        x->dynatemp_exponent = (float)(2 * gol_rng_next_unit(rng));
    }
    x->order = toss(rng) ? GOL_ORDER_TEMPERATURE_LAST : GOL_ORDER_TEMPERATURE_FIRST;
}

static void draws_equal_the_naive_reference_in_both_orders(void **state)
{
    (void)state;
    static float logits[N_VOCAB_MAX];
    static list l;
    gol_rng rng = {.key = 12};
    int n_compared = 0;
    for (int round = 0; round < 6000; round++) {
        const int32_t n_vocab = 1 + (int32_t)gol_rng_below(&rng, round % 20 ? 40 : N_VOCAB_MAX);
        fill_normal(logits, n_vocab, gol_rng_next(&rng), 0.1 + 5 * gol_rng_next_unit(&rng));
        gol_sampling_params p;
        gol_sampling_extras x;
        randomize(&p, &x, &rng, n_vocab);
        const int32_t position = (int32_t)gol_rng_below(&rng, INT32_MAX);
        naive_distribution(&l, logits, n_vocab, &p, position);
        const int32_t expected = naive_draw(&l, gol_rng_unit(p.seed, (uint64_t)position));
        if (l.is_close)
            continue;
        const int32_t got = draw_with(logits, n_vocab, &p, position).token;
        if (got != expected)
            fail_msg("round %d: %d tokens, drew %d instead of %d", round, n_vocab, got, expected);
        n_compared++;
    }
    assert_in_range(n_compared, 5000, 6000);
}

/* Pearson's chi-square over draws at rising positions; xtc's coin splits them in two distributions. */
static double chi_square(const float *logits, int32_t n_vocab, gol_sampling_params *p,
                         int32_t n_draws, int32_t *n_cells)
{
    static list with;
    static list without;
    gol_sampling_extras x = *p->extras;
    const double share = (double)x.xtc_probability;
    gol_sampling_params q = *p;
    q.extras = &x;
    x.xtc_probability = 1.0f;
    naive_distribution(&with, logits, n_vocab, &q, 0);
    x.xtc_probability = 0.0f;
    naive_distribution(&without, logits, n_vocab, &q, 0);
    double expected[64] = {0};
    for (int32_t i = 0; i < with.n; i++)
        expected[with.items[i].token] += share * with.items[i].p * n_draws;
    for (int32_t i = 0; i < without.n; i++)
        expected[without.items[i].token] += (1 - share) * without.items[i].p * n_draws;

    int32_t seen[64] = {0};
    for (int32_t i = 0; i < n_draws; i++)
        seen[draw_with(logits, n_vocab, p, i).token]++;
    double sum = 0;
    *n_cells = 0;
    for (int32_t i = 0; i < n_vocab; i++) {
        assert_true(expected[i] > 0 || seen[i] == 0);
        if (expected[i] == 0)
            continue;
        sum += pow(seen[i] - expected[i], 2) / expected[i];
        ++*n_cells;
    }
    return sum;
}

static void the_frequencies_are_those_of_the_distributions(void **state)
{
    (void)state;
    float logits[12];
    fill_normal(logits, 12, 3, 1.2);
    for (int which = 0; which < 6; which++) {
        gol_sampling_params p = GOL_SAMPLING_DEFAULT;
        gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
        p.extras = &x;
        p.seed = 40 + (uint64_t)which;
        p.temperature = 1.3f;
        if (which == 0)
            x.typical_p = 0.7f;
        else if (which == 1)
            x.top_n_sigma = 1.5f;
        else if (which == 2)
            x.dynatemp_range = 0.9f;
        else
            x.xtc_probability = which == 3 ? 0.3f : which == 4 ? 1.0f : 0.75f;
        x.xtc_threshold = 0.08f;
        x.order = which == 5 ? GOL_ORDER_TEMPERATURE_LAST : GOL_ORDER_TEMPERATURE_FIRST;
        int32_t n_cells;
        const double chi = chi_square(logits, 12, &p, 20000, &n_cells);
        /* 1 in 10^4 of correct samplers is above mean + 4.5 deviations of the chi-square distribution. */
        if (n_cells < 2 || chi > n_cells - 1 + 4.5 * sqrt(2.0 * (n_cells - 1)))
            fail_msg("case %d: chi-square %g of %d cells", which, chi, n_cells);
    }
}

/* ---- examples worked out by hand ---- */

/* The tokens that are drawn at all, as bits. */
static unsigned find_support(const float *logits, int32_t n_vocab, const gol_sampling_params *p)
{
    unsigned seen = 0;
    for (int32_t position = 0; position < 3000; position++)
        seen |= 1u << draw_with(logits, n_vocab, p, position).token;
    return seen;
}

static void the_papers_definitions_give_these_sets(void **state)
{
    (void)state;
    /* Probabilities 0.5, 0.25, 0.125, 0.125: entropy 1.75 bits, surprises 1, 2, 3, 3. */
    const float logits[] = {logf(0.5f), logf(0.25f), logf(0.125f), logf(0.125f)};
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    p.extras = &x;
    x.typical_p = 0.2f; /* 2 bits are the nearest to 1.75 */
    assert_int_equal(find_support(logits, 4, &p), 1u << 1);
    x.typical_p = 0.3f; /* then 1 bit */
    assert_int_equal(find_support(logits, 4, &p), 1u << 1 | 1u << 0);
    x.typical_p = 0.8f; /* then 3 bits, of equals the lower id */
    assert_int_equal(find_support(logits, 4, &p), 7);
    x.typical_p = 0.9f;
    assert_int_equal(find_support(logits, 4, &p), 15);

    x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.xtc_probability = 1.0f;
    x.xtc_threshold = 0.2f; /* 0.5 goes, 0.25 is the least likely above */
    assert_int_equal(find_support(logits, 4, &p), 14);
    x.xtc_threshold = 0.1f; /* of the two equal ones the higher id stays */
    assert_int_equal(find_support(logits, 4, &p), 8);
    x.xtc_threshold = 0.3f; /* only one is above: nothing goes */
    assert_int_equal(find_support(logits, 4, &p), 15);
    x.xtc_threshold = 0.51f;
    assert_int_equal(find_support(logits, 4, &p), 15);

    /* Logits 3, 1, 1, -1: mean 1, deviation sqrt(2). */
    const float spread[] = {3.0f, 1.0f, 1.0f, -1.0f};
    x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.top_n_sigma = 1.4f; /* 3 - 1.98 */
    assert_int_equal(find_support(spread, 4, &p), 1);
    x.top_n_sigma = 1.42f; /* 3 - 2.008 */
    assert_int_equal(find_support(spread, 4, &p), 7);
    p.temperature = 0.6f; /* logits and deviation shrink alike */
    assert_int_equal(find_support(spread, 4, &p), 7);
}

static void the_order_decides_what_top_p_sees(void **state)
{
    (void)state;
    /* Probabilities 0.6, 0.3, 0.1; at temperature 0.5 they are 0.78, 0.2, 0.02. */
    const float logits[] = {logf(0.6f), logf(0.3f), logf(0.1f)};
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    p.extras = &x;
    p.temperature = 0.5f;
    p.top_p = 0.7f;
    assert_int_equal(find_support(logits, 3, &p), 1);
    x.order = GOL_ORDER_TEMPERATURE_LAST;
    assert_int_equal(find_support(logits, 3, &p), 3);
}

/* ---- edges ---- */

static void one_candidate_is_drawn_whatever_is_asked(void **state)
{
    (void)state;
    const float one[] = {3.0f};
    const float many[] = {1.0f, -INFINITY, -INFINITY};
    gol_rng rng = {.key = 9};
    for (int i = 0; i < 500; i++) {
        gol_sampling_params p;
        gol_sampling_extras x;
        randomize(&p, &x, &rng, 3);
        x.mirostat = i % 3;
        assert_int_equal(draw_with(one, 1, &p, i).token, 0);
        assert_int_equal(draw_banned(many, 3, &p, i).token, 0);
    }
}

static void equal_logits_and_huge_ones_are_drawn_too(void **state)
{
    (void)state;
    const float equal[] = {2.0f, 2.0f, 2.0f, 2.0f, 2.0f};
    const float huge[] = {FLT_MAX, -FLT_MAX, FLT_MAX, -FLT_MAX, 0.0f};
    gol_rng rng = {.key = 10};
    for (int i = 0; i < 2000; i++) {
        gol_sampling_params p;
        gol_sampling_extras x;
        randomize(&p, &x, &rng, 5);
        x.mirostat = i % 5 < 3 ? i % 5 : 0;
        assert_in_range(draw_with(equal, 5, &p, i).token, 0, 4);
        assert_int_equal(draw_with(huge, 5, &p, i).token % 2, 0);
    }
}

static void dynatemp_is_the_low_end_when_certain_and_the_high_end_when_even(void **state)
{
    (void)state;
    gol_sampling_params p = GOL_SAMPLING_DEFAULT;
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    p.extras = &x;
    x.dynatemp_range = 1.0f; /* 0 to 2 */
    const float certain[] = {40.0f, 0.0f, 0.0f};
    assert_int_equal(find_support(certain, 3, &p), 1);
    /* Nearly even: at temperature 2 the share of the first is e^0.005 / (e^0.005 + 1). */
    const float even[] = {0.01f, 0.0f};
    int n_first = 0;
    for (int32_t position = 0; position < 20000; position++)
        n_first += draw_with(even, 2, &p, position).token == 0;
    assert_in_range(n_first, 9700, 10300);
}

static void temperature_zero_takes_the_most_likely_whatever_else_is_asked(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 5.0f, 4.9f, 5.0f};
    gol_rng rng = {.key = 13};
    for (int i = 0; i < 300; i++) {
        gol_sampling_params p;
        gol_sampling_extras x;
        randomize(&p, &x, &rng, 4);
        p.temperature = 0.0f;
        x.mirostat = i % 3;
        assert_int_equal(draw_with(logits, 4, &p, i).token, 1);
    }
}

static void no_draw_allocates(void **state)
{
    (void)state;
    static float logits[3000];
    fill_normal(logits, 3000, 4, 2.0);
    gol_rng rng = {.key = 14};
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, 3000, NULL), 0);
    for (int i = 0; i < 200; i++) {
        gol_sampling_params p;
        gol_sampling_extras x;
        randomize(&p, &x, &rng, 3000);
        x.mirostat = i % 4 < 3 ? i % 4 : 0;
        x.dry_multiplier = 1.0f;
        int32_t tokens[64];
        for (int k = 0; k < 64; k++)
            tokens[k] = k % 7;
        gol_seq_extras *extras;
        assert_int_equal(gol_seq_extras_create(&extras, &x, 3000, 64, NULL), 0);
        const gol_draw d = {.params = &p,
                            .extras = extras,
                            .tokens = tokens,
                            .n_prompt = 5,
                            .position = 64,
                            .n_logprobs = 3};
        gol_sample sample;
        const uint64_t n_before = gol_mem_n_forbidden();
        gol_mem_forbid(true);
        assert_true(gol_sampler_draw(&s, &sample, logits, &d));
        gol_mem_forbid(false);
        assert_int_equal(gol_mem_n_forbidden(), n_before);
        gol_seq_extras_destroy(&extras);
    }
    gol_sampler_deinit(&s);
}

static void moments_are_the_same_bits_at_every_cpu_level(void **state)
{
    (void)state;
    static float x[1500];
    for (int32_t n = 1; n <= 1500; n += n % 7 ? 1 : 13) {
        fill_normal(x, n, (uint64_t)n, 3.0);
        for (int32_t i = 1; i < n; i += 5)
            x[i] = -INFINITY;
        double mean[2], variance[2];
        const int32_t count = gol_row_loops_c.moments(&mean[0], &variance[0], x, n, 20.0f);
        assert_int_equal(gol_row_loops_get()->moments(&mean[1], &variance[1], x, n, 20.0f), count);
        assert_true(mean[0] == mean[1] && variance[0] == variance[1]);
        double sum = 0, square = 0;
        int32_t n_in = 0;
        for (int32_t i = 0; i < n; i++) {
            if (x[i] == -INFINITY)
                continue;
            n_in++;
            sum += 20.0 - (double)x[i];
        }
        for (int32_t i = 0; i < n; i++)
            if (x[i] > -INFINITY)
                square += pow(20.0 - (double)x[i] - sum / n_in, 2);
        assert_int_equal(count, n_in);
        assert_true(fabs(mean[0] - sum / n_in) < 1e-9);
        assert_true(fabs(variance[0] - square / n_in) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_equal_the_naive_reference_in_both_orders),
        cmocka_unit_test(the_frequencies_are_those_of_the_distributions),
        cmocka_unit_test(the_papers_definitions_give_these_sets),
        cmocka_unit_test(the_order_decides_what_top_p_sees),
        cmocka_unit_test(one_candidate_is_drawn_whatever_is_asked),
        cmocka_unit_test(equal_logits_and_huge_ones_are_drawn_too),
        cmocka_unit_test(dynatemp_is_the_low_end_when_certain_and_the_high_end_when_even),
        cmocka_unit_test(temperature_zero_takes_the_most_likely_whatever_else_is_asked),
        cmocka_unit_test(no_draw_allocates),
        cmocka_unit_test(moments_are_the_same_bits_at_every_cpu_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
