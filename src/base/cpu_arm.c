/*
 * What an arm64 processor has. Linux tells by the auxiliary vector (the kernel has already left out what it does not
 * support), macOS by sysctl.
 */
#include "base/cpu.h"

#if defined(__aarch64__)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct arm_features {
    bool has_neon, has_dotprod, has_i8mm;
} arm_features;

#if defined(__APPLE__)

#include <sys/sysctl.h>

static bool read_flag(const char *name)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}

static arm_features read_features(void)
{
    return (arm_features){
        .has_neon = true, /* every Apple silicon */
        .has_dotprod = read_flag("hw.optional.arm.FEAT_DotProd"),
        .has_i8mm = read_flag("hw.optional.arm.FEAT_I8MM"),
    };
}

void gol_cpu_model_name(char *buf, size_t size)
{
    char brand[128] = "";
    size_t n = sizeof brand - 1;
    const bool is_known = sysctlbyname("machdep.cpu.brand_string", brand, &n, NULL, 0) == 0;
    snprintf(buf, size, "%s", is_known ? brand : "unknown");
}

#else

#include <sys/auxv.h>

/* Linux, arch/arm64/include/uapi/asm/hwcap.h: part of the kernel's ABI, so the numbers never change. */
static const unsigned long hwcap_asimd = 1ul << 1;
static const unsigned long hwcap_asimddp = 1ul << 20;
static const unsigned long hwcap2_i8mm = 1ul << 13;

static arm_features read_features(void)
{
    const unsigned long hwcap = getauxval(AT_HWCAP);
    const unsigned long hwcap2 = getauxval(AT_HWCAP2);
    return (arm_features){
        .has_neon = (hwcap & hwcap_asimd) != 0,
        .has_dotprod = (hwcap & hwcap_asimddp) != 0,
        .has_i8mm = (hwcap2 & hwcap2_i8mm) != 0,
    };
}

typedef struct arm_part {
    unsigned implementer;
    unsigned part;
    const char *name;
} arm_part;

/* MIDR_EL1 fields as in the cores' reference manuals: what servers and boards of today carry. */
static const arm_part parts[] = {
    {0x41, 0xd03, "Arm Cortex-A53"},  {0x41, 0xd08, "Arm Cortex-A72"},
    {0x41, 0xd0b, "Arm Cortex-A76"},  {0x41, 0xd0c, "Arm Neoverse N1"},
    {0x41, 0xd40, "Arm Neoverse V1"}, {0x41, 0xd49, "Arm Neoverse N2"},
    {0x41, 0xd4f, "Arm Neoverse V2"}, {0xc0, 0xac3, "Ampere-1"},
};

void gol_cpu_model_name(char *buf, size_t size)
{
    unsigned implementer = 0;
    unsigned part = 0;
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256];
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, "CPU implementer", 15) == 0)
            implementer = (unsigned)strtoul(colon + 1, NULL, 16);
        if (colon && strncmp(line, "CPU part", 8) == 0)
            part = (unsigned)strtoul(colon + 1, NULL, 16);
    }
    if (f)
        fclose(f);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].implementer == implementer && parts[i].part == part) {
            snprintf(buf, size, "%s", parts[i].name);
            return;
        }
    }
    if (implementer == 0)
        snprintf(buf, size, "unknown");
    else
        snprintf(buf, size, "arm64 implementer 0x%02x part 0x%03x", implementer, part);
}

#endif

unsigned gol_cpu_machine_levels(void)
{
    const arm_features features = read_features();
    unsigned levels = 1u << GOL_CPU_C;
    if (features.has_neon)
        levels |= 1u << GOL_CPU_NEON;
    if (features.has_neon && features.has_dotprod)
        levels |= 1u << GOL_CPU_DOTPROD;
    if (features.has_neon && features.has_dotprod && features.has_i8mm)
        levels |= 1u << GOL_CPU_I8MM;
    return levels;
}

gol_cpu_level gol_cpu_preferred(void)
{
    return gol_cpu_detect();
}

#endif
