/*
 * The float arithmetic of the matrix product: the core, the activations it reads, and the unpacking of plain numbers.
 *
 * The core in C is compared with sums in double, the other versions with C: they differ by one rounding per product, since C
 * rounds twice where they fuse. One token alone must give the bits it gives among others. Packing and unpacking round nothing:
 * they are compared bit for bit. The kernels for one token must give the bits of unpacking and the core of their level.
 */
#include "kernels/check_kernels.h"

#include "backend/cpu/panel_format.h"
#include "support/random_blocks.h"

#include <math.h>
#include <string.h>

#define CORE_ROW(slot, kernel, level)   VERSION_ROW(f32_core, slot, kernel, level),
#define ONE_ROW(slot, kernel, level)    VERSION_ROW(f32_one, slot, kernel, level),
#define PACK_ROW(slot, kernel, level)   VERSION_ROW(pack_x_f32, slot, kernel, level),
#define UNPACK_ROW(slot, kernel, level) VERSION_ROW(unpack_f32, slot, kernel, level),
static const version core_versions[] = {GOL_KERN_F32_CORE(CORE_ROW)};
static const version one_versions[] = {GOL_KERN_F32_ONE(ONE_ROW)};
static const version pack_versions[] = {GOL_KERN_PACK_X_F32(PACK_ROW)};
static const version unpack_versions[] = {GOL_KERN_UNPACK_F32(UNPACK_ROW)};

/* Of every operation, relative to the largest sum it can have met. */
static const double rounding = 0x1p-24;

/* Sums of a tile, in double, and the sums of their terms' magnitudes. */
static void multiply_naively(double *want, double *largest, const gol_f32_tile *t)
{
    for (size_t k = 0; k < t->n_tokens; k++) {
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            double sum = (double)t->acc[k * GOL_PANEL_ROWS + r];
            double magnitude = fabs(sum);
            for (size_t i = 0; i < t->n_in; i++) {
                const double term = (double)t->w[i * GOL_PANEL_ROWS + r] *
                                    (double)t->x[i * t->n_tokens + k];
                sum += term;
                magnitude += fabs(term);
            }
            want[k * GOL_PANEL_ROWS + r] = sum;
            largest[k * GOL_PANEL_ROWS + r] = magnitude;
        }
    }
}

/* Every token of the tile once more, alone. */
static void check_alone(checker *ck, const version *v, const gol_f32_tile *t, const float *begin)
{
    for (size_t k = 0; k < t->n_tokens; k++) {
        float *x = guarded_floats(t->n_in);
        float sums[GOL_PANEL_ROWS] __attribute__((aligned(64)));
        for (size_t i = 0; i < t->n_in; i++)
            x[i] = t->x[i * t->n_tokens + k];
        memcpy(sums, begin + k * GOL_PANEL_ROWS, sizeof sums);
        ((gol_f32_core_fn *)v->fn)(&(gol_f32_tile){sums, x, t->w, t->n_in, 1, NULL});
        if (memcmp(sums, t->acc + k * GOL_PANEL_ROWS, sizeof sums) != 0)
            fail_text(ck, "a token alone gives other bits than among others");
    }
}

static void check_tile(checker *ck, const version *v, const version *c, size_t n_tokens,
                       size_t n_in, int pattern)
{
    static double want[GOL_F32_TILE * GOL_PANEL_ROWS];
    static double bound[GOL_F32_TILE * GOL_PANEL_ROWS];
    const size_t n_sums = n_tokens * GOL_PANEL_ROWS;
    float *begin = guarded_floats(n_sums);
    float *x = guarded_floats(n_in * n_tokens);
    float *w = guarded_floats(n_in * GOL_PANEL_ROWS);
    fill(ck, begin, n_sums, 0);
    fill(ck, x, n_in * n_tokens, pattern);
    fill(ck, w, n_in * GOL_PANEL_ROWS, pattern);
    /* what is prefetched may not exist: the page behind w */
    gol_f32_tile t = {begin, x, w, n_in, n_tokens, (const uint8_t *)(w + n_in * GOL_PANEL_ROWS)};
    multiply_naively(want, bound, &t);
    for (size_t i = 0; i < n_sums; i++)
        bound[i] *= rounding * (double)(2 * n_in); /* a product and a sum for every input */
    t.acc = fenced_floats(n_sums);
    if (c) {
        memcpy(t.acc, begin, n_sums * sizeof *begin);
        ((gol_f32_core_fn *)c->fn)(&t);
        for (size_t i = 0; i < n_sums; i++)
            want[i] = (double)t.acc[i];
    }
    memcpy(t.acc, begin, n_sums * sizeof *begin);
    ((gol_f32_core_fn *)v->fn)(&t);
    compare(ck, "acc", t.acc, want, bound, n_sums);
    check_alone(ck, v, &t, begin);
    buffers_check(ck);
    buffers_free();
}

/* A number that is none stays with its own row and token. */
static void check_nan(checker *ck, const version *v)
{
    enum { N_IN = GOL_BLOCK_INPUTS, ROW = 5, TOKEN = 7 };
    float *x = guarded_floats((size_t)N_IN * GOL_F32_TILE);
    float *w = guarded_floats((size_t)N_IN * GOL_PANEL_ROWS);
    float *acc = fenced_floats((size_t)GOL_F32_TILE * GOL_PANEL_ROWS);
    fill(ck, x, (size_t)N_IN * GOL_F32_TILE, 0);
    fill(ck, w, (size_t)N_IN * GOL_PANEL_ROWS, 0);
    memset(acc, 0, sizeof *acc * GOL_F32_TILE * GOL_PANEL_ROWS);
    x[3 * GOL_F32_TILE + TOKEN] = INFINITY;
    w[9 * GOL_PANEL_ROWS + ROW] = NAN;
    ((gol_f32_core_fn *)v->fn)(&(gol_f32_tile){acc, x, w, N_IN, GOL_F32_TILE, NULL});
    for (size_t k = 0; k < GOL_F32_TILE; k++)
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
            if (isfinite(acc[k * GOL_PANEL_ROWS + r]) != (k != TOKEN && r != ROW))
                fail_number(ck, "with a NaN", k * GOL_PANEL_ROWS + r,
                            (double)acc[k * GOL_PANEL_ROWS + r], (double)NAN, 0);
    buffers_check(ck);
    buffers_free();
}

static void check_core(checker *ck, const version *v, const version *c)
{
    for (size_t n_tokens = 1; n_tokens <= GOL_F32_TILE; n_tokens++)
        for (size_t n_in = GOL_BLOCK_INPUTS; n_in <= GOL_STRETCH_INPUTS; n_in += GOL_BLOCK_INPUTS)
            check_tile(ck, v, c, n_tokens, n_in, (int)((n_tokens + n_in / 32) % N_PATTERNS));
    check_nan(ck, v);
}

/* Panels end at a page: what is prefetched lies behind it. */
static void check_one_stretch(checker *ck, const version *v, const gol_kernels *k, size_t n_blocks)
{
    const gol_type type = (gol_type)v->index;
    const gol_panel_format *f = gol_panel_format_get(type);
    const size_t n_in = n_blocks * GOL_BLOCK_INPUTS;
    const size_t row_bytes = n_in * sizeof(uint16_t);
    uint8_t *rows = guarded(GOL_PANEL_ROWS * row_bytes);
    uint8_t *packed = guarded(gol_stretch_bytes(f, n_blocks));
    float *store = fenced_floats(n_in * GOL_PANEL_ROWS);
    float *x = guarded_floats(n_in);
    float *got = fenced_floats(GOL_PANEL_ROWS);
    float *want = fenced_floats(GOL_PANEL_ROWS);
    random_blocks(&ck->rng, type, rows, (size_t)GOL_PANEL_ROWS * n_in);
    f->pack(packed, f, &(gol_pack_rows){rows, row_bytes, GOL_PANEL_ROWS, n_in}, 0);
    fill(ck, x, n_in, (int)(n_blocks % N_PATTERNS));
    fill(ck, got, GOL_PANEL_ROWS, 0);
    memcpy(want, got, GOL_PANEL_ROWS * sizeof *got);
    const gol_stretch s = {packed, row_bytes, GOL_PANEL_ROWS, n_blocks, n_in};
    const float *w = k->unpack_f32[type](store, &s);
    k->f32_core(&(gol_f32_tile){want, x, w, n_in, 1, NULL});
    ((gol_f32_one_fn *)v->fn)(got, x, &s);
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++)
        if (memcmp(&got[r], &want[r], sizeof *got) != 0 && !(isnan(got[r]) && isnan(want[r])))
            fail_number(ck, "acc", r, (double)got[r], (double)want[r], 0.0);
    buffers_check(ck);
    buffers_free();
}

static void check_one(checker *ck, const version *v, const version *c)
{
    (void)c;
    gol_kernels k;
    gol_kernels_init(&k, v->level);
    for (int round = 0; round < 8; round++)
        for (size_t n_blocks = 1; n_blocks <= GOL_STRETCH_BLOCKS; n_blocks++)
            check_one_stretch(ck, v, &k, n_blocks);
}

/* Blocks [begin, end) of rows of n_in, at a page's end; other blocks must stay as they were. */
static void check_pack_part(checker *ck, const version *v, size_t n_tokens, size_t n_in,
                            size_t begin, size_t end)
{
    const size_t n_blocks = gol_panel_n_blocks(n_in);
    const size_t n = n_blocks * GOL_BLOCK_INPUTS * n_tokens;
    const size_t stride = n_in + 3;
    float *x = guarded_floats((n_tokens - 1) * stride + n_in);
    float *want = fenced_floats(n);
    float *got = fenced_floats(n);
    fill(ck, x, (n_tokens - 1) * stride + n_in, 0);
    for (size_t i = begin * GOL_BLOCK_INPUTS; i < end * GOL_BLOCK_INPUTS; i++)
        for (size_t t = 0; t < n_tokens; t++)
            want[i * n_tokens + t] = i < n_in ? x[t * stride + i] : 0.0f;
    const gol_pack_x p = {x, stride, n_in, n_tokens, begin, end};
    ((gol_pack_x_f32_fn *)v->fn)(got, &p);
    if (memcmp(got, want, n * sizeof *got) != 0)
        fail_text(ck, "activations lie elsewhere than they should");
    buffers_check(ck);
    buffers_free();
}

static void check_pack(checker *ck, const version *v, const version *c)
{
    (void)c;
    static const size_t inputs[] = {1, 7, 8, 15, 17, 31, 32, 33, 64, 72, 95, 200};
    for (size_t n_tokens = 1; n_tokens <= GOL_F32_TILE; n_tokens++) {
        for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
            const size_t n_blocks = gol_panel_n_blocks(inputs[i]);
            check_pack_part(ck, v, n_tokens, inputs[i], 0, n_blocks);
            check_pack_part(ck, v, n_tokens, inputs[i], n_blocks / 2, n_blocks);
            check_pack_part(ck, v, n_tokens, inputs[i], 0, (n_blocks + 1) / 2);
        }
    }
}

/* The second stretch of rows with n_in inputs of the type. Bits are random, or (small halves) numbers as weights are. */
static void check_unpack_stretch(checker *ck, const version *v, size_t n_rows, size_t n_blocks,
                                 bool are_bits_random)
{
    const gol_type type = (gol_type)v->index;
    const gol_panel_format *f = gol_panel_format_get(type);
    const gol_type_info *info = gol_type_get(type);
    const size_t n_in = GOL_STRETCH_INPUTS + n_blocks * GOL_BLOCK_INPUTS;
    const size_t row_bytes = n_in / (size_t)info->block_size * info->type_size;
    uint8_t *rows = guarded(n_rows * row_bytes);
    random_blocks(&ck->rng, type, rows, n_rows * n_in);
    for (size_t i = 0; are_bits_random && i < n_rows * row_bytes; i++)
        rows[i] = (uint8_t)gol_rng_next(&ck->rng);
    gol_stretch s = {rows + GOL_STRETCH_INPUTS / (size_t)info->block_size * info->type_size,
                     row_bytes, n_rows, n_blocks, n_blocks * GOL_BLOCK_INPUTS};
    if (f->pack) {
        uint8_t *packed = guarded(gol_stretch_bytes(f, n_blocks));
        const gol_pack_rows from = {rows, row_bytes, n_rows, n_in};
        f->pack(packed, f, &from, 1);
        s.data = packed;
    }
    float *store = fenced_floats(n_blocks * GOL_BLOCK_INPUTS * GOL_PANEL_ROWS);
    const float *got = ((gol_unpack_f32_fn *)v->fn)(store, &s);
    for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
        float want[2 * GOL_STRETCH_INPUTS] = {0};
        if (r < n_rows)
            info->dequant(want, rows + r * row_bytes, n_in);
        for (size_t i = 0; i < s.n_in; i++) {
            const float a = got[i * GOL_PANEL_ROWS + r];
            const float b = want[GOL_STRETCH_INPUTS + i];
            /* the processor's conversion makes NaNs quiet */
            if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b)))
                fail_number(ck, "value", r * GOL_STRETCH_INPUTS + i, (double)a, (double)b, 0.0);
        }
    }
    buffers_check(ck);
    buffers_free();
}

static void check_unpack(checker *ck, const version *v, const version *c)
{
    (void)c;
    for (size_t n_blocks = 1; n_blocks <= GOL_STRETCH_BLOCKS; n_blocks++)
        for (int bits = 0; bits < 2; bits++)
            check_unpack_stretch(ck, v, GOL_PANEL_ROWS, n_blocks, bits);
    for (size_t n_rows = 1; n_rows < GOL_PANEL_ROWS; n_rows++)
        check_unpack_stretch(ck, v, n_rows, GOL_STRETCH_BLOCKS, false);
}

/* Bytes are GFLOP/s here: as many as operations, all tokens of a full tile on a full stretch. */
static size_t bench_core(checker *ck, const version *v)
{
    static gol_f32_tile t;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        float *x = guarded_floats((size_t)GOL_STRETCH_INPUTS * GOL_F32_TILE);
        float *w = guarded_floats((size_t)GOL_STRETCH_INPUTS * GOL_PANEL_ROWS);
        float *acc = fenced_floats((size_t)GOL_F32_TILE * GOL_PANEL_ROWS);
        fill(ck, x, (size_t)GOL_STRETCH_INPUTS * GOL_F32_TILE, 0);
        fill(ck, w, (size_t)GOL_STRETCH_INPUTS * GOL_PANEL_ROWS, 0);
        memset(acc, 0, sizeof *acc * GOL_F32_TILE * GOL_PANEL_ROWS);
        t = (gol_f32_tile){acc, x, w, GOL_STRETCH_INPUTS, GOL_F32_TILE, NULL};
    }
    ((gol_f32_core_fn *)v->fn)(&t);
    return (size_t)2 * GOL_STRETCH_INPUTS * GOL_PANEL_ROWS * GOL_F32_TILE;
}

static size_t bench_one(checker *ck, const version *v)
{
    static gol_stretch s;
    static float *x;
    static float *acc;
    static const version *made_for;
    const size_t row_bytes = GOL_STRETCH_INPUTS * sizeof(uint16_t);
    if (made_for != v) {
        made_for = v;
        uint8_t *data = guarded(GOL_PANEL_ROWS * row_bytes);
        random_blocks(&ck->rng, (gol_type)v->index, data,
                      (size_t)GOL_PANEL_ROWS * GOL_STRETCH_INPUTS);
        x = guarded_floats(GOL_STRETCH_INPUTS);
        acc = fenced_floats(GOL_PANEL_ROWS);
        fill(ck, x, GOL_STRETCH_INPUTS, 0);
        memset(acc, 0, GOL_PANEL_ROWS * sizeof *acc);
        s = (gol_stretch){data, row_bytes, GOL_PANEL_ROWS, GOL_STRETCH_BLOCKS, GOL_STRETCH_INPUTS};
    }
    ((gol_f32_one_fn *)v->fn)(acc, x, &s);
    return GOL_PANEL_ROWS * row_bytes;
}

static size_t bench_pack(checker *ck, const version *v)
{
    enum { N_IN = 1024 };
    static gol_pack_x p;
    static float *dst;
    static const version *made_for;
    if (made_for != v) {
        made_for = v;
        float *x = guarded_floats((size_t)N_IN * GOL_F32_TILE);
        fill(ck, x, (size_t)N_IN * GOL_F32_TILE, 0);
        dst = fenced_floats((size_t)N_IN * GOL_F32_TILE);
        p = (gol_pack_x){x, N_IN, N_IN, GOL_F32_TILE, 0, N_IN / GOL_BLOCK_INPUTS};
    }
    ((gol_pack_x_f32_fn *)v->fn)(dst, &p);
    return (size_t)2 * N_IN * GOL_F32_TILE * sizeof(float);
}

static size_t bench_unpack(checker *ck, const version *v)
{
    static gol_stretch s;
    static float *store;
    static const version *made_for;
    const gol_type_info *info = gol_type_get((gol_type)v->index);
    const size_t row_bytes = GOL_STRETCH_INPUTS / (size_t)info->block_size * info->type_size;
    if (made_for != v) {
        made_for = v;
        /* a packed stretch has as many bytes as its rows */
        uint8_t *data = guarded(GOL_PANEL_ROWS * row_bytes);
        random_blocks(&ck->rng, (gol_type)v->index, data,
                      (size_t)GOL_PANEL_ROWS * GOL_STRETCH_INPUTS);
        store = fenced_floats((size_t)GOL_STRETCH_INPUTS * GOL_PANEL_ROWS);
        s = (gol_stretch){data, row_bytes, GOL_PANEL_ROWS, GOL_STRETCH_BLOCKS, GOL_STRETCH_INPUTS};
    }
    ((gol_unpack_f32_fn *)v->fn)(store, &s);
    return GOL_PANEL_ROWS * row_bytes;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
const family family_f32_core = {"f32_core", core_versions, COUNT(core_versions), check_core,
                                bench_core};
const family family_f32_one = {"f32_one", one_versions, COUNT(one_versions), check_one, bench_one};
const family family_pack_x_f32 = {"pack_x_f32", pack_versions, COUNT(pack_versions), check_pack,
                                  bench_pack};
const family family_unpack_f32 = {"unpack_f32", unpack_versions, COUNT(unpack_versions),
                                  check_unpack, bench_unpack};
