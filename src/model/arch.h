/*
 * The architectures, one const struct each (arch_<name>.c), collected by the array in arch.c.
 */
#ifndef GOL_MODEL_ARCH_H
#define GOL_MODEL_ARCH_H

#include "model/config.h"

extern const gol_arch gol_arch_bert;
extern const gol_arch gol_arch_cohere2;
extern const gol_arch gol_arch_command_r;
extern const gol_arch gol_arch_falcon;
extern const gol_arch gol_arch_gemma;
extern const gol_arch gol_arch_gemma2;
extern const gol_arch gol_arch_gemma3;
extern const gol_arch gol_arch_gemma_embedding;
extern const gol_arch gol_arch_gpt2;
extern const gol_arch gol_arch_gpt_oss;
extern const gol_arch gol_arch_gptneox;
extern const gol_arch gol_arch_granite;
extern const gol_arch gol_arch_granitehybrid;
extern const gol_arch gol_arch_granitemoe;
extern const gol_arch gol_arch_llama;
extern const gol_arch gol_arch_mamba2;
extern const gol_arch gol_arch_nomic_bert;
extern const gol_arch gol_arch_olmo2;
extern const gol_arch gol_arch_olmoe;
extern const gol_arch gol_arch_phi3;
extern const gol_arch gol_arch_qwen2;
extern const gol_arch gol_arch_qwen2moe;
extern const gol_arch gol_arch_qwen3;
extern const gol_arch gol_arch_qwen3moe;
extern const gol_arch gol_arch_smollm3;
extern const gol_arch gol_arch_stablelm;
extern const gol_arch gol_arch_starcoder2;

/* What Granite's dense, expert and hybrid models share. */
int gol_arch_read_granite(gol_config *config, const gol_model_file *file, gol_err *err);

#endif
