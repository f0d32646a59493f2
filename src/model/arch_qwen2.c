/*
 * Qwen2 and Qwen2.5: Llama's block with rotation of halves and biases of q, k and v.
 */
#include "model/arch.h"

static int read_qwen2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    const int rc = gol_config_read_written_windows(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_qwen2 = {"qwen2", read_qwen2};
