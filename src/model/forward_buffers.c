/*
 * The buffers of a forward pass: which there are, how large, what they take in all.
 */
#include "model/forward_impl.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* Widest rows over all layers. */
typedef struct widths {
    int64_t q, k, v, attn, ff; /* ff of all the experts that a token uses */
} widths;

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static widths find_widths(const gol_config *c)
{
    widths w = {0};
    for (int32_t i = 0; i < c->n_layers; i++) {
        const gol_layer_config *l = &c->layers[i];
        w.q = max64(w.q, (int64_t)l->n_heads * c->head_dim_k);
        w.k = max64(w.k, (int64_t)l->n_kv_heads * c->head_dim_k);
        w.v = max64(w.v, (int64_t)l->n_kv_heads * c->head_dim_v);
        w.attn = max64(w.attn, (int64_t)l->n_heads * c->head_dim_v);
        w.ff = max64(w.ff, l->n_ff);
    }
    w.attn = max64(w.attn, c->ssm.d_inner);
    w.ff = max64(w.ff, (int64_t)c->moe.n_used * c->moe.n_ff_exp);
    w.ff = max64(w.ff, c->moe.n_ff_shexp);
    return w;
}

static int alloc_rows(gol_forward *fwd, float **out, int32_t n_rows, int64_t width, gol_err *err)
{
    size_t n_floats;
    /* SIZE_MAX on overflow, which alloc() refuses. */
    gol_mul_size(&n_floats, (size_t)n_rows, (size_t)width);
    return fwd->be->ops->alloc(fwd->be, out, n_floats, err);
}

/* The device's buffers, in the order of the struct. */
enum { N_BUFFERS = 22 };

typedef struct buffer {
    size_t field; /* offset of its pointer in gol_forward */
    int32_t n_rows;
    int64_t width; /* floats of a row */
} buffer;

/* Of the layers behind a pooling. */
static int64_t head_width(const gol_config *c)
{
    const int32_t n_classes = c->classifier.n_classes;
    return max64(c->n_dense, n_classes > 0 ? max64(n_classes, c->n_embd) : 0);
}

static void list_buffers(buffer out[static N_BUFFERS], const gol_config *c, int32_t n_tokens_max,
                         int32_t n_outputs_max)
{
    const widths w = find_widths(c);
    const buffer buffers[] = {
        {offsetof(gol_forward, x), n_tokens_max, c->n_embd},
        {offsetof(gol_forward, h), n_tokens_max, c->n_embd},
        {offsetof(gol_forward, q), n_tokens_max, w.q},
        {offsetof(gol_forward, k), n_tokens_max, w.k},
        {offsetof(gol_forward, v), n_tokens_max, w.v},
        {offsetof(gol_forward, attn), n_tokens_max, w.attn},
        {offsetof(gol_forward, angles), n_tokens_max, c->rope.n_rot},
        {offsetof(gol_forward, angles_local), n_tokens_max, c->rope_local.n_rot},
        {offsetof(gol_forward, gate), c->is_gated ? n_tokens_max : 0, w.ff},
        {offsetof(gol_forward, up), n_tokens_max, w.ff},
        {offsetof(gol_forward, ssm_z), n_tokens_max, c->ssm.d_inner},
        {offsetof(gol_forward, ssm_xbc), n_tokens_max, gol_config_ssm_channels(c)},
        {offsetof(gol_forward, ssm_conv), n_tokens_max, gol_config_ssm_channels(c)},
        {offsetof(gol_forward, ssm_dt), n_tokens_max, c->ssm.n_heads},
        {offsetof(gol_forward, ssm_decay), n_tokens_max, c->ssm.n_heads},
        {offsetof(gol_forward, expert_logits), n_tokens_max, c->moe.n_experts},
        {offsetof(gol_forward, expert_y), n_tokens_max, (int64_t)c->moe.n_used * c->n_embd},
        {offsetof(gol_forward, expert_sum), c->moe.n_ff_shexp > 0 ? n_tokens_max : 0, c->n_embd},
        {offsetof(gol_forward, x_out), n_outputs_max, c->n_embd},
        {offsetof(gol_forward, attn_out), n_outputs_max, w.attn},
        {offsetof(gol_forward, logits), c->has_logits ? n_outputs_max : 0, c->n_vocab},
        {offsetof(gol_forward, dense), 1, head_width(c)},
    };
    static_assert(sizeof buffers / sizeof buffers[0] == N_BUFFERS, "all of them");
    memcpy(out, buffers, sizeof buffers);
}

static float **buffer_of(gol_forward *fwd, const buffer *b)
{
    return (float **)(void *)((uint8_t *)fwd + b->field);
}

/* The longest row that a product reads. */
static int64_t longest_input(const gol_config *c)
{
    int64_t n = max64(max64(c->n_embd, find_widths(c).attn), c->head_dim_k);
    for (int32_t i = 0; i < c->n_layers; i++)
        n = max64(n, c->layers[i].n_ff);
    return max64(max64(n, c->n_dense), max64(c->moe.n_ff_exp, c->moe.n_ff_shexp));
}

static bool has_attention(const gol_config *c)
{
    for (int32_t i = 0; i < c->n_layers; i++)
        if (c->layers[i].n_kv_heads > 0)
            return true;
    return false;
}

uint64_t gol_forward_bytes(const gol_config *c, gol_backend *be, int32_t n_tokens_max,
                           int32_t n_outputs_max, int32_t n_ctx_max)
{
    buffer buffers[N_BUFFERS];
    list_buffers(buffers, c, n_tokens_max, n_outputs_max);
    const bool has_heads = has_attention(c);
    const gol_scratch_shape shape = {
        .n_tokens_max = n_tokens_max,
        .n_in_max = longest_input(c),
        .n_ctx_max = n_ctx_max,
        .head_dim_k_max = has_heads ? c->head_dim_k : 0,
        .head_dim_v_max = has_heads ? c->head_dim_v : 0,
    };
    size_t sum = be->ops->reserve_bytes(be, &shape);
    gol_add_size(&sum, sum, sizeof(gol_forward));
    if (c->n_token_types > 0)
        gol_add_size(&sum, sum, (size_t)n_tokens_max * sizeof(int32_t));
    gol_add_size(&sum, sum, (size_t)n_outputs_max * (size_t)c->n_embd * sizeof(float));
    if (c->moe.n_experts > 0)
        gol_add_size(&sum, sum,
                     be->ops->moe_bytes(be, n_tokens_max, c->moe.n_experts, c->moe.n_used));
    for (int i = 0; i < N_BUFFERS; i++) {
        size_t n;
        const bool is_logits = buffers[i].field == offsetof(gol_forward, logits);
        const bool is_twice = is_logits && !be->ops->is_host_memory;
        const size_t n_copies = is_twice ? 2 : 1;
        if (!gol_mul_size(&n, (size_t)buffers[i].n_rows, (size_t)buffers[i].width) ||
            !gol_mul_size(&n, n, n_copies * sizeof(float)) || !gol_add_size(&sum, sum, n))
            return UINT64_MAX;
    }
    return sum;
}

int gol_forward_alloc_buffers(gol_forward *fwd, gol_err *err)
{
    const gol_config *c = &fwd->model->config;
    buffer buffers[N_BUFFERS];
    list_buffers(buffers, c, fwd->n_tokens_max, fwd->n_outputs_max);
    for (int i = 0; i < N_BUFFERS; i++) {
        const buffer *b = &buffers[i];
        const int rc = alloc_rows(fwd, buffer_of(fwd, b), b->n_rows, b->width, err);
        if (rc < 0)
            return rc;
    }
    if (c->n_token_types > 0) {
        fwd->type_ids = gol_try_calloc((size_t)fwd->n_tokens_max, sizeof *fwd->type_ids);
        if (!fwd->type_ids)
            return gol_fail(err, GOL_ENOMEM, "out of memory for token types");
    }
    if (c->moe.n_experts > 0) {
        const int rc = fwd->be->ops->moe_create(fwd->be, &fwd->moe, fwd->n_tokens_max,
                                                c->moe.n_experts, c->moe.n_used, err);
        if (rc < 0)
            return rc;
    }
    /* Cannot overflow: the device's buffers have as many. */
    const size_t n_rows = (size_t)fwd->n_outputs_max;
    const bool has_copy = c->has_logits && !fwd->be->ops->is_host_memory;
    if (has_copy)
        fwd->host_logits = gol_try_aligned(n_rows * (size_t)c->n_vocab * sizeof(float));
    fwd->host_states = gol_try_aligned(n_rows * (size_t)c->n_embd * sizeof(float));
    if ((has_copy && !fwd->host_logits) || !fwd->host_states)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the outputs of %zu rows", n_rows);
    return fwd->be->ops->reserve(fwd->be, fwd->n_tokens_max, longest_input(c), fwd->n_ctx_max, err);
}

void gol_forward_free_buffers(gol_forward *fwd)
{
    buffer buffers[N_BUFFERS];
    list_buffers(buffers, &fwd->model->config, 0, 0);
    for (int i = 0; i < N_BUFFERS; i++)
        fwd->be->ops->free(fwd->be, *buffer_of(fwd, &buffers[i]));
    fwd->be->ops->moe_destroy(fwd->be, &fwd->moe);
    gol_aligned_free(fwd->host_logits);
    gol_aligned_free(fwd->host_states);
    gol_free(fwd->type_ids);
}
