/* Threads where there are no affinity masks (macOS): all online processors, no pinning. */
#include "base/os_thread.h"

#if !defined(__linux__)

#include <pthread.h>
#include <unistd.h>

int gol_os_thread_affinity(int *cpus, int max)
{
    const long n_online = sysconf(_SC_NPROCESSORS_ONLN);
    const int n = n_online < 1 ? 1 : (int)n_online;
    for (int i = 0; i < n && i < max; i++)
        cpus[i] = i;
    return n;
}

bool gol_os_thread_pin(int cpu)
{
    (void)cpu;
    return false;
}

void gol_os_thread_visit(int cpu)
{
    (void)cpu;
}

#if defined(__APPLE__)
void gol_os_thread_set_name(const char *name)
{
    (void)pthread_setname_np(name);
}
#else
void gol_os_thread_set_name(const char *name)
{
    (void)name;
}
#endif

#endif
