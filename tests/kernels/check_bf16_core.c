/*
 * The bfloat16 arithmetic of the matrix product: the core and the activations it reads.
 *
 * The C versions do what the processor's instructions do, bit for bit, so the others must equal them in every bit, on numbers as
 * models have them, on random bits (infinities, NaNs, numbers too small to be normal), and on sums close to the smallest normal
 * number, where results turn into zeros. C itself is compared with sums in double. One token alone, and one panel alone, must give
 * the bits they give among others.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/panel_format.h"
#include "quant/half.h"

#define CORE_ROW(slot, kernel, level) VERSION_ROW(bf16_core, slot, kernel, level),
#define PACK_ROW(slot, kernel, level) VERSION_ROW(pack_x_bf16, slot, kernel, level),
static const version core_versions[] = {GOL_KERN_BF16_CORE(CORE_ROW)};
static const version pack_versions[] = {GOL_KERN_PACK_X_BF16(PACK_ROW)};

enum {
    N_SUMS_MAX = GOL_BF16_PANELS * GOL_BF16_TOKENS * GOL_PANEL_ROWS,
    PAIRS_MAX = GOL_STRETCH_INPUTS / 2,
    ROWS = GOL_PANEL_ROWS,
};

/* Patterns of inputs beyond those of fill(). */
enum { PATTERN_BITS = N_PATTERNS, PATTERN_TINY, N_BF16_PATTERNS };

/* Any bits but, one time in eight, special ones. */
static uint32_t random_bits(checker *ck)
{
    static const uint16_t special[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x0080,
                                       0x7f7f, 0xff7f, 0x7f80, 0xff80, 0x7fc1};
    uint32_t bits = (uint32_t)gol_rng_next(&ck->rng);
    if (gol_rng_below(&ck->rng, 8) == 0)
        bits = bits >> 16 | (uint32_t)special[gol_rng_below(&ck->rng, 10)] << 16;
    return bits;
}

/* 2^exponent times something of [1, 2), of either sign, as bfloat16. */
static uint32_t of_exponent(checker *ck, int exponent)
{
    const uint32_t bits = (uint32_t)gol_rng_next(&ck->rng);
    return (bits & 0x807fu) | (uint32_t)(exponent + 127) << 7;
}

/* n pairs of bfloat16 numbers. */
static void fill_pairs(checker *ck, uint32_t *pairs, size_t n, int pattern, int exponent)
{
    for (size_t i = 0; i < n; i++) {
        if (pattern == PATTERN_BITS) {
            pairs[i] = random_bits(ck);
        } else if (pattern == PATTERN_TINY) {
            pairs[i] = of_exponent(ck, exponent - (int)gol_rng_below(&ck->rng, 20)) |
                       of_exponent(ck, exponent - (int)gol_rng_below(&ck->rng, 20)) << 16;
        } else {
            float two[2];
            fill(ck, two, 2, pattern);
            pairs[i] = gol_f32_to_bf16(two[0]) | (uint32_t)gol_f32_to_bf16(two[1]) << 16;
        }
    }
}

/* Sums to begin with: numbers, any bits, or close to FLT_MIN. */
static void fill_sums(checker *ck, float *sums, size_t n, int pattern)
{
    fill(ck, sums, n, 0);
    for (size_t i = 0; i < n && pattern >= N_PATTERNS; i++)
        sums[i] = gol_f32_from_bits(pattern == PATTERN_BITS
                                        ? random_bits(ck)
                                        : (random_bits(ck) & 0x80000007u) | 0x00800000u);
}

static float bf16_at(const uint32_t *pairs, size_t i, size_t half)
{
    return gol_bf16_to_f32((uint16_t)(pairs[i] >> 16 * half));
}

static const uint32_t *panel_of(const gol_bf16_tile *t, size_t p)
{
    return (const uint32_t *)(const void *)(t->w + p * t->w_stride);
}

/* A C version's sums, in double: rounded twice for every pair of inputs, each time by half a unit of what it may have met. */
static void compare_with_double(checker *ck, const gol_bf16_tile *t, const float *begin)
{
    static double want[N_SUMS_MAX];
    static double bound[N_SUMS_MAX];
    for (size_t p = 0; p < t->n_panels; p++) {
        const uint32_t *w = panel_of(t, p);
        for (size_t k = 0; k < t->n_tokens; k++) {
            for (size_t r = 0; r < ROWS; r++) {
                double sum = (double)begin[p * t->acc_stride + k * ROWS + r];
                double magnitude = fabs(sum);
                for (size_t i = 0; i < t->n_in; i++) {
                    const double term = (double)bf16_at(w, i / 2 * ROWS + r, i % 2) *
                                        (double)bf16_at(t->x, i / 2 * t->n_tokens + k, i % 2);
                    sum += term;
                    magnitude += fabs(term);
                }
                want[k * ROWS + r] = sum;
                bound[k * ROWS + r] = magnitude * (double)t->n_in * 0x1p-24;
            }
        }
        compare(ck, "acc", t->acc + p * t->acc_stride, want, bound, t->n_tokens * ROWS);
    }
}

/* Equal in every bit, but that NaNs are all alike. */
static void compare_bits(checker *ck, const char *what, const float *got, const float *want,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (gol_f32_bits(got[i]) != gol_f32_bits(want[i]) && !(isnan(got[i]) && isnan(want[i])))
            fail_number(ck, what, i, (double)got[i], (double)want[i], 0.0);
}

/* Every panel and token of the tile once more, alone. */
static void check_alone(checker *ck, const version *v, const gol_bf16_tile *t, const float *begin)
{
    float sums[ROWS] __attribute__((aligned(64)));
    uint32_t x[PAIRS_MAX];
    for (size_t k = 0; k < t->n_tokens; k++) {
        for (size_t i = 0; i < t->n_in / 2; i++)
            x[i] = t->x[i * t->n_tokens + k];
        for (size_t p = 0; p < t->n_panels; p++) {
            const size_t at = p * t->acc_stride + k * ROWS;
            memcpy(sums, begin + at, sizeof sums);
            ((gol_bf16_core_fn *)v->fn)(
                &(gol_bf16_tile){sums, ROWS, x, t->w + p * t->w_stride, 0, t->n_in, 1, 1, true});
            compare_bits(ck, "alone", sums, t->acc + at, ROWS);
        }
    }
}

static void check_tile(checker *ck, const version *v, const version *c, size_t n_panels,
                       size_t n_tokens, size_t n_in, int pattern)
{
    /* sums and panels lie a line farther apart than they need */
    const size_t acc_stride = (n_tokens + 1) * ROWS;
    const size_t w_stride = n_in / 2 * GOL_BF16_PAIR_BYTES + 64;
    const size_t n_sums = n_panels * acc_stride - ROWS;
    const size_t n_w = (n_panels * w_stride - 64) / sizeof(uint32_t);
    float *begin = guarded_floats(n_sums);
    uint32_t *x = guarded(n_in / 2 * n_tokens * sizeof *x);
    uint32_t *w = guarded(n_w * sizeof *w);
    fill_sums(ck, begin, n_sums, pattern);
    fill_pairs(ck, x, n_in / 2 * n_tokens, pattern, -40);
    fill_pairs(ck, w, n_w, pattern, -86);
    gol_bf16_tile t = {.acc = fenced_floats(n_sums),
                       .acc_stride = acc_stride,
                       .x = x,
                       .w = (const uint8_t *)w,
                       .w_stride = w_stride,
                       .n_in = n_in,
                       .n_panels = n_panels,
                       .n_tokens = n_tokens,
                       .is_first = n_tokens % 2 == 1};
    memcpy(t.acc, begin, n_sums * sizeof *begin);
    ((gol_bf16_core_fn *)v->fn)(&t);
    if (c) {
        gol_bf16_tile by_c = t;
        by_c.acc = fenced_floats(n_sums);
        memcpy(by_c.acc, begin, n_sums * sizeof *begin);
        ((gol_bf16_core_fn *)c->fn)(&by_c);
        compare_bits(ck, "acc", t.acc, by_c.acc, n_sums);
    } else if (pattern < N_PATTERNS) {
        compare_with_double(ck, &t, begin);
    }
    check_alone(ck, v, &t, begin);
    buffers_check(ck);
    buffers_free();
}

/* One product and its sum where results become zeros: {acc, w, x, result}. */
static void check_smallest(checker *ck, const version *v)
{
    static const struct {
        float acc, w, x, want;
    } cases[] = {
        {0x1p-126f, 0.0f, 0.0f, 0x1p-126f},
        {0x0.fffffep-126f, 0.0f, 0.0f, 0.0f},        /* a sum too small counts as zero */
        {-0x0.8p-126f, 0x1p-126f, 1.0f, 0x1p-126f},  /* before it is added to */
        {1.0f, 0x0.fep-126f, 0x1p126f, 1.0f},        /* a weight too small */
        {1.0f, 0x1p126f, 0x0.fep-126f, 1.0f},        /* an activation */
        {0x1p-126f, -0x1p-75f, 0x1.8p-76f, 0.0f},    /* below FLT_MIN with 24 bits ... */
        {0x1p-126f, -0x1p-76f, 0x1p-75f, 0x1p-126f}, /* ... half a unit below: a tie to even */
        {0x1p-126f, -0x1p-126f, 0x1p-1f, 0.0f},      /* far below */
        {-0x1p-126f, 0x1p-126f, 0x1p-1f, -0.0f},     /* of its sign */
        {0x1.000002p-126f, -0x1p-75f, 0x1p-74f, 0x1p-126f}, /* the smallest one itself */
        {0x1.fffffep127f, 0x1p64f, 0x1p64f, INFINITY},
        {INFINITY, -0x1p100f, 0x1p100f, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float acc[ROWS] __attribute__((aligned(64)));
        uint32_t w[PAIRS_MAX * ROWS] __attribute__((aligned(64))) = {0};
        uint32_t x[GOL_BLOCK_INPUTS / 2] = {0};
        for (size_t r = 0; r < ROWS; r++)
            acc[r] = cases[i].acc;
        for (size_t r = 0; r < ROWS; r++)
            w[r] = gol_f32_to_bf16(cases[i].w);
        x[0] = gol_f32_to_bf16(cases[i].x);
        ((gol_bf16_core_fn *)v->fn)(
            &(gol_bf16_tile){acc, ROWS, x, (const uint8_t *)w, 0, GOL_BLOCK_INPUTS, 1, 1, false});
        /* the zeros that follow make +0 of -0 */
        if (acc[3] != cases[i].want)
            fail_number(ck, "smallest", i, (double)acc[3], (double)cases[i].want, 0.0);
    }
}

static void check_core(checker *ck, const version *v, const version *c)
{
    int pattern = 0;
    for (size_t n_panels = 1; n_panels <= GOL_BF16_PANELS; n_panels++)
        for (size_t n_tokens = 1; n_tokens <= GOL_BF16_TOKENS; n_tokens++)
            for (size_t n_in = GOL_BLOCK_INPUTS; n_in <= GOL_STRETCH_INPUTS;
                 n_in += GOL_BLOCK_INPUTS)
                check_tile(ck, v, c, n_panels, n_tokens, n_in, pattern++ % N_BF16_PATTERNS);
    check_smallest(ck, v);
}

/* What panel_bf16.h says of one activation. */
static uint16_t rounded(float x)
{
    if (isnan(x))
        return 0x7fc0;
    if (fabsf(x) < 0x1p-126f)
        return signbit(x) ? 0x8000 : 0;
    /* the two neighbours; the nearer, else the even one */
    const uint32_t below = gol_f32_bits(x) >> 16;
    const uint32_t rest = gol_f32_bits(x) & 0xffffu;
    const bool is_up = rest > 0x8000u || (rest == 0x8000u && below % 2 != 0);
    return (uint16_t)(below + is_up);
}

static void check_pair(checker *ck, uint32_t got, const float *x, size_t left, size_t i)
{
    for (size_t half = 0; half < 2; half++) {
        const uint16_t bits = (uint16_t)(got >> 16 * half);
        const uint16_t want = half < left ? rounded(x[half]) : 0;
        const bool both_nan = (want & 0x7fff) > 0x7f80 && (bits & 0x7fff) > 0x7f80;
        if (bits != want && !both_nan)
            fail_number(ck, "activation", i + half, (double)gol_bf16_to_f32(bits),
                        (double)gol_bf16_to_f32(want), 0.0);
    }
}

/* Blocks [begin, end) of rows of n_in, at a page's end; other blocks must stay as they were. */
static void check_pack_part(checker *ck, const version *v, size_t n_tokens, size_t n_in,
                            size_t begin, size_t end)
{
    static const float special[] = {INFINITY,    -INFINITY,       NAN,           0x1.fffffep127f,
                                    0x1.fep127f, 0x1.feffffp127f, 0x1.ffp127f,   0x0.fffffep-126f,
                                    -0x1p-149f,  0x1p-126f,       -0.0f,         0x1.01p0f,
                                    0x1.03p0f,   0x1.010002p0f,   -0x1.00fffep0f};
    const size_t n_pairs = gol_panel_n_blocks(n_in) * GOL_BLOCK_INPUTS / 2 * n_tokens;
    const size_t stride = n_in + 3;
    const size_t n_x = (n_tokens - 1) * stride + n_in;
    float *x = guarded_floats(n_x);
    uint32_t *got = fenced(n_pairs * sizeof *got);
    fill(ck, x, n_x, 2);
    for (size_t i = 0; i < n_x; i += 1 + gol_rng_below(&ck->rng, 6))
        x[i] = gol_rng_below(&ck->rng, 2) ? special[gol_rng_below(&ck->rng, 15)]
                                          : gol_f32_from_bits(random_bits(ck));
    const gol_pack_x p = {x, stride, n_in, n_tokens, begin, end};
    ((gol_pack_x_bf16_fn *)v->fn)(got, &p);
    for (size_t pair = 0; pair < n_pairs / n_tokens; pair++) {
        const bool is_asked = pair >= begin * GOL_BLOCK_INPUTS / 2 &&
                              pair < end * GOL_BLOCK_INPUTS / 2;
        for (size_t t = 0; t < n_tokens; t++) {
            const size_t i = 2 * pair;
            const uint32_t bits = got[pair * n_tokens + t];
            if (is_asked)
                check_pair(ck, bits, x + t * stride + i, i < n_in ? n_in - i : 0, i);
            else if (bits != 0xffffffffu)
                fail_text(ck, "wrote to a block that was not asked for");
        }
    }
    buffers_check(ck);
    buffers_free();
}

static void check_pack(checker *ck, const version *v, const version *c)
{
    (void)c;
    static const size_t inputs[] = {1, 7, 15, 16, 17, 31, 32, 33, 64, 72, 95, 200};
    for (size_t n_tokens = 1; n_tokens <= GOL_BF16_TOKENS; n_tokens++) {
        for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
            const size_t n_blocks = gol_panel_n_blocks(inputs[i]);
            check_pack_part(ck, v, n_tokens, inputs[i], 0, n_blocks);
            check_pack_part(ck, v, n_tokens, inputs[i], n_blocks / 2, n_blocks);
            check_pack_part(ck, v, n_tokens, inputs[i], 0, (n_blocks + 1) / 2);
        }
    }
}

/* Bytes are GFLOP/s here: as many as operations, a full tile on a full stretch. */
static size_t bench_core(checker *ck, const version *v)
{
    static gol_bf16_tile t;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        const size_t n_w = (size_t)GOL_BF16_PANELS * PAIRS_MAX * ROWS;
        uint32_t *x = guarded((size_t)PAIRS_MAX * GOL_BF16_TOKENS * sizeof *x);
        uint32_t *w = guarded(n_w * sizeof *w);
        float *acc = fenced_floats(N_SUMS_MAX);
        fill_pairs(ck, x, (size_t)PAIRS_MAX * GOL_BF16_TOKENS, 0, 0);
        fill_pairs(ck, w, n_w, 0, 0);
        memset(acc, 0, N_SUMS_MAX * sizeof *acc);
        t = (gol_bf16_tile){.acc = acc,
                            .acc_stride = (size_t)GOL_BF16_TOKENS * ROWS,
                            .x = x,
                            .w = (const uint8_t *)w,
                            .w_stride = (size_t)PAIRS_MAX * GOL_BF16_PAIR_BYTES,
                            .n_in = GOL_STRETCH_INPUTS,
                            .n_panels = GOL_BF16_PANELS,
                            .n_tokens = GOL_BF16_TOKENS};
    }
    ((gol_bf16_core_fn *)v->fn)(&t);
    return (size_t)2 * GOL_STRETCH_INPUTS * N_SUMS_MAX;
}

static size_t bench_pack(checker *ck, const version *v)
{
    enum { N_IN = 1024 };
    static gol_pack_x p;
    static uint32_t *dst;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        float *x = guarded_floats((size_t)N_IN * GOL_BF16_TOKENS);
        fill(ck, x, (size_t)N_IN * GOL_BF16_TOKENS, 0);
        dst = fenced((size_t)N_IN / 2 * GOL_BF16_TOKENS * sizeof *dst);
        p = (gol_pack_x){x, N_IN, N_IN, GOL_BF16_TOKENS, 0, N_IN / GOL_BLOCK_INPUTS};
    }
    ((gol_pack_x_bf16_fn *)v->fn)(dst, &p);
    return (size_t)N_IN * GOL_BF16_TOKENS * (sizeof(float) + sizeof(uint16_t));
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_bf16_core = {"bf16_core", core_versions, COUNT(core_versions), check_core,
                                 bench_core};
const family family_pack_x_bf16 = {"pack_x_bf16", pack_versions, COUNT(pack_versions), check_pack,
                                   bench_pack};
