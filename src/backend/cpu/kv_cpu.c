/*
 * The paged KV cache in host memory: sizes, life, writing a batch's K and V into their slots, copying a block. The layout is
 * drawn in backend_cpu.h.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static size_t element_size(gol_kv_type type)
{
    return type == GOL_KV_F16 ? sizeof(uint16_t) : sizeof(float);
}

/* Bytes of K or V of one layer, rounded up to GOL_MEM_ALIGN; false on overflow. */
static bool plane_bytes(size_t *out, const gol_kv_shape *shape, int32_t n_kv_heads,
                        int32_t head_dim)
{
    size_t n = element_size(shape->type);
    if (!gol_mul_size(&n, n, (size_t)shape->n_blocks) ||
        !gol_mul_size(&n, n, (size_t)shape->block_size) ||
        !gol_mul_size(&n, n, (size_t)n_kv_heads) || !gol_mul_size(&n, n, (size_t)head_dim) ||
        !gol_add_size(&n, n, GOL_MEM_ALIGN - 1)) {
        *out = SIZE_MAX;
        return false;
    }
    *out = n / GOL_MEM_ALIGN * GOL_MEM_ALIGN;
    return true;
}

/* Places all layers one after another; layers may be NULL when only the sum is wanted. SIZE_MAX: it overflows. */
static size_t place_layers(gol_kv_layer *layers, const gol_kv_shape *shape)
{
    size_t end = 0;
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const gol_kv_layer_shape *l = &shape->layers[i];
        size_t k_bytes;
        size_t v_bytes;
        if (!plane_bytes(&k_bytes, shape, l->n_kv_heads, l->head_dim_k) ||
            !plane_bytes(&v_bytes, shape, l->n_kv_heads, l->head_dim_v))
            return SIZE_MAX;
        size_t v_offset;
        const size_t k_offset = end;
        if (!gol_add_size(&v_offset, k_offset, k_bytes) || !gol_add_size(&end, v_offset, v_bytes))
            return SIZE_MAX;
        if (layers)
            layers[i] = (gol_kv_layer){.shape = *l, .k_offset = k_offset, .v_offset = v_offset};
    }
    return end;
}

static void check_shape(const gol_kv_shape *shape)
{
    assert(shape->type == GOL_KV_F16 || shape->type == GOL_KV_F32);
    assert(shape->n_layers >= 0 && shape->n_blocks >= 0 && shape->block_size > 0);
    /* slot_mapping counts slots in 32 bits */
    assert((int64_t)shape->n_blocks * shape->block_size <= INT32_MAX);
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const gol_kv_layer_shape *l = &shape->layers[i];
        assert(l->n_kv_heads >= 0 && l->head_dim_k >= 0 && l->head_dim_v >= 0);
    }
}

size_t gol_backend_cpu_kv_bytes(gol_backend *be, const gol_kv_shape *shape)
{
    (void)be;
    check_shape(shape);
    return place_layers(NULL, shape);
}

int gol_backend_cpu_kv_create(gol_backend *be, gol_kv **out, const gol_kv_shape *shape,
                              gol_err *err)
{
    *out = NULL;
    const size_t n_bytes = gol_backend_cpu_kv_bytes(be, shape);
    if (n_bytes == SIZE_MAX)
        return gol_fail(err, GOL_ENOMEM,
                        "cpu: a KV cache of %d blocks of %d tokens does not fit into memory",
                        shape->n_blocks, shape->block_size);
    gol_kv *kv = gol_try_calloc(1, sizeof *kv + (size_t)shape->n_layers * sizeof kv->layers[0]);
    if (!kv)
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory");
    kv->data = gol_try_aligned(n_bytes);
    if (!kv->data) {
        gol_free(kv);
        return gol_fail(err, GOL_ENOMEM, "cpu: out of memory for a KV cache of %zu bytes", n_bytes);
    }
    kv->type = shape->type;
    kv->n_layers = shape->n_layers;
    kv->n_blocks = shape->n_blocks;
    kv->block_size = shape->block_size;
    kv->element_size = element_size(shape->type);
    place_layers(kv->layers, shape);
    *out = kv;
    return 0;
}

void gol_backend_cpu_kv_destroy(gol_backend *be, gol_kv **kv)
{
    (void)be;
    if (!*kv)
        return;
    gol_aligned_free((*kv)->data);
    gol_free(*kv);
    *kv = NULL;
}

void gol_backend_cpu_kv_copy_block(gol_backend *be, gol_kv *kv, int32_t dst_block,
                                   int32_t src_block)
{
    (void)be;
    assert(dst_block >= 0 && dst_block < kv->n_blocks);
    assert(src_block >= 0 && src_block < kv->n_blocks);
    if (dst_block == src_block)
        return;
    for (int32_t i = 0; i < kv->n_layers; i++) {
        const gol_kv_layer_shape *shape = &kv->layers[i].shape;
        const size_t rows = (size_t)shape->n_kv_heads * (size_t)kv->block_size * kv->element_size;
        memcpy(gol_kv_cpu_keys(kv, i, dst_block, 0, 0), gol_kv_cpu_keys(kv, i, src_block, 0, 0),
               rows * (size_t)shape->head_dim_k);
        memcpy(gol_kv_cpu_values(kv, i, dst_block, 0, 0), gol_kv_cpu_values(kv, i, src_block, 0, 0),
               rows * (size_t)shape->head_dim_v);
    }
}

typedef struct write_job {
    const gol_backend_cpu *cpu;
    const gol_kv *kv;
    int32_t layer;
    const float *k; /* row t at k + t * k_stride: [n_kv_heads][head_dim_k] */
    const float *v; /* row t at v + t * v_stride: [n_kv_heads][head_dim_v] */
    int64_t k_stride;
    int64_t v_stride;
    const gol_batch *batch;
} write_job;

static void write_rows(void *arg, int ith, int n_threads)
{
    const write_job *job = arg;
    const gol_kv *kv = job->kv;
    const gol_kv_layer_shape *shape = &kv->layers[job->layer].shape;
    gol_kv_store_fn *store = job->cpu->kernels.kv_store[kv->type];
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)job->batch->n_tokens, 1, ith, n_threads);
    for (size_t t = begin; t < end; t++) {
        const int32_t slot = job->batch->slot_mapping[t];
        assert(slot >= 0 && slot < kv->n_blocks * kv->block_size);
        const int32_t block = slot / kv->block_size;
        const int32_t offset = slot % kv->block_size;
        const float *k = job->k + (int64_t)t * job->k_stride;
        const float *v = job->v + (int64_t)t * job->v_stride;
        for (int32_t h = 0; h < shape->n_kv_heads; h++) {
            store(gol_kv_cpu_keys(kv, job->layer, block, h, offset),
                  k + (int64_t)h * shape->head_dim_k, (size_t)shape->head_dim_k);
            store(gol_kv_cpu_values(kv, job->layer, block, h, offset),
                  v + (int64_t)h * shape->head_dim_v, (size_t)shape->head_dim_v);
        }
    }
}

void gol_backend_cpu_kv_write(gol_backend *be, gol_kv *kv, int32_t layer, const float *k,
                              const float *v, int64_t k_stride, int64_t v_stride,
                              const gol_batch *batch)
{
    assert(layer >= 0 && layer < kv->n_layers);
    const gol_kv_layer_shape *shape = &kv->layers[layer].shape;
    const size_t row = (size_t)shape->n_kv_heads * (size_t)(shape->head_dim_k + shape->head_dim_v);
    write_job job = {gol_backend_cpu_of(be), kv, layer, k, v, k_stride, v_stride, batch};
    gol_backend_cpu_run(job.cpu, write_rows, &job, (size_t)batch->n_tokens * row);
}
