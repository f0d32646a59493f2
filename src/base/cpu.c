/*
 * Names and order of the levels, and the one level in force. What the machine has is found in cpu_x86.c, cpu_arm.c or
 * cpu_generic.c; how many processors we may use in os_thread_*.c and cgroup.c.
 *
 * State: the level in force, found at the first gol_cpu_get() (two threads may do so at once and find the same).
 */
#include "base/cpu.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/os_thread.h"

static const char *const level_names[GOL_CPU_N_LEVELS] = {
    "c",          "avx2",       "evexvnni", "avxvnni", "avx512",
    "avx512vnni", "avx512bf16", "neon",     "dotprod", "i8mm",
};

enum { LEVEL_UNKNOWN = -1 };

static _Atomic int level_in_force = LEVEL_UNKNOWN;

typedef enum cpu_family {
    CPU_FAMILY_NONE, /* plain C: part of every machine */
    CPU_FAMILY_X86,
    CPU_FAMILY_ARM,
} cpu_family;

static cpu_family family_of(gol_cpu_level level)
{
    if (level == GOL_CPU_C)
        return CPU_FAMILY_NONE;
    return level < GOL_CPU_NEON ? CPU_FAMILY_X86 : CPU_FAMILY_ARM;
}

bool gol_cpu_includes(gol_cpu_level have, gol_cpu_level level)
{
    switch (level) {
    case GOL_CPU_C:
        return true;
    case GOL_CPU_AVXVNNI:
        return have == GOL_CPU_AVXVNNI;
    case GOL_CPU_EVEXVNNI:
        return have == GOL_CPU_EVEXVNNI || gol_cpu_includes(have, GOL_CPU_AVX512VNNI);
    default:
        return family_of(level) == family_of(have) && level <= have;
    }
}

static gol_cpu_level find_highest(unsigned levels)
{
    int highest = GOL_CPU_C;
    for (int i = highest + 1; i < GOL_CPU_N_LEVELS; i++)
        if (levels >> i & 1)
            highest = i;
    return (gol_cpu_level)highest;
}

gol_cpu_level gol_cpu_detect(void)
{
    return find_highest(gol_cpu_machine_levels());
}

const char *gol_cpu_level_name(gol_cpu_level level)
{
    assert((int)level >= 0 && level < GOL_CPU_N_LEVELS);
    return level_names[level];
}

/* The index of the name, or LEVEL_UNKNOWN. */
static int find_level(const char *name)
{
    for (int i = 0; i < GOL_CPU_N_LEVELS; i++)
        if (strcmp(name, level_names[i]) == 0)
            return i;
    return LEVEL_UNKNOWN;
}

bool gol_cpu_limit(const char *level_name)
{
    const int found = find_level(level_name);
    if (found == LEVEL_UNKNOWN)
        return false;
    const gol_cpu_level limit = (gol_cpu_level)found;
    const unsigned machine = gol_cpu_machine_levels();
    if (limit != GOL_CPU_C && family_of(limit) != family_of(find_highest(machine)))
        return false;
    const unsigned up_to_limit = (2u << limit) - 1;
    atomic_store(&level_in_force, (int)find_highest(machine & up_to_limit));
    return true;
}

static void apply_environment(void)
{
    const char *name = getenv("GOLLUM_CPU");
    if (!name || !*name || gol_cpu_limit(name))
        return;
    char quoted[64];
    gol_log_warn("cpu", "GOLLUM_CPU=%s is no level of this machine, whose highest is %s; no limit",
                 gol_quote(quoted, sizeof quoted, gol_str_from(name)),
                 gol_cpu_level_name(gol_cpu_detect()));
}

gol_cpu_level gol_cpu_get(void)
{
    if (atomic_load(&level_in_force) == LEVEL_UNKNOWN) {
        apply_environment();
        int expected = LEVEL_UNKNOWN; /* still so unless the environment set one */
        atomic_compare_exchange_strong(&level_in_force, &expected, (int)gol_cpu_preferred());
    }
    return (gol_cpu_level)atomic_load(&level_in_force);
}

bool gol_cpu_has(gol_cpu_level level)
{
    return gol_cpu_includes(gol_cpu_get(), level);
}

int gol_cpu_n_usable(void)
{
    const int n_allowed = gol_os_thread_affinity(NULL, 0);
    const int n_quota = gol_cgroup_n_cpus("");
    return n_quota != 0 && n_quota < n_allowed ? n_quota : n_allowed;
}
