/*
 * What this processor can do, as levels that build on each other (gol_cpu_includes()): a level is reached only when its features and
 * those of the levels it builds on are there (and, on x86, when the OS saves the registers: XCR0). GOLLUM_CPU=<level name> or
 * gol_cpu_limit() lowers it: to the highest level that the machine has and that is not above the name's; an unknown name in the
 * environment is a warning and no limit. Limits are set before threads start; the last one counts (a flag beats the environment).
 * Without one the machine's preferred level is in force: its highest, but for avx512bf16 where that is no gain (cpu_x86.c); there it
 * takes the name to get it.
 *
 * One step is not a step of one ladder: AVX-VNNI is an addition to AVX2 which processors without AVX-512 have, and not all that have
 * AVX-512. "evexvnni" is its twin with the same instruction as AVX-512 encodes it, with the same results to the bit: there
 * GOLLUM_CPU=avxvnni gives it, for tests and measurements. No machine prefers it.
 */
#ifndef GOL_BASE_CPU_H
#define GOL_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

typedef enum gol_cpu_level {
    GOL_CPU_C = 0,    /* "c": plain C, every machine */
    GOL_CPU_AVX2,     /* "avx2": avx2 fma f16c bmi2 */
    GOL_CPU_EVEXVNNI, /* "evexvnni": + avx512 vnni and vl, of which only vpdpbusd on ymm0-15 is used */
    GOL_CPU_AVXVNNI,    /* "avxvnni": avx2 + avx-vnni */
    GOL_CPU_AVX512,     /* "avx512": avx2 + avx512 f bw dq vl cd */
    GOL_CPU_AVX512VNNI, /* "avx512vnni": + avx512 vnni */
    GOL_CPU_AVX512BF16, /* "avx512bf16": + avx512 bf16 */
    GOL_CPU_NEON,       /* "neon": armv8-a advsimd */
    GOL_CPU_DOTPROD,    /* "dotprod": + sdot/udot */
    GOL_CPU_I8MM,       /* "i8mm": + smmla */
    GOL_CPU_N_LEVELS
} gol_cpu_level;

/* Does code for `level` run where `have` is the level? */
bool gol_cpu_includes(gol_cpu_level have, gol_cpu_level level);
/* What the machine has, no limit applied: a bit for each level, and the highest. */
unsigned gol_cpu_machine_levels(void);
gol_cpu_level gol_cpu_detect(void);
gol_cpu_level gol_cpu_preferred(void);
gol_cpu_level
gol_cpu_get(void); /* preferred(), or what GOLLUM_CPU or gol_cpu_limit() say; cached */
bool gol_cpu_limit(const char *level_name); /* false: unknown name or not this machine's family */
bool gol_cpu_has(gol_cpu_level level);      /* get() includes it */
const char *gol_cpu_level_name(gol_cpu_level level);
/* For display, "AMD EPYC 9R14"; "unknown" if it is not to be had. */
void gol_cpu_model_name(char *buf, size_t size);

/* Processors this process may use: affinity mask, lowered by the cgroup's cpu quota (v2 cpu.max, v1 cfs), rounded up; >= 1. */
int gol_cpu_n_usable(void);

#endif
