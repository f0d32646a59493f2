/*
 * GPT-2: a learned table of positions instead of rotation, layer norms, one fused projection for q, k and v, plain GELU.
 */
#include "model/arch.h"

static int read_gpt2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->act = GOL_ACT_GELU;
    config->is_gated = false;
    config->has_fused_qkv = true;
    config->rope.kind = GOL_ROPE_NONE;
    config->n_positions = config->n_ctx_train;
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gpt2 = {"gpt2", read_gpt2};
