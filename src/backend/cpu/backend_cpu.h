/*
 * Inside of the CPU backend: what its ops share. An op cuts its work into parts by worker number alone, never by who is faster,
 * and each part ends in a leaf kernel; no two workers write the same row, so results do not depend on the number of threads.
 */
#ifndef GOL_BACKEND_CPU_BACKEND_CPU_H
#define GOL_BACKEND_CPU_BACKEND_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/cpu/kernels/attention_tile.h"
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/weight_cpu.h"
#include "base/worker_pool.h"

typedef struct gol_matmul_scratch gol_matmul_scratch; /* of matmul.c */

/* Scratch of attention for the longest context and the widest head that were announced (attention_scratch.c). */
typedef struct gol_attention_memory {
    int32_t n_ctx_max;
    int32_t dim_k_max;
    int32_t dim_v_max;
    float *data;   /* [n_threads][stride] */
    size_t stride; /* floats of one worker */
} gol_attention_memory;

typedef struct gol_backend_cpu {
    gol_backend base; /* first: a gol_backend * is a gol_backend_cpu * */
    gol_kernels kernels;
    gol_worker_pool *pool;
    int n_threads;
    gol_matmul_scratch *matmul_scratch; /* [n_threads] */
    uint8_t *packed_x;                  /* activations of the product at hand */
    size_t packed_x_bytes;
    gol_attention_memory attention;
} gol_backend_cpu;

/* K and V of every layer in one allocation. Of one layer, at its offset:
 *
 *     K [n_kv_heads][n_blocks][panels of a block][panel_bytes]
 *     V [n_kv_heads][n_blocks][block_size][row_bytes]
 *
 * Panels and rows are drawn in kernels/attention_tile.h. What one head reads from one block is one run of memory, and blocks that
 * are neighbours, as they are when the cache is young, continue each other. Blocks whose size is no multiple of a panel's keys
 * leave the rest of their last panel unused. */
typedef struct gol_kv_layer {
    gol_kv_layer_shape shape;
    size_t k_offset; /* bytes from data, aligned to GOL_MEM_ALIGN */
    size_t v_offset;
    size_t panel_bytes; /* of GOL_ATTN_LANES keys */
    size_t row_bytes;   /* of one value, padded */
    bool is_shared;     /* its memory is that of an earlier layer, of another group */
} gol_kv_layer;

struct gol_kv {
    gol_kv_type type;
    int32_t n_layers;
    int32_t n_blocks;
    int32_t block_size;
    int32_t n_panels; /* of a block */
    uint8_t *data;
    gol_kv_layer layers[]; /* [n_layers] */
};

/* The panel with the key at `offset` of a block; the key is number offset % GOL_ATTN_LANES in it. */
static inline uint8_t *gol_kv_cpu_panel(const gol_kv *kv, const gol_kv_layer *l, int32_t head,
                                        int32_t block, int32_t offset)
{
    const size_t run = (size_t)head * (size_t)kv->n_blocks + (size_t)block;
    const size_t panel = run * (size_t)kv->n_panels + (size_t)(offset / GOL_ATTN_LANES);
    return kv->data + l->k_offset + panel * l->panel_bytes;
}

/* The value at `offset` of a block. */
static inline uint8_t *gol_kv_cpu_value(const gol_kv *kv, const gol_kv_layer *l, int32_t head,
                                        int32_t block, int32_t offset)
{
    const size_t run = (size_t)head * (size_t)kv->n_blocks + (size_t)block;
    const size_t row = run * (size_t)kv->block_size + (size_t)offset;
    return kv->data + l->v_offset + row * l->row_bytes;
}

/* Recurrent states in one allocation, slot after slot, so that a copy of a slot is one run. Of one layer in a slot, at its offset:
 *
 *     convolution [d_conv - 1][n_channels]      the oldest input first
 *     heads       [n_heads][d_state][head_dim]  neighbours in memory are added to by the same B and C
 */
typedef struct gol_state_layer {
    gol_state_layer_shape shape;
    size_t conv_offset; /* floats from the slot's begin */
    size_t heads_offset;
} gol_state_layer;

struct gol_state {
    int32_t n_layers;
    int32_t n_slots;
    size_t slot_floats; /* whole cache lines */
    float *data;
    gol_state_layer layers[]; /* [n_layers] */
};

static inline float *gol_state_cpu_slot(const gol_state *state, int32_t slot)
{
    return state->data + (size_t)slot * state->slot_floats;
}

static inline gol_backend_cpu *gol_backend_cpu_of(gol_backend *be)
{
    return (gol_backend_cpu *)be;
}

/* Scratch of the product: what reserve() of this backend makes room for. Errors: GOL_ENOMEM. bytes: SIZE_MAX on overflow. */
size_t gol_matmul_reserve_bytes(const gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max);
int gol_matmul_reserve(gol_backend_cpu *cpu, size_t n_tokens_max, size_t n_in_max, gol_err *err);
void gol_matmul_release(gol_backend_cpu *cpu);

/* Runs work on all workers, or on the caller alone when it touches so few numbers that waking the others costs more. */
void gol_backend_cpu_run(const gol_backend_cpu *cpu, gol_work *work, void *arg, size_t n_touched);

/* Makes the scratch of attention large enough for contexts of n_ctx and heads of dim_k and dim_v numbers, each at least as large as
 * ever before; 0: as before. Errors: GOL_ENOMEM. */
int gol_backend_cpu_reserve_attention(gol_backend_cpu *cpu, int32_t n_ctx, int32_t dim_k,
                                      int32_t dim_v, gol_err *err);
/* Bytes of it, SIZE_MAX on overflow. */
size_t gol_backend_cpu_attention_bytes(const gol_backend_cpu *cpu, int32_t n_ctx, int32_t dim_k,
                                       int32_t dim_v);

/* The ops, as backend.h describes them. */
size_t gol_backend_cpu_weight_bytes(gol_backend *be, const gol_weight_desc *desc);
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
size_t gol_backend_cpu_state_bytes(gol_backend *be, const gol_state_shape *shape);
int gol_backend_cpu_state_create(gol_backend *be, gol_state **out, const gol_state_shape *shape,
                                 gol_err *err);
void gol_backend_cpu_state_destroy(gol_backend *be, gol_state **state);
void gol_backend_cpu_state_copy_slot(gol_backend *be, gol_state *state, int32_t dst_slot,
                                     int32_t src_slot);
void gol_backend_cpu_ssm_conv(gol_backend *be, float *out, const float *x, const float *w,
                              const float *bias, gol_state *state, int32_t layer,
                              const gol_batch *batch);
void gol_backend_cpu_ssm_steps(gol_backend *be, float *dt, float *decay,
                               const gol_ssm_params *params, int32_t n_tokens, int32_t n_heads);
void gol_backend_cpu_ssm_scan(gol_backend *be, float *y, const float *xbc, const float *dt,
                              const float *decay, const gol_ssm_params *params, gol_state *state,
                              int32_t layer, const gol_batch *batch);
void gol_backend_cpu_gated_norm(gol_backend *be, float *out, const float *y, const float *z,
                                const float *w, float eps, int64_t n_rows, int32_t n_groups,
                                int32_t n);
int gol_backend_cpu_stack_load(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                               const void *const *data, int32_t n_stack, gol_err *err);
size_t gol_backend_cpu_moe_bytes(gol_backend *be, int32_t n_tokens_max, int32_t n_experts,
                                 int32_t n_used);
int gol_backend_cpu_moe_create(gol_backend *be, gol_moe **out, int32_t n_tokens_max,
                               int32_t n_experts, int32_t n_used, gol_err *err);
void gol_backend_cpu_moe_destroy(gol_backend *be, gol_moe **moe);
void gol_backend_cpu_moe_route(gol_backend *be, gol_moe *moe, const float *logits,
                               const gol_routing *r, int32_t n_tokens);
void gol_backend_cpu_moe_read(gol_backend *be, const gol_moe *moe, int32_t *ids, float *weights);
void gol_backend_cpu_moe_matmul(gol_backend *be, const gol_moe *moe, const gol_moe_matmul *m);
void gol_backend_cpu_moe_combine(gol_backend *be, float *out, const gol_moe *moe, const float *y,
                                 int32_t n);
void gol_backend_cpu_gate_rows(gol_backend *be, float *out, const float *x, const float *gate,
                               int32_t n_rows, int32_t n);
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
void gol_backend_cpu_layer_norm_heads(gol_backend *be, float *x, const float *w, float eps,
                                      int32_t n_tokens, int32_t n_heads, int32_t head_dim);
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
