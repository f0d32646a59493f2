/*
 * Quantizers, judged by what the reference dequantizer makes of their blocks: exact where the data lies on the
 * codes, within a bound that follows from the format elsewhere, and clear errors beyond the format's range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "quant/half.h"
#include "quant/levels.h"
#include "quant/quantize.h"

enum {
    N = 256 * 16, /* elements of a test row */
    ROW_BYTES_MAX = N * 4
};

/*
 * Largest error of an element, in steps, and mean square error relative to the data's for normal data. A step is: without a
 * minimum, the block's farthest element over n_down; with one, the block's range over n_down.
 * Bounds: plain rounding is off by half a step, or a whole one where the codes reach one step less up than down; K types add
 * half a unit of their small scales and minima times the largest code; the search for the least error of all moves the
 * ends of a block a little more.
 */
typedef struct expectation {
    gol_type type;
    bool has_min;
    float n_down;
    float steps_max;
    double nmse_max; /* from measurements, rounded up by about a tenth */
    float limit;
} expectation;

static const expectation expectations[] = {
    {GOL_TYPE_Q4_0, false, 8, 1.0f, 7.3e-3, 8 * 65504.0f},
    {GOL_TYPE_Q4_1, true, 15, 1.0f, 5.3e-3, 65504.0f},
    {GOL_TYPE_Q5_0, false, 16, 1.0f, 1.8e-3, 16 * 65504.0f},
    {GOL_TYPE_Q5_1, true, 31, 1.0f, 1.3e-3, 65504.0f},
    {GOL_TYPE_Q8_0, false, 127, 0.5f, 3.1e-5, 127 * 65504.0f},
    {GOL_TYPE_Q2_K, true, 3, 0.8f, 7.8e-2, 65504.0f},
    {GOL_TYPE_Q3_K, false, 4, 1.0f, 2.3e-2, 65504.0f},
    {GOL_TYPE_Q4_K, true, 15, 0.8f, 5.5e-3, 65504.0f},
    {GOL_TYPE_Q5_K, true, 31, 0.8f, 1.4e-3, 65504.0f},
    {GOL_TYPE_Q6_K, false, 32, 0.8f, 3.3e-4, 65504.0f},
    {GOL_TYPE_IQ4_NL, false, 6, 0.9f, 6.1e-3, 65504.0f},
    {GOL_TYPE_IQ4_XS, false, 6, 0.9f, 6.1e-3, 65504.0f},
    {GOL_TYPE_MXFP4, false, 3, 1.2f, 1.4e-2, 0x1p120f},
    {GOL_TYPE_TQ1_0, false, 1, 0.9f, 2.1e-1, 65504.0f},
    {GOL_TYPE_TQ2_0, false, 1, 0.9f, 2.1e-1, 65504.0f},
};

enum { N_EXPECTATIONS = sizeof expectations / sizeof expectations[0] };

static float largest_step(const expectation *e, const float *x, size_t n)
{
    float low = 0.0f;
    float high = 0.0f;
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    return (e->has_min ? high - low : fmaxf(high, -low)) / e->n_down;
}

static void round_trip(float *y, gol_type type, const float *x, size_t n)
{
    static uint8_t bytes[ROW_BYTES_MAX + 1];
    gol_err err = {0};
    assert_int_equal(gol_quantize_row(bytes + 1, type, x, n, &err), 0);
    gol_type_get(type)->dequant(y, bytes + 1, n);
}

/* Checks the bound block by block and returns the relative mean square error. */
static double check_errors(const expectation *e, const float *x)
{
    const gol_type_info *info = gol_type_get(e->type);
    const size_t n = (size_t)info->block_size;
    static float y[N];
    round_trip(y, e->type, x, N);
    double error = 0;
    double power = 0;
    for (size_t b = 0; b < N; b += n) {
        const float step = largest_step(e, x + b, n);
        /* Scale and minimum in binary16: relative 2^-11, and 2^-25 times the largest code where they are
         * subnormal. */
        const float slack = step * e->n_down * 0x1p-10f + 0x1p-24f * e->n_down * 128;
        for (size_t i = b; i < b + n; i++) {
            if (!(fabsf(y[i] - x[i]) <= step * e->steps_max + slack))
                fail_msg("%s, element %zu: %g became %g, steps are %g", info->name, i, (double)x[i],
                         (double)y[i], (double)step);
            error += (double)(y[i] - x[i]) * (double)(y[i] - x[i]);
            power += (double)x[i] * (double)x[i];
        }
    }
    return power > 0 ? error / power : 0;
}

static void fill_normal(float x[N], uint64_t seed, double scale)
{
    gol_rng rng = {.key = seed};
    for (int i = 0; i < N; i++)
        x[i] = (float)(gol_rng_next_normal(&rng) * scale);
}

static void errors_of_normal_data_stay_within_the_formats_steps(void **state)
{
    (void)state;
    static float x[N];
    for (int k = 0; k < N_EXPECTATIONS; k++) {
        const expectation *e = &expectations[k];
        for (uint64_t seed = 1; seed <= 4; seed++) {
            fill_normal(x, seed, seed == 4 ? 1000.0 : 0.02);
            const double nmse = check_errors(e, x);
            if (nmse > e->nmse_max)
                fail_msg("%s: relative error %g, expected at most %g", gol_type_get(e->type)->name,
                         nmse, e->nmse_max);
            assert_true(nmse > e->nmse_max / 1.5);
        }
    }
}

static void errors_of_awkward_data_stay_within_the_formats_steps(void **state)
{
    (void)state;
    static float x[N];
    for (int k = 0; k < N_EXPECTATIONS; k++) {
        const expectation *e = &expectations[k];
        fill_normal(x, 7, 0.02);
        for (int i = 0; i < N; i += 97)
            x[i] *= 500; /* outliers */
        check_errors(e, x);
        for (int i = 0; i < N; i++)
            x[i] = fabsf(x[i]) + 3.0f; /* one sign, far from zero */
        check_errors(e, x);
        for (int i = 0; i < N; i++)
            x[i] = -x[i];
        check_errors(e, x);
        for (int i = 0; i < N; i++)
            x[i] = 0.7f; /* constant */
        check_errors(e, x);
        for (int i = 0; i < N; i++)
            x[i] = (i % 3 == 0 ? 1.0f : -1.0f) * e->limit; /* the range's two ends */
        check_errors(e, x);
        fill_normal(x, 8, 1e-6); /* scales are subnormal halfs, or nothing */
        check_errors(e, x);
        fill_normal(x, 9, 1e-43); /* the data is subnormal itself */
        check_errors(e, x);
    }
}

static void zeros_stay_zeros(void **state)
{
    (void)state;
    static const float x[N];
    static float y[N];
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        if (!gol_can_quantize((gol_type)id))
            continue;
        memset(y, 0xff, sizeof y);
        round_trip(y, (gol_type)id, x, N);
        for (int i = 0; i < N; i++)
            assert_true(y[i] == 0.0f);
    }
}

static void data_on_the_codes_of_a_small_block_comes_back_exactly(void **state)
{
    (void)state;
    /* first + (i mod n_codes), times the scale */
    static const struct {
        gol_type type;
        int first, n_codes;
    } cases[] = {
        {GOL_TYPE_Q4_0, -8, 16},  {GOL_TYPE_Q4_1, 0, 16}, {GOL_TYPE_Q4_1, -5, 16},
        {GOL_TYPE_Q5_0, -16, 32}, {GOL_TYPE_Q5_1, 0, 32}, {GOL_TYPE_Q5_1, 9, 32},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        float x[64];
        float y[64];
        for (int i = 0; i < 64; i++)
            x[i] = (float)(cases[k].first + i * 7 % cases[k].n_codes) * (i < 32 ? 0.25f : -3.0f);
        if (cases[k].type == GOL_TYPE_Q4_1 || cases[k].type == GOL_TYPE_Q5_1) {
            for (int i = 32; i < 64; i++)
                x[i] = -x[i];
        }
        round_trip(y, cases[k].type, x, 64);
        for (int i = 0; i < 64; i++)
            assert_true(y[i] == x[i]);
    }
    float x[32];
    float y[32];
    for (int i = 0; i < 32; i++)
        x[i] = (float)(i * 8 - 127) * 0.5f;
    round_trip(y, GOL_TYPE_Q8_0, x, 32);
    assert_memory_equal(y, x, sizeof x);
}

static void data_on_the_codes_of_a_block_with_minima_comes_back_exactly(void **state)
{
    (void)state;
    static const struct {
        gol_type type;
        int n_group, code_max, scale_max;
    } cases[] = {
        {GOL_TYPE_Q2_K, 16, 3, 15}, {GOL_TYPE_Q4_K, 32, 15, 63}, {GOL_TYPE_Q5_K, 32, 31, 63}};
    gol_rng rng = {.key = 5};
    for (int round = 0; round < 300; round++) {
        const int k = round % 3;
        const uint64_t scale_max = (uint64_t)cases[k].scale_max;
        float x[256];
        float y[256];
        for (int i = 0; i < 256; i++) {
            const int g = i / cases[k].n_group;
            const int at = i % cases[k].n_group;
            static int scale, min;
            if (at == 0) {
                /* Group 3 has the largest scale and minimum, so that d and dmin are 1. */
                scale = g == 3 ? (int)scale_max : 1 + (int)gol_rng_below(&rng, scale_max);
                min = g == 3 ? (int)scale_max : (int)gol_rng_below(&rng, scale_max + 1);
            }
            const int random = (int)gol_rng_below(&rng, (uint64_t)cases[k].code_max + 1);
            const int code = at == 0 ? 0 : at == 1 ? cases[k].code_max : random;
            x[i] = (float)(scale * code - min);
        }
        round_trip(y, cases[k].type, x, 256);
        assert_memory_equal(y, x, sizeof x);
    }
}

static void data_on_the_codes_of_a_block_with_signed_scales_comes_back_exactly(void **state)
{
    (void)state;
    static const struct {
        gol_type type;
        int half, scale_low;
    } cases[] = {{GOL_TYPE_Q3_K, 4, -32}, {GOL_TYPE_Q6_K, 32, -128}};
    gol_rng rng = {.key = 6};
    for (int round = 0; round < 200; round++) {
        const int k = round % 2;
        float x[256];
        float y[256];
        for (int g = 0; g < 16; g++) {
            const int magnitude = 1 + (int)gol_rng_below(&rng, (uint64_t)-cases[k].scale_low - 1);
            const int scale = g == 9                   ? cases[k].scale_low
                              : gol_rng_below(&rng, 2) ? magnitude
                                                       : -magnitude;
            for (int i = 0; i < 16; i++) {
                const int random = (int)gol_rng_below(&rng, 2 * (uint64_t)cases[k].half);
                x[16 * g + i] = (float)(scale * ((i == 4 ? 0 : random) - cases[k].half)) * 0.5f;
            }
        }
        round_trip(y, cases[k].type, x, 256);
        for (int i = 0; i < 256; i++)
            assert_true(y[i] == x[i]);
    }
}

static void data_on_uneven_levels_comes_back_exactly(void **state)
{
    (void)state;
    gol_rng rng = {.key = 7};
    for (int round = 0; round < 200; round++) {
        float x[256];
        float y[256];
        for (int g = 0; g < 8; g++) {
            const int magnitude = 1 + (int)gol_rng_below(&rng, 31);
            const int scale = g == 2 ? -32 : gol_rng_below(&rng, 2) ? magnitude : -magnitude;
            for (int i = 0; i < 32; i++)
                x[32 * g + i] = (float)(scale *
                                        gol_iq4_levels[i == 9 ? 0 : gol_rng_below(&rng, 16)]);
        }
        round_trip(y, round % 2 ? GOL_TYPE_IQ4_NL : GOL_TYPE_IQ4_XS, x, 256);
        assert_memory_equal(y, x, sizeof x);
        for (int i = 0; i < 256; i++)
            x[i] = ldexpf(gol_mxfp4_levels[i % 32 == 3 ? 7 : gol_rng_below(&rng, 16)], round - 100);
        round_trip(y, GOL_TYPE_MXFP4, x, 256);
        for (int i = 0; i < 256; i++)
            assert_true(y[i] == x[i]);
        for (int i = 0; i < 256; i++)
            x[i] = 0.375f * (float)((int)gol_rng_below(&rng, 3) - 1);
        round_trip(y, round % 2 ? GOL_TYPE_TQ1_0 : GOL_TYPE_TQ2_0, x, 256);
        assert_memory_equal(y, x, sizeof x);
    }
}

static double nmse_of(const float *y, const float *x)
{
    double error = 0;
    double power = 0;
    for (int i = 0; i < N; i++) {
        error += ((double)y[i] - (double)x[i]) * ((double)y[i] - (double)x[i]);
        power += (double)x[i] * (double)x[i];
    }
    return error / power;
}

/* Student's t of four degrees of freedom: heavy tails, as in attention matrices. */
static void fill_heavy_tailed(float x[N], uint64_t seed)
{
    gol_rng rng = {.key = seed};
    for (int i = 0; i < N; i++) {
        double chi = 0;
        for (int k = 0; k < 4; k++) {
            const double z = gol_rng_next_normal(&rng);
            chi += z * z;
        }
        x[i] = (float)(0.02 * gol_rng_next_normal(&rng) / sqrt(chi / 4));
    }
}

static void more_bits_are_never_worse(void **state)
{
    (void)state;
    static const gol_type rising[] = {GOL_TYPE_TQ2_0, GOL_TYPE_Q2_K, GOL_TYPE_Q3_K, GOL_TYPE_Q4_K,
                                      GOL_TYPE_Q5_K,  GOL_TYPE_Q6_K, GOL_TYPE_Q8_0, GOL_TYPE_F16};
    static float x[N], y[N];
    for (uint64_t seed = 20; seed < 26; seed++) {
        if (seed % 2)
            fill_heavy_tailed(x, seed);
        else
            fill_normal(x, seed, 0.02);
        double worse = 1;
        for (size_t k = 0; k < sizeof rising / sizeof rising[0]; k++) {
            round_trip(y, rising[k], x, N);
            const double nmse = nmse_of(y, x);
            if (!(nmse < worse / 2.2))
                fail_msg("%s: relative error %g, %g with fewer bits", gol_type_get(rising[k])->name,
                         nmse, worse);
            worse = nmse;
        }
    }
}

/* What ggml's quantizers (without an importance matrix) leave of the same data, measured on a million elements of each kind;
 * ours may be 3 % worse, and is better. */
static void errors_are_no_larger_than_those_that_users_know(void **state)
{
    (void)state;
    static const struct {
        gol_type type;
        double rms_normal, rms_heavy; /* relative to the data's */
    } known[] = {
        {GOL_TYPE_Q4_0, 0.08582, 0.1159},    {GOL_TYPE_Q4_1, 0.07814, 0.0939},
        {GOL_TYPE_Q5_0, 0.04269, 0.05837},   {GOL_TYPE_Q5_1, 0.03782, 0.04535},
        {GOL_TYPE_Q8_0, 0.005343, 0.007341}, {GOL_TYPE_Q2_K, 0.2965, 0.3433},
        {GOL_TYPE_Q3_K, 0.1507, 0.1834},     {GOL_TYPE_Q4_K, 0.07132, 0.08684},
        {GOL_TYPE_Q5_K, 0.03608, 0.04391},   {GOL_TYPE_Q6_K, 0.01775, 0.02295},
        {GOL_TYPE_IQ4_NL, 0.07618, 0.09324}, {GOL_TYPE_IQ4_XS, 0.07677, 0.09424},
        {GOL_TYPE_TQ1_0, 0.8068, 0.843},     {GOL_TYPE_TQ2_0, 0.8068, 0.843},
        {GOL_TYPE_MXFP4, 0.114, 0.1314},
    };
    static float x[N], y[N];
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        double normal = 0;
        double heavy = 0;
        enum { N_SEEDS = 8 };
        for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
            fill_normal(x, 40 + seed, 0.02);
            round_trip(y, known[k].type, x, N);
            normal += nmse_of(y, x) / N_SEEDS;
            fill_heavy_tailed(x, 40 + seed);
            round_trip(y, known[k].type, x, N);
            heavy += nmse_of(y, x) / N_SEEDS;
        }
        if (sqrt(normal) > 1.03 * known[k].rms_normal || sqrt(heavy) > 1.03 * known[k].rms_heavy)
            fail_msg("%s: relative errors %g and %g, known are %g and %g",
                     gol_type_get(known[k].type)->name, sqrt(normal), sqrt(heavy),
                     known[k].rms_normal, known[k].rms_heavy);
    }
}

/* What was written is found again: exactly where the first pass could only choose one scale, and with a small part of the
 * first error where whole numbers of groups can be traded against each other. */
static void a_second_pass_changes_little_or_nothing(void **state)
{
    (void)state;
    static const gol_type exact[] = {GOL_TYPE_F16,   GOL_TYPE_BF16,  GOL_TYPE_Q4_0,
                                     GOL_TYPE_Q5_0,  GOL_TYPE_Q8_0,  GOL_TYPE_IQ4_NL,
                                     GOL_TYPE_MXFP4, GOL_TYPE_TQ1_0, GOL_TYPE_TQ2_0};
    static float x[N], y[N], z[N];
    fill_normal(x, 11, 0.3);
    for (size_t k = 0; k < sizeof exact / sizeof exact[0]; k++) {
        round_trip(y, exact[k], x, N);
        round_trip(z, exact[k], y, N);
        for (int i = 0; i < N; i++) {
            if (y[i] != z[i])
                fail_msg("%s, element %d: %.9g became %.9g", gol_type_get(exact[k])->name, i,
                         (double)y[i], (double)z[i]);
        }
    }
    for (int k = 0; k < N_EXPECTATIONS; k++) {
        round_trip(y, expectations[k].type, x, N);
        round_trip(z, expectations[k].type, y, N);
        if (nmse_of(z, y) > 0.1 * nmse_of(y, x))
            fail_msg("%s: a second pass adds %g to an error of %g",
                     gol_type_get(expectations[k].type)->name, nmse_of(z, y), nmse_of(y, x));
    }
}

static void float_types_convert_element_by_element(void **state)
{
    (void)state;
    static float x[N], y[N];
    fill_normal(x, 12, 10.0);
    round_trip(y, GOL_TYPE_F32, x, N);
    assert_memory_equal(y, x, sizeof x);
    round_trip(y, GOL_TYPE_F16, x, N);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == gol_f16_to_f32(gol_f32_to_f16(x[i])));
    round_trip(y, GOL_TYPE_BF16, x, N);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == gol_bf16_to_f32(gol_f32_to_bf16(x[i])));
}

static void check_refused(gol_type type, float value)
{
    float x[256] = {0};
    x[77] = value;
    uint8_t y[1024];
    uint8_t before[1024];
    memset(y, 0xa5, sizeof y);
    memcpy(before, y, sizeof y);
    gol_err err = {0};
    assert_int_equal(gol_quantize_row(y, type, x, 256, &err), GOL_EINVAL);
    assert_memory_equal(y, before, sizeof y);
    assert_non_null(strstr(err.message, "element 77"));
    assert_non_null(strstr(err.message, gol_type_get(type)->name));
}

static void what_is_not_finite_or_too_large_is_refused_by_its_place(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        if (!gol_can_quantize((gol_type)id))
            continue;
        check_refused((gol_type)id, NAN);
        check_refused((gol_type)id, INFINITY);
        check_refused((gol_type)id, -INFINITY);
    }
    for (int k = 0; k < N_EXPECTATIONS; k++)
        check_refused(expectations[k].type, -nextafterf(expectations[k].limit, INFINITY));
    check_refused(GOL_TYPE_F16, nextafterf(65504.0f, INFINITY));
    check_refused(GOL_TYPE_BF16, FLT_MAX);
}

static void types_without_a_quantizer_say_so(void **state)
{
    (void)state;
    static const gol_type without[] = {GOL_TYPE_Q8_1,    GOL_TYPE_Q8_K,  GOL_TYPE_I32,
                                       GOL_TYPE_IQ2_XXS, GOL_TYPE_IQ3_S, GOL_TYPE_IQ1_M,
                                       GOL_TYPE_I8};
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        assert_false(gol_can_quantize(without[i]));
    assert_false(gol_can_quantize(GOL_TYPE_N_IDS));
    assert_false(gol_can_quantize((gol_type)4));
    assert_true(gol_can_quantize(GOL_TYPE_Q4_0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_normal_data_stay_within_the_formats_steps),
        cmocka_unit_test(errors_of_awkward_data_stay_within_the_formats_steps),
        cmocka_unit_test(zeros_stay_zeros),
        cmocka_unit_test(data_on_the_codes_of_a_small_block_comes_back_exactly),
        cmocka_unit_test(data_on_the_codes_of_a_block_with_minima_comes_back_exactly),
        cmocka_unit_test(data_on_the_codes_of_a_block_with_signed_scales_comes_back_exactly),
        cmocka_unit_test(data_on_uneven_levels_comes_back_exactly),
        cmocka_unit_test(more_bits_are_never_worse),
        cmocka_unit_test(errors_are_no_larger_than_those_that_users_know),
        cmocka_unit_test(a_second_pass_changes_little_or_nothing),
        cmocka_unit_test(float_types_convert_element_by_element),
        cmocka_unit_test(what_is_not_finite_or_too_large_is_refused_by_its_place),
        cmocka_unit_test(types_without_a_quantizer_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
