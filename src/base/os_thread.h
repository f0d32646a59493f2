/* What POSIX leaves open about threads: which processors they may use, pinning, names. */
#ifndef GOL_BASE_OS_THREAD_H
#define GOL_BASE_OS_THREAD_H

#include <stdbool.h>

/* Numbers of the processors that the calling thread may run on, the first `max` of them into cpus (may be NULL when max is
 * 0); returns how many there are, >= 1. Where the system does not tell, processors are numbered 0, 1, ... */
int gol_os_thread_affinity(int *cpus, int max);

/* Keeps the calling thread on one processor; false where that is impossible. */
bool gol_os_thread_pin(int cpu);

/* Moves the calling thread to that processor now if it is elsewhere and its mask allows; later it may be moved away
 * again, its mask stays what it was. Costs some 20 ns when it is there already. */
void gol_os_thread_visit(int cpu);

/* For debuggers and `top -H`; at most 15 characters arrive. */
void gol_os_thread_set_name(const char *name);

#endif
