/*
 * EmbeddingGemma: Gemma 3 as an encoder. Windows lie on both sides of a token; two linear layers follow the pooling, where the file
 * has them.
 */
#include <math.h>

#include "model/arch.h"

/* The file's window is its whole width: half of it on each side, and the token itself. Ours counts one side and the token. */
static void halve_windows(gol_config *config)
{
    for (int32_t i = 0; i < config->n_layers; i++)
        if (config->layers[i].window > 0)
            config->layers[i].window = config->layers[i].window / 2 + 1;
}

static int read_gemma_embedding(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->norm_place = GOL_NORM_SANDWICH;
    config->qk_norm = GOL_QK_NORM_HEAD;
    config->act = GOL_ACT_GELU;
    config->embd_scale = sqrtf((float)config->n_embd);
    config->is_causal = false;
    int rc = gol_config_f32(config, file, "attention.scale", 1e-6f, 1e6f, &config->attn_scale, err);
    if (rc >= 0)
        rc = gol_config_read_windows(config, file, 6, err);
    if (rc < 0)
        return rc;
    halve_windows(config);
    rc = gol_config_read_local_rope(config, file, 10000.0f, err);
    if (rc >= 0)
        rc = gol_config_u32(config, file, "dense_2_feat_out", 1, GOL_FF_MAX, &config->n_dense, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gemma_embedding = {"gemma-embedding", read_gemma_embedding};
