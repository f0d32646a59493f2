/*
 * OLMo 2 and 3: norms behind attention and feed-forward only, q and k normed over their whole width. OLMo 3 has three layers with a
 * sliding window, whose rotation is not stretched, then one without.
 */
#include "model/arch.h"

static int read_olmo2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_place = GOL_NORM_BRANCH;
    config->qk_norm = GOL_QK_NORM_WIDTH;
    int rc = gol_config_read_windows(config, file, 4, err);
    if (rc >= 0)
        rc = gol_config_read_local_rope(config, file, config->rope.freq_base, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_olmo2 = {"olmo2", read_olmo2};
