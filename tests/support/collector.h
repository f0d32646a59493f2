/*
 * Takes the events of one request and lets the test wait for them. It checks nothing by itself in the engine's thread: what
 * arrived is kept, and looked at in the test's own thread. A held collector keeps the engine's thread inside its first event
 * until it is released, so that a test can act at a moment it knows; and a collector may abort another request at an event.
 */
#ifndef TESTS_SUPPORT_COLLECTOR_H
#define TESTS_SUPPORT_COLLECTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "support/patience.h"

enum { COLLECTOR_TOKENS_MAX = 160, COLLECTOR_TOP_MAX = 3 };

typedef struct collector {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_held;
    bool is_inside; /* the engine's thread is in collector_take: nothing here may go away */
    int aborts_at;  /* with event number aborts_at: gol_engine_abort(engine, aborts_id); 0: never */
    uint64_t aborts_id;
    int n_events;
    int n_last_events; /* with finish != NONE: must end up as 1 */
    int32_t n_tokens;
    int32_t tokens[COLLECTOR_TOKENS_MAX];
    float logprobs[COLLECTOR_TOKENS_MAX];
    gol_top_logprob top[COLLECTOR_TOKENS_MAX][COLLECTOR_TOP_MAX];
    gol_output last; /* its top is not valid any more */
    gol_engine *engine;
    gol_engine_stats stats_at_end; /* when engine is set */
} collector;

static inline void collector_init(collector *c)
{
    memset(c, 0, sizeof *c);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
}

/* Once the engine's thread has left: the last event is seen here before its callback has returned. */
static inline void collector_deinit(collector *c)
{
    pthread_mutex_lock(&c->mutex);
    while (c->is_inside)
        pthread_cond_wait(&c->changed, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
}

static inline void collector_take(void *user, const gol_output *output)
{
    collector *c = user;
    pthread_mutex_lock(&c->mutex);
    c->is_inside = true;
    c->n_events++;
    c->last = *output;
    if (output->token >= 0 && c->n_tokens < COLLECTOR_TOKENS_MAX) {
        const int32_t i = c->n_tokens++;
        c->tokens[i] = output->token;
        c->logprobs[i] = output->logprob;
        for (int32_t k = 0; k < output->n_top && k < COLLECTOR_TOP_MAX; k++)
            c->top[i][k] = output->top[k];
    }
    if (c->n_events == c->aborts_at)
        gol_engine_abort(c->engine, c->aborts_id);
    if (output->finish != GOL_FINISH_NONE) {
        c->n_last_events++;
        if (c->engine)
            gol_engine_get_stats(c->engine, &c->stats_at_end);
    }
    pthread_cond_broadcast(&c->changed);
    while (c->is_held)
        pthread_cond_wait(&c->changed, &c->mutex);
    c->is_inside = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static inline void collector_release(collector *c)
{
    pthread_mutex_lock(&c->mutex);
    c->is_held = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

/* Until n events have come, or the last one; false when the test has waited for long enough. */
static inline bool collector_wait(collector *c, int n_events)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int rc = 0;
    pthread_mutex_lock(&c->mutex);
    while (rc == 0 && c->n_events < n_events && c->n_last_events == 0)
        rc = pthread_cond_timedwait(&c->changed, &c->mutex, &until);
    const bool ok = c->n_events >= n_events || c->n_last_events > 0;
    pthread_mutex_unlock(&c->mutex);
    return ok;
}

static inline bool collector_wait_end(collector *c)
{
    return collector_wait(c, 1 << 30);
}

#endif
