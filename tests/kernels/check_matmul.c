/*
 * Matrix product: every weight type, shapes with ragged ends, weights of random blocks and of single repeated bytes.
 */
#include "kernels/check_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/kernels/lanes.h"
#include "support/random_blocks.h"

#define ROW(slot, kernel, level) VERSION_ROW(matmul, slot, kernel, level),
static const version versions[] = {GOL_KERN_MATMUL(ROW)};

typedef struct problem {
    gol_matmul_tile tile;
    uint8_t *w;
    float *x;
    float *bias;
} problem;

/* Sixteen partial sums of n products each round n / 16 times, then four times in the tree, once for the product, once for the
 * bias: that many units of 2^-24 of the sum of magnitudes bound the error (Higham, "Accuracy and Stability of Numerical
 * Algorithms", section 3.1), with one to spare. Versions that round activations need a bound of their own. */
static double error_factor(size_t n_in)
{
    return ((double)n_in / GOL_LANES + 8.0) * 0x1p-24;
}

static void make_problem(checker *ck, problem *p, gol_type type, size_t n_in, size_t n_rows,
                         size_t n_tokens, int pattern)
{
    size_t row_bytes = 0;
    gol_type_row_bytes(&row_bytes, type, n_in);
    p->w = guarded(row_bytes * n_rows);
    p->x = guarded_floats(n_in * n_tokens);
    p->bias = pattern % 2 ? guarded_floats(n_rows) : NULL;
    random_blocks(&ck->rng, type, p->w, n_in * n_rows);
    fill(ck, p->x, n_in * n_tokens, pattern);
    if (p->bias)
        fill(ck, p->bias, n_rows, 0);
    p->tile = (gol_matmul_tile){.out_stride = n_rows + 3,
                                .x = p->x,
                                .w = p->w,
                                .w_row_bytes = row_bytes,
                                .bias = p->bias,
                                .scratch = fenced_floats(n_in * GOL_MATMUL_ROWS),
                                .type = type,
                                .n_in = n_in,
                                .n_rows = n_rows,
                                .n_tokens = n_tokens};
    p->tile.out = fenced_floats((n_tokens - 1) * p->tile.out_stride + n_rows);
}

/* The largest weights a block can say: all bits set but for what would make a scale infinite. */
static void saturate(uint8_t *w, gol_type type, size_t n)
{
    const gol_type_info *info = gol_type_get(type);
    float values[256];
    uint8_t extreme[512];
    if (!info->is_quantized)
        return;
    memcpy(extreme, w, info->type_size);
    for (size_t j = 0; j < info->type_size;
         j++) { /* a byte is kept when it breaks the block's scales */
        const uint8_t old = extreme[j];
        extreme[j] = 0xff;
        info->dequant(values, extreme, (size_t)info->block_size);
        if (!random_block_is_usable(values, info->block_size))
            extreme[j] = old;
    }
    for (size_t i = 0; i < n / (size_t)info->block_size; i++)
        memcpy(w + i * info->type_size, extreme, info->type_size);
}

/* want[t][r] and the sum of magnitudes, by the definition. */
static void multiply_naively(const gol_matmul_tile *tile, double *want, double *bound)
{
    float *row = malloc(tile->n_in * sizeof *row);
    for (size_t r = 0; r < tile->n_rows; r++) {
        gol_type_get(tile->type)->dequant(row, tile->w + r * tile->w_row_bytes, tile->n_in);
        for (size_t t = 0; t < tile->n_tokens; t++) {
            double sum = tile->bias ? (double)tile->bias[r] : 0.0;
            double magnitude = fabs(sum);
            for (size_t i = 0; i < tile->n_in; i++) {
                const double product = (double)row[i] * (double)tile->x[t * tile->n_in + i];
                sum += product;
                magnitude += fabs(product);
            }
            want[t * tile->n_rows + r] = sum;
            bound[t * tile->n_rows + r] = magnitude * error_factor(tile->n_in) + 1e-37;
        }
    }
    free(row);
}

static void check_shape(checker *ck, const version *v, const version *c, size_t n_in, size_t n_rows,
                        size_t n_tokens, int pattern)
{
    problem p;
    make_problem(ck, &p, (gol_type)v->index, n_in, n_rows, n_tokens, pattern);
    if (pattern == N_PATTERNS - 1)
        saturate(p.w, p.tile.type, n_in * n_rows);
    double *want = malloc(n_tokens * n_rows * sizeof *want);
    double *bound = malloc(n_tokens * n_rows * sizeof *bound);
    multiply_naively(&p.tile, want, bound);
    if (c) {
        ((gol_matmul_fn *)c->fn)(&p.tile);
        for (size_t t = 0; t < n_tokens; t++)
            for (size_t r = 0; r < n_rows; r++)
                want[t * n_rows + r] = (double)p.tile.out[t * p.tile.out_stride + r];
    }
    ((gol_matmul_fn *)v->fn)(&p.tile);
    for (size_t t = 0; t < n_tokens; t++)
        compare(ck, "out", p.tile.out + t * p.tile.out_stride, want + t * n_rows,
                bound + t * n_rows, n_rows);
    /* What lies between the rows of the tile belongs to somebody else: still the NaN pattern of fenced(). */
    for (size_t t = 0; t + 1 < n_tokens; t++)
        for (size_t r = n_rows; r < p.tile.out_stride; r++)
            if (gol_f32_bits(p.tile.out[t * p.tile.out_stride + r]) != 0xffffffffu)
                fail_text(ck, "wrote between rows of the output");
    /* Rule 3 of backend.h: alone, the last token gets the same bits. */
    gol_matmul_tile last = p.tile;
    last.n_tokens = 1;
    last.x += (n_tokens - 1) * n_in;
    last.out = fenced_floats(n_rows);
    ((gol_matmul_fn *)v->fn)(&last);
    if (memcmp(last.out, p.tile.out + (n_tokens - 1) * p.tile.out_stride, n_rows * sizeof(float)) !=
        0)
        fail_text(ck, "a token alone gets other bits than among others");
    buffers_check(ck);
    buffers_free();
    free(want);
    free(bound);
}

static void check_matmul(checker *ck, const version *v, const version *c)
{
    const size_t block = (size_t)gol_type_get((gol_type)v->index)->block_size;
    static const size_t ragged[] = {1, 15, 16, 17, 100, 172};
    for (int pattern = 0; pattern < N_PATTERNS; pattern++) {
        for (size_t n_rows = 1; n_rows <= GOL_MATMUL_ROWS; n_rows++)
            check_shape(ck, v, c, block == 1 ? 64 : 2 * block, n_rows, 1 + n_rows % 3, pattern);
        check_shape(ck, v, c,
                    block * (block == 1    ? 512
                             : block == 32 ? 17
                                           : 3),
                    GOL_MATMUL_ROWS, 13, pattern);
        if (block == 1)
            for (size_t i = 0; i < sizeof ragged / sizeof ragged[0]; i++)
                check_shape(ck, v, c, ragged[i], 5, 3, pattern);
    }
}

static size_t bench_matmul(checker *ck, const version *v)
{
    static problem p;
    static const version *made_for;
    enum { N_IN = 4096, N_TOKENS = 1 };
    if (made_for != v) {
        make_problem(ck, &p, (gol_type)v->index, N_IN, GOL_MATMUL_ROWS, N_TOKENS, 0);
        made_for = v;
    }
    ((gol_matmul_fn *)v->fn)(&p.tile);
    return p.tile.w_row_bytes * GOL_MATMUL_ROWS +
           sizeof(float) * (N_IN * N_TOKENS + GOL_MATMUL_ROWS * N_TOKENS);
}

const family family_matmul = {"matmul", versions, sizeof versions / sizeof versions[0],
                              check_matmul, bench_matmul};
