/*
 * Activations, gates, sums, factors.
 */
#include "kernels/check_kernels.h"

#include "quant/half.h"

#include <math.h>
#include <string.h>

enum { N_MAX = 1031 };
static const size_t lengths[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, N_MAX};
enum { N_LENGTHS = sizeof lengths / sizeof lengths[0] };

/* Relative to |x|: exp, tanh and erf within one, three and seven ulp (check_vec_math.c), then up to four roundings; gelu's inner
 * polynomial is flattened by the exponential where it is large. */
static const double act_tolerance = 8 * 0x1p-23;
/* gelu is rounded to binary16, whose smallest step is 2^-24. */
static double act_bound(gol_activation act, double x)
{
    const double bound = fabs(x) * act_tolerance;
    return act == GOL_ACT_GELU ? bound + fabs(x) * 0x1p-11 + 0x1p-25 : bound;
}

static const double exact = 0x1p-24; /* one rounding */

#define ACT_ROW(slot, kernel, level) VERSION_ROW(act, slot, kernel, level),
#define GLU_ROW(slot, kernel, level) VERSION_ROW(glu, slot, kernel, level),
#define ADD_ROW(slot, kernel, level) VERSION_ROW(add, slot, kernel, level),
/* index: 0 is scale, 1 is softcap */
#define FACTOR_ROW(slot, kernel, level) VERSION_ROW(scale, slot, kernel, level),
static const version act_versions[] = {GOL_KERN_ACT(ACT_ROW)};
static const version glu_versions[] = {GOL_KERN_GLU(GLU_ROW)};
static const version add_versions[] = {GOL_KERN_ADD(ADD_ROW)};
static const version factor_versions[] = {GOL_KERN_FACTOR(FACTOR_ROW)};

/* The definitions, in double. */
static double activate(gol_activation act, double x)
{
    switch (act) {
    case GOL_ACT_SILU:
        return x / (1 + exp(-x));
    case GOL_ACT_GELU:
        if (fabs(x) >= 10)
            return x > 0 ? x : 0;
        x = (double)gol_f16_to_f32(gol_f32_to_f16((float)x));
        return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case GOL_ACT_GELU_ERF:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case GOL_ACT_RELU:
        return x > 0 ? x : 0;
    case GOL_ACT_SWIGLU_CLAMPED: /* has no kernel */
        break;
    }
    return NAN;
}

static double by_factor(bool is_softcap, double x, double factor)
{
    return is_softcap ? factor * tanh(x / factor) : x * factor;
}

typedef enum operation {
    OP_ACT,
    OP_GLU,
    OP_ADD,
    OP_FACTOR,
} operation;

static void call(operation op, any_fn *fn, float *out, const float *a, const float *b, float factor,
                 size_t n)
{
    switch (op) {
    case OP_ACT:
        ((gol_act_fn *)fn)(out, a, n);
        break;
    case OP_GLU:
        ((gol_glu_fn *)fn)(out, a, b, n);
        break;
    case OP_ADD:
        ((gol_add_fn *)fn)(out, a, b, n);
        break;
    case OP_FACTOR:
        ((gol_factor_fn *)fn)(out, a, factor, n);
        break;
    }
}

static void call_naively(operation op, size_t index, double *want, double *bound, double a,
                         double b, double factor)
{
    switch (op) {
    case OP_ACT:
        *want = activate((gol_activation)index, a);
        *bound = act_bound((gol_activation)index, a);
        break;
    case OP_GLU:
        *want = activate((gol_activation)index, a) * b;
        *bound = act_bound((gol_activation)index, a) * fabs(b) + fabs(a * b) * act_tolerance;
        break;
    case OP_ADD:
        *want = a + b;
        *bound = fabs(*want) * exact;
        break;
    case OP_FACTOR:
        *want = by_factor(index == 1, a, factor);
        *bound = fabs(*want) * (index == 1 ? act_tolerance : exact);
        break;
    }
    *bound += 1e-37; /* subnormal results may be flushed */
}

/* Work is split over threads at any multiple of 16 numbers, and a batch grows and shrinks: a number's result must not depend on
 * where in the run it stands. */
static void check_place(checker *ck, const version *v, operation op, const float *a, const float *b,
                        const float *want, size_t n)
{
    float *out = fenced_floats(n);
    const size_t first = n > 1 ? 1 + (size_t)gol_rng_below(&ck->rng, n - 1) : 0;
    call(op, v->fn, out, a, b, 30.0f, first);
    call(op, v->fn, out + first, a + first, b + first, 30.0f, n - first);
    if (memcmp(out, want, n * sizeof *out) != 0)
        fail_text(ck, "a run in two parts gives other bits");
}

static void check_op(checker *ck, const version *v, const version *c, operation op)
{
    static double want[N_MAX];
    static double bound[N_MAX];
    for (int k = 0; k < N_LENGTHS * N_PATTERNS; k++) {
        const size_t n = lengths[k / N_PATTERNS];
        const float factor = 30.0f;
        float *a = guarded_floats(n);
        float *b = guarded_floats(n);
        float *out = fenced_floats(n);
        fill(ck, a, n, k % N_PATTERNS);
        fill(ck, b, n, 0);
        for (size_t i = 0; i < n; i++)
            call_naively(op, v->index, &want[i], &bound[i], (double)a[i], (double)b[i],
                         (double)factor);
        if (c) {
            call(op, c->fn, out, a, b, factor, n);
            for (size_t i = 0; i < n; i++)
                want[i] = (double)out[i];
        }
        call(op, v->fn, out, a, b, factor, n);
        compare(ck, "out", out, want, bound, n);
        check_place(ck, v, op, a, b, out, n);
        call(op, v->fn, a, a, b, factor, n);
        if (memcmp(a, out, n * sizeof *a) != 0)
            fail_text(ck, "in place gives other bits");
        buffers_check(ck);
        buffers_free();
    }
}

static void check_act(checker *ck, const version *v, const version *c)
{
    check_op(ck, v, c, OP_ACT);
}

static void check_glu(checker *ck, const version *v, const version *c)
{
    check_op(ck, v, c, OP_GLU);
}

static void check_add(checker *ck, const version *v, const version *c)
{
    check_op(ck, v, c, OP_ADD);
}

static void check_factor(checker *ck, const version *v, const version *c)
{
    check_op(ck, v, c, OP_FACTOR);
}

static size_t bench_op(checker *ck, const version *v, operation op)
{
    enum { N = 4096 };
    static float *a;
    static float *b;
    static float *out;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        a = guarded_floats(N);
        b = guarded_floats(N);
        out = fenced_floats(N);
        fill(ck, a, N, 0);
        fill(ck, b, N, 0);
    }
    call(op, v->fn, out, a, b, 30.0f, N);
    return N * sizeof *a * (op == OP_GLU || op == OP_ADD ? 3 : 2);
}

static size_t bench_act(checker *ck, const version *v)
{
    return bench_op(ck, v, OP_ACT);
}

static size_t bench_glu(checker *ck, const version *v)
{
    return bench_op(ck, v, OP_GLU);
}

static size_t bench_add(checker *ck, const version *v)
{
    return bench_op(ck, v, OP_ADD);
}

static size_t bench_factor(checker *ck, const version *v)
{
    return bench_op(ck, v, OP_FACTOR);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_act = {"act", act_versions, COUNT(act_versions), check_act, bench_act};
const family family_glu = {"glu", glu_versions, COUNT(glu_versions), check_glu, bench_glu};
const family family_add = {"add", add_versions, COUNT(add_versions), check_add, bench_add};
const family family_factor = {"factor", factor_versions, COUNT(factor_versions), check_factor,
                              bench_factor};
