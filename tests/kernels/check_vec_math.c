/*
 * exp, tanh and erf of the vec_math headers against the C library's in double: numbers from all floats at a fixed stride, and all
 * that is special. The bounds are what an exhaustive run over all 2^32 floats found, rounded up.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#include "kernels/vec_math_rows.h"
#include "quant/half.h"

typedef enum function {
    FUNCTION_EXP,
    FUNCTION_TANH,
    FUNCTION_ERF,
} function;

#define ROW(f, number, kernel, level)                                                              \
    {                                                                                              \
        f, #kernel, (any_fn *)(kernel), level, number, number                                      \
    }
static const version versions[] = {
    ROW("vec_math exp", FUNCTION_EXP, exp_row_c, GOL_CPU_C),
    ROW("vec_math tanh", FUNCTION_TANH, tanh_row_c, GOL_CPU_C),
    ROW("vec_math erf", FUNCTION_ERF, erf_row_c, GOL_CPU_C),
    GOL_KERN_X86(ROW("vec_math exp", FUNCTION_EXP, exp_row_avx2, GOL_CPU_AVX2),
                 ROW("vec_math tanh", FUNCTION_TANH, tanh_row_avx2, GOL_CPU_AVX2),
                 ROW("vec_math erf", FUNCTION_ERF, erf_row_avx2, GOL_CPU_AVX2),
                 ROW("vec_math exp", FUNCTION_EXP, exp_row_avx512, GOL_CPU_AVX512),
                 ROW("vec_math tanh", FUNCTION_TANH, tanh_row_avx512, GOL_CPU_AVX512),
                 ROW("vec_math erf", FUNCTION_ERF, erf_row_avx512, GOL_CPU_AVX512), )
        GOL_KERN_ARM(ROW("vec_math exp", FUNCTION_EXP, exp_row_neon, GOL_CPU_NEON),
                     ROW("vec_math tanh", FUNCTION_TANH, tanh_row_neon, GOL_CPU_NEON),
                     ROW("vec_math erf", FUNCTION_ERF, erf_row_neon, GOL_CPU_NEON), )};

/* In units of the last place of the true result. */
static const double ulps_allowed[] = {
    [FUNCTION_EXP] = 1.02, [FUNCTION_TANH] = 2.5, [FUNCTION_ERF] = 7.1};

static double call_exactly(size_t f, double x)
{
    return f == FUNCTION_EXP ? exp(x) : f == FUNCTION_TANH ? tanh(x) : erf(x);
}

/* The smallest floats may be flushed to zero, but to nothing else; beyond the largest is infinity. */
static bool is_right(double *bound, float got, double want, double ulps)
{
    int exponent;
    frexp(want, &exponent);
    *bound = ulps * ldexp(1.0, (exponent < -125 ? -125 : exponent) - 24);
    if (isnan(want))
        return isnan(got);
    if (isinf((float)want) || want == 0.0)
        return got == (float)want && !signbit(got) == !signbit(want);
    if (fabs(want) < 0x1p-126 && got == 0.0f)
        return true;
    return fabs((double)got - want) <= *bound;
}

static void check_run(checker *ck, const version *v, const float *x, size_t n)
{
    float out[4096];
    ((gol_act_fn *)v->fn)(out, x, n);
    for (size_t i = 0; i < n; i++) {
        const double want = call_exactly(v->index, (double)x[i]);
        double bound;
        if (!is_right(&bound, out[i], want, ulps_allowed[v->index]))
            fail_number(ck, v->slot, gol_f32_bits(x[i]), (double)out[i], want, bound);
    }
}

static void check_vec_math(checker *ck, const version *v, const version *c)
{
    enum { STRIDE = 4099, N = 4096 };
    static const uint32_t special[] = {
        0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, /* 0 inf NaN */
        0x00000001, 0x80000001, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, /* ends */
        0x42b17217, 0x42b17218, 0xc2aeac4f, 0xc2aeac50, 0xc2cff1b5, 0xc2b00000, /* exp's */
        0x41200000, 0xc1200001, 0x40800000, 0xc0800001, 0x7fc00155, 0xffffffff,
    };
    static float x[N];
    (void)c; /* the C library in double is better than any of the versions */
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        x[i] = gol_f32_from_bits(special[i]);
    check_run(ck, v, x, 2 * VEC_MATH_STEP);
    uint64_t bits = gol_rng_below(&ck->rng, STRIDE);
    while (bits <= UINT32_MAX) {
        for (size_t i = 0; i < N; i++, bits += STRIDE)
            x[i] = gol_f32_from_bits((uint32_t)bits);
        check_run(ck, v, x, N);
    }
}

static size_t bench_vec_math(checker *ck, const version *v)
{
    enum { N = 1024 };
    static float x[N];
    static float out[N];
    if (x[0] == 0.0f)
        fill(ck, x, N, 0);
    ((gol_act_fn *)v->fn)(out, x, N);
    return 2 * N * sizeof *x;
}

const family family_vec_math = {"vec_math", versions, sizeof versions / sizeof versions[0],
                                check_vec_math, bench_vec_math};
