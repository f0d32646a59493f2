/*
 * The architectures, one const struct each (arch_<name>.c), collected by the array in arch.c.
 */
#ifndef GOL_MODEL_ARCH_H
#define GOL_MODEL_ARCH_H

#include "model/config.h"

extern const gol_arch gol_arch_gpt2;
extern const gol_arch gol_arch_llama;

#endif
