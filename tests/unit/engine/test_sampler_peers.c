/*
 * The same rows through Hugging Face's logits processors and llama.cpp's samplers: tests/golden/sampler_cases.h has what they
 * leave, made by the script beside it. What a draw chose from is still in the sampler afterwards.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/sequence.h"
#include "golden/sampler_cases.h"
#include "unit/engine/sampler_test.h"

static void ignore_output(void *user, const gol_output *output)
{
    (void)user;
    (void)output;
}

/* A sequence that has these tokens. */
static gol_seq *create_seq(const sampler_case *c)
{
    const gol_seq_limits limits = {.max_model_len = 100, .block_size = 16, .n_vocab = CASE_VOCAB};
    gol_request request = {
        .prompt = c->tokens,
        .n_prompt = c->n_tokens > 0 ? c->n_tokens : 1,
        .max_tokens = 1,
        .n_logprobs = -1,
        .sampling = c->params,
        .on_output = ignore_output,
    };
    request.sampling.extras = &c->extras;
    gol_seq *seq;
    gol_err err = {0};
    if (gol_seq_create(&seq, &request, &limits, &err) != 0)
        fail_msg("%s", err.message);
    return seq;
}

static void compare(size_t i, const sampler_case *c, const gol_sampler *s)
{
    double got[CASE_VOCAB] = {0};
    double sum = 0;
    for (int32_t k = 0; k < s->candidates.n; k++) {
        got[s->candidates.ids[k]] = (double)s->candidates.weights[k];
        sum += (double)s->candidates.weights[k];
    }
    for (int32_t token = 0; token < CASE_VOCAB; token++) {
        const double p = got[token] / sum;
        if (fabs(p - c->probs[token]) > 1e-7 + 1e-4 * c->probs[token])
            fail_msg("case %zu of %s, token %d: %g instead of %g", i, c->source, token, p,
                     c->probs[token]);
    }
}

static void what_is_left_is_what_others_leave(void **state)
{
    (void)state;
    gol_sampler s;
    assert_int_equal(gol_sampler_init(&s, CASE_VOCAB, NULL), 0);
    int n_of[2] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sampler_case *c = &cases[i];
        gol_seq *seq = create_seq(c);
        const gol_draw d = {
            .params = &seq->sampling,
            .counts = seq->has_counts ? &seq->counts : NULL,
            .extras = seq->extras,
            .tokens = c->tokens,
            .position =
                c->n_tokens, /* all of them count as output, which is what bad words look at */
            .n_logprobs = -1,
        };
        gol_sample sample;
        assert_true(gol_sampler_draw(&s, &sample, c->logits, &d));
        assert_true(c->probs[sample.token] > 0);
        compare(i, c, &s);
        gol_seq_destroy(&seq);
        n_of[c->source[0] == 'l']++;
    }
    assert_in_range(n_of[0], 40, 1000);
    assert_in_range(n_of[1], 40, 1000);
    gol_sampler_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_what_others_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
