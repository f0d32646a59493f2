/*
 * Recurrent layers: scan and convolution.
 */
#include "kernels/check_kernels.h"

#include "backend/cpu/kernels/ssm_tile.h"

#include <math.h>
#include <string.h>

#define SCAN_ROW(slot, kernel, level) VERSION_ROW(ssm_scan, slot, kernel, level),
#define CONV_ROW(slot, kernel, level) VERSION_ROW(ssm_conv, slot, kernel, level),
static const version scan_versions[] = {GOL_KERN_SSM_SCAN(SCAN_ROW)};
static const version conv_versions[] = {GOL_KERN_SSM_CONV(CONV_ROW)};

enum { DIM_MAX = 65, STATE_MAX = 131, ROWS_MAX = 9, TAPS_MAX = 5, CHANNELS_MAX = 259 };

/* head_dim, d_state, rows */
static const size_t scan_sizes[][3] = {{1, 1, 1},
                                       {3, 5, 2},
                                       {4, 16, 3},
                                       {8, 8, 1},
                                       {16, 16, 7},
                                       {17, 33, 4},
                                       {31, 18, 1},
                                       {64, 128, 2},
                                       {64, 128, 1},
                                       {33, 64, 9},
                                       {DIM_MAX, STATE_MAX, ROWS_MAX}};
enum { N_SCAN_SIZES = sizeof scan_sizes / sizeof scan_sizes[0] };

static const double ulp = 0x1p-24;

/* One head's rows, in memory that ends where the last of them ends. */
typedef struct scan_case {
    size_t head_dim, d_state, n_rows;
    float *xbc;   /* [n_rows][head_dim + 2 * d_state] */
    float *steps; /* [n_rows][2] dt, decay */
    float *state; /* [d_state][head_dim] the first one */
} scan_case;

static scan_case make_scan(checker *ck, const size_t sizes[3], int pattern)
{
    scan_case s = {.head_dim = sizes[0], .d_state = sizes[1], .n_rows = sizes[2]};
    const size_t n_xbc = s.n_rows * (s.head_dim + 2 * s.d_state);
    s.xbc = guarded_floats(n_xbc);
    s.steps = guarded_floats(2 * s.n_rows);
    s.state = guarded_floats(s.d_state * s.head_dim);
    fill(ck, s.xbc, n_xbc, pattern == 1 ? 1 : 0);
    fill(ck, s.state, s.d_state * s.head_dim, 0);
    for (size_t t = 0; t < s.n_rows; t++) {
        const double dt = (double)gol_rng_below(&ck->rng, 1000) / 1000;
        s.steps[2 * t] = (float)dt;
        s.steps[2 * t + 1] = pattern == 2 ? (float)(t % 2)
                                          : (float)exp(-dt); /* keeps all, nothing */
    }
    return s;
}

static const float d_factor = 0.7f;

static void run_scan(const scan_case *s, gol_ssm_scan_fn *scan, float *state, float *y,
                     size_t first, size_t n_rows)
{
    const size_t stride = s->head_dim + 2 * s->d_state;
    const float *x = s->xbc + first * stride;
    const gol_scan_tile tile = {
        .state = state,
        .y = y + first * s->head_dim,
        .x = x,
        .b = x + s->head_dim,
        .c = x + s->head_dim + s->d_state,
        .dt = s->steps + 2 * first,
        .decay = s->steps + 2 * first + 1,
        .y_stride = s->head_dim,
        .x_stride = stride,
        .dt_stride = 2,
        .n_rows = n_rows,
        .head_dim = s->head_dim,
        .d_state = s->d_state,
        .d = d_factor,
    };
    scan(&tile);
}

/* y [n_rows][head_dim], then the last state. Errors of the state grow with the rows, those of y with the sum's terms. */
static void scan_naively(const scan_case *s, double *want, double *bound)
{
    static double h[STATE_MAX * DIM_MAX];
    static double size[STATE_MAX * DIM_MAX];
    const size_t stride = s->head_dim + 2 * s->d_state;
    const size_t n_y = s->n_rows * s->head_dim;
    for (size_t i = 0; i < s->d_state * s->head_dim; i++) {
        h[i] = (double)s->state[i];
        size[i] = fabs(h[i]);
    }
    for (size_t t = 0; t < s->n_rows; t++) {
        const float *x = s->xbc + t * stride;
        const double dt = (double)s->steps[2 * t];
        const double keep = (double)s->steps[2 * t + 1];
        for (size_t p = 0; p < s->head_dim; p++) {
            double y = (double)d_factor * (double)x[p];
            double y_size = fabs(y);
            for (size_t n = 0; n < s->d_state; n++) {
                const double add = (double)x[p] * dt * (double)x[s->head_dim + n];
                const double c = (double)x[s->head_dim + s->d_state + n];
                double *cell = &h[n * s->head_dim + p];
                *cell = *cell * keep + add;
                size[n * s->head_dim + p] = size[n * s->head_dim + p] * keep + fabs(add);
                y += *cell * c;
                y_size += size[n * s->head_dim + p] * fabs(c);
            }
            want[t * s->head_dim + p] = y;
            bound[t * s->head_dim + p] = y_size * ulp * (double)(s->d_state + 4 * (t + 1) + 2) +
                                         1e-37;
        }
    }
    for (size_t i = 0; i < s->d_state * s->head_dim; i++) {
        want[n_y + i] = h[i];
        bound[n_y + i] = size[i] * ulp * (double)(4 * s->n_rows) + 1e-37;
    }
}

static void check_scan(checker *ck, const version *v, const version *c)
{
    static double want[ROWS_MAX * DIM_MAX + STATE_MAX * DIM_MAX];
    static double bound[ROWS_MAX * DIM_MAX + STATE_MAX * DIM_MAX];
    (void)c; /* the reference in double is the sharper one */
    for (int k = 0; k < N_SCAN_SIZES * 3; k++) {
        const scan_case s = make_scan(ck, scan_sizes[k / 3], k % 3);
        const size_t n_y = s.n_rows * s.head_dim;
        const size_t n_state = s.d_state * s.head_dim;
        float *y = fenced_floats(n_y);
        float *state = fenced_floats(n_state);
        scan_naively(&s, want, bound);
        memcpy(state, s.state, n_state * sizeof *state);
        run_scan(&s, (gol_ssm_scan_fn *)v->fn, state, y, 0, s.n_rows);
        compare(ck, "y", y, want, bound, n_y);
        compare(ck, "state", state, want + n_y, bound + n_y, n_state);
        /* Slices of any size give the same bits. */
        float *y_sliced = fenced_floats(n_y);
        float *state_sliced = fenced_floats(n_state);
        memcpy(state_sliced, s.state, n_state * sizeof *state);
        for (size_t t = 0; t < s.n_rows;) {
            const size_t n = 1 + (size_t)gol_rng_below(&ck->rng, s.n_rows - t);
            run_scan(&s, (gol_ssm_scan_fn *)v->fn, state_sliced, y_sliced, t, n);
            t += n;
        }
        if (memcmp(y, y_sliced, n_y * sizeof *y) != 0 ||
            memcmp(state, state_sliced, n_state * sizeof *state) != 0)
            fail_text(ck, "slices give other bits");
        buffers_check(ck);
        buffers_free();
    }
}

static void check_conv(checker *ck, const version *v, const version *c)
{
    static const size_t lengths[] = {1, 3, 4, 7, 8, 15, 16, 17, 64, CHANNELS_MAX};
    enum { N_LENGTHS = sizeof lengths / sizeof lengths[0] };
    (void)c;
    for (int k = 0; k < N_LENGTHS * (TAPS_MAX - 1) * N_PATTERNS; k++) {
        static double want[CHANNELS_MAX];
        static double bound[CHANNELS_MAX];
        const size_t n = lengths[k / N_PATTERNS % N_LENGTHS];
        const size_t d_conv = 2 + (size_t)(k / (N_PATTERNS * N_LENGTHS));
        float *w = guarded_floats(d_conv * n);
        float *bias = guarded_floats(n);
        float *out = fenced_floats(n);
        const float *rows[TAPS_MAX];
        fill(ck, w, d_conv * n, 0);
        fill(ck, bias, n, 0);
        for (size_t t = 0; t < d_conv; t++) {
            float *row = guarded_floats(n);
            fill(ck, row, n, k % N_PATTERNS);
            rows[t] = row;
        }
        for (size_t i = 0; i < n; i++) {
            want[i] = (double)bias[i];
            double size = fabs(want[i]);
            for (size_t t = 0; t < d_conv; t++) {
                want[i] += (double)w[t * n + i] * (double)rows[t][i];
                size += fabs((double)w[t * n + i] * (double)rows[t][i]);
            }
            bound[i] = size * ulp * (double)(2 * d_conv) + 1e-37;
        }
        ((gol_ssm_conv_fn *)v->fn)(out, rows, w, n, bias, d_conv, n);
        compare(ck, "out", out, want, bound, n);
        buffers_check(ck);
        buffers_free();
    }
}

/* A head of a Granite 4.0 H model, and a slice of a prompt. */
static size_t bench_scan(checker *ck, const version *v)
{
    static const size_t sizes[3] = {64, 128, 32};
    static scan_case s;
    static float *state;
    static float *y;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        s = make_scan(ck, sizes, 0);
        state = fenced_floats(s.d_state * s.head_dim);
        y = fenced_floats(s.n_rows * s.head_dim);
        memcpy(state, s.state, s.d_state * s.head_dim * sizeof *state);
    }
    run_scan(&s, (gol_ssm_scan_fn *)v->fn, state, y, 0, s.n_rows);
    return s.n_rows * s.d_state * s.head_dim * sizeof *state;
}

static size_t bench_conv(checker *ck, const version *v)
{
    enum { N = 64, TAPS = 4 };
    static float *x;
    static float *out;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        x = guarded_floats((2 * TAPS + 1) * N);
        out = fenced_floats(N);
        fill(ck, x, (2 * TAPS + 1) * N, 0);
    }
    const float *const rows[TAPS] = {x, x + N, x + 2 * N, x + 3 * N};
    ((gol_ssm_conv_fn *)v->fn)(out, rows, x + TAPS * N, N, x + 2 * TAPS * N, TAPS, N);
    return (2 * TAPS + 2) * N * sizeof *x;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_ssm_scan = {"ssm_scan", scan_versions, COUNT(scan_versions), check_scan,
                                bench_scan};
const family family_ssm_conv = {"ssm_conv", conv_versions, COUNT(conv_versions), check_conv,
                                bench_conv};
