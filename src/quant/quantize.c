/*
 * The door of quantization: which types can be written, the check of the input, and the unquantized float
 * types. The block types are in the other files quantize_*.c.
 */
#include "quant/quantize.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>

#include "quant/half.h"
#include "quant/quantize_rows.h"

static void quantize_f32(void *y, const float *x, size_t n)
{
    memcpy(y, x, n * sizeof *x);
}

static void quantize_f16(void *y, const float *x, size_t n)
{
    uint8_t *to = y;
    for (size_t i = 0; i < n; i++) {
        const uint16_t h = gol_f32_to_f16(x[i]);
        memcpy(to + i * sizeof h, &h, sizeof h);
    }
}

static void quantize_bf16(void *y, const float *x, size_t n)
{
    uint8_t *to = y;
    for (size_t i = 0; i < n; i++) {
        const uint16_t h = gol_f32_to_bf16(x[i]);
        memcpy(to + i * sizeof h, &h, sizeof h);
    }
}

#define F16_MAX 65504.0f
/* What a reader multiplies stays finite: levels reach 12 times a power of two below the data's. */
#define MXFP4_MAX 0x1p120f

typedef struct quantizer {
    gol_quantize_blocks *quantize;
    /* Magnitudes up to here keep the scale (for unsigned codes: the range) within binary16. */
    float limit;
} quantizer;

static const quantizer quantizers[GOL_TYPE_N_IDS] = {
    [GOL_TYPE_F32] = {quantize_f32, FLT_MAX},
    [GOL_TYPE_F16] = {quantize_f16, F16_MAX},
    [GOL_TYPE_BF16] = {quantize_bf16, 0x1.fep127f},
    [GOL_TYPE_Q4_0] = {gol_quantize_q4_0, 8 * F16_MAX},
    [GOL_TYPE_Q4_1] = {gol_quantize_q4_1, F16_MAX},
    [GOL_TYPE_Q5_0] = {gol_quantize_q5_0, 16 * F16_MAX},
    [GOL_TYPE_Q5_1] = {gol_quantize_q5_1, F16_MAX},
    [GOL_TYPE_Q8_0] = {gol_quantize_q8_0, 127 * F16_MAX},
    [GOL_TYPE_Q2_K] = {gol_quantize_q2_k, F16_MAX},
    [GOL_TYPE_Q3_K] = {gol_quantize_q3_k, F16_MAX},
    [GOL_TYPE_Q4_K] = {gol_quantize_q4_k, F16_MAX},
    [GOL_TYPE_Q5_K] = {gol_quantize_q5_k, F16_MAX},
    [GOL_TYPE_Q6_K] = {gol_quantize_q6_k, F16_MAX},
    [GOL_TYPE_IQ4_NL] = {gol_quantize_iq4_nl, F16_MAX},
    [GOL_TYPE_IQ4_XS] = {gol_quantize_iq4_xs, F16_MAX},
    [GOL_TYPE_TQ1_0] = {gol_quantize_tq1_0, F16_MAX},
    [GOL_TYPE_TQ2_0] = {gol_quantize_tq2_0, F16_MAX},
    [GOL_TYPE_MXFP4] = {gol_quantize_mxfp4, MXFP4_MAX},
};

bool gol_can_quantize(gol_type type)
{
    return gol_type_find((uint32_t)type) && quantizers[type].quantize;
}

float gol_quantize_limit(gol_type type)
{
    assert(gol_can_quantize(type));
    return quantizers[type].limit;
}

size_t gol_quantize_find_bad(gol_type type, const float *x, size_t n)
{
    const float limit = gol_quantize_limit(type);
    for (size_t i = 0; i < n; i++) {
        if (!(fabsf(x[i]) <= limit))
            return i;
    }
    return n;
}

int gol_quantize_row(void *y, gol_type type, const float *x, size_t n, gol_err *err)
{
    const gol_type_info *info = gol_type_get(type);
    assert(n % (size_t)info->block_size == 0);
    const size_t bad = gol_quantize_find_bad(type, x, n);
    if (bad < n)
        return gol_fail(err, GOL_EINVAL, "element %zu is %g: %s holds finite values up to %g", bad,
                        (double)x[bad], info->name, (double)gol_quantize_limit(type));
    if (n > 0)
        quantizers[type].quantize(y, x, n);
    return 0;
}
