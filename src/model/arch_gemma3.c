/*
 * Gemma 3, text: Gemma 2's block with norms of q and k in place of the cap on scores. Five layers with a sliding window, rotated by a
 * table of their own, then one without.
 */
#include <math.h>

#include "model/arch.h"

static int read_gemma3(gol_config *config, const gol_model_file *file, gol_err *err)
{
    enum { LAYERS_OF_27B = 62 };
    config->norm_place = GOL_NORM_SANDWICH;
    config->qk_norm = GOL_QK_NORM_HEAD;
    config->act = GOL_ACT_GELU;
    config->embd_scale = sqrtf((float)config->n_embd);
    /* As with Gemma 2. */
    if (config->n_layers == LAYERS_OF_27B)
        config->attn_scale = 1.0f / sqrtf((float)(config->n_embd / config->layers[0].n_heads));
    int rc = gol_config_f32(config, file, "attention.scale", 1e-6f, 1e6f, &config->attn_scale, err);
    if (rc >= 0)
        rc = gol_config_f32(config, file, "final_logit_softcapping", 0.0f, 1e6f,
                            &config->final_softcap, err);
    if (rc >= 0)
        rc = gol_config_read_windows(config, file, 6, err);
    if (rc >= 0)
        rc = gol_config_read_local_rope(config, file, 10000.0f, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gemma3 = {"gemma3", read_gemma3};
