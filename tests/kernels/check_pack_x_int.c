/*
 * Activations to bytes: every version gives the C version's bytes, scales and sums bit for bit; the C version is held to what the
 * conversion promises.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#define PACK_ROW(slot, kernel, level) VERSION_ROW(pack_x_int, slot, kernel, level),
static const version pack_versions[] = {GOL_KERN_PACK_X_INT(PACK_ROW)};

static const size_t row_lengths[] = {1, 31, 32, 33, 64, 255, 256, 300, 1000};
enum { N_ROW_LENGTHS = sizeof row_lengths / sizeof row_lengths[0] };

/* Below this the C version takes a block for zeros. */
static const double magnitude_min = 1e-30;

typedef enum x_pattern {
    FILL_LAST = N_PATTERNS - 1, /* those of fill() */
    HALVES,                     /* between two bytes */
    EXTREMES, /* infinities, NaNs, the largest and the smallest numbers, a few to a row */
    N_X_PATTERNS
} x_pattern;

static void fill_x(checker *ck, float *x, size_t n, int pattern)
{
    static const float extremes[] = {INFINITY, -INFINITY, NAN,       3.4e38f, -3.4e38f,
                                     1e-30f,   9e-31f,    -1.4e-45f, -0.0f,   1.17549435e-38f};
    fill(ck, x, n, pattern <= FILL_LAST ? pattern : 0);
    for (size_t i = 0; i < n; i++) {
        if (pattern == HALVES)
            x[i] = i % GOL_BLOCK_INPUTS == 0 ? 127.0f : (float)((int)(i % 255) - 127) + 0.5f;
        else if (pattern == EXTREMES && gol_rng_below(&ck->rng, 24) == 0)
            x[i] = extremes[gol_rng_below(&ck->rng, sizeof extremes / sizeof extremes[0])];
        else if (pattern == EXTREMES && i / GOL_BLOCK_INPUTS % 3 == 1)
            x[i] *= 1e-31f; /* whole blocks around the limit */
    }
}

typedef struct planes {
    gol_int_x x;
    size_t n_blocks; /* of all tokens */
    size_t n_groups; /* likewise */
} planes;

static planes make_planes(size_t n_blocks, size_t n_tokens, int group)
{
    planes p = {.n_blocks = n_blocks * n_tokens};
    p.n_groups = p.n_blocks * (size_t)(GOL_BLOCK_INPUTS / group);
    p.x.q = fenced(p.n_blocks * GOL_BLOCK_INPUTS);
    p.x.scale = fenced_floats(p.n_blocks);
    p.x.aux = fenced(p.n_groups * sizeof(float));
    return p;
}

/* One block of one token against the definition. */
static void check_block(checker *ck, const gol_pack_x *p, const planes *got, size_t b, size_t t,
                        int group, int zero)
{
    const size_t at = b * p->n_tokens + t;
    const float *x = p->x + t * p->x_stride + b * GOL_BLOCK_INPUTS;
    const int8_t *q = got->x.q + at * GOL_BLOCK_INPUTS;
    const double scale = (double)got->x.scale[at];
    const size_t left = p->n_in - b * GOL_BLOCK_INPUTS;
    const size_t n = left < GOL_BLOCK_INPUTS ? left : GOL_BLOCK_INPUTS;
    double largest = 0;
    bool is_finite = true;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)x[i]));
        is_finite = is_finite && isfinite(x[i]);
    }
    const bool is_zero = !is_finite || largest < magnitude_min;
    const double want_scale = is_zero ? 0.0 : largest / 127;
    if (is_finite ? !(fabs(scale - want_scale) <= want_scale * 0x1p-24) : !isnan(scale))
        fail_number(ck, "scale", at, scale, want_scale, want_scale * 0x1p-24);
    for (size_t i = 0; i < GOL_BLOCK_INPUTS; i++) {
        /* half a step, and a rounding each of the factor and the product */
        const double bound = is_zero || i >= n ? 0.0 : 0.5 + 127 * 2 * 0x1p-24;
        const double want = bound > 0 ? (double)x[i] / largest * 127 : 0.0;
        if (!(fabs(q[i] - want) <= bound) || q[i] < -127)
            fail_number(ck, "q", i, q[i], want, bound);
    }
    const size_t n_groups = (size_t)(GOL_BLOCK_INPUTS / group);
    for (size_t g = 0; g < n_groups; g++) {
        int sum = 0;
        for (int i = 0; i < group; i++)
            sum += q[(int)g * group + i];
        const size_t to = (b * n_groups + g) * p->n_tokens + t;
        const int start = GOL_INT_SUM_ZERO - zero * sum;
        if (zero > 0 && ((const int32_t *)got->x.aux)[to] != start)
            fail_number(ck, "start", to, ((const int32_t *)got->x.aux)[to], start, 0);
        if (zero > 0)
            continue;
        /* exact in double, so that the only rounding is the one to float */
        const float x_sum = ((const float *)got->x.aux)[to];
        const float want_sum = (float)(scale * sum);
        if (x_sum != want_sum && !(isnan(x_sum) && !is_finite))
            fail_number(ck, "x_sum", to, (double)x_sum, (double)want_sum, 0);
    }
}

static void check_case(checker *ck, const version *v, const version *c, const gol_pack_x *p,
                       int group, int zero)
{
    const size_t n_blocks = (p->n_in + GOL_BLOCK_INPUTS - 1) / GOL_BLOCK_INPUTS;
    const planes got = make_planes(n_blocks, p->n_tokens, group);
    /* in two parts, as two workers would */
    gol_pack_x part = *p;
    part.begin = 0;
    part.end = n_blocks / 2;
    ((gol_pack_x_int_fn *)v->fn)(&got.x, &part, group, zero);
    part.begin = part.end;
    part.end = n_blocks;
    ((gol_pack_x_int_fn *)v->fn)(&got.x, &part, group, zero);
    if (!c) {
        for (size_t b = 0; b < n_blocks; b++)
            for (size_t t = 0; t < p->n_tokens; t++)
                check_block(ck, p, &got, b, t, group, zero);
        return;
    }
    const planes want = make_planes(n_blocks, p->n_tokens, group);
    part.begin = 0;
    ((gol_pack_x_int_fn *)c->fn)(&want.x, &part, group, zero);
    if (memcmp(got.x.q, want.x.q, got.n_blocks * GOL_BLOCK_INPUTS) != 0)
        fail_text(ck, "bytes differ from the C version's");
    if (memcmp(got.x.scale, want.x.scale, got.n_blocks * sizeof(float)) != 0)
        fail_text(ck, "scales differ from the C version's");
    if (memcmp(got.x.aux, want.x.aux, got.n_groups * sizeof(float)) != 0)
        fail_text(ck, "sums differ from the C version's");
}

static void check_pack_x_int(checker *ck, const version *v, const version *c)
{
    static const int zeros[] = {0, 8, 128};
    for (int i = 0; i < N_ROW_LENGTHS * N_X_PATTERNS * GOL_INT_TILE; i++) {
        gol_pack_x p = {.n_in = row_lengths[i % N_ROW_LENGTHS]};
        p.n_tokens = 1 + (size_t)(i / N_ROW_LENGTHS / N_X_PATTERNS);
        p.x_stride = p.n_in + (i % 2 ? 5 : 0);
        const size_t n = (p.n_tokens - 1) * p.x_stride + p.n_in;
        float *x = guarded_floats(n);
        fill_x(ck, x, n, i / N_ROW_LENGTHS % N_X_PATTERNS);
        p.x = x;
        for (int z = 0; z < 3; z++) {
            check_case(ck, v, c, &p, 16, zeros[z]);
            check_case(ck, v, c, &p, 32, zeros[z]);
        }
        buffers_check(ck);
        buffers_free();
    }
}

static size_t bench_pack_x_int(checker *ck, const version *v)
{
    enum { N_IN = 2048, N_BLOCKS = N_IN / GOL_BLOCK_INPUTS };
    static float x[GOL_INT_TILE][N_IN];
    static int8_t q[GOL_INT_TILE * N_IN];
    static float scale[GOL_INT_TILE * N_BLOCKS];
    static int32_t aux[GOL_INT_TILE * N_BLOCKS];
    if (x[0][0] == 0.0f)
        fill(ck, x[0], sizeof x / sizeof(float), 0);
    const gol_pack_x p = {x[0], N_IN, N_IN, GOL_INT_TILE, 0, N_BLOCKS};
    ((gol_pack_x_int_fn *)v->fn)(&(gol_int_x){q, scale, aux}, &p, GOL_BLOCK_INPUTS, 128);
    return sizeof x + sizeof q;
}

const family family_pack_x_int = {
    "pack_x_int",     pack_versions,    sizeof pack_versions / sizeof pack_versions[0],
    check_pack_x_int, bench_pack_x_int,
};
