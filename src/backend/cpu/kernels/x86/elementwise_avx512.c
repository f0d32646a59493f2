/*
 * Activations and other elementwise work with AVX-512, sixteen floats at a time. The end of a run goes through the same
 * instructions under a mask: a number's result does not depend on where in the run it stands.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/gelu.h"
#include "backend/cpu/kernels/x86/vec_math_avx512.h"

enum { WIDTH = 16 };

typedef __m512 vector_fn(__m512 x);

static inline __mmask16 tail_mask(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

static inline __m512 silu(__m512 x)
{
    const __m512 minus_x = _mm512_xor_ps(x, _mm512_set1_ps(-0.0f));
    return _mm512_div_ps(x, _mm512_add_ps(gol_exp_avx512(minus_x), _mm512_set1_ps(1.0f)));
}

static inline __m512 round_to_half(__m512 x)
{
    return _mm512_cvtph_ps(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline __m512 gelu(__m512 x)
{
    const __m512 h = round_to_half(x);
    const __m512 cube = _mm512_mul_ps(_mm512_mul_ps(h, h), h);
    const __m512 inner = _mm512_fmadd_ps(cube, _mm512_set1_ps(GOL_GELU_CUBE), h);
    const __m512 e = gol_exp_avx512(_mm512_mul_ps(inner, _mm512_set1_ps(GOL_GELU_FACTOR)));
    const __m512 y = round_to_half(_mm512_div_ps(h, _mm512_add_ps(e, _mm512_set1_ps(1.0f))));
    const __m512 end = _mm512_set1_ps(GOL_GELU_END);
    const __mmask16 is_large = _mm512_cmp_ps_mask(x, end, _CMP_GE_OQ);
    const __mmask16 is_small = _mm512_cmp_ps_mask(x, _mm512_sub_ps(_mm512_setzero_ps(), end),
                                                  _CMP_LE_OQ);
    return _mm512_mask_mov_ps(_mm512_mask_mov_ps(y, is_large, x), is_small, _mm512_setzero_ps());
}

static inline __m512 gelu_erf(__m512 x)
{
    const __m512 e = gol_erf_avx512(_mm512_mul_ps(x, _mm512_set1_ps(GOL_SQRT_HALF)));
    return _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.5f)),
                         _mm512_add_ps(e, _mm512_set1_ps(1.0f)));
}

/* A NaN stays one: max() gives its second operand then. */
static inline __m512 relu(__m512 x)
{
    return _mm512_max_ps(_mm512_setzero_ps(), x);
}

static inline __m512 softcap(__m512 x, __m512 cap)
{
    return _mm512_mul_ps(gol_tanh_avx512(_mm512_div_ps(x, cap)), cap);
}

static inline void activate(float *out, const float *x, size_t n, vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm512_storeu_ps(out + i, f(_mm512_loadu_ps(x + i)));
    const __mmask16 tail = tail_mask(n - i);
    if (tail)
        _mm512_mask_storeu_ps(out + i, tail, f(_mm512_maskz_loadu_ps(tail, x + i)));
}

static inline void activate_gate(float *out, const float *gate, const float *up, size_t n,
                                 vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm512_storeu_ps(out + i,
                         _mm512_mul_ps(f(_mm512_loadu_ps(gate + i)), _mm512_loadu_ps(up + i)));
    const __mmask16 tail = tail_mask(n - i);
    if (tail)
        _mm512_mask_storeu_ps(out + i, tail,
                              _mm512_mul_ps(f(_mm512_maskz_loadu_ps(tail, gate + i)),
                                            _mm512_maskz_loadu_ps(tail, up + i)));
}

void gol_silu_f32_avx512(float *out, const float *x, size_t n)
{
    activate(out, x, n, silu);
}

void gol_gelu_f32_avx512(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu);
}

void gol_gelu_erf_f32_avx512(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu_erf);
}

void gol_relu_f32_avx512(float *out, const float *x, size_t n)
{
    activate(out, x, n, relu);
}

void gol_silu_glu_f32_avx512(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, silu);
}

void gol_gelu_glu_f32_avx512(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu);
}

void gol_gelu_erf_glu_f32_avx512(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu_erf);
}

void gol_relu_glu_f32_avx512(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, relu);
}

void gol_add_f32_avx512(float *out, const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm512_storeu_ps(out + i, _mm512_add_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)));
    for (; i < n; i++)
        out[i] = a[i] + b[i];
}

void gol_scale_f32_avx512(float *out, const float *x, float factor, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm512_storeu_ps(out + i, _mm512_mul_ps(_mm512_loadu_ps(x + i), _mm512_set1_ps(factor)));
    for (; i < n; i++)
        out[i] = x[i] * factor;
}

void gol_softcap_f32_avx512(float *out, const float *x, float cap, size_t n)
{
    const __m512 c = _mm512_set1_ps(cap);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm512_storeu_ps(out + i, softcap(_mm512_loadu_ps(x + i), c));
    const __mmask16 tail = tail_mask(n - i);
    if (tail)
        _mm512_mask_storeu_ps(out + i, tail, softcap(_mm512_maskz_loadu_ps(tail, x + i), c));
}
