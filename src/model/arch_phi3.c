/*
 * Phi-3, 3.5 and 4: Llama's block with fused projections: q, k and v in attn_qkv, gate and up in ffn_up. Long contexts stretch each
 * frequency by a factor of its own (LongRoPE, Ding et al., 2024), from one list for contexts within the original one, from another
 * beyond; the served context decides.
 */
#include "model/arch.h"

static int read_phi3(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->has_fused_gate_up = true;
    const int rc = gol_config_read_windows(config, file, 0, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_phi3 = {"phi3", read_phi3};
