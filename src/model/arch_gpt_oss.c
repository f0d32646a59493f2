/*
 * gpt-oss (20B, 120B): attention with a sink per head, a window in every other layer from the first on, rotation stretched by
 * YaRN; experts with a clamped gate whose weights are a softmax over the chosen ones; biases everywhere. What other files call
 * ffn_norm is post_attention_norm here.
 */
#include "model/arch.h"

enum { WINDOW_PERIOD = 2 };

static int read_gpt_oss(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->has_sinks = true;
    config->has_odd_ffn_norm = true;
    config->act = GOL_ACT_SWIGLU_CLAMPED;
    config->moe.gating = GOL_GATING_SOFTMAX_TOP;
    config->moe.norm_weights = false;
    int rc = gol_config_read_windows(config, file, WINDOW_PERIOD, err);
    if (rc >= 0)
        rc = gol_config_read_moe(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gpt_oss = {"gpt-oss", read_gpt_oss};
