/*
 * Activations and other elementwise work on one run of floats, in plain C.
 */
#include "backend/cpu/kernels/kernels.h"

#include <math.h>

#include "quant/half.h"

static inline float silu(float x)
{
    return x / (1.0f + expf(-x));
}

/*
 * Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016), the tanh approximation: sqrt(2/pi) and 0.044715 are theirs.
 * Argument and result are rounded to binary16, as llama.cpp does (docs/decisions/0005): 2^-12 of the value, far less than a
 * binary16 KV cache costs. Beyond 10 the function is x or 0 to more digits than a float has.
 */
static inline float gelu(float x)
{
    if (x >= 10.0f)
        return x;
    if (x <= -10.0f)
        return 0.0f;
    const float h = gol_f16_to_f32(gol_f32_to_f16(x));
    const float y = 0.5f * h *
                    (1.0f + tanhf(0.79788456080286535588f * (h + 0.044715f * h * h * h)));
    return gol_f16_to_f32(gol_f32_to_f16(y));
}

static inline float gelu_erf(float x)
{
    return 0.5f * x * (1.0f + erff(x * 0.70710678118654752440f));
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
        out[i] = cap * tanhf(x[i] / cap);
}
