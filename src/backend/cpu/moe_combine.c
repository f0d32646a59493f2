/*
 * The end of a mixture of experts: a token's rows come together with their weights, in the order of its slots, and a shared
 * expert's rows are gated. Both go over a row in runs that stay in L1.
 */
#include "backend/cpu/moe_cpu.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/backend_cpu.h"

enum { RUN = 512 }; /* floats */

typedef struct rows_job {
    float *out;         /* [n_rows][n] */
    const float *x;     /* [n_rows][n]; of combine: rows in the order of the experts */
    const float *gate;  /* [n_rows] */
    const gol_moe *moe; /* of combine */
    size_t n_rows;
    size_t n;
    void (*work)(const struct rows_job *job, size_t row, size_t begin, size_t end);
} rows_job;

/* Every run of every row of this worker. */
static void walk_runs(void *arg, int ith, int n_threads)
{
    const rows_job *job = arg;
    const size_t n_runs = (job->n + RUN - 1) / RUN;
    size_t i;
    size_t end;
    gol_worker_range(&i, &end, job->n_rows * n_runs, 1, ith, n_threads);
    for (; i < end; i++) {
        const size_t first = i % n_runs * RUN;
        job->work(job, i / n_runs, first, first + RUN < job->n ? first + RUN : job->n);
    }
}

static void combine_run(const rows_job *job, size_t row, size_t begin, size_t end)
{
    const size_t n_used = (size_t)job->moe->n_used;
    const int32_t *rows = job->moe->rows + row * n_used;
    const float *weights = job->moe->weights + row * n_used;
    float *out = job->out + row * job->n;
    for (size_t s = 0; s < n_used; s++) {
        const float *y = job->x + (size_t)rows[s] * job->n;
        const float weight = weights[s];
        if (s == 0)
            for (size_t i = begin; i < end; i++)
                out[i] = weight * y[i];
        else
            for (size_t i = begin; i < end; i++)
                out[i] += weight * y[i];
    }
}

static void gate_run(const rows_job *job, size_t row, size_t begin, size_t end)
{
    const float factor = 1.0f / (1.0f + expf(-job->gate[row]));
    for (size_t i = row * job->n + begin; i < row * job->n + end; i++)
        job->out[i] = job->x[i] * factor;
}

void gol_backend_cpu_moe_combine(gol_backend *be, float *out, const gol_moe *moe, const float *y,
                                 int32_t n)
{
    rows_job job = {.out = out,
                    .x = y,
                    .moe = moe,
                    .n_rows = (size_t)moe->n_tokens,
                    .n = (size_t)n,
                    .work = combine_run};
    gol_backend_cpu_run(gol_backend_cpu_of(be), walk_runs, &job,
                        job.n_rows * job.n * (size_t)moe->n_used);
}

void gol_backend_cpu_gate_rows(gol_backend *be, float *out, const float *x, const float *gate,
                               int32_t n_rows, int32_t n)
{
    rows_job job = {.out = out,
                    .x = x,
                    .gate = gate,
                    .n_rows = (size_t)n_rows,
                    .n = (size_t)n,
                    .work = gate_run};
    gol_backend_cpu_run(gol_backend_cpu_of(be), walk_runs, &job, job.n_rows * job.n);
}
