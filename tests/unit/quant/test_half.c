/*
 * Half conversions against slow exact references: to float by ldexp() over all 65536 patterns, from float by comparing
 * with the midpoint of the two neighbours, which binary64 holds exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/rng.h"
#include "quant/half.h"

enum { N_PATTERNS = 65536, N_RANDOM = 2000000 };

/* Value of a finite half; 2^16 for infinity, the value its pattern would have with one more exponent. */
static double f16_value(uint16_t magnitude)
{
    const int exponent = magnitude >> 10;
    const int mantissa = magnitude & 0x3ff;
    return exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
}

static double bf16_value(uint16_t magnitude)
{
    const int exponent = magnitude >> 7;
    const int mantissa = magnitude & 0x7f;
    return exponent == 0 ? ldexp(mantissa, -133) : ldexp(128 + mantissa, exponent - 134);
}

typedef struct half_format {
    double (*value)(uint16_t magnitude);
    uint16_t (*from_f32)(float f);
    float (*to_f32)(uint16_t h);
    uint16_t infinity;
    uint16_t quiet; /* the bit that makes a NaN quiet */
} half_format;

static const half_format f16 = {f16_value, gol_f32_to_f16, gol_f16_to_f32, 0x7c00, 0x0200};
static const half_format bf16 = {bf16_value, gol_f32_to_bf16, gol_bf16_to_f32, 0x7f80, 0x0040};

/* Nearest half by binary search over magnitudes, ties to the even pattern. f is not NaN. */
static uint16_t slow_from_f32(const half_format *format, float f)
{
    const double magnitude = fabs((double)f);
    const uint16_t sign = signbit(f) ? 0x8000 : 0;
    if (isinf(f))
        return sign | format->infinity;
    uint16_t low = 0; /* value(low) <= magnitude */
    uint16_t high = format->infinity;
    if (magnitude >= format->value(high))
        return sign | high;
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        if (format->value(middle) <= magnitude)
            low = middle;
        else
            high = middle;
    }
    const double midpoint = (format->value(low) + format->value(high)) / 2;
    if (magnitude < midpoint)
        return sign | low;
    if (magnitude > midpoint)
        return sign | high;
    return sign | (low % 2 == 0 ? low : high);
}

static void check_from_f32(const half_format *format, float f)
{
    if (isnan(f)) {
        const uint16_t h = format->from_f32(f);
        assert_true((h & 0x7fff) > format->infinity);
        assert_int_equal(h & format->quiet, format->quiet);
        assert_int_equal(h >> 15, signbit(f) != 0);
        return;
    }
    const uint16_t wanted = slow_from_f32(format, f);
    const uint16_t got = format->from_f32(f);
    if (got != wanted)
        fail_msg("%a: got 0x%04x, wanted 0x%04x", (double)f, got, wanted);
}

static void check_every_pattern(const half_format *format, int mantissa_shift)
{
    for (uint32_t i = 0; i < N_PATTERNS; i++) {
        const uint16_t h = (uint16_t)i;
        const uint16_t magnitude = h & 0x7fff;
        const float f = format->to_f32(h);
        assert_int_equal(signbit(f) != 0, h >> 15);
        if (magnitude > format->infinity) {
            assert_true(isnan(f));
            const uint32_t payload = (uint32_t)(magnitude - format->infinity) << mantissa_shift;
            assert_int_equal(gol_f32_bits(f) & 0x7fffff, payload);
            assert_int_equal(format->from_f32(f), h | format->quiet);
            continue;
        }
        if (magnitude == format->infinity)
            assert_true(isinf(f));
        else
            assert_true(fabs((double)f) == format->value(magnitude));
        assert_int_equal(format->from_f32(f), h);
    }
}

static void check_midpoints(const half_format *format)
{
    for (uint16_t low = 0; low < format->infinity; low++) {
        const double midpoint = (format->value(low) + format->value((uint16_t)(low + 1))) / 2;
        const float f = (float)midpoint;
        assert_true((double)f == midpoint);
        const float cases[] = {f, nextafterf(f, 0.0f), nextafterf(f, INFINITY)};
        for (int i = 0; i < 3; i++) {
            check_from_f32(format, cases[i]);
            check_from_f32(format, -cases[i]);
        }
    }
}

static void check_random(const half_format *format)
{
    gol_rng rng = {.key = 20240229};
    for (int i = 0; i < N_RANDOM / 2; i++) {
        const uint64_t bits = gol_rng_next(&rng);
        check_from_f32(format, gol_f32_from_bits((uint32_t)bits));
        /* A second one within the range of halfs: random bits rarely land there. */
        const uint32_t exponent = 96 + (uint32_t)(bits >> 58);
        check_from_f32(format,
                       gol_f32_from_bits((uint32_t)(bits >> 32 & 0x807fffff) | exponent << 23));
    }
}

static void f16_to_f32_is_exact_for_every_pattern_and_comes_back(void **state)
{
    (void)state;
    check_every_pattern(&f16, 13);
}

static void f32_to_f16_rounds_every_midpoint_to_even_and_its_neighbours_away(void **state)
{
    (void)state;
    check_midpoints(&f16);
}

static void f32_to_f16_gives_the_nearest_half_for_random_floats(void **state)
{
    (void)state;
    check_random(&f16);
}

static void bf16_to_f32_is_exact_for_every_pattern_and_comes_back(void **state)
{
    (void)state;
    check_every_pattern(&bf16, 16);
}

static void f32_to_bf16_rounds_every_midpoint_to_even_and_its_neighbours_away(void **state)
{
    (void)state;
    check_midpoints(&bf16);
}

static void f32_to_bf16_gives_the_nearest_value_for_random_floats(void **state)
{
    (void)state;
    check_random(&bf16);
}

static void known_values_convert_as_ieee_754_says(void **state)
{
    (void)state;
    assert_int_equal(gol_f32_to_f16(1.0f), 0x3c00);
    assert_int_equal(gol_f32_to_f16(-2.0f), 0xc000);
    assert_int_equal(gol_f32_to_f16(65504.0f), 0x7bff);
    assert_int_equal(gol_f32_to_f16(65519.99f), 0x7bff);
    assert_int_equal(gol_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(gol_f32_to_f16(0x1p-24f), 0x0001);
    assert_int_equal(gol_f32_to_f16(0x1p-25f), 0x0000);
    assert_int_equal(gol_f32_to_f16(-0.0f), 0x8000);
    assert_int_equal(gol_f32_to_f16(0x1p-149f), 0x0000);
    assert_true(gol_f16_to_f32(0x3555) == 0x1.554p-2f);
    assert_int_equal(gol_f32_to_bf16(1.0f), 0x3f80);
    assert_int_equal(gol_f32_to_bf16(0x1.01p0f), 0x3f80);   /* tie: even */
    assert_int_equal(gol_f32_to_bf16(0x1.03p0f), 0x3f82);   /* tie: even */
    assert_int_equal(gol_f32_to_bf16(0x1.ffp127f), 0x7f80); /* tie at the top: infinity */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f16_to_f32_is_exact_for_every_pattern_and_comes_back),
        cmocka_unit_test(f32_to_f16_rounds_every_midpoint_to_even_and_its_neighbours_away),
        cmocka_unit_test(f32_to_f16_gives_the_nearest_half_for_random_floats),
        cmocka_unit_test(bf16_to_f32_is_exact_for_every_pattern_and_comes_back),
        cmocka_unit_test(f32_to_bf16_rounds_every_midpoint_to_even_and_its_neighbours_away),
        cmocka_unit_test(f32_to_bf16_gives_the_nearest_value_for_random_floats),
        cmocka_unit_test(known_values_convert_as_ieee_754_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
