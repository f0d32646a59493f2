/*
 * Falcon: attention and feed-forward in parallel, layer norms, plain GELU, no biases. 7B has one key-value head and one norm for
 * both; 40B has groups of heads and a norm of attention's own, attn_norm_2.
 */
#include "model/arch.h"

static int read_falcon(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->act = GOL_ACT_GELU;
    config->is_gated = false;
    config->is_parallel = true;
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_falcon = {"falcon", read_falcon};
