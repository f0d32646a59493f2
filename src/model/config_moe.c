/*
 * Reads the keys of mixtures of experts.
 */
#include "model/config_impl.h"

/* How files number the functions that make weights of the router's logits. */
static int read_gating(gol_config *config, const gol_model_file *file, gol_err *err)
{
    static const gol_gating gatings[] = {GOL_GATING_SOFTMAX, GOL_GATING_SIGMOID,
                                         GOL_GATING_SOFTMAX_TOP};
    enum { N = sizeof gatings / sizeof gatings[0] };
    int32_t number = 0; /* "not said" */
    const int rc = gol_config_u32(config, file, "expert_gating_func", 0, N, &number, err);
    if (rc == 1 && number > 0)
        config->moe.gating = gatings[number - 1];
    return rc;
}

static int read_weights(gol_config *config, const gol_model_file *file, gol_err *err)
{
    float scale = 0.0f;
    int rc = gol_config_f32(config, file, "expert_weights_scale", 0.0f, 1e6f, &scale, err);
    if (rc == 1 && scale > 0.0f) /* 0 says "none" */
        config->moe.weights_scale = scale;
    if (rc >= 0)
        rc = gol_config_bool(config, file, "expert_weights_norm", &config->moe.norm_weights, err);
    return rc;
}

int gol_config_read_moe(gol_config *config, const gol_model_file *file, gol_err *err)
{
    gol_moe_config *moe = &config->moe;
    int32_t n_dense = 0;
    int rc = gol_config_u32(config, file, "expert_count", 0, GOL_MOE_EXPERTS_MAX, &moe->n_experts,
                            err);
    if (rc < 0)
        return rc;
    if (moe->n_experts == 0) {
        moe->n_ff_shexp = 0;
        return 0;
    }
    const uint32_t used_max = moe->n_experts < GOL_MOE_USED_MAX ? (uint32_t)moe->n_experts
                                                                : GOL_MOE_USED_MAX;
    rc = gol_config_require_u32(config, file, "expert_used_count", 1, used_max, &moe->n_used, err);
    moe->n_ff_exp = config->layers[config->n_layers - 1].n_ff;
    if (rc >= 0)
        rc = gol_config_u32(config, file, "expert_feed_forward_length", 1, GOL_FF_MAX,
                            &moe->n_ff_exp, err);
    if (rc >= 0)
        rc = gol_config_u32(config, file, "expert_shared_feed_forward_length", 0, GOL_FF_MAX,
                            &moe->n_ff_shexp, err);
    if (rc >= 0)
        rc = read_gating(config, file, err);
    if (rc >= 0)
        rc = read_weights(config, file, err);
    if (rc >= 0)
        rc = gol_config_u32(config, file, "leading_dense_block_count", 0, GOL_LAYERS_MAX, &n_dense,
                            err);
    for (int32_t i = n_dense; i < config->n_layers && rc >= 0; i++) {
        config->layers[i].n_experts = moe->n_experts;
        config->layers[i].n_ff = 0;
    }
    if (rc >= 0 && moe->n_ff_exp < 1)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "key %s.expert_feed_forward_length is missing", config->arch);
    return rc < 0 ? rc : 0;
}
