/* Signals from outside go to other threads; faults stay with the thread that caused them (blocked, they would end the
 * process without the handler of mapped_file.h). */
#include "base/thread_signals.h"

#include <pthread.h>
#include <stddef.h>

void gol_thread_signals_block(sigset_t *saved)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, saved);
}

void gol_thread_signals_restore(const sigset_t *saved)
{
    pthread_sigmask(SIG_SETMASK, saved, NULL);
}
