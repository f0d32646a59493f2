/*
 * Activations and other elementwise work with NEON, four floats at a time. The end of a run goes through the same instructions
 * in a buffer: a number's result does not depend on where in the run it stands.
 */
#include "backend/cpu/kernels/kernels.h"

#include <arm_neon.h>
#include <string.h>

#include "backend/cpu/kernels/gelu.h"
#include "backend/cpu/kernels/arm/vec_math_neon.h"

enum { WIDTH = 4 };

typedef float32x4_t vector_fn(float32x4_t x);

/* The first n lanes, zeros behind them. */
static inline float32x4_t load_tail(const float *x, size_t n)
{
    float lanes[WIDTH] = {0};
    memcpy(lanes, x, n * sizeof *x);
    return vld1q_f32(lanes);
}

static inline void store_tail(float *out, float32x4_t y, size_t n)
{
    float lanes[WIDTH];
    vst1q_f32(lanes, y);
    memcpy(out, lanes, n * sizeof *out);
}

static inline float32x4_t silu(float32x4_t x)
{
    return vdivq_f32(x, vaddq_f32(gol_exp_neon(vnegq_f32(x)), vdupq_n_f32(1.0f)));
}

static inline float32x4_t round_to_half(float32x4_t x)
{
    return vcvt_f32_f16(vcvt_f16_f32(x));
}

static inline float32x4_t gelu(float32x4_t x)
{
    const float32x4_t h = round_to_half(x);
    const float32x4_t cube = vmulq_f32(vmulq_f32(h, h), h);
    const float32x4_t inner = vfmaq_f32(h, cube, vdupq_n_f32(GOL_GELU_CUBE));
    const float32x4_t e = gol_exp_neon(vmulq_f32(inner, vdupq_n_f32(GOL_GELU_FACTOR)));
    const float32x4_t y = round_to_half(vdivq_f32(h, vaddq_f32(e, vdupq_n_f32(1.0f))));
    const uint32x4_t is_large = vcgeq_f32(x, vdupq_n_f32(GOL_GELU_END));
    const uint32x4_t is_small = vcleq_f32(x, vdupq_n_f32(-GOL_GELU_END));
    return vbslq_f32(is_small, vdupq_n_f32(0.0f), vbslq_f32(is_large, x, y));
}

static inline float32x4_t gelu_erf(float32x4_t x)
{
    const float32x4_t e = gol_erf_neon(vmulq_f32(x, vdupq_n_f32(GOL_SQRT_HALF)));
    return vmulq_f32(vmulq_f32(x, vdupq_n_f32(0.5f)), vaddq_f32(e, vdupq_n_f32(1.0f)));
}

/* A NaN stays one. */
static inline float32x4_t relu(float32x4_t x)
{
    return vbslq_f32(vcltq_f32(x, vdupq_n_f32(0.0f)), vdupq_n_f32(0.0f), x);
}

static inline float32x4_t softcap(float32x4_t x, float cap)
{
    const float32x4_t c = vdupq_n_f32(cap);
    return vmulq_f32(gol_tanh_neon(vdivq_f32(x, c)), c);
}

static inline void activate(float *out, const float *x, size_t n, vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(out + i, f(vld1q_f32(x + i)));
    if (i < n)
        store_tail(out + i, f(load_tail(x + i, n - i)), n - i);
}

static inline void activate_gate(float *out, const float *gate, const float *up, size_t n,
                                 vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(out + i, vmulq_f32(f(vld1q_f32(gate + i)), vld1q_f32(up + i)));
    if (i < n)
        store_tail(out + i, vmulq_f32(f(load_tail(gate + i, n - i)), load_tail(up + i, n - i)),
                   n - i);
}

void gol_silu_f32_neon(float *out, const float *x, size_t n)
{
    activate(out, x, n, silu);
}

void gol_gelu_f32_neon(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu);
}

void gol_gelu_erf_f32_neon(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu_erf);
}

void gol_relu_f32_neon(float *out, const float *x, size_t n)
{
    activate(out, x, n, relu);
}

void gol_silu_glu_f32_neon(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, silu);
}

void gol_gelu_glu_f32_neon(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu);
}

void gol_gelu_erf_glu_f32_neon(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu_erf);
}

void gol_relu_glu_f32_neon(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, relu);
}

void gol_add_f32_neon(float *out, const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(out + i, vaddq_f32(vld1q_f32(a + i), vld1q_f32(b + i)));
    for (; i < n; i++)
        out[i] = a[i] + b[i];
}

void gol_scale_f32_neon(float *out, const float *x, float factor, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(out + i, vmulq_n_f32(vld1q_f32(x + i), factor));
    for (; i < n; i++)
        out[i] = x[i] * factor;
}

void gol_softcap_f32_neon(float *out, const float *x, float cap, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(out + i, softcap(vld1q_f32(x + i), cap));
    if (i < n)
        store_tail(out + i, softcap(load_tail(x + i, n - i), cap), n - i);
}
