/*
 * SmolLM3: Llama's block, but every fourth layer sees no positions (NoPE).
 */
#include "model/arch.h"

static int read_smollm3(gol_config *config, const gol_model_file *file, gol_err *err)
{
    enum { NOPE_PERIOD = 4 };
    config->rope.kind = GOL_ROPE_NORM;
    for (int32_t i = NOPE_PERIOD - 1; i < config->n_layers; i += NOPE_PERIOD)
        config->layers[i].rope = GOL_LAYER_ROPE_NONE;
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_smollm3 = {"smollm3", read_smollm3};
