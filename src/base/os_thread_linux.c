/* Threads on Linux: affinity masks of up to 8192 processors (the kernel's largest CONFIG_NR_CPUS). */
#include "base/os_thread.h"

#if defined(__linux__)

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { CPUS_MAX = 8192 };

typedef struct cpu_mask {
    cpu_set_t sets[CPUS_MAX / CPU_SETSIZE];
} cpu_mask;

int gol_os_thread_affinity(int *cpus, int max)
{
    cpu_mask mask = {0};
    /* A sandbox may forbid the question: one processor is always true. */
    if (sched_getaffinity(0, sizeof mask, mask.sets) != 0)
        CPU_SET_S(0, sizeof mask, mask.sets);
    int n = 0;
    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (!CPU_ISSET_S((size_t)cpu, sizeof mask, mask.sets))
            continue;
        if (n < max)
            cpus[n] = cpu;
        n++;
    }
    return n;
}

bool gol_os_thread_pin(int cpu)
{
    cpu_mask mask = {0};
    if (cpu < 0 || cpu >= CPUS_MAX)
        return false;
    CPU_SET_S((size_t)cpu, sizeof mask, mask.sets);
    return sched_setaffinity(0, sizeof mask, mask.sets) == 0;
}

void gol_os_thread_visit(int cpu)
{
    cpu_mask all = {0};
    if (sched_getcpu() == cpu || cpu < 0 || cpu >= CPUS_MAX)
        return;
    if (sched_getaffinity(0, sizeof all, all.sets) != 0 ||
        !CPU_ISSET_S((size_t)cpu, sizeof all, all.sets))
        return;
    if (gol_os_thread_pin(cpu)) /* returns when the thread has moved */
        (void)sched_setaffinity(0, sizeof all, all.sets);
}

void gol_os_thread_set_name(const char *name)
{
    char short_name[16];
    snprintf(short_name, sizeof short_name, "%s", name);
    (void)pthread_setname_np(pthread_self(), short_name);
}

#endif
