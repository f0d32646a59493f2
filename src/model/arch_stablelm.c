/*
 * StableLM: layer norms, SiLU gate, a part of each head rotated. The 12B model norms each head of q and k with weights of its own
 * and has no ffn_norm: its attention and feed-forward read the same norm, in parallel.
 */
#include "model/arch.h"

static int read_stablelm(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    if (gol_config_has_tensor(config, file, "attn_q_norm.weight"))
        config->qk_norm = GOL_QK_NORM_EACH;
    config->is_parallel = !gol_config_has_tensor(config, file, "ffn_norm.weight");
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_stablelm = {"stablelm", read_stablelm};
