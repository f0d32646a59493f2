/*
 * The pool: one gate starts a run, one ends it, one is the barrier inside. Each lies on cache lines of its own, because
 * every worker spins on one while others write the next.
 *
 *     caller:  work, arg, n_busy = n - 1 | advance start |  work(0)  | wait end               |
 *     worker:                 wait start                 |  work(i)  | last one: advance end  | wait start ...
 */
#include "base/worker_pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/gate.h"
#include "base/mem.h"
#include "base/os_thread.h"
#include "base/thread_signals.h"

enum {
    CACHE_LINE = 64,
    /* Longer hides the wake-up (about 5 to 50 us) behind longer pauses between steps, shorter saves the power burnt in
     * them. The pauses inside a step are far below. */
    SPIN_NS = 50000
};

typedef struct worker {
    gol_worker_pool *pool;
    pthread_t thread;
    int ith;
    int cpu; /* to be pinned to, or -1 */
} worker;

struct gol_worker_pool {
    alignas(CACHE_LINE) gol_gate start;
    alignas(CACHE_LINE) gol_gate end;
    alignas(CACHE_LINE) gol_gate barrier;
    alignas(CACHE_LINE) _Atomic int n_busy;    /* workers still in the run */
    alignas(CACHE_LINE) _Atomic int n_arrived; /* at the barrier */
    /* Written by the caller before start advances, read by the workers after. */
    alignas(CACHE_LINE) gol_work *work; /* NULL: leave */
    void *arg;
    int n_threads;
    int n_created; /* threads to join: n_threads - 1 once complete */
    int home_cpu;  /* worker 0's, left free by the pinned ones; -1 when nobody is pinned */
    uint64_t spin_ns;
    bool is_running;
    worker workers[]; /* [n_threads - 1], worker ith at ith - 1 */
};

static void *work_until_told_to_leave(void *arg)
{
    worker *self = arg;
    gol_worker_pool *pool = self->pool;
    char name[16];
    snprintf(name, sizeof name, "gol-worker-%d", self->ith);
    gol_os_thread_set_name(name);
    if (self->cpu >= 0)
        (void)gol_os_thread_pin(self->cpu); /* refused: slower at worst */
    /* Not read from the gate: the first run may have started before this thread did. */
    for (uint32_t seen = 0;; seen++) {
        gol_gate_wait(&pool->start, seen, pool->spin_ns);
        if (!pool->work)
            return NULL;
        pool->work(pool->arg, self->ith, pool->n_threads);
        if (atomic_fetch_sub(&pool->n_busy, 1) == 1)
            gol_gate_advance(&pool->end);
    }
}

/* Creates the threads; returns 0 or the number that pthread_create gave. */
static int start_threads(gol_worker_pool *pool)
{
    int cpus[GOL_WORKERS_MAX];
    /* Only when every processor of the mask gets a worker: with some left over, two programs would pin to the same first
     * few while others idle. */
    const bool can_pin = gol_os_thread_affinity(cpus, GOL_WORKERS_MAX) == pool->n_threads;
    pool->home_cpu = can_pin ? cpus[0] : -1;
    sigset_t saved;
    gol_thread_signals_block(&saved);
    int failure = 0;
    for (int ith = 1; ith < pool->n_threads && failure == 0; ith++) {
        worker *w = &pool->workers[ith - 1];
        *w = (worker){.pool = pool, .ith = ith, .cpu = can_pin ? cpus[ith] : -1};
        failure = pthread_create(&w->thread, NULL, work_until_told_to_leave, w);
        if (failure == 0)
            pool->n_created++;
    }
    gol_thread_signals_restore(&saved);
    return failure;
}

int gol_worker_pool_create(gol_worker_pool **out, int n_threads, gol_err *err)
{
    *out = NULL;
    const int n_usable = gol_cpu_n_usable();
    if (n_threads == 0)
        n_threads = n_usable < GOL_WORKERS_MAX ? n_usable : GOL_WORKERS_MAX;
    if (n_threads < 0 || n_threads > GOL_WORKERS_MAX)
        return gol_fail(err, GOL_EINVAL,
                        "threads: %d is out of range, 0 (all processors) to %d are accepted",
                        n_threads, (int)GOL_WORKERS_MAX);
    const size_t n_bytes = sizeof(gol_worker_pool) + (size_t)(n_threads - 1) * sizeof(worker);
    gol_worker_pool *pool = gol_try_aligned(n_bytes);
    if (!pool)
        return gol_fail(err, GOL_ENOMEM, "threads: out of memory for a pool of %d", n_threads);
    memset(pool, 0, n_bytes);
    pool->n_threads = n_threads;
    /* With fewer processors a spinner would hold the one that others need. */
    pool->spin_ns = n_threads <= n_usable ? SPIN_NS : 0;
    gol_gate_init(&pool->start);
    gol_gate_init(&pool->end);
    gol_gate_init(&pool->barrier);
    const int failure = start_threads(pool);
    if (failure != 0) {
        const int n_created = pool->n_created;
        gol_worker_pool_destroy(&pool);
        return gol_fail(err, GOL_ENOMEM, "threads: the system gave %d of %d: %s", n_created + 1,
                        n_threads, strerror(failure));
    }
    *out = pool;
    return 0;
}

void gol_worker_pool_destroy(gol_worker_pool **pool_ptr)
{
    gol_worker_pool *pool = *pool_ptr;
    if (!pool)
        return;
    assert(!pool->is_running);
    pool->work = NULL;
    gol_gate_advance(&pool->start);
    for (int i = 0; i < pool->n_created; i++)
        pthread_join(pool->workers[i].thread, NULL);
    gol_gate_deinit(&pool->start);
    gol_gate_deinit(&pool->end);
    gol_gate_deinit(&pool->barrier);
    gol_aligned_free(pool);
    *pool_ptr = NULL;
}

int gol_worker_pool_size(const gol_worker_pool *pool)
{
    return pool->n_threads;
}

void gol_worker_pool_run(gol_worker_pool *pool, gol_work *work, void *arg)
{
    assert(work && !pool->is_running);
    pool->is_running = true;
    if (pool->n_threads == 1) {
        work(arg, 0, 1);
        pool->is_running = false;
        return;
    }
    /* The workers cannot leave their processors: a caller that has drifted onto one of them would share it with its worker
     * for as long as the kernel sees no reason to move it, while its own idles. */
    if (pool->home_cpu >= 0)
        gol_os_thread_visit(pool->home_cpu);
    pool->work = work;
    pool->arg = arg;
    atomic_store(&pool->n_busy, pool->n_threads - 1);
    const uint32_t seen_end = gol_gate_value(&pool->end);
    gol_gate_advance(&pool->start);
    work(arg, 0, pool->n_threads);
    gol_gate_wait(&pool->end, seen_end, pool->spin_ns);
    pool->is_running = false;
}

void gol_worker_pool_barrier(gol_worker_pool *pool, int ith)
{
    assert(ith >= 0 && ith < pool->n_threads);
    if (pool->n_threads == 1)
        return;
    /* Before arriving: once all have arrived the gate may move at once. */
    const uint32_t seen = gol_gate_value(&pool->barrier);
    if (atomic_fetch_add(&pool->n_arrived, 1) == pool->n_threads - 1) {
        /* Relaxed: the gate makes it visible. */
        atomic_store_explicit(&pool->n_arrived, 0, memory_order_relaxed);
        gol_gate_advance(&pool->barrier);
    } else {
        gol_gate_wait(&pool->barrier, seen, pool->spin_ns);
    }
}

/* Border number i of n_units grains dealt to n_threads: the first n_units % n_threads workers get one more. */
static size_t border(size_t n, size_t grain, size_t i, size_t n_threads)
{
    const size_t n_units = n / grain + (n % grain != 0);
    const size_t n_extra = n_units % n_threads;
    const size_t unit = n_units / n_threads * i + (i < n_extra ? i : n_extra);
    return unit >= n_units ? n : unit * grain;
}

void gol_worker_range(size_t *begin, size_t *end, size_t n, size_t grain, int ith, int n_threads)
{
    assert(grain >= 1 && ith >= 0 && ith < n_threads);
    *begin = border(n, grain, (size_t)ith, (size_t)n_threads);
    *end = border(n, grain, (size_t)ith + 1, (size_t)n_threads);
}
