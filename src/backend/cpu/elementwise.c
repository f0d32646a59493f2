/*
 * Ops that treat every number alike: activations, gates, sums, factors. The run of numbers is split over the workers at borders
 * of cache lines.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>

#include "base/mem.h"

enum {
    GRAIN = GOL_MEM_ALIGN / sizeof(float),
    CLAMPED_RUN = 512, /* floats that a clamped gate works on in L1 */
};

/* Of the clamped gate, as gpt-oss was trained. */
static const float clamped_alpha = 1.702f;
static const float clamped_limit = 7.0f;

typedef struct elementwise_job {
    float *out;
    const float *a;
    const float *b; /* glu, add */
    float factor;   /* scale, softcap */
    size_t n;
    gol_act_fn *act; /* the one that is not NULL is meant */
    gol_glu_fn *glu;
    gol_add_fn *add;
    gol_factor_fn *by_factor;
    bool is_clamped; /* glu */
} elementwise_job;

/* g * sigmoid(alpha g) * (u + 1) is silu(alpha g) * ((u + 1) / alpha): what is left is the kernel's. */
static void clamped_glu(float *out, const float *gate, const float *up, size_t n, gol_glu_fn *silu)
{
    float g[CLAMPED_RUN];
    float u[CLAMPED_RUN];
    assert(n <= CLAMPED_RUN);
    for (size_t i = 0; i < n; i++) { /* a NaN stays one */
        const float low = up[i] > clamped_limit ? clamped_limit : up[i];
        g[i] = (gate[i] > clamped_limit ? clamped_limit : gate[i]) * clamped_alpha;
        u[i] = ((low < -clamped_limit ? -clamped_limit : low) + 1.0f) / clamped_alpha;
    }
    silu(out, g, u, n);
}

static void apply(void *arg, int ith, int n_threads)
{
    const elementwise_job *job = arg;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, job->n, GRAIN, ith, n_threads);
    const size_t n = end - begin;
    if (job->act)
        job->act(job->out + begin, job->a + begin, n);
    else if (job->is_clamped)
        for (size_t i = begin; i < end; i += CLAMPED_RUN)
            clamped_glu(job->out + i, job->a + i, job->b + i,
                        end - i < CLAMPED_RUN ? end - i : CLAMPED_RUN, job->glu);
    else if (job->glu)
        job->glu(job->out + begin, job->a + begin, job->b + begin, n);
    else if (job->add)
        job->add(job->out + begin, job->a + begin, job->b + begin, n);
    else
        job->by_factor(job->out + begin, job->a + begin, job->factor, n);
}

void gol_backend_cpu_glu(gol_backend *be, float *out, const float *gate, const float *up,
                         gol_activation act, size_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    const bool is_clamped = act == GOL_ACT_SWIGLU_CLAMPED;
    elementwise_job job = {.out = out,
                           .a = gate,
                           .b = up,
                           .n = n,
                           .glu = cpu->kernels.glu[is_clamped ? GOL_ACT_SILU : act],
                           .is_clamped = is_clamped};
    gol_backend_cpu_run(cpu, apply, &job, n);
}

void gol_backend_cpu_act(gol_backend *be, float *out, const float *x, gol_activation act, size_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    elementwise_job job = {.out = out, .a = x, .n = n, .act = cpu->kernels.act[act]};
    gol_backend_cpu_run(cpu, apply, &job, n);
}

void gol_backend_cpu_add(gol_backend *be, float *out, const float *a, const float *b, size_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    elementwise_job job = {.out = out, .a = a, .b = b, .n = n, .add = cpu->kernels.add};
    gol_backend_cpu_run(cpu, apply, &job, n);
}

void gol_backend_cpu_scale(gol_backend *be, float *out, const float *x, float factor, size_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    elementwise_job job = {
        .out = out, .a = x, .factor = factor, .n = n, .by_factor = cpu->kernels.scale};
    gol_backend_cpu_run(cpu, apply, &job, n);
}

void gol_backend_cpu_softcap(gol_backend *be, float *out, const float *x, float cap, size_t n)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    elementwise_job job = {
        .out = out, .a = x, .factor = cap, .n = n, .by_factor = cpu->kernels.softcap};
    gol_backend_cpu_run(cpu, apply, &job, n);
}
