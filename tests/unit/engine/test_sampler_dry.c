/* DRY against its definition, tried at every place of the window one token at a time, and examples worked out by hand. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sampler_parts.h"
#include "support/cpu_time.h"
#include "unit/engine/sampler_test.h"

enum { TOKENS_MAX = 400, VOCAB = 130 };

/* The tokens behind the last breaker; a breaker counts when all of it is there. */
static int32_t naive_limit(const gol_phrases *breakers, const int32_t *window, int32_t n)
{
    for (int32_t begin = n - 1; begin >= 0; begin--) {
        int32_t longest = 0;
        for (int32_t b = 0; b < breakers->n; b++) {
            const int32_t *tokens;
            const int32_t length = gol_phrase_get(breakers, b, &tokens);
            if (begin + length <= n && length > longest &&
                memcmp(window + begin, tokens, (size_t)length * sizeof *tokens) == 0)
                longest = length;
        }
        if (longest > 0)
            return n - begin - longest;
    }
    return n;
}

static void naive_penalize(double *logits, const gol_sampling_extras *x, const int32_t *tokens,
                           int32_t n_tokens)
{
    const int32_t n = x->dry_penalty_last_n >= 0 && x->dry_penalty_last_n < n_tokens
                          ? x->dry_penalty_last_n
                          : n_tokens;
    const int32_t *window = tokens + n_tokens - n;
    const int32_t limit = naive_limit(&x->dry_breakers, window, n);
    int32_t longest[VOCAB];
    memset(longest, -1, sizeof longest);
    for (int32_t at = 1; at < n; at++) { /* window[at] would follow again */
        int32_t length = 0;
        while (length < at && length < limit && window[at - 1 - length] == window[n - 1 - length])
            length++;
        if (length > longest[window[at]])
            longest[window[at]] = length;
    }
    for (int32_t b = 0; b < x->dry_breakers.n; b++) {
        const int32_t *breaker;
        if (gol_phrase_get(&x->dry_breakers, b, &breaker) == 1)
            longest[breaker[0]] = -1;
    }
    for (int32_t i = 0; i < VOCAB; i++) {
        if (longest[i] >= x->dry_allowed_length && longest[i] >= 0)
            logits[i] -= (double)x->dry_multiplier *
                         pow((double)x->dry_base, longest[i] - x->dry_allowed_length);
    }
}

static void penalize(float *logits, const gol_sampling_extras *x, const int32_t *tokens, int32_t n)
{
    int32_t scratch[VOCAB];
    gol_seq_extras *extras;
    memset(scratch, 0x5a, sizeof scratch);
    assert_int_equal(gol_seq_extras_create(&extras, x, VOCAB, n + 1, NULL), 0);
    gol_dry_penalize(logits, scratch, extras, tokens, n);
    gol_seq_extras_destroy(&extras);
}

static int32_t add_phrase(int32_t *tokens, int32_t *ends, int32_t n, gol_rng *rng, int32_t vocab)
{
    int32_t end = n > 0 ? ends[n - 1] : 0;
    const int32_t length = 1 + (int32_t)gol_rng_below(rng, 3);
    for (int32_t i = 0; i < length; i++)
        tokens[end++] = (int32_t)gol_rng_below(rng, (uint64_t)vocab);
    ends[n] = end;
    return n + 1;
}

static void penalties_equal_the_definition(void **state)
{
    (void)state;
    gol_rng rng = {.key = 3};
    int n_penalized = 0;
    for (int round = 0; round < 4000; round++) {
        int32_t tokens[TOKENS_MAX];
        int32_t phrases[64], ends[8];
        const int32_t vocab = 1 + (int32_t)gol_rng_below(&rng, round % 4 ? 4 : VOCAB);
        const int32_t n = (int32_t)gol_rng_below(&rng, round % 50 ? 60 : TOKENS_MAX);
        for (int32_t i = 0; i < n; i++)
            tokens[i] = (int32_t)gol_rng_below(&rng, (uint64_t)vocab);
        if (round % 3 == 0 && n > 20) /* a long repetition */
            memcpy(tokens + n - 9, tokens + 2, 9 * sizeof *tokens);
        gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
        x.dry_multiplier = (float)(0.1 + gol_rng_next_unit(&rng));
        x.dry_base = (float)(1 + gol_rng_next_unit(&rng));
        x.dry_allowed_length = (int32_t)gol_rng_below(&rng, 5);
        x.dry_penalty_last_n = (int32_t)gol_rng_below(&rng, 80) - 1;
        if (x.dry_penalty_last_n == 0)
            x.dry_penalty_last_n = -1;
        int32_t n_phrases = 0;
        for (uint64_t i = gol_rng_below(&rng, 4); i > 0; i--)
            n_phrases = add_phrase(phrases, ends, n_phrases, &rng,
                                   VOCAB < 2 * vocab ? VOCAB : 2 * vocab);
        x.dry_breakers = (gol_phrases){phrases, ends, n_phrases};

        float logits[VOCAB];
        double expected[VOCAB];
        fill_normal(logits, VOCAB, (uint64_t)round, 2.0);
        for (int32_t i = 0; i < VOCAB; i++)
            expected[i] = (double)logits[i];
        naive_penalize(expected, &x, tokens, n);
        penalize(logits, &x, tokens, n);
        for (int32_t i = 0; i < VOCAB; i++) {
            const double least = -(double)FLT_MAX;
            const double want = expected[i] < least ? least : expected[i];
            if (fabs((double)logits[i] - want) > 1e-6 * (1 + fabs(want)))
                fail_msg("round %d, token %d: %g instead of %g", round, i, (double)logits[i], want);
        }
        float untouched[VOCAB];
        fill_normal(untouched, VOCAB, (uint64_t)round, 2.0);
        n_penalized += memcmp(untouched, logits, sizeof logits) != 0;
    }
    assert_in_range(n_penalized, 1500, 4000);
}

/* Which of four tokens lose how much after `tokens`, multiplier 0.8, base 1.75, allowed length 2. */
static void expect_loss(const int32_t *tokens, int32_t n, const gol_phrases *breakers,
                        const double loss[4])
{
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.dry_multiplier = 0.8f;
    if (breakers)
        x.dry_breakers = *breakers;
    float logits[VOCAB] = {0};
    penalize(logits, &x, tokens, n);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)logits[i] + loss[i]) < 1e-5);
    for (int i = 4; i < VOCAB; i++)
        assert_true(logits[i] == 0.0f);
}

static void worked_examples(void **state)
{
    (void)state;
    const double none[4] = {0};
    /* "0 1 2 3 ... 0 1": two tokens repeat, 2 would follow: 0.8. */
    expect_loss((int32_t[]){0, 1, 2, 3, 0, 1}, 6, NULL, (double[]){0, 0, 0.8, 0});
    /* "0 1 2 3 ... 0 1 2": three: 0.8 * 1.75. */
    expect_loss((int32_t[]){0, 1, 2, 3, 9, 0, 1, 2}, 8, NULL, (double[]){0, 0, 0, 1.4});
    /* One token is within what is allowed. */
    expect_loss((int32_t[]){0, 1, 2, 3, 1}, 5, NULL, none);
    /* The longest of several repetitions counts: 3 follows "1 2" and "0 1 2". */
    expect_loss((int32_t[]){1, 2, 3, 0, 1, 2, 3, 8, 0, 1, 2}, 11, NULL,
                (double[]){0, 0, 0, 0.8 * 1.75});
    /* A run of equal tokens repeats itself: 4 of 5. */
    expect_loss((int32_t[]){0, 0, 0, 0, 0}, 5, NULL, (double[]){0.8 * 1.75 * 1.75, 0, 0, 0});
    expect_loss((int32_t[]){0}, 1, NULL, none);
    expect_loss(NULL, 0, NULL, none);

    /* Nothing reaches back over a breaker, and a breaker of one token is never penalized. */
    const int32_t one[] = {1}, one_end[] = {1};
    const gol_phrases single = {one, one_end, 1};
    expect_loss((int32_t[]){0, 1, 2, 3, 0, 1}, 6, &single, none);
    expect_loss((int32_t[]){2, 3, 1, 7, 2, 3}, 6, &single, none);
    expect_loss((int32_t[]){0, 1, 2, 3, 0, 8, 0, 1, 2, 3}, 10, &single, (double[]){0.8, 0, 0, 0});
    const int32_t two[] = {0, 1}, two_end[] = {2};
    const gol_phrases pair = {two, two_end, 1};
    expect_loss((int32_t[]){0, 1, 2, 3, 0, 1, 2}, 7, &pair, none);
    expect_loss((int32_t[]){0, 1, 2, 3, 0, 8, 0, 1, 2, 3}, 10, &pair, (double[]){0.8, 0, 0, 0});
}

static void penalties_stay_finite(void **state)
{
    (void)state;
    int32_t tokens[TOKENS_MAX] = {0};
    gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
    x.dry_multiplier = 1e6f;
    x.dry_base = 1e6f;
    float logits[VOCAB] = {0};
    penalize(logits, &x, tokens, TOKENS_MAX);
    assert_true(logits[0] == -FLT_MAX);
    assert_true(logits[1] == 0.0f);
}

/* All equal, and a pattern whose every suffix repeats, are the worst cases of methods that compare place by place. */
static void the_cost_grows_with_the_window_and_not_with_its_square(void **state)
{
    (void)state;
    enum { N = 400000 };
    int32_t *tokens = gol_try_array(N, sizeof *tokens);
    assert_non_null(tokens);
    for (int which = 0; which < 2; which++) {
        for (int32_t i = 0; i < N; i++)
            tokens[i] = which == 0 ? 7 : i % 2;
        gol_sampling_extras x = GOL_SAMPLING_EXTRAS_DEFAULT;
        x.dry_multiplier = 0.1f;
        x.dry_base = 1.0f;
        float logits[VOCAB] = {0};
        const double begin_s = cpu_seconds_of_thread();
        penalize(logits, &x, tokens, N);
        assert_true(cpu_seconds_of_thread() - begin_s < 5); /* N squared is 1.6e11 comparisons */
        const int32_t next = which == 0 ? 7 : 0;
        assert_true(fabsf(logits[next] + 0.1f) < 1e-6f);
    }
    gol_free(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_equal_the_definition),
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(penalties_stay_finite),
        cmocka_unit_test(the_cost_grows_with_the_window_and_not_with_its_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
