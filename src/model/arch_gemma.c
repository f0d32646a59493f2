/*
 * Gemma, the first: Llama's block with a GELU gate and heads of 256, embeddings times sqrt(n_embd).
 */
#include <math.h>

#include "model/arch.h"

static int read_gemma(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->act = GOL_ACT_GELU;
    config->embd_scale = sqrtf((float)config->n_embd);
    return gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_gemma = {"gemma", read_gemma};
