/* What a row says about one token: the bits of a draw, and the rank by counting. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/sampler.h"

enum { N_VOCAB_MAX = 1500, N_TOP = 7 };

static float row[N_VOCAB_MAX];

/* Few different values, so that there are ties. */
static void make_row(int32_t n_vocab, uint64_t seed)
{
    gol_rng rng = {.key = seed};
    for (int32_t i = 0; i < n_vocab; i++)
        row[i] = (float)gol_rng_below(&rng, 200) / 16.0f;
}

static int32_t count_rank(int32_t n_vocab, int32_t token)
{
    int32_t rank = 1;
    for (int32_t i = 0; i < n_vocab; i++)
        rank += row[i] > row[token] || (row[i] == row[token] && i < token);
    return rank;
}

static void a_score_is_what_a_draw_of_the_token_reports(void **state)
{
    (void)state;
    static const int32_t sizes[] = {7, 255, 256, 257, N_VOCAB_MAX};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        gol_sampler s;
        gol_err err = {0};
        assert_int_equal(gol_sampler_init(&s, sizes[k], &err), 0);
        make_row(sizes[k], 5 + k);
        for (int32_t position = 0; position < 200; position++) {
            const gol_sampling_params params = GOL_SAMPLING_DEFAULT;
            const gol_draw draw = {.params = &params, .position = position, .n_logprobs = N_TOP};
            gol_sample drawn;
            gol_prompt_score score;
            gol_top_logprob top[N_TOP];
            assert_true(gol_sampler_draw(&s, &drawn, row, &draw));
            assert_true(gol_sampler_score(&s, &score, top, row, drawn.token, N_TOP));
            assert_memory_equal(&score.logprob, &drawn.logprob, sizeof(float));
            assert_memory_equal(top, drawn.top, sizeof top);
            assert_int_equal(score.rank, count_rank(sizes[k], drawn.token));
            if (score.rank <= N_TOP)
                assert_int_equal(top[score.rank - 1].token, drawn.token);
        }
        gol_sampler_deinit(&s);
    }
}

static void every_token_has_a_rank_of_its_own(void **state)
{
    (void)state;
    static bool is_taken[N_VOCAB_MAX + 1];
    gol_sampler s;
    gol_err err = {0};
    assert_int_equal(gol_sampler_init(&s, N_VOCAB_MAX, &err), 0);
    make_row(N_VOCAB_MAX, 1);
    for (int32_t i = 0; i < N_VOCAB_MAX; i++) {
        gol_prompt_score score;
        assert_true(gol_sampler_score(&s, &score, NULL, row, i, 0));
        assert_in_range(score.rank, 1, N_VOCAB_MAX);
        assert_false(is_taken[score.rank]);
        is_taken[score.rank] = true;
    }
    gol_sampler_deinit(&s);
}

static void a_row_that_is_not_finite_says_nothing(void **state)
{
    (void)state;
    gol_sampler s;
    gol_err err = {0};
    gol_prompt_score score = {-1.0f, 77};
    assert_int_equal(gol_sampler_init(&s, N_VOCAB_MAX, &err), 0);
    make_row(N_VOCAB_MAX, 1);
    row[1000] = NAN;
    assert_false(gol_sampler_score(&s, &score, NULL, row, 0, 0));
    assert_int_equal(score.rank, 77);
    gol_sampler_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_score_is_what_a_draw_of_the_token_reports),
        cmocka_unit_test(every_token_has_a_rank_of_its_own),
        cmocka_unit_test(a_row_that_is_not_finite_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
