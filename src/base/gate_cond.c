/* A gate's sleep without futexes: the waker takes the mutex, so it cannot slip in between a waiter's look and its sleep. */
#include "base/gate_sleep.h"

#if !defined(__linux__)

void gol_gate_sleep_init(gol_gate *gate)
{
    (void)pthread_mutex_init(&gate->mutex, NULL);
    (void)pthread_cond_init(&gate->cond, NULL);
}

void gol_gate_sleep_deinit(gol_gate *gate)
{
    (void)pthread_cond_destroy(&gate->cond);
    (void)pthread_mutex_destroy(&gate->mutex);
}

void gol_gate_sleep(gol_gate *gate, uint32_t seen)
{
    pthread_mutex_lock(&gate->mutex);
    if (atomic_load(&gate->value) == seen)
        pthread_cond_wait(&gate->cond, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

void gol_gate_wake_all(gol_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    pthread_cond_broadcast(&gate->cond);
    pthread_mutex_unlock(&gate->mutex);
}

#endif
