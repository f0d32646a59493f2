/*
 * Command-R7B, Command-A: Command-R's block. Three of four layers have a sliding window and rotate q and k, the others see everything and
 * no positions.
 */
#include "model/arch.h"

static int read_cohere2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    enum { WINDOW_PERIOD = 4 };
    config->norm_kind = GOL_NORM_LAYER;
    config->rope.kind = GOL_ROPE_NORM;
    config->is_parallel = true;
    int32_t window = 0; /* that of each layer is read below */
    int rc = gol_config_require_u32(config, file, "attention.sliding_window", 1, GOL_CTX_MAX,
                                    &window, err);
    if (rc >= 0)
        rc = gol_config_read_windows(config, file, WINDOW_PERIOD, err);
    if (rc < 0)
        return rc;
    for (int32_t i = 0; i < config->n_layers; i++)
        if (config->layers[i].window == 0)
            config->layers[i].rope = GOL_LAYER_ROPE_NONE;
    rc = gol_config_f32(config, file, "logit_scale", 1e-6f, 1e6f, &config->logit_scale, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_cohere2 = {"cohere2", read_cohere2};
