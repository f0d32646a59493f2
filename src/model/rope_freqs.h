/* The table of inverse frequencies of the rotary embedding, with context stretching applied. */
#ifndef GOL_MODEL_ROPE_FREQS_H
#define GOL_MODEL_ROPE_FREQS_H

#include "model/config.h"

/* inv_freq[n_rot / 2]: angle of pair i at position p is p * inv_freq[i]. factors[n_rot / 2] divide the frequencies one by one
 * (Llama 3's rope_freqs.weight) or NULL. */
void gol_rope_freqs_fill(float *inv_freq, const gol_rope_config *rope, const float *factors);

/* What cos and sin are multiplied by. */
float gol_rope_freqs_scale(const gol_rope_config *rope);

#endif
