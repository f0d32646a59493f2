/* Machines for which there are no kernels but the plain C ones. */
#include "base/cpu.h"

#if !defined(__x86_64__) && !defined(__aarch64__)

#include <stdio.h>
#include <sys/utsname.h>

unsigned gol_cpu_machine_levels(void)
{
    return 1u << GOL_CPU_C;
}

gol_cpu_level gol_cpu_preferred(void)
{
    return gol_cpu_detect();
}

void gol_cpu_model_name(char *buf, size_t size)
{
    struct utsname system;
    snprintf(buf, size, "%s", uname(&system) == 0 ? system.machine : "unknown");
}

#endif
