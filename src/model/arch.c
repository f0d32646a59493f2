/*
 * The array of known architectures. A new one is added here and nowhere else.
 */
#include "model/arch.h"

#include <stdio.h>

/* clang-format off */
static const gol_arch *const archs[] = {
    /* alphabetical: gol_arch_list() prints them in this order */
    &gol_arch_bert,
    &gol_arch_cohere2,
    &gol_arch_command_r,
    &gol_arch_falcon,
    &gol_arch_gemma,
    &gol_arch_gemma_embedding,
    &gol_arch_gemma2,
    &gol_arch_gemma3,
    &gol_arch_gpt_oss,
    &gol_arch_gpt2,
    &gol_arch_gptneox,
    &gol_arch_granite,
    &gol_arch_granitehybrid,
    &gol_arch_granitemoe,
    &gol_arch_llama,
    &gol_arch_mamba2,
    &gol_arch_nomic_bert,
    &gol_arch_olmo2,
    &gol_arch_olmoe,
    &gol_arch_phi3,
    &gol_arch_qwen2,
    &gol_arch_qwen2moe,
    &gol_arch_qwen3,
    &gol_arch_qwen3moe,
    &gol_arch_smollm3,
    &gol_arch_stablelm,
    &gol_arch_starcoder2,
};
/* clang-format on */
enum { N_ARCHS = sizeof archs / sizeof archs[0] };

const gol_arch *gol_arch_find(gol_str name)
{
    for (int i = 0; i < N_ARCHS; i++)
        if (gol_str_is(name, archs[i]->name))
            return archs[i];
    return NULL;
}

void gol_arch_list(char *buf, size_t size)
{
    size_t len = 0;
    for (int i = 0; i < N_ARCHS && len < size; i++) {
        const int n = snprintf(buf + len, size - len, "%s%s", i ? ", " : "", archs[i]->name);
        len += n > 0 ? (size_t)n : 0;
    }
}
