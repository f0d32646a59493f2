/*
 * Activations and other elementwise work with AVX2 and FMA, eight floats at a time. The end of a run goes through the same
 * instructions under a mask: a number's result does not depend on where in the run it stands.
 */
#include "backend/cpu/kernels/kernels.h"

#include <immintrin.h>

#include "backend/cpu/kernels/gelu.h"
#include "backend/cpu/kernels/x86/vec_math_avx2.h"

enum { WIDTH = 8 };

typedef __m256 vector_fn(__m256 x);

/* All bits of the first n lanes. */
static inline __m256i tail_mask(size_t n)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes);
}

static inline __m256 silu(__m256 x)
{
    const __m256 minus_x = _mm256_xor_ps(x, _mm256_set1_ps(-0.0f));
    return _mm256_div_ps(x, _mm256_add_ps(gol_exp_avx2(minus_x), _mm256_set1_ps(1.0f)));
}

static inline __m256 round_to_half(__m256 x)
{
    return _mm256_cvtph_ps(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline __m256 gelu(__m256 x)
{
    const __m256 h = round_to_half(x);
    const __m256 cube = _mm256_mul_ps(_mm256_mul_ps(h, h), h);
    const __m256 inner = _mm256_fmadd_ps(cube, _mm256_set1_ps(GOL_GELU_CUBE), h);
    const __m256 e = gol_exp_avx2(_mm256_mul_ps(inner, _mm256_set1_ps(GOL_GELU_FACTOR)));
    const __m256 y = round_to_half(_mm256_div_ps(h, _mm256_add_ps(e, _mm256_set1_ps(1.0f))));
    const __m256 end = _mm256_set1_ps(GOL_GELU_END);
    const __m256 is_large = _mm256_cmp_ps(x, end, _CMP_GE_OQ);
    const __m256 is_small = _mm256_cmp_ps(x, _mm256_sub_ps(_mm256_setzero_ps(), end), _CMP_LE_OQ);
    return _mm256_andnot_ps(is_small, _mm256_blendv_ps(y, x, is_large));
}

static inline __m256 gelu_erf(__m256 x)
{
    const __m256 e = gol_erf_avx2(_mm256_mul_ps(x, _mm256_set1_ps(GOL_SQRT_HALF)));
    return _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(0.5f)),
                         _mm256_add_ps(e, _mm256_set1_ps(1.0f)));
}

/* A NaN stays one: max() gives its second operand then. */
static inline __m256 relu(__m256 x)
{
    return _mm256_max_ps(_mm256_setzero_ps(), x);
}

static inline __m256 softcap(__m256 x, __m256 cap)
{
    return _mm256_mul_ps(gol_tanh_avx2(_mm256_div_ps(x, cap)), cap);
}

static inline void activate(float *out, const float *x, size_t n, vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm256_storeu_ps(out + i, f(_mm256_loadu_ps(x + i)));
    const __m256i tail = tail_mask(n - i);
    if (i < n)
        _mm256_maskstore_ps(out + i, tail, f(_mm256_maskload_ps(x + i, tail)));
}

static inline void activate_gate(float *out, const float *gate, const float *up, size_t n,
                                 vector_fn *f)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm256_storeu_ps(out + i,
                         _mm256_mul_ps(f(_mm256_loadu_ps(gate + i)), _mm256_loadu_ps(up + i)));
    const __m256i tail = tail_mask(n - i);
    if (i < n)
        _mm256_maskstore_ps(
            out + i, tail,
            _mm256_mul_ps(f(_mm256_maskload_ps(gate + i, tail)), _mm256_maskload_ps(up + i, tail)));
}

void gol_silu_f32_avx2(float *out, const float *x, size_t n)
{
    activate(out, x, n, silu);
}

void gol_gelu_f32_avx2(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu);
}

void gol_gelu_erf_f32_avx2(float *out, const float *x, size_t n)
{
    activate(out, x, n, gelu_erf);
}

void gol_relu_f32_avx2(float *out, const float *x, size_t n)
{
    activate(out, x, n, relu);
}

void gol_silu_glu_f32_avx2(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, silu);
}

void gol_gelu_glu_f32_avx2(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu);
}

void gol_gelu_erf_glu_f32_avx2(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, gelu_erf);
}

void gol_relu_glu_f32_avx2(float *out, const float *gate, const float *up, size_t n)
{
    activate_gate(out, gate, up, n, relu);
}

void gol_add_f32_avx2(float *out, const float *a, const float *b, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
    for (; i < n; i++)
        out[i] = a[i] + b[i];
}

void gol_scale_f32_avx2(float *out, const float *x, float factor, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor)));
    for (; i < n; i++)
        out[i] = x[i] * factor;
}

void gol_softcap_f32_avx2(float *out, const float *x, float cap, size_t n)
{
    const __m256 c = _mm256_set1_ps(cap);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        _mm256_storeu_ps(out + i, softcap(_mm256_loadu_ps(x + i), c));
    const __m256i tail = tail_mask(n - i);
    if (i < n)
        _mm256_maskstore_ps(out + i, tail, softcap(_mm256_maskload_ps(x + i, tail), c));
}
