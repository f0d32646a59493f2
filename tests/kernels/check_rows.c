/*
 * Kernels on one row: norms and rotary embedding.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_MAX = 4099 };
static const size_t lengths[] = {1, 2, 7, 8, 15, 16, 17, 64, 100, 1024, N_MAX};
enum { N_LENGTHS = sizeof lengths / sizeof lengths[0] };

static const float eps = 1e-5f;

/* One rounding each of mean's root, difference, factor, weight and bias, each at most 2^-24 of the number. */
static const double norm_tolerance = 6 * 0x1p-24;
/* Two products and one sum. */
static const double rope_tolerance = 3 * 0x1p-24;

#define RMS_ROW(slot, kernel, level)   VERSION_ROW(rms_norm, slot, kernel, level),
#define LAYER_ROW(slot, kernel, level) VERSION_ROW(layer_norm, slot, kernel, level),
#define ROPE_ROW(slot, kernel, level)  VERSION_ROW(rope, slot, kernel, level),
static const version rms_versions[] = {GOL_KERN_RMS_NORM(RMS_ROW)};
static const version layer_versions[] = {GOL_KERN_LAYER_NORM(LAYER_ROW)};
static const version rope_versions[] = {GOL_KERN_ROPE(ROPE_ROW)};

static void widen(double *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (double)x[i];
}

static void rms_norm_naively(double *want, double *bound, const float *x, const float *w, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)x[i] * (double)x[i];
    const double rms = sqrt(squares / (double)n + (double)eps);
    for (size_t i = 0; i < n; i++) {
        want[i] = (double)x[i] / rms * (double)w[i];
        bound[i] = fabs(want[i]) * norm_tolerance + 1e-37;
    }
}

static void check_rms_norm(checker *ck, const version *v, const version *c)
{
    static double want[N_MAX];
    static double bound[N_MAX];
    for (int k = 0; k < N_LENGTHS * N_PATTERNS; k++) {
        const size_t n = lengths[k / N_PATTERNS];
        float *x = guarded_floats(n);
        float *w = guarded_floats(n);
        float *out = fenced_floats(n);
        fill(ck, x, n, k % N_PATTERNS);
        fill(ck, w, n, 0);
        rms_norm_naively(want, bound, x, w, n);
        if (c) {
            ((gol_rms_norm_fn *)c->fn)(out, x, w, eps, n);
            widen(want, out, n);
        }
        ((gol_rms_norm_fn *)v->fn)(out, x, w, eps, n);
        compare(ck, "out", out, want, bound, n);
        ((gol_rms_norm_fn *)v->fn)(x, x, w, eps, n);
        if (memcmp(x, out, n * sizeof *x) != 0)
            fail_text(ck, "in place gives other bits");
        buffers_check(ck);
        buffers_free();
    }
}

static void layer_norm_naively(double *want, double *bound, const float *x, const float *w,
                               const float *b, size_t n)
{
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += (double)x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    const double deviation = sqrt(squares / (double)n + (double)eps);
    for (size_t i = 0; i < n; i++) {
        const double y = ((double)x[i] - mean) / deviation * (double)w[i];
        want[i] = y + (b ? (double)b[i] : 0.0);
        /* the mean in double may differ in its last bits from another order of summation */
        bound[i] = (fabs(y) + fabs(want[i])) * norm_tolerance +
                   fabs(mean / deviation * (double)w[i]) * 1e-12 + 1e-37;
    }
}

static void check_layer_norm(checker *ck, const version *v, const version *c)
{
    static double want[N_MAX];
    static double bound[N_MAX];
    for (int k = 0; k < N_LENGTHS * N_PATTERNS; k++) {
        const size_t n = lengths[k / N_PATTERNS];
        float *x = guarded_floats(n);
        float *w = guarded_floats(n);
        float *b = k % 2 ? guarded_floats(n) : NULL;
        float *out = fenced_floats(n);
        fill(ck, x, n, k % N_PATTERNS);
        fill(ck, w, n, 0);
        if (b)
            fill(ck, b, n, 0);
        layer_norm_naively(want, bound, x, w, b, n);
        if (c) {
            ((gol_layer_norm_fn *)c->fn)(out, x, w, b, eps, n);
            widen(want, out, n);
        }
        ((gol_layer_norm_fn *)v->fn)(out, x, w, b, eps, n);
        compare(ck, "out", out, want, bound, n);
        ((gol_layer_norm_fn *)v->fn)(x, x, w, b, eps, n);
        if (memcmp(x, out, n * sizeof *x) != 0)
            fail_text(ck, "in place gives other bits");
        buffers_check(ck);
        buffers_free();
    }
}

static void rotate_naively(double *want, double *bound, const float *x, const float *cosines,
                           const float *sines, size_t n_pairs, gol_rope_kind kind)
{
    for (size_t i = 0; i < n_pairs; i++) {
        const size_t first = kind == GOL_ROPE_NORM ? 2 * i : i;
        const size_t second = kind == GOL_ROPE_NORM ? 2 * i + 1 : n_pairs + i;
        const double a = (double)x[first];
        const double b = (double)x[second];
        want[first] = a * (double)cosines[i] - b * (double)sines[i];
        want[second] = a * (double)sines[i] + b * (double)cosines[i];
        bound[first] = bound[second] = (fabs(a) + fabs(b)) * rope_tolerance + 1e-37;
    }
}

static void check_rope(checker *ck, const version *v, const version *c)
{
    static double want[2 * N_MAX];
    static double bound[2 * N_MAX];
    for (int k = 0; k < N_LENGTHS * N_PATTERNS; k++) {
        const size_t n_pairs = lengths[k / N_PATTERNS];
        float *x = guarded_floats(2 * n_pairs);
        float *out = fenced_floats(2 * n_pairs);
        float *cosines = guarded_floats(n_pairs);
        float *sines = guarded_floats(n_pairs);
        fill(ck, x, 2 * n_pairs, k % N_PATTERNS);
        for (size_t i = 0; i < n_pairs; i++) {
            const float angle = (float)gol_rng_next_normal(&ck->rng) * 10.0f;
            cosines[i] = cosf(angle);
            sines[i] = sinf(angle);
        }
        rotate_naively(want, bound, x, cosines, sines, n_pairs, (gol_rope_kind)v->index);
        if (c) {
            memcpy(out, x, 2 * n_pairs * sizeof *x);
            ((gol_rope_fn *)c->fn)(out, cosines, sines, n_pairs);
            widen(want, out, 2 * n_pairs);
        }
        memcpy(out, x, 2 * n_pairs * sizeof *x);
        ((gol_rope_fn *)v->fn)(out, cosines, sines, n_pairs);
        compare(ck, "x", out, want, bound, 2 * n_pairs);
        buffers_check(ck);
        buffers_free();
    }
}

enum { N_BENCH = 4096, N_BENCH_HEAD = 128 };

static size_t bench_norm(checker *ck, const version *v)
{
    static float *x;
    static float *out;
    static float *w;
    static const version *made_for;
    if (made_for != v) {
        x = guarded_floats(N_BENCH);
        w = guarded_floats(N_BENCH);
        out = fenced_floats(N_BENCH);
        fill(ck, x, N_BENCH, 0);
        fill(ck, w, N_BENCH, 0);
        made_for = v;
    }
    if (v->slot_offset == offsetof(gol_kernels, rms_norm))
        ((gol_rms_norm_fn *)v->fn)(out, x, w, eps, N_BENCH);
    else
        ((gol_layer_norm_fn *)v->fn)(out, x, w, w, eps, N_BENCH);
    return 3 * N_BENCH * sizeof *x;
}

static size_t bench_rope(checker *ck, const version *v)
{
    static float *x;
    static float *angles;
    static const version *made_for;
    if (made_for != v) {
        x = fenced_floats(N_BENCH_HEAD);
        angles = guarded_floats(N_BENCH_HEAD);
        fill(ck, x, N_BENCH_HEAD, 0);
        for (size_t i = 0; i < N_BENCH_HEAD / 2; i++) {
            angles[i] = cosf((float)i);
            angles[N_BENCH_HEAD / 2 + i] = sinf((float)i);
        }
        made_for = v;
    }
    ((gol_rope_fn *)v->fn)(x, angles, angles + N_BENCH_HEAD / 2, N_BENCH_HEAD / 2);
    return 3 * N_BENCH_HEAD * sizeof *x;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_rms_norm = {"rms_norm", rms_versions, COUNT(rms_versions), check_rms_norm,
                                bench_norm};
const family family_layer_norm = {"layer_norm", layer_versions, COUNT(layer_versions),
                                  check_layer_norm, bench_norm};
const family family_rope = {"rope", rope_versions, COUNT(rope_versions), check_rope, bench_rope};
