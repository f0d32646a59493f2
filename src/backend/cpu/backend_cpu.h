/*
 * Inside of the CPU backend: what its ops share. An op cuts its work into parts by worker number alone, never by who is faster,
 * and each part ends in a leaf kernel; no two workers write the same row, so results do not depend on the number of threads.
 */
#ifndef GOL_BACKEND_CPU_BACKEND_CPU_H
#define GOL_BACKEND_CPU_BACKEND_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/weight_cpu.h"
#include "base/worker_pool.h"

typedef struct gol_matmul_scratch gol_matmul_scratch; /* of matmul.c */

typedef struct gol_backend_cpu {
    gol_backend base; /* first: a gol_backend * is a gol_backend_cpu * */
    gol_kernels kernels;
    gol_worker_pool *pool;
    int n_threads;
    gol_matmul_scratch *matmul_scratch; /* [n_threads] */
    float *scratch;                     /* [n_threads][scratch_stride], of ops that need a row */
    size_t scratch_stride;              /* floats of one worker: the longest row */
    uint8_t *packed_x;                  /* activations of the product at hand */
    size_t packed_x_bytes;
} gol_backend_cpu;

/* K and V of every layer in one allocation. Of one layer, at its offset:
 *
 *     K [n_blocks][n_kv_heads][block_size][head_dim_k]
 *     V [n_blocks][n_kv_heads][block_size][head_dim_v]
 *
 * so that the keys one head reads from one block are one run of memory. */
typedef struct gol_kv_layer {
    gol_kv_layer_shape shape;
    size_t k_offset; /* bytes from data, aligned to GOL_MEM_ALIGN */
    size_t v_offset;
} gol_kv_layer;

struct gol_kv {
    gol_kv_type type;
    int32_t n_layers;
    int32_t n_blocks;
    int32_t block_size;
    size_t element_size;
    uint8_t *data;
    gol_kv_layer layers[]; /* [n_layers] */
};

/* Number of the row [block][head][offset] in K and in V. */
static inline size_t gol_kv_cpu_row(const gol_kv *kv, const gol_kv_layer *l, int32_t block,
                                    int32_t head, int32_t offset)
{
    const size_t run = (size_t)block * (size_t)l->shape.n_kv_heads + (size_t)head;
    return run * (size_t)kv->block_size + (size_t)offset;
}

/* Keys [n][head_dim_k] of one head from position `offset` of a block to the block's end. */
static inline uint8_t *gol_kv_cpu_keys(const gol_kv *kv, int32_t layer, int32_t block, int32_t head,
                                       int32_t offset)
{
    const gol_kv_layer *l = &kv->layers[layer];
    const size_t row = gol_kv_cpu_row(kv, l, block, head, offset);
    return kv->data + l->k_offset + row * (size_t)l->shape.head_dim_k * kv->element_size;
}

/* Values [n][head_dim_v], likewise. */
static inline uint8_t *gol_kv_cpu_values(const gol_kv *kv, int32_t layer, int32_t block,
                                         int32_t head, int32_t offset)
{
    const gol_kv_layer *l = &kv->layers[layer];
    const size_t row = gol_kv_cpu_row(kv, l, block, head, offset);
    return kv->data + l->v_offset + row * (size_t)l->shape.head_dim_v * kv->element_size;
}

static inline gol_backend_cpu *gol_backend_cpu_of(gol_backend *be)
{
    return (gol_backend_cpu *)be;
}

static inline float *gol_backend_cpu_scratch(const gol_backend_cpu *cpu, int ith)
{
    return cpu->scratch + (size_t)ith * cpu->scratch_stride;
}

/* Scratch of the product: what reserve() of this backend makes room for. Errors: GOL_ENOMEM. */
int gol_matmul_reserve(gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max, gol_err *err);
void gol_matmul_release(gol_backend_cpu *cpu);

/* Runs work on all workers, or on the caller alone when it touches so few numbers that waking the others costs more. */
void gol_backend_cpu_run(const gol_backend_cpu *cpu, gol_work *work, void *arg, size_t n_touched);

/* The ops, as backend.h describes them. */
int gol_backend_cpu_weight_load(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                                gol_err *err);
void gol_backend_cpu_weight_free(gol_backend *be, gol_weight *w);
size_t gol_backend_cpu_kv_bytes(gol_backend *be, const gol_kv_shape *shape);
int gol_backend_cpu_kv_create(gol_backend *be, gol_kv **out, const gol_kv_shape *shape,
                              gol_err *err);
void gol_backend_cpu_kv_destroy(gol_backend *be, gol_kv **kv);
void gol_backend_cpu_kv_copy_block(gol_backend *be, gol_kv *kv, int32_t dst_block,
                                   int32_t src_block);
void gol_backend_cpu_kv_write(gol_backend *be, gol_kv *kv, int32_t layer, const float *k,
                              const float *v, int64_t k_stride, int64_t v_stride,
                              const gol_batch *batch);
void gol_backend_cpu_embed(gol_backend *be, float *out, const gol_weight *table, const int32_t *ids,
                           int32_t n_tokens);
void gol_backend_cpu_gather_rows(gol_backend *be, float *out, const float *x, const int32_t *rows,
                                 int32_t n_rows, int32_t n);
void gol_backend_cpu_matmul(gol_backend *be, float *out, const float *x, const gol_weight *w,
                            const float *bias, int32_t n_tokens);
void gol_backend_cpu_rms_norm(gol_backend *be, float *out, const float *x, const float *w,
                              float eps, int64_t n_rows, int32_t n);
void gol_backend_cpu_layer_norm(gol_backend *be, float *out, const float *x, const float *w,
                                const float *b, float eps, int64_t n_rows, int32_t n);
void gol_backend_cpu_rope_angles(gol_backend *be, float *angles, const gol_rope *rope,
                                 const int32_t *positions, int32_t n_tokens);
void gol_backend_cpu_rope(gol_backend *be, float *x, const gol_rope *rope, const float *angles,
                          int32_t n_tokens, int32_t n_heads, int32_t head_dim);
void gol_backend_cpu_attention(gol_backend *be, float *out, const float *q, int64_t q_stride,
                               const gol_kv *kv, const gol_attention *a, const gol_batch *batch);
void gol_backend_cpu_glu(gol_backend *be, float *out, const float *gate, const float *up,
                         gol_activation act, size_t n);
void gol_backend_cpu_act(gol_backend *be, float *out, const float *x, gol_activation act, size_t n);
void gol_backend_cpu_add(gol_backend *be, float *out, const float *a, const float *b, size_t n);
void gol_backend_cpu_scale(gol_backend *be, float *out, const float *x, float factor, size_t n);
void gol_backend_cpu_softcap(gol_backend *be, float *out, const float *x, float cap, size_t n);

#endif
