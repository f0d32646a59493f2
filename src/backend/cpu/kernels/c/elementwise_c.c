/*
 * Activations and other elementwise work on one run of floats, in plain C.
 */
#include "backend/cpu/kernels/kernels.h"

#include "backend/cpu/kernels/gelu.h"
#include "backend/cpu/kernels/c/vec_math_c.h"

static inline float silu(float x)
{
    return x / (1.0f + gol_exp_c(-x));
}

/* The nearest binary16, of numbers below 65520 and NaNs; without branches, like everything in vec_math_c.h. */
static inline float round_to_half(float x)
{
    const uint32_t bits = gol_f32_bits(x);
    const int32_t magnitude = (int32_t)bits & INT32_MAX;
    /* ties to even: 13 bits are dropped */
    const uint32_t rounded = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
    /* subnormals of binary16 are multiples of 2^-24: no others are left beside 0.5 */
    const float small = copysignf((fabsf(x) + 0.5f) - 0.5f, x);
    const float y = gol_choose_c(magnitude < 0x38800000, small, gol_f32_from_bits(rounded));
    return gol_choose_c(magnitude > 0x7f800000, x, y);
}

static inline float gelu(float x)
{
    const int32_t bits = (int32_t)gol_f32_bits(x);
    const int32_t magnitude = bits & INT32_MAX;
    const uint32_t end = gol_f32_bits(GOL_GELU_END);
    const int is_beyond = (uint32_t)magnitude - end <= gol_f32_bits(INFINITY) - end; /* no NaN */
    const float h = round_to_half(x);
    const float inner = h + GOL_GELU_CUBE * (h * h * h);
    const float y = round_to_half(h / (1.0f + gol_exp_c(GOL_GELU_FACTOR * inner)));
    return gol_choose_c(is_beyond, gol_choose_c(bits < 0, 0.0f, x), y);
}

static inline float gelu_erf(float x)
{
    return 0.5f * x * (1.0f + gol_erf_c(x * GOL_SQRT_HALF));
}

/* A NaN stays one. */
static inline float relu(float x)
{
    return x < 0.0f ? 0.0f : x;
}

void gol_silu_f32_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = silu(x[i]);
}

void gol_gelu_f32_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gelu(x[i]);
}

void gol_gelu_erf_f32_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gelu_erf(x[i]);
}

void gol_relu_f32_c(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = relu(x[i]);
}

void gol_silu_glu_f32_c(float *out, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = silu(gate[i]) * up[i];
}

void gol_gelu_glu_f32_c(float *out, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gelu(gate[i]) * up[i];
}

void gol_gelu_erf_glu_f32_c(float *out, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gelu_erf(gate[i]) * up[i];
}

void gol_relu_glu_f32_c(float *out, const float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = relu(gate[i]) * up[i];
}

void gol_add_f32_c(float *out, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

void gol_scale_f32_c(float *out, const float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * factor;
}

void gol_softcap_f32_c(float *out, const float *x, float cap, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = cap * gol_tanh_c(x[i] / cap);
}
