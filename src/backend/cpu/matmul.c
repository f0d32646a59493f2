/*
 * out[n_tokens][n_out] = x[n_tokens][n_in] * w[n_out][n_in]^T: output columns are split over the workers, and each worker hands
 * its columns, a few at a time with all tokens, to the leaf kernel of the weight's type.
 *
 *              columns of worker 0     worker 1       ...
 *     token 0  [........|........]  [........|........]
 *     token 1  [........|........]  [........|........]     | : borders of one kernel call, GOL_MATMUL_ROWS columns
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>

#include "base/mem.h"

/* Borders between workers fall on multiples of a cache line of outputs, so that two cores never write to one line (of an
 * aligned row). */
enum { COLUMNS_GRAIN = GOL_MEM_ALIGN / sizeof(float) };

typedef struct matmul_job {
    const gol_backend_cpu *cpu;
    float *out;     /* [n_tokens][n_out] */
    const float *x; /* [n_tokens][n_in] */
    const gol_weight *w;
    const float *bias; /* [n_out] or NULL */
    size_t w_row_bytes;
    size_t n_tokens;
} matmul_job;

static void multiply_columns(void *arg, int ith, int n_threads)
{
    const matmul_job *job = arg;
    const gol_weight *w = job->w;
    gol_matmul_fn *kernel = job->cpu->kernels.matmul[w->type];
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)w->n_out, COLUMNS_GRAIN, ith, n_threads);
    for (size_t column = begin; column < end; column += GOL_MATMUL_ROWS) {
        const size_t n_left = end - column;
        const gol_matmul_tile tile = {
            .out = job->out + column,
            .out_stride = (size_t)w->n_out,
            .x = job->x,
            .w = (const uint8_t *)w->data + column * job->w_row_bytes,
            .w_row_bytes = job->w_row_bytes,
            .bias = job->bias ? job->bias + column : NULL,
            .scratch = gol_backend_cpu_scratch(job->cpu, ith),
            .type = w->type,
            .n_in = (size_t)w->n_in,
            .n_rows = n_left < GOL_MATMUL_ROWS ? n_left : GOL_MATMUL_ROWS,
            .n_tokens = job->n_tokens,
        };
        kernel(&tile);
    }
}

void gol_backend_cpu_matmul(gol_backend *be, float *out, const float *x, const gol_weight *w,
                            const float *bias, int32_t n_tokens)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_tokens >= 0);
    assert((size_t)w->n_in * GOL_MATMUL_ROWS <= cpu->scratch_stride); /* reserve() came first */
    if (n_tokens == 0)
        return;
    size_t row_bytes;
    const bool is_whole = gol_type_row_bytes(&row_bytes, w->type, (uint64_t)w->n_in);
    assert(is_whole);
    matmul_job job = {cpu, out, x, w, bias, row_bytes, (size_t)n_tokens};
    gol_backend_cpu_run(cpu, multiply_columns, &job, (size_t)w->n_out * (size_t)w->n_in);
}
