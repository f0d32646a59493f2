/*
 * Qwen3: like Qwen2 without biases, each head of q and k normed by itself, heads wider than n_embd / n_heads. Qwen3-Reranker has two
 * rows of the output matrix as its classifier, those of "yes" and "no": the softmax of both is its score.
 */
#include "model/arch.h"

static int read_qwen3(gol_config *config, const gol_model_file *file, gol_err *err)
{
    config->qk_norm = GOL_QK_NORM_HEAD;
    int rc = gol_config_read_written_windows(config, file, err);
    if (rc >= 0)
        rc = gol_config_read_classifier(config, file, true, err);
    return rc < 0 ? rc : gol_config_require_eps(config, file, err);
}

const gol_arch gol_arch_qwen3 = {"qwen3", read_qwen3};
