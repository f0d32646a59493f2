/*
 * Fills the kernel table from the lists. Owns no state: the table belongs to the backend that asked.
 */
#include "backend/cpu/kernels/kernels.h"

#include <assert.h>
#include <string.h>

/* A level counts when it is plain C, or of the same family as `have` and not above it. */
static bool is_reached(gol_cpu_level have, gol_cpu_level want)
{
    if (want == GOL_CPU_C)
        return true;
    const bool have_arm = have >= GOL_CPU_NEON;
    const bool want_arm = want >= GOL_CPU_NEON;
    return have_arm == want_arm && want <= have;
}

#define SET_SLOT(slot, kernel, level)                                                              \
    if (is_reached(have, (level)))                                                                 \
        k->slot = kernel;

void gol_kernels_init(gol_kernels *k, gol_cpu_level have)
{
    assert(have >= GOL_CPU_C && have < GOL_CPU_N_LEVELS);
    memset(k, 0, sizeof *k);
    GOL_KERN_MATMUL(SET_SLOT)
    GOL_KERN_RMS_NORM(SET_SLOT)
    GOL_KERN_LAYER_NORM(SET_SLOT)
    GOL_KERN_ROPE(SET_SLOT)
    GOL_KERN_KV_STORE(SET_SLOT)
    GOL_KERN_ATTN_SCORES(SET_SLOT)
    GOL_KERN_ATTN_MIX(SET_SLOT)
    GOL_KERN_EXP_SUM(SET_SLOT)
    GOL_KERN_ACT(SET_SLOT)
    GOL_KERN_GLU(SET_SLOT)
    GOL_KERN_ADD(SET_SLOT)
    GOL_KERN_FACTOR(SET_SLOT)
}

const char *gol_kernels_matmul_name(const gol_kernels *kernels, gol_type type)
{
    static const struct {
        gol_matmul_fn *fn;
        const char *name;
    } names[] = {
#define NAME_ROW(slot, kernel, level) {kernel, #kernel},
        GOL_KERN_MATMUL(NAME_ROW)
#undef NAME_ROW
    };
    if ((unsigned)type >= GOL_TYPE_N_IDS || kernels->matmul[type] == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].fn == kernels->matmul[type])
            return names[i].name + strlen("gol_matmul_");
    return NULL;
}
