/*
 * Llama 1 to 3, and everything that is stored as one: Mistral 7B, SmolLM2, TinyLlama, Mixtral. RMS norms, rotation of adjacent pairs, SiLU
 * gate; biases where the file has them. Llama 3 stretches its rotation by the factors in rope_freqs.weight.
 */
#include "model/arch.h"

static int read_llama(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->rope.kind = GOL_ROPE_NORM;
    int rc = gol_config_read_windows(config, file, 0, err);
    if (rc >= 0)
        rc = gol_config_read_moe(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_llama = {"llama", read_llama};
