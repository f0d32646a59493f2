/* Reads a buffer that no cache holds, each thread its own part from end to end, as weights are read. One word of each cache
 * line is enough: lines move whole, and so few loads keep more lines on their way than plain C that adds up every word. */
#include "cli/bench_memory.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sysmem.h"
#include "base/worker_pool.h"

/* Last-level caches of servers hold hundreds of MiB; what they keep of the buffer would count as memory. */
static const uint64_t BUFFER_MAX = (uint64_t)1 << 30;

enum { N_PASSES = 5, CACHE_LINE = 64 };

typedef struct pass {
    const uint64_t *data; /* [n] */
    size_t n;
    uint64_t sums[GOL_WORKERS_MAX]; /* so that no read can be left out */
} pass;

static void sum_part(void *arg, int ith, int n_threads)
{
    pass *p = arg;
    const size_t line = CACHE_LINE / sizeof *p->data;
    size_t begin, end;
    uint64_t sum = 0;
    gol_worker_range(&begin, &end, p->n, line, ith, n_threads);
    for (size_t i = begin; i < end; i += line)
        sum += p->data[i];
    p->sums[ith] += sum;
}

int gol_bench_memory_read(double *out, int n_threads, gol_err *err)
{
    const uint64_t n_available = gol_sysmem_available();
    uint64_t n_bytes = BUFFER_MAX;
    while (n_available > 0 && n_bytes > n_available / 4)
        n_bytes /= 2;
    uint64_t *data = gol_try_aligned((size_t)n_bytes);
    pass *p = gol_try_calloc(1, sizeof *p);
    gol_worker_pool *pool = NULL;
    int rc = data == NULL || p == NULL
                 ? gol_fail(err, GOL_ENOMEM, "out of memory for a buffer to read")
                 : gol_worker_pool_create(&pool, n_threads, err);
    if (rc == 0) {
        memset(data, 1, (size_t)n_bytes);
        p->data = data;
        p->n = (size_t)n_bytes / sizeof *data;
        uint64_t best_ns = UINT64_MAX;
        for (int i = 0; i < N_PASSES; i++) {
            const uint64_t begin_ns = gol_clock_ns();
            gol_worker_pool_run(pool, sum_part, p);
            const uint64_t ns = gol_clock_ns() - begin_ns;
            best_ns = ns < best_ns ? ns : best_ns;
        }
        *out = (double)n_bytes * 1e9 / (double)best_ns;
    }
    gol_worker_pool_destroy(&pool);
    gol_free(p);
    gol_aligned_free(data);
    return rc;
}
