/*
 * A counter that threads wait on: they leave when it is no longer what they saw. Waiting is spinning for a short while,
 * then sleeping (a futex on Linux, a condition variable elsewhere).
 *
 *     waiter:  const uint32_t seen = gol_gate_value(&gate);     waker:  ... write data ...
 *              ... find nothing to do ...                               gol_gate_advance(&gate);
 *              gol_gate_wait(&gate, seen, spin_ns);
 *              ... read data ...
 *
 * What was written before advance() is visible after the wait() that it ends.
 */
#ifndef GOL_BASE_GATE_H
#define GOL_BASE_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct gol_gate {
    _Atomic uint32_t value;
    _Atomic uint32_t n_sleepers; /* an advance() with nobody asleep makes no system call */
    pthread_mutex_t mutex;       /* these two: only where there is no futex */
    pthread_cond_t cond;
} gol_gate;

void gol_gate_init(gol_gate *gate);
void gol_gate_deinit(gol_gate *gate); /* nobody waits any more */

uint32_t gol_gate_value(gol_gate *gate);
void gol_gate_advance(gol_gate *gate);
void gol_gate_wait(gol_gate *gate, uint32_t seen, uint64_t spin_ns);

#endif
