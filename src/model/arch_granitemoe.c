/*
 * Granite's mixtures (3.x 1B-A400M, 3B-A800M): Granite's scales, and in some models a shared expert without a gate.
 */
#include "model/arch.h"

static int read_granitemoe(gol_config *config, const gol_model_file *file, gol_err *err)
{
    const int rc = gol_config_read_moe(config, file, err);
    return rc < 0 ? rc : gol_arch_read_granite(config, file, err);
}

const gol_arch gol_arch_granitemoe = {"granitemoe", read_granitemoe};
