/*
 * Qwen3's mixtures (30B-A3B, 235B-A22B): Qwen3's attention, 128 experts of which a token uses 8 with weights that sum to 1.
 */
#include "model/arch.h"

static int read_qwen3moe(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->qk_norm = GOL_QK_NORM_HEAD;
    int rc = gol_config_read_moe(config, file, err);
    if (rc >= 0)
        rc = gol_config_read_written_windows(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_qwen3moe = {"qwen3moe", read_qwen3moe};
