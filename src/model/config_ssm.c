/*
 * Reads and checks the keys of Mamba2 layers.
 */
#include "model/config_impl.h"

int gol_config_read_ssm(gol_config *config, const gol_model_file *file, gol_err *err)
{
    gol_ssm_config *ssm = &config->ssm;
    const int rc = gol_config_u32(config, file, "ssm.conv_kernel", 2, GOL_SSM_CONV_MAX,
                                  &ssm->d_conv, err);
    if (rc <= 0)
        return rc;
    const struct {
        const char *suffix;
        uint32_t max;
        int32_t *out;
    } keys[] = {
        {"ssm.inner_size", GOL_SSM_INNER_MAX, &ssm->d_inner},
        {"ssm.state_size", GOL_SSM_STATE_MAX, &ssm->d_state},
        {"ssm.time_step_rank", GOL_HEADS_MAX, &ssm->n_heads},
        {"ssm.group_count", GOL_HEADS_MAX, &ssm->n_groups},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const int missing = gol_config_require_u32(config, file, keys[i].suffix, 1, keys[i].max,
                                                   keys[i].out, err);
        if (missing < 0)
            return missing;
    }
    if (ssm->d_inner % ssm->n_heads != 0 || ssm->n_heads % ssm->n_groups != 0)
        return gol_config_fail(
            file, err, GOL_EMODEL,
            "%s.ssm: inner_size %d, time_step_rank (heads) %d, group_count %d; each "
            "must be a multiple of the next",
            config->arch, ssm->d_inner, ssm->n_heads, ssm->n_groups);
    return 0;
}

int gol_config_check_ssm(gol_config *config, int32_t il, const gol_model_file *file, gol_err *err)
{
    gol_layer_config *l = &config->layers[il];
    if (config->ssm.d_conv == 0)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "layer %d is recurrent, and key %s.ssm.conv_kernel is missing", il,
                               config->arch);
    l->n_heads = 0;
    l->n_kv_heads = 0;
    return 0;
}
