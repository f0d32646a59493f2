/*
 * StarCoder2: layer norms, biases everywhere, plain GELU, a sliding window in all layers where the file names one.
 */
#include "model/arch.h"

static int read_starcoder2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->act = GOL_ACT_GELU;
    config->is_gated = false;
    const int rc = gol_config_read_windows(config, file, 0, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_starcoder2 = {"starcoder2", read_starcoder2};
