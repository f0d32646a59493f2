/*
 * What changes single logits: biases, bans, bad words, the window of the repetition penalty; the ranges of all extras; and a
 * sequence's copy of them.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/extras_check.h"
#include "engine/sequence.h"
#include "unit/engine/sampler_test.h"

static gol_sampling_params params;
static gol_sampling_extras extras;

static int set_up(void **state)
{
    (void)state;
    params = GOL_SAMPLING_DEFAULT;
    extras = GOL_SAMPLING_EXTRAS_DEFAULT;
    params.extras = &extras;
    return 0;
}

#define adjust_test(f) cmocka_unit_test_setup(f, set_up)

/* Draws are those of the row `expected`: the same numbers, with other logits. */
static void expect_row(const float *logits, const float *expected, int32_t n_vocab, gol_draw d)
{
    gol_sampling_params plain = params;
    plain.extras = NULL;
    for (int32_t i = 0; i < 500; i++) {
        params.seed = plain.seed = (uint64_t)i;
        const int32_t got = draw_as(logits, n_vocab, &params, d).token;
        assert_int_equal(got, draw_banned(expected, n_vocab, &plain, d.position).token);
    }
}

static void biases_are_added_and_minus_infinity_bans(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 2.0f, 3.0f, 0.5f};
    const gol_logit_bias some[] = {{0, 1.5f}, {3, -0.25f}, {0, 0.5f}};
    extras.logit_bias = some;
    extras.n_logit_bias = 3;
    expect_row(logits, (float[]){3.0f, 2.0f, 3.0f, 0.25f}, 4, (gol_draw){0});

    const gol_logit_bias strong[] = {{2, -100.0f}, {3, 100.0f}};
    extras.logit_bias = strong;
    extras.n_logit_bias = 2;
    for (int32_t i = 0; i < 200; i++)
        assert_int_equal(draw_with(logits, 4, &params, i).token, 3);

    const gol_logit_bias ban[] = {{2, -INFINITY}, {2, 100.0f}};
    extras.logit_bias = ban;
    expect_row(logits, (float[]){1.0f, 2.0f, -INFINITY, 0.5f}, 4, (gol_draw){0});
    params.temperature = 0.0f;
    assert_int_equal(draw_with(logits, 4, &params, 0).token, 1);
}

static void biases_keep_huge_logits_finite(void **state)
{
    (void)state;
    const float logits[] = {FLT_MAX, -FLT_MAX};
    const gol_logit_bias some[] = {{0, 100.0f}, {1, -100.0f}};
    extras.logit_bias = some;
    extras.n_logit_bias = 2;
    for (int32_t i = 0; i < 50; i++)
        assert_int_equal(draw_with(logits, 2, &params, i).token, 0);
}

static void only_allowed_tokens_are_drawn(void **state)
{
    (void)state;
    const float logits[] = {5.0f, 1.0f, 2.0f, 4.0f, 1.5f};
    const int32_t allowed[] = {4, 1, 2, 1};
    extras.allowed = allowed;
    extras.n_allowed = 4;
    expect_row(logits, (float[]){-INFINITY, 1.0f, 2.0f, -INFINITY, 1.5f}, 5, (gol_draw){0});
    /* Bans go on counting among them. */
    const int32_t banned[] = {2};
    const gol_logit_bias ban[] = {{4, -INFINITY}};
    extras.logit_bias = ban;
    extras.n_logit_bias = 1;
    for (int32_t i = 0; i < 100; i++) {
        const gol_draw d = {.banned = banned, .n_banned = 1, .position = i};
        assert_int_equal(draw_as(logits, 5, &params, d).token, 1);
    }
}

static void bad_words_end_nowhere_in_the_output(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 1.2f, 0.8f, 0.9f};
    const int32_t words[] = {3, 0, 1, 2, 2, 1};
    const int32_t ends[] = {1, 3, 6}; /* "3", "0 1", "2 2 1" */
    extras.bad_words = (gol_phrases){words, ends, 3};
    const float three[] = {1.0f, 1.2f, 0.8f, -INFINITY};
    const float one_and_three[] = {1.0f, -INFINITY, 0.8f, -INFINITY};
    const struct {
        int32_t tokens[6];
        int32_t n_prompt;
        int32_t n;
        const float *row;
    } cases[] = {
        {{0}, 1, 1, three},                  /* the prompt is no output */
        {{0, 0}, 1, 2, one_and_three},       /* "0" was generated */
        {{0, 0, 2}, 1, 3, three},            /* but is not the last token any more */
        {{1, 2, 2}, 1, 3, one_and_three},    /* "2 2" */
        {{1, 2, 2}, 2, 3, three},            /* its first half is of the prompt */
        {{2, 2, 2, 2}, 0, 4, one_and_three}, /* as is */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_row(logits, cases[i].row, 4,
                   (gol_draw){.tokens = cases[i].tokens,
                              .n_prompt = cases[i].n_prompt,
                              .position = cases[i].n});
}

/* ---- sequences ---- */

static const gol_seq_limits limits = {.max_model_len = 100, .block_size = 16, .n_vocab = 50};

static void ignore_output(void *user, const gol_output *output)
{
    (void)user;
    (void)output;
}

static int create_seq(gol_seq **seq, const int32_t *prompt, int32_t n_prompt, gol_err *err)
{
    const gol_request request = {
        .prompt = prompt,
        .n_prompt = n_prompt,
        .max_tokens = 60,
        .n_logprobs = -1,
        .sampling = params,
        .on_output = ignore_output,
    };
    return gol_seq_create(seq, &request, &limits, err);
}

static void the_repetition_penalty_looks_at_the_last_tokens_only(void **state)
{
    (void)state;
    static const int32_t windows[] = {-1, 0, 1, 2, 5, 20, 1000};
    params.repetition_penalty = 2.0f;
    params.presence_penalty = 0.5f;
    gol_rng rng = {.key = 8};
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        extras.repeat_last_n = windows[w];
        int32_t tokens[72];
        for (int i = 0; i < 72; i++)
            tokens[i] = (int32_t)gol_rng_below(&rng, 50);
        gol_seq *seq;
        assert_int_equal(create_seq(&seq, tokens, 12, NULL), 0);
        for (int32_t n = 12; n <= 72; n++) {
            float logits[50];
            float expected[50];
            fill_normal(logits, 50, (uint64_t)n, 2.0);
            const int32_t first = windows[w] < 0 || windows[w] > n ? 0 : n - windows[w];
            for (int32_t token = 0; token < 50; token++) {
                bool is_near = false;
                bool is_output = false;
                for (int32_t i = 0; i < n; i++) {
                    is_near |= i >= first && tokens[i] == token;
                    is_output |= i >= 12 && tokens[i] == token;
                }
                float x = logits[token];
                if (is_near)
                    x = x > 0 ? x / 2.0f : x * 2.0f;
                expected[token] = is_output ? x - 0.5f : x;
            }
            gol_sampling_params plain = params;
            plain.repetition_penalty = 1.0f;
            plain.presence_penalty = 0.0f;
            plain.extras = NULL;
            const gol_draw d = {.counts = &seq->counts, .position = n};
            for (uint64_t seed = 0; seed < 8; seed++) {
                params.seed = plain.seed = seed;
                gol_sampling_params p = params;
                p.extras = NULL;
                assert_int_equal(draw_as(logits, 50, &p, d).token,
                                 draw_with(expected, 50, &plain, n).token);
            }
            if (n < 72)
                gol_seq_append(seq, tokens[n]);
        }
        gol_seq_destroy(&seq);
    }
}

static void extras_that_are_off_cost_a_sequence_nothing(void **state)
{
    (void)state;
    gol_seq *seq;
    static const int32_t prompt[] = {1};
    assert_int_equal(create_seq(&seq, prompt, 1, NULL), 0);
    assert_null(seq->extras);
    gol_seq_destroy(&seq);
    extras.xtc_probability = 1.0f;
    extras.xtc_threshold = 0.6f; /* off as well */
    extras.dry_multiplier = 1.0f;
    extras.dry_penalty_last_n = 0;
    assert_int_equal(create_seq(&seq, prompt, 1, NULL), 0);
    assert_null(seq->extras);
    gol_seq_destroy(&seq);
    extras.typical_p = 0.5f;
    assert_int_equal(create_seq(&seq, prompt, 1, NULL), 0);
    assert_non_null(seq->extras);
    assert_null(seq->extras->repeats);
    gol_seq_destroy(&seq);
}

static void lists_are_copied_and_running_out_of_memory_leaves_nothing(void **state)
{
    (void)state;
    static int32_t phrase_tokens[] = {1, 2, 3, 4, 2, 9};
    static int32_t ends[] = {1, 3, 6};
    static int32_t allowed[] = {7, 8, 2};
    static gol_logit_bias biases[] = {{5, 1.0f}};
    extras.bad_words = extras.dry_breakers = (gol_phrases){phrase_tokens, ends, 3};
    extras.allowed = allowed;
    extras.n_allowed = 3;
    extras.logit_bias = biases;
    extras.n_logit_bias = 1;
    extras.dry_multiplier = 1.0f;
    extras.mirostat = 2;
    params.repetition_penalty = 1.5f;
    static const int32_t prompt[] = {1, 2, 3};
    gol_seq *seq;
    uint64_t n = 1;
    for (;; n++) {
        gol_err err = {0};
        gol_mem_fail_nth(n, false);
        const int rc = create_seq(&seq, prompt, 3, &err);
        gol_mem_fail_nth(0, false);
        if (rc == 0)
            break;
        assert_int_equal(rc, GOL_ENOMEM);
        assert_null(seq);
        assert_non_null(strstr(err.message, "out of memory"));
    }
    assert_in_range(n, 8, 30);
    phrase_tokens[0] = allowed[0] = biases[0].token = ends[0] = 0;
    const gol_seq_extras *x = seq->extras;
    assert_int_equal(x->params.allowed[0], 7);
    assert_int_equal(x->params.logit_bias[0].token, 5);
    assert_int_equal(x->params.bad_words.tokens[0], 1);
    assert_int_equal(x->params.bad_words.ends[0], 1);
    assert_true(gol_seq_extras_has_bit(x->is_breaker, 1));
    assert_true(gol_seq_extras_has_bit(x->is_head, 2));
    assert_int_equal(x->n_long_breakers, 2);
    assert_true(x->mu == 10.0f);
    gol_seq_destroy(&seq);
    phrase_tokens[0] = ends[0] = 1;
}

/* ---- ranges ---- */

static void expect_refused(const char *field)
{
    gol_err err = {0};
    const gol_request request = {.sampling = params, .max_tokens = 1};
    const int rc = gol_extras_check(&request, 50, &err);
    if (rc != GOL_EINVAL || !strstr(err.message, field))
        fail_msg("%s: %d, '%s'", field, rc, err.message);
    extras = GOL_SAMPLING_EXTRAS_DEFAULT;
}

static void expect_accepted(void)
{
    gol_err err = {0};
    const gol_request request = {.sampling = params, .max_tokens = 1};
    if (gol_extras_check(&request, 50, &err) != 0)
        fail_msg("%s", err.message);
}

static void every_number_has_its_range(void **state)
{
    (void)state;
#define RANGE(name, field, low, high, below, above)                                                \
    extras.field = low;                                                                            \
    expect_accepted();                                                                             \
    extras.field = high;                                                                           \
    expect_accepted();                                                                             \
    extras.field = below;                                                                          \
    expect_refused(name);                                                                          \
    extras.field = above;                                                                          \
    expect_refused(name)
    RANGE("repeat_last_n", repeat_last_n, -1, INT32_MAX, -2, INT32_MIN);
    RANGE("order", order, GOL_ORDER_TEMPERATURE_FIRST, GOL_ORDER_TEMPERATURE_LAST,
          (gol_sampling_order)7, (gol_sampling_order)2);
    RANGE("top_n_sigma", top_n_sigma, 0.0f, 1e6f, -0.1f, NAN);
    RANGE("typical_p", typical_p, FLT_MIN, 1.0f, 0.0f, 1.01f);
    RANGE("xtc_probability", xtc_probability, 0.0f, 1.0f, -0.1f, 1.01f);
    RANGE("xtc_threshold", xtc_threshold, 0.0f, 1.0f, -0.1f, 1.01f);
    RANGE("dynatemp_range", dynatemp_range, 0.0f, 1e6f, -0.1f, INFINITY);
    RANGE("dynatemp_exponent", dynatemp_exponent, 0.0f, 100.0f, -0.1f, 101.0f);
    RANGE("mirostat", mirostat, 0, 2, -1, 3);
    RANGE("mirostat_tau", mirostat_tau, 0.0f, 1000.0f, -0.1f, 1001.0f);
    RANGE("mirostat_eta", mirostat_eta, 0.0f, 100.0f, -0.1f, 101.0f);
    RANGE("dry_multiplier", dry_multiplier, 0.0f, 1e6f, -0.1f, NAN);
    RANGE("dry_base", dry_base, 1.0f, 1e6f, 0.9f, 2e6f);
    RANGE("dry_allowed_length", dry_allowed_length, 0, INT32_MAX, -1, INT32_MIN);
    RANGE("dry_penalty_last_n", dry_penalty_last_n, -1, INT32_MAX, -2, INT32_MIN);
#undef RANGE
}

static void lists_hold_tokens_of_the_model_and_keep_their_limits(void **state)
{
    (void)state;
    static gol_logit_bias biases[GOL_LOGIT_BIAS_MAX + 1];
    static int32_t many[GOL_PHRASES_MAX + 1];
    extras.logit_bias = biases;
    extras.n_logit_bias = GOL_LOGIT_BIAS_MAX;
    expect_accepted();
    extras.n_logit_bias = GOL_LOGIT_BIAS_MAX + 1;
    expect_refused("n_logit_bias");
    const gol_logit_bias bad[] = {{50, 0.0f}, {-1, 0.0f}, {1, 100.5f}, {1, NAN}, {1, INFINITY}};
    for (int i = 0; i < 5; i++) {
        extras.logit_bias = &bad[i];
        extras.n_logit_bias = 1;
        expect_refused("logit_bias");
    }
    const int32_t ids[] = {0, 50};
    extras.allowed = ids;
    extras.n_allowed = 2;
    expect_refused("allowed_token_ids[1]");
    extras.n_allowed = 51;
    expect_refused("n_allowed");

    for (int which = 0; which < 2; which++) {
        const char *field = which ? "bad_words" : "dry_sequence_breakers";
        gol_phrases *phrases = which ? &extras.bad_words : &extras.dry_breakers;
        *phrases = (gol_phrases){ids, (int32_t[]){2}, 1};
        expect_refused(field);
        *phrases = (gol_phrases){ids, (int32_t[]){1, 1}, 2};
        expect_refused(field);
        static const int32_t zeros[GOL_PHRASE_TOKENS_MAX + 1];
        *phrases = (gol_phrases){zeros, (int32_t[]){GOL_PHRASE_TOKENS_MAX}, 1};
        expect_accepted();
        phrases->ends = (int32_t[]){GOL_PHRASE_TOKENS_MAX + 1};
        expect_refused(field);
        for (int32_t i = 0; i <= GOL_PHRASES_MAX; i++)
            many[i] = i + 1;
        static int32_t tokens[GOL_PHRASES_MAX + 1];
        *phrases = (gol_phrases){tokens, many, GOL_PHRASES_MAX};
        expect_accepted();
        phrases->n++;
        expect_refused(field);
    }
}

static void one_token_at_least_can_always_be_drawn(void **state)
{
    (void)state;
    const int32_t allowed[] = {3, 4, 5};
    const gol_logit_bias bans[] = {{3, -INFINITY}, {4, -100.0f}};
    const int32_t words[] = {9, 5};
    const int32_t ends[] = {2};
    extras.allowed = allowed;
    extras.n_allowed = 3;
    extras.logit_bias = bans;
    extras.n_logit_bias = 2;
    extras.bad_words = (gol_phrases){words, ends, 1};
    expect_accepted(); /* 4: -100 is no ban */
    const int32_t stop[] = {4};
    gol_request request = {.sampling = params, .max_tokens = 5, .stop_ids = stop, .n_stop_ids = 1};
    assert_int_equal(gol_extras_check(&request, 50, NULL), 0);
    request.min_tokens = 1; /* now the stop id is not drawn at first */
    gol_err err = {0};
    assert_int_equal(gol_extras_check(&request, 50, &err), GOL_EINVAL);
    assert_non_null(strstr(err.message, "leave no token"));
    gol_mem_fail_nth(1, false);
    assert_int_equal(gol_extras_check(&request, 50, &err), GOL_ENOMEM);
    gol_mem_fail_nth(0, false);
    /* Of a vocabulary of one the only word is bad. */
    const int32_t zero[] = {0};
    const int32_t one[] = {1};
    extras = GOL_SAMPLING_EXTRAS_DEFAULT;
    extras.bad_words = (gol_phrases){zero, one, 1};
    assert_int_equal(gol_extras_check(&request, 1, &err), GOL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        adjust_test(biases_are_added_and_minus_infinity_bans),
        adjust_test(biases_keep_huge_logits_finite),
        adjust_test(only_allowed_tokens_are_drawn),
        adjust_test(bad_words_end_nowhere_in_the_output),
        adjust_test(the_repetition_penalty_looks_at_the_last_tokens_only),
        adjust_test(extras_that_are_off_cost_a_sequence_nothing),
        adjust_test(lists_are_copied_and_running_out_of_memory_leaves_nothing),
        adjust_test(every_number_has_its_range),
        adjust_test(lists_hold_tokens_of_the_model_and_keep_their_limits),
        adjust_test(one_token_at_least_can_always_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
