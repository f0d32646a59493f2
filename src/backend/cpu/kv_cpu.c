/*
 * The paged KV cache in host memory: sizes, life, writing a batch's K and V into their slots, copying a block. The layout is
 * drawn in backend_cpu.h.
 */
#include "backend/cpu/backend_cpu.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* Bytes of n numbers, n a multiple of the lanes. Q8_0 rounds up to whole blocks, so that sizes have an answer also for
 * shapes that create() will refuse. */
static size_t number_bytes(gol_kv_type type, size_t n)
{
    switch (type) {
    case GOL_KV_F32:
        return n * sizeof(float);
    case GOL_KV_Q8_0:
        return (n + GOL_QK - 1) / GOL_QK * sizeof(gol_block_q8_0);
    default:
        return n * sizeof(uint16_t);
    }
}

static size_t pad_lanes(int32_t n)
{
    return ((size_t)n + GOL_ATTN_LANES - 1) / GOL_ATTN_LANES * GOL_ATTN_LANES;
}

/* Panels of a block. */
static int32_t count_panels(int32_t block_size)
{
    return (block_size - 1) / GOL_ATTN_LANES + 1;
}

/* *end = the first aligned byte behind n_items of `size` bytes for each block and KV head, which begin at `begin`. */
static bool place_plane(size_t *end, size_t begin, const gol_kv_shape *shape, int32_t n_kv_heads,
                        int32_t n_items, size_t size)
{
    return gol_mul_size(end, size, (size_t)n_items) &&
           gol_mul_size(end, *end, (size_t)shape->n_blocks) &&
           gol_mul_size(end, *end, (size_t)n_kv_heads) && gol_add_size(end, *end, begin) &&
           gol_add_size(end, *end, (GOL_MEM_ALIGN - *end % GOL_MEM_ALIGN) % GOL_MEM_ALIGN);
}

/* A layer of an earlier group that has the same place in blocks as layer i: its memory is the layer's, too. -1: the first there. */
static int32_t find_neighbour(const gol_kv_shape *shape, int32_t i)
{
    int32_t place = 0;
    for (int32_t k = 0; k < i; k++)
        place += shape->layers[k].group == shape->layers[i].group;
    int32_t n_before[GOL_KV_GROUPS_MAX] = {0};
    for (int32_t k = 0; k < i; k++)
        if (n_before[shape->layers[k].group]++ == place)
            return k;
    return -1;
}

static bool has_same_heads(const gol_kv_layer_shape *a, const gol_kv_layer_shape *b)
{
    return a->n_kv_heads == b->n_kv_heads && a->head_dim_k == b->head_dim_k &&
           a->head_dim_v == b->head_dim_v;
}

/* Places all layers one after another; layers may be NULL when only the sum is wanted. SIZE_MAX: it overflows. */
static size_t place_layers(gol_kv_layer *layers, const gol_kv_shape *shape)
{
    size_t end = 0;
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const int32_t neighbour = find_neighbour(shape, i);
        if (neighbour >= 0) {
            assert(has_same_heads(&shape->layers[neighbour], &shape->layers[i]));
            if (layers) {
                layers[i] = layers[neighbour];
                layers[i].shape = shape->layers[i];
                layers[i].is_shared = true;
            }
            continue;
        }
        gol_kv_layer l = {.shape = shape->layers[i], .k_offset = end};
        l.panel_bytes = GOL_ATTN_LANES * number_bytes(shape->type, (size_t)l.shape.head_dim_k);
        l.row_bytes = number_bytes(shape->type, pad_lanes(l.shape.head_dim_v));
        if (!place_plane(&l.v_offset, l.k_offset, shape, l.shape.n_kv_heads,
                         count_panels(shape->block_size), l.panel_bytes) ||
            !place_plane(&end, l.v_offset, shape, l.shape.n_kv_heads, shape->block_size,
                         l.row_bytes))
            return SIZE_MAX;
        if (layers)
            layers[i] = l;
    }
    return end;
}

static void check_shape(const gol_kv_shape *shape)
{
    assert(gol_kv_type_name(shape->type) != NULL);
    assert(shape->n_layers >= 0 && shape->n_blocks >= 0 && shape->block_size > 0);
    /* slot_mapping counts slots in 32 bits */
    assert((int64_t)shape->n_blocks * shape->block_size <= INT32_MAX);
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const gol_kv_layer_shape *l = &shape->layers[i];
        assert(l->n_kv_heads >= 0 && l->head_dim_k >= 0 && l->head_dim_v >= 0);
        assert(l->group >= 0 && l->group < GOL_KV_GROUPS_MAX);
    }
}

size_t gol_backend_cpu_kv_bytes(gol_backend *be, const gol_kv_shape *shape)
{
    (void)be;
    check_shape(shape);
    return place_layers(NULL, shape);
}

static int check_head_dims(const gol_kv_shape *shape, gol_err *err)
{
    if (shape->type != GOL_KV_Q8_0)
        return 0;
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const gol_kv_layer_shape *l = &shape->layers[i];
        if (l->n_kv_heads > 0 && (l->head_dim_k % GOL_QK != 0 || l->head_dim_v % GOL_QK != 0))
            return gol_fail(
                err, GOL_EUNSUPPORTED,
                "cpu: a q8_0 KV cache needs heads of a multiple of %d numbers; those of "
                "layer %d have %d (K) and %d (V): take f16, bf16 or f32",
                (int)GOL_QK, i, l->head_dim_k, l->head_dim_v);
    }
    return 0;
}

/* The widest heads, for attention's scratch. */
static int reserve_heads(gol_backend *be, const gol_kv_shape *shape, gol_err *err)
{
    int32_t dim_k = 0;
    int32_t dim_v = 0;
    for (int32_t i = 0; i < shape->n_layers; i++) {
        const gol_kv_layer_shape *l = &shape->layers[i];
        dim_k = l->n_kv_heads > 0 && l->head_dim_k > dim_k ? l->head_dim_k : dim_k;
        dim_v = l->n_kv_heads > 0 && l->head_dim_v > dim_v ? l->head_dim_v : dim_v;
    }
    return gol_backend_cpu_reserve_attention(gol_backend_cpu_of(be), 0, dim_k, dim_v, err);
}

int gol_backend_cpu_kv_create(gol_backend *be, gol_kv **out, const gol_kv_shape *shape,
                              gol_err *err)
{
    *out = NULL;
    const size_t n_bytes = gol_backend_cpu_kv_bytes(be, shape);
    int rc = check_head_dims(shape, err);
    if (rc < 0)
        return rc;
    if (n_bytes == SIZE_MAX)
        return gol_fail(err, GOL_ENOMEM,
                        "cpu: a KV cache of %d blocks of %d tokens does not fit into memory",
                        shape->n_blocks, shape->block_size);
    rc = reserve_heads(be, shape, err);
    if (rc < 0)
        return rc;
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
    kv->n_panels = count_panels(shape->block_size);
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
        const gol_kv_layer *l = &kv->layers[i];
        if (l->is_shared)
            continue; /* copied with the layer that it shares it with */
        for (int32_t h = 0; h < l->shape.n_kv_heads; h++) {
            memcpy(gol_kv_cpu_panel(kv, l, h, dst_block, 0),
                   gol_kv_cpu_panel(kv, l, h, src_block, 0), (size_t)kv->n_panels * l->panel_bytes);
            memcpy(gol_kv_cpu_value(kv, l, h, dst_block, 0),
                   gol_kv_cpu_value(kv, l, h, src_block, 0), (size_t)kv->block_size * l->row_bytes);
        }
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

/* Dealt by heads, because tokens of one panel share cache lines; one head is cut by tokens when there are few. */
static void write_heads(void *arg, int ith, int n_threads)
{
    const write_job *job = arg;
    const gol_kv *kv = job->kv;
    const gol_kv_layer *l = &kv->layers[job->layer];
    const gol_kernels *kernels = &job->cpu->kernels;
    const size_t n_tokens = (size_t)job->batch->n_tokens;
    const int32_t *slots = job->batch->slot_mapping + (size_t)l->shape.group * n_tokens;
    const size_t dim_k = (size_t)l->shape.head_dim_k;
    const size_t dim_v = (size_t)l->shape.head_dim_v;
    size_t begin;
    size_t end;
    gol_worker_range(&begin, &end, (size_t)l->shape.n_kv_heads * n_tokens, 1, ith, n_threads);
    for (size_t item = begin; item < end; item++) {
        const size_t h = item / n_tokens;
        const size_t t = item % n_tokens;
        const int32_t slot = slots[t];
        assert(slot >= 0 && slot < kv->n_blocks * kv->block_size);
        const int32_t block = slot / kv->block_size;
        const int32_t offset = slot % kv->block_size;
        kernels->kv_store_key[kv->type](gol_kv_cpu_panel(kv, l, (int32_t)h, block, offset),
                                        job->k + (int64_t)t * job->k_stride + h * dim_k,
                                        (size_t)offset % GOL_ATTN_LANES, dim_k);
        kernels->kv_store_value[kv->type](gol_kv_cpu_value(kv, l, (int32_t)h, block, offset),
                                          job->v + (int64_t)t * job->v_stride + h * dim_v, dim_v);
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
    gol_backend_cpu_run(job.cpu, write_heads, &job, (size_t)batch->n_tokens * row);
}
