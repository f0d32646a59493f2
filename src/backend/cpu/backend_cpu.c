/*
 * The CPU as a device: table of ops, life, memory. Device memory is host memory, so write and read are copies and data of
 * weights may stay in the mapped file.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

/* Below this many numbers touched, one core is done before the others are awake (a wake-up costs some microseconds). Lower
 * wastes cycles of the other cores, higher leaves them idle in small models. */
enum { RUN_ALONE_MAX = 8192 };

void gol_backend_cpu_run(const gol_backend_cpu *cpu, gol_work *work, void *arg, size_t n_touched)
{
    if (cpu->n_threads == 1 || n_touched <= RUN_ALONE_MAX)
        work(arg, 0, 1);
    else
        gol_worker_pool_run(cpu->pool, work, arg);
}

static void cpu_destroy(gol_backend *be)
{
    gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    gol_worker_pool_destroy(&cpu->pool);
    gol_matmul_release(cpu);
    gol_aligned_free(cpu->attention.data);
    gol_free(cpu);
}

static int cpu_alloc(gol_backend *be, float **out, size_t n_floats, gol_err *err)
{
    (void)be;
    *out = NULL;
    size_t n_bytes;
    if (!gol_mul_size(&n_bytes, n_floats, sizeof(float)))
        return gol_fail(err, GOL_ENOMEM, "cpu: %zu floats do not fit into memory", n_floats);
    float *p = gol_try_aligned(n_bytes);
    if (!p)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for %zu bytes", n_bytes);
    memset(p, 0, n_bytes);
    *out = p;
    return 0;
}

static void cpu_free(gol_backend *be, float *p)
{
    (void)be;
    gol_aligned_free(p);
}

static void cpu_write(gol_backend *be, float *dst, const float *host, size_t n_floats)
{
    (void)be;
    memcpy(dst, host, n_floats * sizeof *dst);
}

static void cpu_read(gol_backend *be, float *host, const float *src, size_t n_floats)
{
    (void)be;
    memcpy(host, src, n_floats * sizeof *host);
}

static int cpu_n_lanes(gol_backend *be)
{
    return gol_backend_cpu_of(be)->n_threads;
}

typedef struct host_job {
    gol_host_work *work;
    void *user;
    int32_t n;
} host_job;

static void do_host_work(void *arg, int ith, int n_threads)
{
    const host_job *job = arg;
    size_t i;
    size_t end;
    gol_worker_range(&i, &end, (size_t)job->n, 1, ith, n_threads);
    for (; i < end; i++)
        job->work(job->user, (int32_t)i, ith);
}

static void cpu_for_each(gol_backend *be, gol_host_work *work, void *user, int32_t n,
                         size_t n_touched)
{
    host_job job = {work, user, n};
    gol_backend_cpu_run(gol_backend_cpu_of(be), do_host_work, &job, n > 1 ? n_touched : 0);
}

static size_t cpu_reserve_bytes(gol_backend *be, const gol_scratch_shape *shape)
{
    const gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    size_t n_bytes = gol_matmul_reserve_bytes(cpu, (size_t)shape->n_tokens_max,
                                              (size_t)shape->n_in_max);
    gol_add_size(&n_bytes, n_bytes,
                 gol_backend_cpu_attention_bytes(cpu, shape->n_ctx_max, shape->head_dim_k_max,
                                                 shape->head_dim_v_max));
    return n_bytes;
}

static int cpu_reserve(gol_backend *be, int32_t n_tokens_max, int64_t n_in_max, int32_t n_ctx_max,
                       gol_err *err)
{
    gol_backend_cpu *cpu = gol_backend_cpu_of(be);
    assert(n_tokens_max > 0 && n_in_max > 0);
    const int rc = gol_backend_cpu_reserve_attention(cpu, n_ctx_max, 0, 0, err);
    return rc < 0 ? rc : gol_matmul_reserve(cpu, (size_t)n_tokens_max, (size_t)n_in_max, err);
}

static const gol_backend_ops cpu_ops = {
    .name = "cpu",
    .is_host_memory = true,
    .destroy = cpu_destroy,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .write = cpu_write,
    .read = cpu_read,
    .n_lanes = cpu_n_lanes,
    .for_each = cpu_for_each,
    .weight_bytes = gol_backend_cpu_weight_bytes,
    .weight_load = gol_backend_cpu_weight_load,
    .weight_free = gol_backend_cpu_weight_free,
    .stack_load = gol_backend_cpu_stack_load,
    .kv_bytes = gol_backend_cpu_kv_bytes,
    .kv_create = gol_backend_cpu_kv_create,
    .kv_destroy = gol_backend_cpu_kv_destroy,
    .kv_copy_block = gol_backend_cpu_kv_copy_block,
    .state_bytes = gol_backend_cpu_state_bytes,
    .state_create = gol_backend_cpu_state_create,
    .state_destroy = gol_backend_cpu_state_destroy,
    .state_copy_slot = gol_backend_cpu_state_copy_slot,
    .reserve_bytes = cpu_reserve_bytes,
    .reserve = cpu_reserve,
    .embed = gol_backend_cpu_embed,
    .matmul = gol_backend_cpu_matmul,
    .rms_norm = gol_backend_cpu_rms_norm,
    .layer_norm = gol_backend_cpu_layer_norm,
    .layer_norm_heads = gol_backend_cpu_layer_norm_heads,
    .rope_angles = gol_backend_cpu_rope_angles,
    .rope = gol_backend_cpu_rope,
    .kv_write = gol_backend_cpu_kv_write,
    .attention = gol_backend_cpu_attention,
    .ssm_conv = gol_backend_cpu_ssm_conv,
    .ssm_steps = gol_backend_cpu_ssm_steps,
    .ssm_scan = gol_backend_cpu_ssm_scan,
    .gated_norm = gol_backend_cpu_gated_norm,
    .glu = gol_backend_cpu_glu,
    .act = gol_backend_cpu_act,
    .add = gol_backend_cpu_add,
    .scale = gol_backend_cpu_scale,
    .softcap = gol_backend_cpu_softcap,
    .moe_bytes = gol_backend_cpu_moe_bytes,
    .moe_create = gol_backend_cpu_moe_create,
    .moe_destroy = gol_backend_cpu_moe_destroy,
    .moe_route = gol_backend_cpu_moe_route,
    .moe_read = gol_backend_cpu_moe_read,
    .moe_matmul = gol_backend_cpu_moe_matmul,
    .moe_combine = gol_backend_cpu_moe_combine,
    .gate_rows = gol_backend_cpu_gate_rows,
    .gather_rows = gol_backend_cpu_gather_rows,
};

int gol_backend_cpu_create(gol_backend **out, const gol_cpu_opts *opts, gol_err *err)
{
    *out = NULL;
    gol_backend_cpu *cpu = gol_try_calloc(1, sizeof *cpu);
    if (!cpu)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory");
    cpu->base.ops = &cpu_ops;
    gol_kernels_init(&cpu->kernels, gol_cpu_get());
    const int rc = gol_worker_pool_create(&cpu->pool, opts ? opts->n_threads : 0, err);
    if (rc < 0) {
        gol_free(cpu);
        return rc;
    }
    cpu->n_threads = gol_worker_pool_size(cpu->pool);
    *out = &cpu->base;
    return 0;
}

int gol_backend_cpu_n_threads(const gol_backend *be)
{
    return ((const gol_backend_cpu *)be)->n_threads;
}

const char *gol_backend_cpu_kernel_name(const gol_backend *be, gol_type type)
{
    return gol_kernels_matmul_name(&((const gol_backend_cpu *)be)->kernels, type);
}

const char *gol_backend_cpu_unpack_name(const gol_backend *be, gol_type type)
{
    return gol_kernels_unpack_name(&((const gol_backend_cpu *)be)->kernels, type);
}

void gol_backend_destroy(gol_backend **be)
{
    if (!*be)
        return;
    (*be)->ops->destroy(*be);
    *be = NULL;
}
