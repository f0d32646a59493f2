/*
 * Granite 3 and 4, dense: Llama's block with four scales: of embeddings, of attention's scores, of what is added to the residual
 * stream, and of logits, which are divided by theirs. Granite 4's hybrids have no positions at all, and say so by
 * rope.scaling.finetuned.
 */
#include "model/arch.h"

/* 0 says "none", as the key's absence does. */
static int read_scale(gol_config *config, const gol_model_file *file, const char *suffix,
                      float *scale, gol_err *err)
{
    float value = 0.0f;
    const int rc = gol_config_f32(config, file, suffix, 0.0f, 1e6f, &value, err);
    if (rc == 1 && value > 0.0f)
        *scale = value;
    return rc < 0 ? rc : 0;
}

int gol_arch_read_granite(gol_config *config, const gol_model_file *file, gol_err *err)
{
    bool has_rope = true;
    float divisor = 1.0f;
    int rc = gol_config_bool(config, file, "rope.scaling.finetuned", &has_rope, err);
    config->rope.kind = has_rope ? GOL_ROPE_NORM : GOL_ROPE_NONE;
    if (rc >= 0)
        rc = read_scale(config, file, "embedding_scale", &config->embd_scale, err);
    if (rc >= 0)
        rc = read_scale(config, file, "residual_scale", &config->residual_scale, err);
    if (rc >= 0)
        rc = read_scale(config, file, "attention.scale", &config->attn_scale, err);
    if (rc >= 0)
        rc = read_scale(config, file, "logit_scale", &divisor, err);
    config->logit_scale = 1.0f / divisor;
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_granite = {"granite", gol_arch_read_granite};
