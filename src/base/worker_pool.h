/*
 * Threads that run one function together. The caller is worker 0; n_threads - 1 threads are created and wait by spinning
 * briefly, then sleeping. Between runs nobody spins longer than about 50 us, and with more threads than usable processors
 * nobody spins at all. When the affinity mask has exactly n_threads processors, each created thread is pinned to one of
 * them (Linux), and run() brings its caller to the one left over, without changing the caller's mask. With fewer threads
 * than processors the kernel places them, because two programs that pin would meet on the same first ones.
 *
 *     gol_worker_pool *pool;
 *     gol_worker_pool_create(&pool, n_threads, &err);
 *     gol_worker_pool_run(pool, work, arg);             // returns when all have returned; memory is visible to all
 *     gol_worker_pool_destroy(&pool);
 *
 * One run at a time, from one thread (the engine's). work() may call gol_worker_pool_barrier() if all workers do, equally
 * often. It splits its job by gol_worker_range(), so who does what depends on ith and n alone.
 */
#ifndef GOL_BASE_WORKER_POOL_H
#define GOL_BASE_WORKER_POOL_H

#include <stddef.h>

#include "base/error.h"

typedef struct gol_worker_pool gol_worker_pool;

typedef void gol_work(void *arg, int ith, int n_threads);

enum { GOL_WORKERS_MAX = 512 };

/* n_threads 0: gol_cpu_n_usable(). Errors: GOL_EINVAL (out of range), GOL_ENOMEM (also: threads cannot be created). */
int gol_worker_pool_create(gol_worker_pool **out, int n_threads, gol_err *err);
void gol_worker_pool_destroy(gol_worker_pool **pool); /* joins; NULL is fine */
int gol_worker_pool_size(const gol_worker_pool *pool);
void gol_worker_pool_run(gol_worker_pool *pool, gol_work *work, void *arg);
void gol_worker_pool_barrier(gol_worker_pool *pool, int ith);

/* Splits [0, n) into n_threads contiguous parts whose borders are multiples of `grain`; part `ith` is [*begin, *end). */
void gol_worker_range(size_t *begin, size_t *end, size_t n, size_t grain, int ith, int n_threads);

#endif
