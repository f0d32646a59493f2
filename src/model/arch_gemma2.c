/*
 * Gemma 2: norms before and after each branch, GELU gate, embeddings times sqrt(n_embd), every other layer with a sliding window,
 * scores and logits capped by tanh.
 */
#include <math.h>

#include "model/arch.h"

static int read_gemma2(gol_config *config, const gol_model_file *file, gol_err *err)
{
    enum { LAYERS_OF_27B = 46 };
    config->norm_place = GOL_NORM_SANDWICH;
    config->act = GOL_ACT_GELU;
    config->embd_scale = sqrtf((float)config->n_embd);
    /* Mostly no key says it: the 27B model alone scales by the width of a head as it would be without head_dim. */
    if (config->n_layers == LAYERS_OF_27B)
        config->attn_scale = 1.0f / sqrtf((float)(config->n_embd / config->layers[0].n_heads));
    int rc = gol_config_f32(config, file, "attention.scale", 1e-6f, 1e6f, &config->attn_scale, err);
    if (rc >= 0)
        rc = gol_config_f32(config, file, "attn_logit_softcapping", 0.0f, 1e6f,
                            &config->attn_softcap, err);
    if (rc >= 0)
        rc = gol_config_f32(config, file, "final_logit_softcapping", 0.0f, 1e6f,
                            &config->final_softcap, err);
    if (rc >= 0)
        rc = gol_config_read_windows(config, file, 2, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gemma2 = {"gemma2", read_gemma2};
