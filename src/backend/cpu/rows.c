/*
 * Rows by number: token embeddings out of a weight of any type, and picking rows of activations.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <string.h>

typedef struct embed_job {
    float *out; /* [n_tokens][n_in] */
    const gol_weight *table;
    const int32_t *ids; /* [n_tokens] */
    size_t n_tokens;
    const gol_kernels *kernels;
} embed_job;

static void embed_rows(void *arg, int ith, int n_threads)
{
    const embed_job *job = arg;
    const gol_weight *table = job->table;
    const size_t n_in = (size_t)table->n_in;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        assert(job->ids[t] >= 0 && job->ids[t] < table->n_out);
        gol_weight_cpu_row(table, job->kernels, job->out + t * n_in, (size_t)job->ids[t]);
    }
}

void gol_backend_cpu_embed(gol_backend *be, float *out, const gol_weight *table, const int32_t *ids,
                           int32_t n_tokens)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    embed_job job = {out, table, ids, (size_t)n_tokens, &cpu->kernels};
    gol_backend_cpu_run(cpu, embed_rows, &job, (size_t)n_tokens * (size_t)table->n_in);
}

/* A copy of some rows is bound by memory: one core does it. */
void gol_backend_cpu_gather_rows(gol_backend *be, float *out, const float *x, const int32_t *rows,
                                 int32_t n_rows, int32_t n)
{
    (void)be;
    for (int32_t i = 0; i < n_rows; i++) {
        assert(rows[i] >= 0);
        memcpy(out + (size_t)i * (size_t)n, x + (size_t)rows[i] * (size_t)n,
               (size_t)n * sizeof *out);
    }
}
