/*
 * Rotary embedding: tokens are split over the workers. A token's cos and sin are worked out once, in the worker's scratch, and
 * used for all its heads.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <math.h>

typedef struct rope_job {
    const gol_backend_cpu *cpu;
    float *x; /* [n_tokens][n_heads][head_dim] */
    const gol_rope *rope;
    const int32_t *positions; /* [n_tokens] */
    size_t n_tokens;
    size_t n_heads;
    size_t head_dim;
} rope_job;

static void rotate_tokens(void *arg, int ith, int n_threads)
{
    const rope_job *job = arg;
    const gol_rope *rope = job->rope;
    const size_t n_pairs = (size_t)rope->n_rot / 2;
    float *cosines = gol_backend_cpu_scratch(job->cpu, ith); /* [n_pairs] */
    float *sines = cosines + n_pairs;                        /* [n_pairs] */
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        for (size_t i = 0; i < n_pairs; i++) {
            const float angle = (float)job->positions[t] * rope->inv_freq[i];
            cosines[i] = cosf(angle) * rope->scale;
            sines[i] = sinf(angle) * rope->scale;
        }
        float *token = job->x + t * job->n_heads * job->head_dim;
        for (size_t h = 0; h < job->n_heads; h++)
            job->cpu->kernels.rope[rope->kind](token + h * job->head_dim, cosines, sines, n_pairs);
    }
}

void gol_backend_cpu_rope(gol_backend *be, float *x, const gol_rope *rope, const int32_t *positions,
                          int32_t n_tokens, int32_t n_heads, int32_t head_dim)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    if (rope->kind == GOL_ROPE_NONE)
        return;
    assert(rope->n_rot >= 0 && rope->n_rot % 2 == 0 && rope->n_rot <= head_dim);
    assert((size_t)rope->n_rot <= cpu->scratch_stride); /* reserve() came first */
    rope_job job = {cpu, x, rope, positions, (size_t)n_tokens, (size_t)n_heads, (size_t)head_dim};
    gol_backend_cpu_run(cpu, rotate_tokens, &job, job.n_tokens * job.n_heads * job.head_dim);
}
