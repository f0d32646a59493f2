/*
 * Shapes of models: small ones for tests, and those of published ones whose speed one wants to measure.
 */
#include "make_model/make_model.h"

#include <string.h>

/* clang-format off */
static const make_model_shape shapes[] = {
    /* 64 is no multiple of 256: no K types */
    {.arch = "llama", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .n_ff = 160, .n_ctx = 512,
     .rope_base = 10000, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 320},
    {.arch = "llama", .name = "small", .n_layers = 3, .n_embd = 256, .n_heads = 8, .n_kv_heads = 2, .n_ff = 768, .n_ctx = 2048,
     .rope_base = 10000, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 1024},
    {.arch = "llama", .name = "tiny-llama3", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 2, .n_ff = 160,
     .n_ctx = 8192, .rope_base = 500000, .rope_factor = 8, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "llama-bpe", .n_special = 16, .n_vocab = 336},
    {.arch = "llama", .name = "tinyllama-1.1b", .n_layers = 22, .n_embd = 2048, .n_heads = 32, .n_kv_heads = 4, .n_ff = 5632,
     .n_ctx = 2048, .rope_base = 10000, .vocab = MAKE_MODEL_VOCAB_SPM, .n_vocab = 32000},
    {.arch = "llama", .name = "llama-3.2-1b", .n_layers = 16, .n_embd = 2048, .n_heads = 32, .n_kv_heads = 8, .n_ff = 8192,
     .n_ctx = 131072, .rope_base = 500000, .rope_factor = 32, .is_tied = true,
     .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "llama-bpe", .n_special = 256, .n_vocab = 128256},
    {.arch = "gpt2", .name = "tiny", .n_layers = 2, .n_embd = 64, .n_heads = 4, .n_kv_heads = 4, .n_ff = 256, .n_ctx = 512,
     .is_tied = true, .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 1, .n_vocab = 320},
    {.arch = "gpt2", .name = "gpt2-124m", .n_layers = 12, .n_embd = 768, .n_heads = 12, .n_kv_heads = 12, .n_ff = 3072,
     .n_ctx = 1024, .is_tied = true, .vocab = MAKE_MODEL_VOCAB_BPE, .pre = "gpt-2", .n_special = 1, .n_vocab = 50257},
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
