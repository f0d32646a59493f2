/*
 * Nomic Embed 1 and 1.5: BERT with rotated q and k in place of positions, and a SiLU gate.
 */
#include "model/arch.h"

static int read_nomic_bert(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->norm_place = GOL_NORM_SUM;
    config->has_embd_norm = true;
    config->has_output_norm = false;
    config->is_causal = false;
    const int rc = gol_config_read_token_types(config, file, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_nomic_bert = {"nomic-bert", read_nomic_bert};
