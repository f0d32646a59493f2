/*
 * Qwen3: like Qwen2 without biases, each head of q and k normed by itself, heads wider than n_embd / n_heads.
 */
#include "model/arch.h"

static int read_qwen3(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->qk_norm = GOL_QK_NORM_HEAD;
    const int rc = gol_config_read_written_windows(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_qwen3 = {"qwen3", read_qwen3};
