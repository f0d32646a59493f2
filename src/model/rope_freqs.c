/*
 * Inverse frequencies b^(-2i/d), stretched in one of two ways:
 *
 *  - linear (Chen et al., "Extending Context Window via Positional Interpolation", 2023): all divided by the factor;
 *  - YaRN (Peng, Quesnelle, Fan, Shippole, "YaRN: Efficient Context Window Extension", 2023, section 3): pairs that turn more
 *    than beta_fast times in the original context stay, those that turn less than beta_slow times are divided by the factor,
 *    those between are blended along a ramp; and cos and sin grow by 0.1 ln(factor) + 1 (equation 22 folded into the rotation).
 *
 * Details that the papers leave open (rounding of the ramp's ends outwards, the blend by ext_factor) follow llama.cpp, whose
 * files we read; gpt-oss's authors do not round, and a folder's files say so (rope.scaling.yarn_truncate).
 */
#include "model/rope_freqs.h"

#include <math.h>

static const double two_pi = 6.28318530717958647692;

/* The pair (as a fractional number) that turns n_turns times in the original context. */
static double find_pair(const gol_rope_config *rope, double n_turns)
{
    return (double)rope->n_rot * log((double)rope->n_ctx_orig / (n_turns * two_pi)) /
           (2.0 * log((double)rope->freq_base));
}

/* 1: the pair keeps its frequency; 0: it is divided by the factor. */
static double ramp(double pair, double first, double last)
{
    const double width = last - first > 0.001 ? last - first : 0.001;
    const double at = (pair - first) / width;
    return 1.0 - (at < 0.0 ? 0.0 : at > 1.0 ? 1.0 : at);
}

void gol_rope_freqs_fill(float *inv_freq, const gol_rope_config *rope, const float *factors)
{
    const int32_t n_pairs = rope->n_rot / 2;
    const double fast = find_pair(rope, (double)rope->yarn_beta_fast);
    const double slow = find_pair(rope, (double)rope->yarn_beta_slow);
    const double first = fmax(0.0, rope->yarn_has_fractions ? fast : floor(fast));
    const double last = fmin((double)rope->n_rot - 1.0,
                             rope->yarn_has_fractions ? slow : ceil(slow));
    for (int32_t i = 0; i < n_pairs; i++) {
        double freq = pow((double)rope->freq_base, -2.0 * (double)i / (double)rope->n_rot);
        if (factors)
            freq /= (double)factors[i];
        const double stretched = freq / (double)rope->factor;
        if (rope->scaling == GOL_ROPE_SCALING_LINEAR) {
            freq = stretched;
        } else if (rope->scaling == GOL_ROPE_SCALING_YARN) {
            const double keep = ramp((double)i, first, last) * (double)rope->yarn_ext_factor;
            freq = stretched * (1.0 - keep) + freq * keep;
        }
        inv_freq[i] = (float)freq;
    }
}

float gol_rope_freqs_scale(const gol_rope_config *rope)
{
    if (rope->scaling == GOL_ROPE_SCALING_YARN && rope->yarn_ext_factor != 0.0f)
        return rope->attn_factor * (1.0f + 0.1f * logf(rope->factor));
    return rope->attn_factor;
}
