/*
 * What a device must be able to do: about twenty operations on buffers of float32 activations, weights in any GGUF type and a
 * paged KV cache. The forward pass is straight-line code over these; the op is the unit of test, of timing and of porting. The
 * CPU runs an op at once; another device may record it until read().
 *
 *     gol_backend *be;
 *     gol_backend_cpu_create(&be, &(gol_cpu_opts){.n_threads = 2}, &err);
 *     gol_weight w;
 *     be->ops->weight_load(be, &w, &desc, &err);
 *     be->ops->matmul(be, out, x, &w, NULL, n_tokens);
 *     be->ops->weight_free(be, &w);
 *     gol_backend_destroy(&be);
 *
 * Rules:
 *  1. Activations are float32, row-major, slowest dimension first. float pointers given to ops come from alloc() and belong to
 *     the device: host code moves bytes with write() and read() only.
 *  2. Matrix product is always out[n_tokens][n_out] = x[n_tokens][n_in] * w[n_out][n_in]^T (+ bias[n_out]).
 *  3. Same row, same bits: the result for a row depends on that row (and, in attention, its own sequence) alone, never on
 *     n_tokens, on its place in the batch, or on the number of threads.
 *  4. Ops cannot fail: everything they need was allocated before (reserve()).
 *  5. out may be the same buffer as the first input where an op says "in place"; otherwise buffers do not overlap.
 *  6. One thread at a time uses a backend.
 */
#ifndef GOL_BACKEND_BACKEND_H
#define GOL_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/batch.h"
#include "base/error.h"
#include "quant/types.h"

typedef struct gol_backend gol_backend;

/* A weight matrix as the device holds it: perhaps repacked, perhaps still the file's bytes. Only the backend reads `data`. */
typedef struct gol_weight {
    gol_type type;
    int64_t n_out; /* rows */
    int64_t n_in;  /* columns */
    const void *data;
    void *owned;    /* the device's copy, NULL while data is the file's */
    size_t n_bytes; /* resident for it, the file's pages included */
    size_t
        panel_bytes; /* of a repacked weight: from one group of rows to the next; 0: rows of the file */
    bool is_lookup; /* as in the description */
    /* A stack of n_stack matrices of one shape (the experts of a layer), each [n_out][n_in], stack_bytes apart; 0: one matrix. */
    int32_t n_stack;
    size_t stack_bytes;
} gol_weight;

typedef struct gol_weight_desc {
    const char *name; /* for messages */
    gol_type type;
    int64_t n_out;
    int64_t n_in;
    const void *data; /* [n_out][n_in] blocks; stays valid until weight_free() */
    size_t n_bytes;
    bool is_lookup; /* only embed() will read it: rows stay in the file, no product */
} gol_weight_desc;

/* Numbers of the KV cache. F16 holds +-65504 for what is beyond them, Q8_0 is 32 whole numbers and a binary16 scale along
 * head_dim, which must then be a multiple of 32. */
typedef enum gol_kv_type {
    GOL_KV_F16,
    GOL_KV_F32,
    GOL_KV_BF16,
    GOL_KV_Q8_0,
    GOL_N_KV_TYPES
} gol_kv_type;

const char *gol_kv_type_name(gol_kv_type type); /* "f16"; NULL: no such type */
/* "q8_0", any case; also the other usual names: "float16", "half", "bfloat16", "float32", "float". */
bool gol_kv_type_parse(const char *name, gol_kv_type *out);

/*
 * Paged KV cache of all layers. K and V of one token, layer and head are head_dim_k / head_dim_v numbers; how blocks are laid
 * out inside a layer is the backend's business. Layers without attention have n_kv_heads 0.
 *
 * Layers of different groups lie in the same memory: the i-th layer of each group has the i-th place in every block. A block is
 * one group's at a time, so sequences have a table of blocks for each group, and a group whose layers see a window only can give
 * blocks back that others still need. All layers of one place have one shape. Without groups (all 0) a block is for all layers.
 */
typedef struct gol_kv_layer_shape {
    int32_t n_kv_heads;
    int32_t head_dim_k;
    int32_t head_dim_v;
    int32_t group; /* in [0, GOL_KV_GROUPS_MAX) */
} gol_kv_layer_shape;

enum { GOL_KV_GROUPS_MAX = 8 };

typedef struct gol_kv_shape {
    gol_kv_type type;
    int32_t n_layers;
    int32_t n_blocks;
    int32_t block_size;               /* tokens */
    const gol_kv_layer_shape *layers; /* [n_layers] */
} gol_kv_shape;

typedef struct gol_kv gol_kv; /* the backend's */

enum { GOL_SSM_CONV_MAX = 16 };

/* Recurrent state of all layers: n_slots independent states, one for each sequence that runs and each snapshot that is kept. In a
 * layer it is the last d_conv - 1 inputs of the convolution, each of n_channels, and for each head and number of head_dim
 * d_state numbers; float32, and how they lie in memory is the backend's business. Layers without a state have n_heads 0. */
typedef struct gol_state_layer_shape {
    int32_t d_conv;     /* taps of the convolution, 2 to GOL_SSM_CONV_MAX */
    int32_t n_channels; /* n_heads * head_dim + 2 * n_groups * d_state */
    int32_t n_heads;
    int32_t head_dim;
    int32_t d_state;
    int32_t n_groups; /* of heads that have B and C in common; divides n_heads */
} gol_state_layer_shape;

typedef struct gol_state_shape {
    int32_t n_layers;
    int32_t n_slots;
    const gol_state_layer_shape *layers; /* [n_layers] */
} gol_state_shape;

typedef struct gol_state gol_state; /* the backend's */

/* Mamba2's recurrence (Dao, Gu: "Transformers are SSMs", 2024) of one head, token after token:
 *     state = state * decay + dt * x B^T        y = state C + d * x
 * with decay = exp(dt * a). */
typedef struct gol_ssm_params {
    const float *a;       /* [n_heads], negative */
    const float *d;       /* [n_heads] */
    const float *dt_bias; /* [n_heads] */
} gol_ssm_params;

typedef enum gol_rope_kind {
    GOL_ROPE_NONE,
    GOL_ROPE_NORM, /* rotates adjacent pairs (0,1) (2,3) … (Llama in GGUF order) */
    GOL_ROPE_NEOX, /* rotates halves (0,n/2) (1,n/2+1) … */
} gol_rope_kind;

/* The angle of pair i at position p is p * inv_freq[i]; cos and sin are multiplied by scale (YaRN's attention factor). */
typedef struct gol_rope {
    gol_rope_kind kind;
    int32_t n_rot;         /* dimensions rotated, even, <= head_dim; the rest pass */
    const float *inv_freq; /* [n_rot / 2], on the device */
    float scale;
} gol_rope;

typedef struct gol_attention {
    int32_t layer;
    /* A multiple of the layer's n_kv_heads; head h reads KV head h / (n_heads / n_kv_heads). */
    int32_t n_heads;
    float scale;    /* of q·k */
    int32_t window; /* a row sees its last `window` positions, itself included; 0: all before it */
    float softcap;  /* cap * tanh(score / cap); 0: none */
    /* A row also sees what comes after it in its sequence, as far as the batch and the window go (then on both sides). The
     * sequence is in the batch as a whole: n_past is 0. */
    bool is_full;
    /* [n_heads] or NULL: a further score per head, which takes part in the softmax's sum and has no value. Host memory. */
    const float *sinks;
} gol_attention;

/* How the router's logits become experts and weights of a token. */
typedef enum gol_gating {
    GOL_GATING_SOFTMAX,     /* softmax over all experts; the largest are used */
    GOL_GATING_SOFTMAX_TOP, /* the largest logits are used, with the softmax over them alone */
    GOL_GATING_SIGMOID,     /* of each logit; the largest are used */
} gol_gating;

enum { GOL_MOE_EXPERTS_MAX = 1024, GOL_MOE_USED_MAX = 64, GOL_MOE_PRODUCTS_MAX = 2 };

typedef struct gol_routing {
    gol_gating gating;
    bool is_normed; /* the weights of the used experts are divided by their sum */
    float scale;    /* multiplies the weights then */
    /* [n_experts] or NULL: added to what is compared, not to the weights. */
    const float *select_bias;
} gol_routing;

/* Where the tokens of a batch go in a mixture of experts, on the device: each of n_tokens has n_used slots, and a slot is a row in
 * the products. Rows are sorted by expert, of one expert by token: the numbers of tokens that experts get are known to the
 * device alone. */
typedef struct gol_moe gol_moe;

/* Products of the experts' matrices that read the same rows. */
typedef struct gol_moe_matmul {
    const float *x; /* [n_tokens][n_in], or [n_rows][n_in] in the order of rows */
    bool is_sorted; /* the latter */
    int32_t n_products;
    struct {
        float *out;          /* [n_rows][n_out], in the order of rows */
        const gol_weight *w; /* stack of n_experts */
        const float *bias;   /* [n_experts][n_out] or NULL */
    } products[GOL_MOE_PRODUCTS_MAX];
} gol_moe_matmul;

/* What the scratch of a device depends on. */
typedef struct gol_scratch_shape {
    int32_t n_tokens_max;
    int64_t n_in_max;
    int32_t n_ctx_max;
    int32_t head_dim_k_max; /* over the layers with attention; 0: there is none */
    int32_t head_dim_v_max;
} gol_scratch_shape;

typedef enum gol_activation {
    GOL_ACT_SILU,
    GOL_ACT_GELU,     /* tanh approximation, argument and result rounded to binary16 */
    GOL_ACT_GELU_ERF, /* exact */
    GOL_ACT_RELU,
    /* Of glu() alone (gpt-oss): g * sigmoid(1.702 g) * (u + 1), g = min(gate, 7), u = up within -7 and 7. */
    GOL_ACT_SWIGLU_CLAMPED,
} gol_activation;

/* Item i, in a lane: what a lane has to itself is nobody else's meanwhile. */
typedef void gol_host_work(void *user, int32_t i, int lane);

typedef struct gol_backend_ops {
    const char *name;    /* "cpu" */
    bool is_host_memory; /* what alloc() gives is the host's memory too, and needs no read() */

    void (*destroy)(gol_backend *be);

    /* Memory. alloc: n_floats floats, zeroed; GOL_ENOMEM. */
    int (*alloc)(gol_backend *be, float **out, size_t n_floats, gol_err *err);
    void (*free)(gol_backend *be, float *p);
    void (*write)(gol_backend *be, float *dst, const float *host, size_t n_floats);
    void (*read)(gol_backend *be, float *host, const float *src, size_t n_floats);

    /* The host's own work, such as sampling: item 0 .. n - 1 in n_lanes() lanes at the same time, one after another in a lane; returns
     * when all are done. Which lane an item is in depends on n and the number of lanes alone. n_touched: numbers read or written in
     * all; few are not worth the waking. */
    int (*n_lanes)(gol_backend *be);
    void (*for_each)(gol_backend *be, gol_host_work *work, void *user, int32_t n, size_t n_touched);

    /* Weights. weight_bytes: what load() will allocate, 0 when the weight can stay in the file; SIZE_MAX on overflow. Of the
     * description it reads type, shape and is_lookup. load: GOL_EUNSUPPORTED (no kernel for the type), GOL_ENOMEM. */
    size_t (*weight_bytes)(gol_backend *be, const gol_weight_desc *desc);
    int (*weight_load)(gol_backend *be, gol_weight *out, const gol_weight_desc *desc, gol_err *err);
    void (*weight_free)(gol_backend *be, gol_weight *w);
    /* A stack of n_stack matrices like desc (without its data), whose bytes begin at data[i]. It takes n_stack times
     * weight_bytes(). Errors: as weight_load(); GOL_EUNSUPPORTED too when the type is not kept in memory of the device. */
    int (*stack_load)(gol_backend *be, gol_weight *out, const gol_weight_desc *desc,
                      const void *const *data, int32_t n_stack, gol_err *err);

    /* KV cache. Content of fresh blocks is undefined. kv_bytes: what create() will take, SIZE_MAX on overflow. Errors of create:
     * GOL_ENOMEM, GOL_EUNSUPPORTED (a head_dim that the type cannot hold). */
    size_t (*kv_bytes)(gol_backend *be, const gol_kv_shape *shape);
    int (*kv_create)(gol_backend *be, gol_kv **out, const gol_kv_shape *shape, gol_err *err);
    void (*kv_destroy)(gol_backend *be, gol_kv **kv);
    /* In all layers that it is for. */
    void (*kv_copy_block)(gol_backend *be, gol_kv *kv, int32_t dst_block, int32_t src_block);

    /* Recurrent state. Content of fresh slots is undefined. state_bytes: what create() will take, SIZE_MAX on overflow. Errors of
     * create: GOL_ENOMEM. */
    size_t (*state_bytes)(gol_backend *be, const gol_state_shape *shape);
    int (*state_create)(gol_backend *be, gol_state **out, const gol_state_shape *shape,
                        gol_err *err);
    void (*state_destroy)(gol_backend *be, gol_state **state);
    /* In all layers. */
    void (*state_copy_slot)(gol_backend *be, gol_state *state, int32_t dst_slot, int32_t src_slot);

    /* Scratch for batches of up to these sizes (n_in_max: the longest input row of a matmul, and at least head_dim); call before the
     * first op and when they grow. Errors: GOL_ENOMEM. reserve_bytes: what a device holds of it after one reserve() and one
     * kv_create() with heads up to these, SIZE_MAX on overflow. */
    size_t (*reserve_bytes)(gol_backend *be, const gol_scratch_shape *shape);
    int (*reserve)(gol_backend *be, int32_t n_tokens_max, int64_t n_in_max, int32_t n_ctx_max,
                   gol_err *err);

    /* out[n_tokens][n_in] = rows ids[] of the table. */
    void (*embed)(gol_backend *be, float *out, const gol_weight *table, const int32_t *ids,
                  int32_t n_tokens);
    /* bias [n_out] or NULL. */
    void (*matmul)(gol_backend *be, float *out, const float *x, const gol_weight *w,
                   const float *bias, int32_t n_tokens);
    /* out[r][n] = x[r][n] / rms(x[r]) * w[n]; in place. */
    void (*rms_norm)(gol_backend *be, float *out, const float *x, const float *w, float eps,
                     int64_t n_rows, int32_t n);
    /* out[r][n] = (x[r][n] - mean) / sqrt(var + eps) * w[n] + b[n]; b may be NULL; in place. */
    void (*layer_norm)(gol_backend *be, float *out, const float *x, const float *w, const float *b,
                       float eps, int64_t n_rows, int32_t n);
    /* x[n_tokens][n_heads][head_dim] in place: the layer norm of each head, with weights w[n_heads][head_dim] of its own. */
    void (*layer_norm_heads)(gol_backend *be, float *x, const float *w, float eps, int32_t n_tokens,
                             int32_t n_heads, int32_t head_dim);
    /* angles[n_tokens][n_rot]: cos of a token's n_rot / 2 pairs, then sin, for rope(): one filling serves all heads and layers. */
    void (*rope_angles)(gol_backend *be, float *angles, const gol_rope *rope,
                        const int32_t *positions, int32_t n_tokens);
    /* x[n_tokens][n_heads][head_dim], rotated in place by those angles. */
    void (*rope)(gol_backend *be, float *x, const gol_rope *rope, const float *angles,
                 int32_t n_tokens, int32_t n_heads, int32_t head_dim);
    /* k[n_tokens][n_kv_heads][head_dim_k], v likewise, each row at x + row * stride floats, into the slots of the batch. */
    void (*kv_write)(gol_backend *be, gol_kv *kv, int32_t layer, const float *k, const float *v,
                     int64_t k_stride, int64_t v_stride, const gol_batch *batch);
    /* Attention over the paged cache, this batch's own rows included (kv_write came first).
     * q row r at q + r * q_stride: [n_heads][head_dim_k]; out[n_tokens][n_heads][head_dim_v]. */
    void (*attention)(gol_backend *be, float *out, const float *q, int64_t q_stride,
                      const gol_kv *kv, const gol_attention *a, const gol_batch *batch);
    /* Causal convolution of each channel by itself, over the sequence's rows and what its state kept of those before:
     * out[t][c] = silu(bias[c] + sum over k of w[k][c] * x[t - (d_conv - 1) + k][c]). The state follows.
     * out, x [n_tokens][n_channels]; w [d_conv][n_channels]; bias [n_channels]. */
    void (*ssm_conv)(gol_backend *be, float *out, const float *x, const float *w, const float *bias,
                     gol_state *state, int32_t layer, const gol_batch *batch);
    /* dt = softplus(dt + dt_bias) in place, decay = exp(dt * a), both [n_tokens][n_heads]: one filling for ssm_scan(). */
    void (*ssm_steps)(gol_backend *be, float *dt, float *decay, const gol_ssm_params *params,
                      int32_t n_tokens, int32_t n_heads);
    /* y[n_tokens][n_heads][head_dim] of xbc[n_tokens][n_channels]: x [n_heads][head_dim], then B and C [n_groups][d_state]. Head h
     * has those of group h / (n_heads / n_groups). The state follows. */
    void (*ssm_scan)(gol_backend *be, float *y, const float *xbc, const float *dt,
                     const float *decay, const gol_ssm_params *params, gol_state *state,
                     int32_t layer, const gol_batch *batch);
    /* out[r][g] = rms_norm(silu(z[r][g]) * y[r][g]) * w[g], each [n], for n_groups groups of a row; w NULL: no norm. In place on z. */
    void (*gated_norm)(gol_backend *be, float *out, const float *y, const float *z, const float *w,
                       float eps, int64_t n_rows, int32_t n_groups, int32_t n);
    /* out[i] = act(gate[i]) * up[i]; in place on gate. */
    void (*glu)(gol_backend *be, float *out, const float *gate, const float *up, gol_activation act,
                size_t n);
    /* These four on n numbers in place, add on a. */
    void (*act)(gol_backend *be, float *out, const float *x, gol_activation act, size_t n);
    void (*add)(gol_backend *be, float *out, const float *a, const float *b, size_t n);
    void (*scale)(gol_backend *be, float *out, const float *x, float factor, size_t n);
    void (*softcap)(gol_backend *be, float *out, const float *x, float cap, size_t n);
    /* Mixtures of experts. moe_create: for batches of up to n_tokens_max; experts <= GOL_MOE_EXPERTS_MAX, used <= GOL_MOE_USED_MAX and
     * experts. moe_bytes: what it takes, SIZE_MAX on overflow. Errors: GOL_ENOMEM. */
    size_t (*moe_bytes)(gol_backend *be, int32_t n_tokens_max, int32_t n_experts, int32_t n_used);
    int (*moe_create)(gol_backend *be, gol_moe **out, int32_t n_tokens_max, int32_t n_experts,
                      int32_t n_used, gol_err *err);
    void (*moe_destroy)(gol_backend *be, gol_moe **moe); /* NULL is fine */
    /* From logits[n_tokens][n_experts]; a token's slots are in falling order of what is compared, ties in order of experts. */
    void (*moe_route)(gol_backend *be, gol_moe *moe, const float *logits, const gol_routing *r,
                      int32_t n_tokens);
    /* The choice, for tests and traces: ids and weights [n_tokens][n_used], host memory. */
    void (*moe_read)(gol_backend *be, const gol_moe *moe, int32_t *ids, float *weights);
    void (*moe_matmul)(gol_backend *be, const gol_moe *moe, const gol_moe_matmul *m);
    /* out[n_tokens][n] = over the token's slots, in their order: weight * y[row of the slot]; y[n_rows][n]. */
    void (*moe_combine)(gol_backend *be, float *out, const gol_moe *moe, const float *y, int32_t n);
    /* out[r][n] = x[r][n] * sigmoid(gate[r]); in place. */
    void (*gate_rows)(gol_backend *be, float *out, const float *x, const float *gate,
                      int32_t n_rows, int32_t n);
    /* out[n_rows][n] = x[rows[i]][n]. */
    void (*gather_rows)(gol_backend *be, float *out, const float *x, const int32_t *rows,
                        int32_t n_rows, int32_t n);
} gol_backend_ops;

struct gol_backend {
    const gol_backend_ops *ops;
};

typedef struct gol_cpu_opts {
    int n_threads; /* 0: gol_cpu_n_usable() */
} gol_cpu_opts;

/* Kernels are those of gol_cpu_get(). Errors: GOL_EINVAL, GOL_ENOMEM. */
int gol_backend_cpu_create(gol_backend **out, const gol_cpu_opts *opts, gol_err *err);
int gol_backend_cpu_n_threads(const gol_backend *be);
/* The kernel chosen for products with weights of this type, e.g. "f32_c"; NULL: none. For `gollum info`. */
const char *gol_backend_cpu_kernel_name(const gol_backend *be, gol_type type);
/* The kernel that unpacks weights of this type for it, e.g. "unpack_q4_k_c"; NULL: none, as for the bfloat16 core. */
const char *gol_backend_cpu_unpack_name(const gol_backend *be, gol_type type);

void gol_backend_destroy(gol_backend **be); /* NULL is fine; weights and KV caches must be gone */

#endif
