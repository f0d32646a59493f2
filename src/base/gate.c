/*
 * Spinning and the counting of sleepers; the sleep itself is gate_futex.c or gate_cond.c.
 *
 * Why no wake-up is lost: a waiter first adds itself to n_sleepers, then looks at value; a waker first changes value, then
 * looks at n_sleepers. All four are sequentially consistent, so at least one of them sees the other: the waiter does not
 * sleep, or the waker wakes it. Between the waiter's look and its sleep the futex (or the mutex) compares once more.
 */
#include "base/gate.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/gate_sleep.h"

#if defined(__x86_64__)
static void relax(void)
{
    __builtin_ia32_pause();
}
#elif defined(__aarch64__)
/* isb: `yield` is a no-op on cores without SMT, isb really waits some tens of cycles. */
static void relax(void)
{
    __asm__ volatile("isb" ::: "memory");
}
#else
static void relax(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}
#endif

void gol_gate_init(gol_gate *gate)
{
    atomic_init(&gate->value, 0);
    atomic_init(&gate->n_sleepers, 0);
    gol_gate_sleep_init(gate);
}

void gol_gate_deinit(gol_gate *gate)
{
    gol_gate_sleep_deinit(gate);
}

uint32_t gol_gate_value(gol_gate *gate)
{
    return atomic_load_explicit(&gate->value, memory_order_acquire);
}

void gol_gate_advance(gol_gate *gate)
{
    atomic_fetch_add(&gate->value, 1);
    if (atomic_load(&gate->n_sleepers) != 0)
        gol_gate_wake_all(gate);
}

/* False when the time is over and value is still what it was. */
static bool spin(gol_gate *gate, uint32_t seen, uint64_t spin_ns)
{
    enum { TRIES_PER_LOOK = 64 }; /* at the clock: a few microseconds of pauses */
    if (spin_ns == 0)
        return false;
    const uint64_t begin = gol_clock_ns();
    do {
        for (int i = 0; i < TRIES_PER_LOOK; i++) {
            if (gol_gate_value(gate) != seen)
                return true;
            relax();
        }
    } while (gol_clock_ns() - begin < spin_ns);
    return false;
}

void gol_gate_wait(gol_gate *gate, uint32_t seen, uint64_t spin_ns)
{
    if (gol_gate_value(gate) != seen || spin(gate, seen, spin_ns))
        return;
    atomic_fetch_add(&gate->n_sleepers, 1);
    while (atomic_load(&gate->value) == seen)
        gol_gate_sleep(gate, seen);
    atomic_fetch_sub(&gate->n_sleepers, 1);
}
