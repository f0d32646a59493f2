/*
 * OLMoE (1B-7B): Llama's block with rotation of halves, q and k normed over their whole width, experts whose weights are a softmax over
 * all and are not brought to a sum of 1.
 */
#include "model/arch.h"

static int read_olmoe(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->qk_norm = GOL_QK_NORM_WIDTH;
    config->moe.norm_weights = false;
    const int rc = gol_config_read_moe(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_olmoe = {"olmoe", read_olmoe};
