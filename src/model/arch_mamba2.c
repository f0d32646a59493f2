/*
 * Mamba2 (Dao, Gu: "Transformers are SSMs", 2024) and Codestral Mamba: recurrent layers alone, without feed-forward, attention or
 * positions.
 */
#include "model/arch.h"

static int read_mamba2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->rope.kind = GOL_ROPE_NONE;
    for (int32_t i = 0; i < config->n_layers; i++)
        config->layers[i].kind = GOL_LAYER_MAMBA2;
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_mamba2 = {"mamba2", read_mamba2};
