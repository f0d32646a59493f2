/* Which thread gets the signals: the program's own, never one of ours that computes. */
#ifndef GOL_BASE_THREAD_SIGNALS_H
#define GOL_BASE_THREAD_SIGNALS_H

#include <signal.h>

/* Around pthread_create(): the new thread inherits the mask, then the caller's is restored. */
void gol_thread_signals_block(sigset_t *saved);
void gol_thread_signals_restore(const sigset_t *saved);

#endif
