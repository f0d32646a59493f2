/* A gate's sleep on Linux: futex(2) on the value itself. */
#include "base/gate_sleep.h"

#if defined(__linux__)

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "a futex is a plain 32-bit word");

void gol_gate_sleep_init(gol_gate *gate)
{
    (void)gate;
}

void gol_gate_sleep_deinit(gol_gate *gate)
{
    (void)gate;
}

void gol_gate_sleep(gol_gate *gate, uint32_t seen)
{
    (void)syscall(SYS_futex, &gate->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void gol_gate_wake_all(gol_gate *gate)
{
    (void)syscall(SYS_futex, &gate->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#endif
