/*
 * Llama 1 to 3, and everything that is stored as one: Mistral 7B, SmolLM2, TinyLlama. RMS norms, rotation of adjacent pairs, SiLU
 * gate; biases where the file has them. Llama 3 stretches its rotation by the factors in rope_freqs.weight.
 */
#include "model/arch.h"

static int read_llama(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_RMS;
    config->act = GOL_ACT_SILU;
    config->is_gated = true;
    config->rope.kind = GOL_ROPE_NORM;
    int32_t window = 0;
    const int rc = gol_config_u32(config, file, "attention.sliding_window", 0, GOL_CTX_MAX, &window,
                                  err);
    if (rc < 0)
        return rc;
    for (int32_t i = 0; i < config->n_layers; i++)
        config->layers[i].window = window;
    return gol_config_require_f32(config, file, "attention.layer_norm_rms_epsilon", 0.0f, 1.0f,
                                  &config->norm_eps, err);
}

const gol_arch gol_arch_llama = {"llama", read_llama};
