/*
 * Shapes of models: small ones for tests, and those of published ones whose speed one wants to measure.
 */
#include "make_model/make_model.h"

#include <string.h>

/* clang-format off */
static const make_model_shape shapes[] = {
    /* 64 is no multiple of 256: no K types */
    {.arch = "llama", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .n_ff = 160, .n_ctx = 512,
     .rope_base = 10000, .norm_epsilon = 1e-5f, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 320},
    {.arch = "llama", .name = "small", .n_layers = 3, .n_embd = 256, .n_heads = 8, .n_kv_heads = 2, .n_ff = 768, .n_ctx = 2048,
     .rope_base = 10000, .norm_epsilon = 1e-5f, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 1024},
    {.arch = "llama", .name = "tiny-llama3", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .n_ff = 160,
     .n_ctx = 8192, .rope_base = 500000, .norm_epsilon = 1e-5f, .rope_factor = 8, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "llama-bpe", .n_special = 16, .n_vocab = 336},
    {.arch = "llama", .name = "tinyllama-1.1b", .n_layers = 22, .n_embd = 2048, .n_heads = 32, .n_kv_heads = 4, .n_ff = 5632,
     .n_ctx = 2048, .rope_base = 10000, .norm_epsilon = 1e-5f, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 32000},
    {.arch = "llama", .name = "llama-3.2-1b", .n_layers = 16, .n_embd = 2048, .n_heads = 32, .n_kv_heads = 8, .n_ff = 8192,
     .n_ctx = 131072, .rope_base = 500000, .norm_epsilon = 1e-5f, .rope_factor = 32, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "llama-bpe", .n_special = 256, .n_vocab = 128256},
    {.arch = "qwen3", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32, .n_ff = 160,
     .n_ctx = 512, .rope_base = 1000000, .norm_epsilon = 1e-6f, .has_qk_norm = true, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "qwen2", .n_special = 16, .n_vocab = 336},
    {.arch = "qwen3", .name = "qwen3-0.6b", .n_layers = 28, .n_embd = 1024, .n_heads = 16, .n_kv_heads = 8, .head_dim = 128,
     .n_ff = 3072, .n_ctx = 40960, .rope_base = 1000000, .norm_epsilon = 1e-6f, .has_qk_norm = true, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "qwen2", .n_special = 293, .n_vocab = 151936},
    {.arch = "qwen3moe", .name = "tiny-moe", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32, .n_ff = 160,
     .n_experts = 8, .n_used = 2, .n_ff_exp = 96, .n_ctx = 512, .rope_base = 1000000, .norm_epsilon = 1e-6f, .has_qk_norm = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "qwen2", .n_special = 16, .n_vocab = 336},
    /* the layers of Qwen3 30B-A3B, 4 of 48 of them, and few tokens: a layer's time is what one wants to know */
    {.arch = "qwen3moe", .name = "qwen3-30b-a3b-4", .n_layers = 4, .n_embd = 2048, .n_heads = 32, .n_kv_heads = 4, .head_dim = 128,
     .n_ff = 6144, .n_experts = 128, .n_used = 8, .n_ff_exp = 768, .n_ctx = 40960, .rope_base = 1000000, .norm_epsilon = 1e-6f,
     .has_qk_norm = true, .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "qwen2", .n_special = 293, .n_vocab = 32768},
    {.arch = "gpt-oss", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .head_dim = 32, .n_ff = 96,
     .n_experts = 8, .n_used = 2, .n_ff_exp = 96, .n_ctx = 512, .rope_base = 150000, .yarn_factor = 32, .n_ctx_orig = 16,
     .sliding_window = 16, .norm_epsilon = 1e-5f, .has_biases = true, .is_gpt_oss = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-4o", .n_special = 16, .n_vocab = 336},
    /* the layers of gpt-oss 20B, 4 of 24 of them, and few tokens */
    {.arch = "gpt-oss", .name = "gpt-oss-20b-4", .n_layers = 4, .n_embd = 2880, .n_heads = 64, .n_kv_heads = 8, .head_dim = 64,
     .n_ff = 2880, .n_experts = 32, .n_used = 4, .n_ff_exp = 2880, .n_ctx = 131072, .rope_base = 150000, .yarn_factor = 32,
     .n_ctx_orig = 4096, .sliding_window = 128, .norm_epsilon = 1e-5f, .has_biases = true, .is_gpt_oss = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-4o", .n_special = 21, .n_vocab = 32768},
    /* 7 layers: one of them, the sixth, sees everything */
    {.arch = "gemma-embedding", .name = "tiny", .n_layers = 7, .n_embd = 96, .n_heads = 3, .n_kv_heads = 1, .head_dim = 32,
     .n_ff = 160, .n_ctx = 512, .rope_base = 1000000, .norm_epsilon = 1e-6f, .sliding_window = 16, .n_dense = 128,
     .has_qk_norm = true, .has_post_norm = true, .is_tied = true, .vocab = MAKE_MODEL_VOCAB_GEMMA, .n_vocab = 384},
    {.arch = "gemma-embedding", .name = "embeddinggemma-300m", .n_layers = 24, .n_embd = 768, .n_heads = 3, .n_kv_heads = 1,
     .head_dim = 256, .n_ff = 1152, .n_ctx = 2048, .rope_base = 1000000, .norm_epsilon = 1e-6f, .sliding_window = 512,
     .n_dense = 3072, .has_qk_norm = true, .has_post_norm = true, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_GEMMA, .n_vocab = 262144},
    {.arch = "granitehybrid", .name = "tiny", .n_layers = 4, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .n_ff = 160, .n_ctx = 512,
     .rope_base = 10000, .norm_epsilon = 1e-5f, .ssm_heads = 4, .ssm_head_dim = 32, .ssm_state = 16, .attn_period = 2, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 16, .n_vocab = 336},
    {.arch = "granitehybrid", .name = "granite-4.0-h-1b", .n_layers = 40, .n_embd = 1536, .n_heads = 12, .n_kv_heads = 4,
     .n_ff = 4096, .n_ctx = 131072, .rope_base = 10000, .norm_epsilon = 1e-5f, .ssm_heads = 48, .ssm_head_dim = 64,
     .ssm_state = 128, .attn_period = 10, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 96, .n_vocab = 100352},
    {.arch = "gpt2", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 4, .n_ff = 256, .n_ctx = 512,
     .norm_epsilon = 1e-5f, .is_tied = true, .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 1, .n_vocab = 320},
    {.arch = "gpt2", .name = "gpt2-124m", .n_layers = 12, .n_embd = 768, .n_heads = 12, .n_kv_heads = 12, .n_ff = 3072,
     .n_ctx = 1024, .norm_epsilon = 1e-5f, .is_tied = true, .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 1, .n_vocab = 50257},
};
/* clang-format on */

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

const make_model_shape *make_model_get_shape(int i)
{
    return i >= 0 && i < N_SHAPES ? &shapes[i] : NULL;
}

const make_model_shape *make_model_find_shape(const char *arch, const char *name)
{
    for (int i = 0; i < N_SHAPES; i++) {
        if ((!arch || strcmp(shapes[i].arch, arch) == 0) && strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    }
    return NULL;
}
