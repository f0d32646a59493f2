/*
 * BERT and what is stored as one (BGE, E5, GTE, MiniLM, Arctic): an encoder. Token, position and type embeddings are summed and
 * normed; each norm stands behind a sum; every token sees the whole text. GELU is the exact one, as in the original.
 */
#include "model/arch.h"

static int read_bert(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_kind = GOL_NORM_LAYER;
    config->norm_place = GOL_NORM_SUM;
    config->has_embd_norm = true;
    config->has_output_norm = false;
    config->act = GOL_ACT_GELU_ERF;
    config->is_gated = false;
    config->is_causal = false;
    config->rope.kind = GOL_ROPE_NONE;
    config->n_positions = config->n_ctx_train;
    int rc = gol_config_read_token_types(config, file, err);
    if (rc == 0)
        rc = gol_config_read_classifier(config, file, false, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_bert = {"bert", read_bert};
