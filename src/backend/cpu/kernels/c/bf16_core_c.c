/*
 * The bfloat16 core and its activations in plain C: what VDPBF16PS and VCVTNE2PS2BF16 do, bit for bit. No level chooses it for a
 * product, since float32 is faster where these instructions are missing: it is what the other versions are checked against.
 */
#include "backend/cpu/kernels/kernels.h"

#include <float.h>
#include <math.h>

#include "quant/half.h"

/* Numbers below FLT_MIN are zeros of their sign. */
static float flush(float f)
{
    return fabsf(f) < FLT_MIN ? copysignf(0.0f, f) : f;
}

/* w * x + acc, rounded once. Whether the result is too small is asked of its value with 24 bits and any exponent: around FLT_MIN
 * the sum in double is exact, or far from every tie, and 2^64 times as much is a normal float32. */
static float add_product(float acc, float w, float x)
{
    const double sum = (double)w * (double)x + (double)acc;
    const float result = fmaf(w, x, acc);
    const bool is_small = fabs(sum) < 2.0 * (double)FLT_MIN &&
                          fabsf((float)(sum * 0x1p64)) < FLT_MIN * 0x1p64f;
    return is_small ? copysignf(0.0f, result) : result;
}

static float upper(uint32_t pair)
{
    return flush(gol_bf16_to_f32((uint16_t)(pair >> 16)));
}

static float lower(uint32_t pair)
{
    return flush(gol_bf16_to_f32((uint16_t)(pair & 0xffffu)));
}

/* All pairs of inputs of a panel's rows, in memory as on the file's byte order, with one token. */
static void add_token(float *acc, const gol_bf16_tile *t, const uint32_t *w, size_t token)
{
    for (size_t pair = 0; pair < t->n_in / 2; pair++) {
        const uint32_t x = t->x[pair * t->n_tokens + token];
        for (size_t r = 0; r < GOL_PANEL_ROWS; r++) {
            const uint32_t two = w[pair * GOL_PANEL_ROWS + r];
            const float sum = add_product(flush(acc[r]), upper(two), upper(x));
            acc[r] = add_product(sum, lower(two), lower(x));
        }
    }
}

void gol_bf16_core_c(const gol_bf16_tile *t)
{
    for (size_t p = 0; p < t->n_panels; p++)
        for (size_t k = 0; k < t->n_tokens; k++)
            add_token(t->acc + p * t->acc_stride + k * GOL_PANEL_ROWS, t,
                      (const uint32_t *)(const void *)(t->w + p * t->w_stride), k);
}

static uint32_t narrow(const gol_pack_x *p, size_t token, size_t i)
{
    return i < p->n_in ? gol_f32_to_bf16(flush(p->x[token * p->x_stride + i])) : 0;
}

void gol_pack_x_bf16_c(uint32_t *dst, const gol_pack_x *p)
{
    for (size_t i = p->begin * GOL_BLOCK_INPUTS; i < p->end * GOL_BLOCK_INPUTS; i += 2)
        for (size_t t = 0; t < p->n_tokens; t++)
            dst[i / 2 * p->n_tokens + t] = narrow(p, t, i) | narrow(p, t, i + 1) << 16;
}
