/*
 * Granite 4.0 H: Granite's block, in which most layers have Mamba2 in attention's place: those whose attention.head_count_kv is 0. Larger
 * ones have experts in every layer.
 */
#include "model/arch.h"

static int read_granitehybrid(gol_config *config, const gol_model_file *file, gol_err *err)
{
    for (int32_t i = 0; i < config->n_layers; i++)
        if (config->layers[i].n_kv_heads == 0)
            config->layers[i].kind = GOL_LAYER_MAMBA2;
    const int rc = gol_config_read_moe(config, file, err);
    return rc < 0 ? rc : gol_arch_read_granite(config, file, err);
}

const gol_arch gol_arch_granitehybrid = {"granitehybrid", read_granitehybrid};
