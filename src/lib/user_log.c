/*
 * The library's sink. base/log.h's settings must not change while threads run, but a second model may be opened with a log
 * while the first is at work without one: so the sink is installed once, and what it hands lines to is behind one atomic
 * pointer, which goes from NULL to the target and never changes again.
 */
#include "lib/user_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

typedef struct log_target {
    gollum_log_fn *fn;
    void *user;
} log_target;

static pthread_mutex_t init_lock = PTHREAD_MUTEX_INITIALIZER;
static log_target storage; /* written once, before target points at it */
static log_target *_Atomic target;

static void hand_out(void *user, gol_log_level level, const char *area, const char *message)
{
    (void)user;
    (void)area;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    const log_target *t = atomic_load_explicit(&target, memory_order_acquire);
    if (t != NULL)
        t->fn(t->user, names[level], message);
}

void gol_user_log_init(gollum_log_fn *fn, void *user)
{
    pthread_mutex_lock(&init_lock);
    if (!gol_log_is_set_up())
        gol_log_init(GOL_LOG_DEBUG, GOL_LOG_TEXT, hand_out, NULL);
    if (fn != NULL && atomic_load_explicit(&target, memory_order_relaxed) == NULL) {
        storage = (log_target){fn, user};
        atomic_store_explicit(&target, &storage, memory_order_release);
    }
    pthread_mutex_unlock(&init_lock);
}
