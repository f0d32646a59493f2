/*
 * Qwen1.5 and Qwen2 with experts (A2.7B, 57B-A14B): the experts' weights are a softmax over all and are not brought to a sum of
 * 1; a shared expert sees every token, through a gate.
 */
#include "model/arch.h"

static int read_qwen2moe(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->moe.norm_weights = false;
    config->moe.n_ff_shexp = config->layers[0].n_ff; /* of files that do not say it */
    int rc = gol_config_read_moe(config, file, err);
    if (rc >= 0)
        rc = gol_config_read_written_windows(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_qwen2moe = {"qwen2moe", read_qwen2moe};
