/*
 * Norms: rows are split over the workers, one kernel call per row.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>

typedef struct norm_job {
    const gol_kernels *kernels;
    float *out;     /* [n_rows][n] */
    const float *x; /* [n_rows][n] */
    const float *w; /* [n_weights][n] */
    const float *b; /* [n] or NULL */
    float eps;
    size_t n_rows;
    size_t n;
    size_t n_weights; /* rows of w, one after the other used for rows of x */
} norm_job;

static void rms_norm_rows(void *arg, int ith, int n_threads)
{
    const norm_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_rows, 1, ith, n_threads);
    for (size_t r = begin; r < end; r++)
        job->kernels->rms_norm(job->out + r * job->n, job->x + r * job->n, job->w, job->eps,
                               job->n);
}

static void layer_norm_rows(void *arg, int ith, int n_threads)
{
    const norm_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_rows, 1, ith, n_threads);
    for (size_t r = begin; r < end; r++)
        job->kernels->layer_norm(job->out + r * job->n, job->x + r * job->n,
                                 job->w + r % job->n_weights * job->n, job->b, job->eps, job->n);
}

void gol_backend_cpu_rms_norm(gol_backend *be, float *out, const float *x, const float *w,
                              float eps, int64_t n_rows, int32_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_rows >= 0 && n > 0);
    norm_job job = {&cpu->kernels, out, x, w, NULL, eps, (size_t)n_rows, (size_t)n, 1};
    gol_backend_cpu_run(cpu, rms_norm_rows, &job, job.n_rows * job.n);
}

void gol_backend_cpu_layer_norm(gol_backend *be, float *out, const float *x, const float *w,
                                const float *b, float eps, int64_t n_rows, int32_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_rows >= 0 && n > 0);
    norm_job job = {&cpu->kernels, out, x, w, b, eps, (size_t)n_rows, (size_t)n, 1};
    gol_backend_cpu_run(cpu, layer_norm_rows, &job, job.n_rows * job.n);
}

void gol_backend_cpu_layer_norm_heads(gol_backend *be, float *x, const float *w, float eps,
                                      int32_t n_tokens, int32_t n_heads, int32_t head_dim)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_tokens >= 0 && n_heads > 0 && head_dim > 0);
    norm_job job = {.kernels = &cpu->kernels,
                    .out = x,
                    .x = x,
                    .w = w,
                    .eps = eps,
                    .n_rows = (size_t)n_tokens * (size_t)n_heads,
                    .n = (size_t)head_dim,
                    .n_weights = (size_t)n_heads};
    gol_backend_cpu_run(cpu, layer_norm_rows, &job, job.n_rows * job.n);
}
