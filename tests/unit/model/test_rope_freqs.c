/* The rotary embedding's table against values worked out independently (by hand from the papers' formulas). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/rope_freqs.h"

static void assert_near(float got, double want)
{
    if (!(fabs((double)got - want) <= 1e-6 * fabs(want)))
        fail_msg("got %.9g, want %.9g", (double)got, want);
}

static gol_rope_config plain(void)
{
    return (gol_rope_config){.kind = GOL_ROPE_NORM,
                             .n_rot = 8,
                             .freq_base = 10000.0f,
                             .factor = 1.0f,
                             .n_ctx_orig = 2048,
                             .attn_factor = 1.0f,
                             .yarn_beta_fast = 32.0f,
                             .yarn_beta_slow = 1.0f};
}

static void frequencies_fall_by_powers_of_the_base(void **state)
{
    (void)state;
    float freqs[4];
    const gol_rope_config rope = plain();
    gol_rope_freqs_fill(freqs, &rope, NULL);
    assert_near(freqs[0], 1.0); /* 10000^(-2i/8) */
    assert_near(freqs[1], 0.1);
    assert_near(freqs[2], 0.01);
    assert_near(freqs[3], 0.001);
    assert_near(gol_rope_freqs_scale(&rope), 1.0);
}

static void factors_divide_pair_by_pair(void **state)
{
    (void)state;
    float freqs[4];
    const float factors[4] = {1.0f, 2.0f, 4.0f, 8.0f};
    const gol_rope_config rope = plain();
    gol_rope_freqs_fill(freqs, &rope, factors);
    assert_near(freqs[0], 1.0);
    assert_near(freqs[1], 0.05);
    assert_near(freqs[2], 0.0025);
    assert_near(freqs[3], 0.000125);
}

static void linear_scaling_divides_all(void **state)
{
    (void)state;
    float freqs[4];
    gol_rope_config rope = plain();
    rope.scaling = GOL_ROPE_SCALING_LINEAR;
    rope.factor = 4.0f;
    gol_rope_freqs_fill(freqs, &rope, NULL);
    assert_near(freqs[0], 0.25);
    assert_near(freqs[3], 0.00025);
    assert_near(gol_rope_freqs_scale(&rope), 1.0);
}

/* n_rot 128, base 10000, 4096 tokens: the pair that turns n times is 128 ln(4096 / (2 pi n)) / (2 ln 10000), 20.94 for 32 turns
 * and 45.03 for one. Outwards: pairs up to 20 stay, pairs from 46 on are divided, those between lie on a ramp 26 wide. */
static void yarn_keeps_fast_pairs_and_stretches_slow_ones(void **state)
{
    (void)state;
    float freqs[64];
    gol_rope_config rope = plain();
    rope.n_rot = 128;
    rope.n_ctx_orig = 4096;
    rope.scaling = GOL_ROPE_SCALING_YARN;
    rope.factor = 16.0f;
    rope.yarn_ext_factor = 1.0f;
    gol_rope_freqs_fill(freqs, &rope, NULL);
    for (int i = 0; i < 64; i++) {
        const double freq = pow(10000.0, -i / 64.0);
        const double keep = i <= 20 ? 1.0 : i >= 46 ? 0.0 : (46 - i) / 26.0;
        assert_near(freqs[i], freq * keep + freq / 16.0 * (1.0 - keep));
    }
    assert_near(gol_rope_freqs_scale(&rope), 1.0 + 0.1 * log(16.0));
    rope.attn_factor = 0.5f;
    assert_near(gol_rope_freqs_scale(&rope), 0.5 * (1.0 + 0.1 * log(16.0)));
    rope.yarn_ext_factor = 0.0f; /* no blend: the same as linear */
    gol_rope_freqs_fill(freqs, &rope, NULL);
    assert_near(freqs[0], 1.0 / 16.0);
    assert_near(gol_rope_freqs_scale(&rope), 0.5);
}

/* The answers of transformers 5.23 (ROPE_INIT_FUNCTIONS["yarn"], truncate true and false) for gpt-oss's numbers and heads of 16. */
static void yarns_ramp_may_end_between_pairs(void **state)
{
    (void)state;
    static const double whole[8] = {1.0,           0.225418001,  0.0508132726,  0.00775546534,
                                    9.14454344e-4, 1.8188337e-5, 4.09997847e-6, 9.24208962e-7};
    static const double parts[8] = {1.0,           0.225418001,  0.0508132726,  0.00679495931,
                                    4.56483918e-4, 1.8188337e-5, 4.09997847e-6, 9.24208962e-7};
    float freqs[8];
    gol_rope_config rope = plain();
    rope.n_rot = 16;
    rope.freq_base = 150000.0f;
    rope.n_ctx_orig = 4096;
    rope.scaling = GOL_ROPE_SCALING_YARN;
    rope.factor = 32.0f;
    rope.yarn_ext_factor = 1.0f;
    for (int k = 0; k < 2; k++) {
        rope.yarn_has_fractions = k == 1;
        gol_rope_freqs_fill(freqs, &rope, NULL);
        for (int i = 0; i < 8; i++)
            assert_near(freqs[i], (k == 1 ? parts : whole)[i]);
    }
}

static void odd_values_give_finite_frequencies(void **state)
{
    (void)state;
    float freqs[4];
    gol_rope_config rope = plain();
    rope.scaling = GOL_ROPE_SCALING_YARN;
    rope.yarn_ext_factor = 1.0f;
    rope.factor = 1e6f;
    rope.n_ctx_orig = 1; /* no pair turns even once */
    gol_rope_freqs_fill(freqs, &rope, NULL);
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(freqs[i]) && freqs[i] > 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_fall_by_powers_of_the_base),
        cmocka_unit_test(factors_divide_pair_by_pair),
        cmocka_unit_test(linear_scaling_divides_all),
        cmocka_unit_test(yarn_keeps_fast_pairs_and_stretches_slow_ones),
        cmocka_unit_test(yarns_ramp_may_end_between_pairs),
        cmocka_unit_test(odd_values_give_finite_frequencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
