/*
 * GPT-NeoX and Pythia: layer norms, biases everywhere, plain GELU, a part of each head rotated. Attention and feed-forward stand
 * beside each other, with a norm each, or one behind the other: a key says which.
 */
#include "model/arch.h"

static int read_gptneox(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->act = GOL_ACT_GELU;
    config->is_gated = false;
    config->is_parallel = true;
    const int rc = gol_config_bool(config, file, "use_parallel_residual", &config->is_parallel,
                                   err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gptneox = {"gptneox", read_gptneox};
