/*
 * out[n_tokens][n_out] = x[n_tokens][n_in] * w[n_out][n_in]^T: slabs of tokens, whose packed activations fit into the scratch that
 * reserve() made. All workers pack a slab, then each multiplies it by its share of the output columns, in panels of 16
 * (panel_job.c).
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>

#include "backend/cpu/panel_job.h"
#include "base/mem.h"

typedef struct matmul_op {
    gol_panel_job job; /* of the first slab */
    const float *x;    /* [n_tokens][n_in] */
    size_t n_tokens;
    size_t slab; /* tokens */
} matmul_op;

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Packs this worker's share of a slab, x[n_tokens][n_in]: units in their order in memory. */
static void pack_slab(const gol_panel_job *job, const float *x, int ith, int n_threads)
{
    const size_t n_tiles = gol_panel_job_n_tiles(job);
    const size_t n_in = (size_t)job->w->n_in;
    size_t item;
    size_t end;
    gol_worker_range(&item, &end, n_tiles * job->n_stretches, 1, ith, n_threads);
    for (; item < end; item++) {
        const size_t tile = item % n_tiles;
        const size_t stretch = item / n_tiles;
        gol_panel_job_pack(job, stretch, tile,
                           x + tile * job->tile * n_in + stretch * GOL_STRETCH_INPUTS, n_in);
    }
}

static void multiply(void *arg, int ith, int n_threads)
{
    const matmul_op *op = arg;
    gol_panel_job job = op->job;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, gol_weight_cpu_n_panels(job.w), 1, ith, n_threads);
    for (size_t t = 0; t < op->n_tokens; t += op->slab) {
        gol_panel_job_set_tokens(&job, min_size(op->slab, op->n_tokens - t));
        job.out = op->job.out + t * (size_t)job.w->n_out;
        if (t > 0 && n_threads > 1) /* nobody still reads the slab before */
            gol_worker_pool_barrier(job.cpu->pool, ith);
        pack_slab(&job, op->x + t * (size_t)job.w->n_in, ith, n_threads);
        if (n_threads > 1)
            gol_worker_pool_barrier(job.cpu->pool, ith);
        gol_panel_job_multiply(&job, begin, end, ith);
    }
}

/* Tokens of a slab when n_tokens are cut into as few as possible, all of nearly the same size. */
static size_t slab_of(size_t n_tokens)
{
    const size_t n_slabs = (n_tokens + GOL_SLAB_TOKENS - 1) / GOL_SLAB_TOKENS;
    const size_t share = (n_tokens + n_slabs - 1) / n_slabs;
    return (share + GOL_F32_TILE - 1) / GOL_F32_TILE * GOL_F32_TILE;
}

void gol_backend_cpu_matmul(gol_backend *be, float *out, const float *x, const gol_weight *w,
                            const float *bias, int32_t n_tokens)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_tokens >= 0);
    if (n_tokens == 0)
        return;
    matmul_op op = {
        .x = x,
        .n_tokens = (size_t)n_tokens,
        .slab = slab_of((size_t)n_tokens),
    };
    gol_panel_job_init(&op.job, cpu, w, min_size(op.slab, op.n_tokens));
    op.job.out = out;
    op.job.bias = bias;
    op.job.packed_x = cpu->packed_x;
    assert(gol_panel_job_n_tiles(&op.job) * op.job.n_stretches * op.job.unit_bytes <=
           cpu->packed_x_bytes); /* reserve() came first */
    gol_backend_cpu_run(cpu, multiply, &op, (size_t)w->n_out * (size_t)w->n_in);
}

/* Of packed activations, SIZE_MAX on overflow. */
static size_t packed_x_bytes(size_t n_tokens_max, size_t n_in_max)
{
    const size_t n_slab = min_size(n_tokens_max, GOL_SLAB_TOKENS);
    const size_t n_tiles = (n_slab + GOL_F32_TILE - 1) / GOL_F32_TILE;
    size_t n_bytes;
    if (gol_mul_size(&n_bytes, gol_panel_n_stretches(n_in_max), GOL_PANEL_UNIT_MAX))
        gol_mul_size(&n_bytes, n_bytes, n_tiles);
    return n_bytes;
}

size_t gol_matmul_reserve_bytes(const gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max)
{
    size_t n_bytes = packed_x_bytes(n_tokens_max, n_in_max);
    gol_add_size(&n_bytes, n_bytes, (size_t)cpu->n_threads * sizeof *cpu->matmul_scratch);
    return n_bytes;
}

int gol_matmul_reserve(gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max, gol_err *err)
{
    if (!cpu->matmul_scratch) {
        cpu->matmul_scratch = gol_try_aligned((size_t)cpu->n_threads * sizeof *cpu->matmul_scratch);
        if (!cpu->matmul_scratch)
            return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for scratch of %d threads",
                            cpu->n_threads);
    }
    const size_t n_bytes = packed_x_bytes(n_tokens_max, n_in_max);
    if (n_bytes == SIZE_MAX)
        return gol_fail(err, GOL_ENOMEM, "cpu: scratch for rows of %zu does not fit into memory",
                        n_in_max);
    if (n_bytes <= cpu->packed_x_bytes)
        return 0;
    uint8_t *packed_x = gol_try_aligned(n_bytes);
    if (!packed_x)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for %zu bytes of scratch", n_bytes);
    gol_aligned_free(cpu->packed_x);
    cpu->packed_x = packed_x;
    cpu->packed_x_bytes = n_bytes;
    return 0;
}

void gol_matmul_release(gol_backend_cpu *cpu)
{
    gol_aligned_free(cpu->packed_x);
    gol_aligned_free(cpu->matmul_scratch);
}
