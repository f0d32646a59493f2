/*
 * Command-R: one layer norm without bias, read by attention and feed-forward in parallel, tied embeddings, scaled logits. Command-R
 * plus norms each head of q and k with weights of its own.
 */
#include "model/arch.h"

static int read_command_r(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->rope.kind = GOL_ROPE_NORM;
    config->is_parallel = true;
    if (gol_config_has_tensor(config, file, "attn_q_norm.weight"))
        config->qk_norm = GOL_QK_NORM_EACH;
    const int rc = gol_config_f32(config, file, "logit_scale", 1e-6f, 1e6f, &config->logit_scale,
                                  err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_command_r = {"command-r", read_command_r};
