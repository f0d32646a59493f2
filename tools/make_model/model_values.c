/*
 * Values of a made model. Every one is a function of (seed, tensor, element) alone, so chunks can be made in any order
 * and by any thread.
 */
#include "make_model/model_plan.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "quant/blocks.h"
#include "quant/half.h"
#include "quant/quantize.h"

static float sum_of_four(uint32_t a, uint32_t b)
{
    return (float)((a & 0xffff) + (a >> 16) + (b & 0xffff) + (b >> 16));
}

/* x[n] = elements first .. first + n - 1 of tensor `stream`, first even. The sum of four uniform numbers is
 * close enough to a normal one for weights (no farther than 3.46 deviations out) and needs no logarithm, hence
 * the same bits everywhere. */
static void fill_random(float *x, size_t n, uint64_t first, uint32_t stream, uint64_t seed,
                        const plan_tensor *t)
{
    const float sum_mean = 4 * 65535 / 2.0f;
    const float sum_deviation = 37837.227f; /* sqrt(4 * (65536^2 - 1) / 12) */
    const float scale = t->deviation / sum_deviation;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < n; i += 2) {
        const uint64_t pair = (first + i) / 2;
        const uint32_t counter[4] = {(uint32_t)pair, (uint32_t)(pair >> 32), stream, 0};
        uint32_t bits[4];
        gol_rng_philox(bits, counter, key);
        x[i] = t->mean + (sum_of_four(bits[0], bits[1]) - sum_mean) * scale;
        if (i + 1 < n)
            x[i + 1] = t->mean + (sum_of_four(bits[2], bits[3]) - sum_mean) * scale;
    }
}

/* Divisors of Llama 3's rope frequencies (Meta's reference: low_freq_factor 1, high_freq_factor 4, 8192
 * original positions): wavelengths beyond the original context are stretched by the factor, short ones stay, a
 * ramp between. */
static void fill_rope_freqs(float *x, size_t n, const make_model_shape *s)
{
    const double original = 8192;
    const double pi = 3.14159265358979323846;
    for (size_t i = 0; i < n; i++) {
        const double frequency = pow((double)s->rope_base, -(double)i / (double)n);
        const double turns = original * frequency / (2 * pi); /* in the original context */
        const double ramp = fmin(fmax((turns - 1) / (4 - 1), 0), 1);
        x[i] = (float)(1 / ((1 - ramp) / (double)s->rope_factor + ramp));
    }
}

/* d of a block whose type has it in binary16 in front; of IQ1_M, which spreads it over four nibbles. */
static void set_scale(uint8_t *block, gol_type type, float d)
{
    const uint16_t h = gol_f32_to_f16(d);
    if (type != GOL_TYPE_IQ1_M) {
        memcpy(block, &h, sizeof h);
        return;
    }
    uint8_t *scales = block + offsetof(gol_block_iq1_m, scales);
    for (int i = 0; i < 4; i++)
        scales[2 * i + 1] = (uint8_t)((scales[2 * i + 1] & 15) | (h >> 4 * i & 15) << 4);
}

/* Blocks of the codebook types: random codes, and the scale that gives them the tensor's deviation. */
static void fill_blocks(uint8_t *y, float *values, size_t n, uint64_t first, uint32_t stream,
                        uint64_t seed, const plan_tensor *t)
{
    const gol_type_info *info = gol_type_get(t->tensor.type);
    const size_t block_size = (size_t)info->block_size;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t at = 0; at < n; at += block_size, y += info->type_size) {
        for (size_t k = 0; k < info->type_size; k += 16) {
            const uint64_t place = (first + at) / block_size * 16 + k / 16;
            const uint32_t counter[4] = {(uint32_t)place, (uint32_t)(place >> 32), stream, 1};
            uint32_t bits[4];
            gol_rng_philox(bits, counter, key);
            memcpy(y + k, bits, info->type_size - k < 16 ? info->type_size - k : 16);
        }
        set_scale(y, t->tensor.type, 1.0f);
        info->dequant(values, y, block_size);
        double power = 0;
        for (size_t i = 0; i < block_size; i++)
            power += (double)values[i] * (double)values[i];
        set_scale(y, t->tensor.type, t->deviation / (float)sqrt(power / (double)block_size));
    }
}

static bool is_by_codebook(gol_type type)
{
    return (type >= GOL_TYPE_IQ2_XXS && type <= GOL_TYPE_IQ1_S) || type == GOL_TYPE_IQ3_S ||
           type == GOL_TYPE_IQ2_S || type == GOL_TYPE_IQ1_M;
}

bool make_model_can_write(gol_type type)
{
    return gol_can_quantize(type) || is_by_codebook(type);
}

int make_model_fill(void *y, float *values, size_t n, uint64_t first, uint32_t stream,
                    const make_model_options *options, const plan_tensor *t, gol_err *err)
{
    assert(make_model_can_write(t->tensor.type));
    if (!gol_can_quantize(t->tensor.type)) {
        fill_blocks(y, values, n, first, stream, options->seed, t);
        return 0;
    }
    if (t->is_rope_freqs)
        fill_rope_freqs(values, n, options->shape);
    else
        fill_random(values, n, first, stream, options->seed, t);
    return gol_quantize_row(y, t->tensor.type, values, n, err);
}
