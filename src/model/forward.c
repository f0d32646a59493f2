/*
 * The forward pass: one transformer layer, straight line, as calls to the backend's ops. Owns the activations' buffers, sized
 * once for the largest batch.
 *
 *     x [n_tokens][n_embd], the residual stream
 *       -> norm -> q k v -> rope -> KV cache -> attention -> output projection -> + x
 *       -> norm -> up (gate) -> activation -> down -> + x
 *
 * In the last layer only the rows whose logits are wanted go beyond attention: the others are there for their K and V. They go in
 * slices of n_outputs_max rows, so that a batch may want the logits of all its rows, and scratch does not grow with them.
 */
#include "model/model_impl.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct gol_forward {
    const gol_model *model;
    gol_backend *be;
    int32_t n_tokens_max;
    int32_t n_outputs_max;
    int32_t n_ctx_max;
    float *x;              /* [n_tokens_max][n_embd] residual stream */
    float *h;              /* [n_tokens_max][n_embd] beside it: normed, then what is to be added */
    float *q;              /* [n_tokens_max][n_heads][head_dim_k], widest layer, here and below */
    float *k;              /* [n_tokens_max][n_kv_heads][head_dim_k] */
    float *v;              /* [n_tokens_max][n_kv_heads][head_dim_v] */
    float *attn;           /* [n_tokens_max][n_heads][head_dim_v] */
    float *angles;         /* [n_tokens_max][n_rot] of this step's positions */
    float *gate;           /* [n_tokens_max][n_ff]; only of gated models */
    float *up;             /* [n_tokens_max][n_ff] */
    float *x_out;          /* [n_outputs_max][n_embd] rows of x that give logits */
    float *attn_out;       /* [n_outputs_max][n_heads][head_dim_v] */
    float *logits;         /* [n_outputs_max][n_vocab] */
    float *host_logits;    /* [n_outputs_max][n_vocab], host memory */
    uint64_t attention_ns; /* of the last run */
};

/* Widest rows over all layers. */
typedef struct widths {
    int64_t q, k, v, attn, ff;
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
enum { N_BUFFERS = 12 };

typedef struct buffer {
    size_t field; /* offset of its pointer in gol_forward */
    int32_t n_rows;
    int64_t width; /* floats of a row */
} buffer;

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
        {offsetof(gol_forward, gate), c->is_gated ? n_tokens_max : 0, w.ff},
        {offsetof(gol_forward, up), n_tokens_max, w.ff},
        {offsetof(gol_forward, x_out), n_outputs_max, c->n_embd},
        {offsetof(gol_forward, attn_out), n_outputs_max, w.attn},
        {offsetof(gol_forward, logits), n_outputs_max, c->n_vocab},
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
    const widths w = find_widths(c);
    return max64(max64(c->n_embd, w.attn), max64(w.ff, c->head_dim_k));
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
    for (int i = 0; i < N_BUFFERS; i++) {
        size_t n;
        const bool is_logits = buffers[i].field == offsetof(gol_forward, logits);
        const size_t n_copies = is_logits ? 2 : 1; /* on the device, and in host memory */
        if (!gol_mul_size(&n, (size_t)buffers[i].n_rows, (size_t)buffers[i].width) ||
            !gol_mul_size(&n, n, n_copies * sizeof(float)) || !gol_add_size(&sum, sum, n))
            return UINT64_MAX;
    }
    return sum;
}

static int alloc_buffers(gol_forward *fwd, gol_err *err)
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
    /* Cannot overflow: logits have as many. */
    const size_t n_bytes = (size_t)fwd->n_outputs_max * (size_t)c->n_vocab * sizeof(float);
    fwd->host_logits = gol_try_aligned(n_bytes);
    if (!fwd->host_logits)
        return gol_fail(err, GOL_ENOMEM, "out of memory for %zu bytes of logits", n_bytes);
    return fwd->be->ops->reserve(fwd->be, fwd->n_tokens_max, longest_input(c), fwd->n_ctx_max, err);
}

int gol_forward_create(gol_forward **out, const gol_model *model, int32_t n_tokens_max,
                       int32_t n_outputs_max, int32_t n_ctx_max, gol_err *err)
{
    *out = NULL;
    const int32_t n_positions = model->config.n_positions;
    if (n_tokens_max < 1 || n_outputs_max < 0 || n_outputs_max > n_tokens_max || n_ctx_max < 1)
        return gol_fail(err, GOL_EINVAL,
                        "batches of %d tokens with %d outputs in a context of %d are not possible",
                        n_tokens_max, n_outputs_max, n_ctx_max);
    if (n_positions > 0 && n_ctx_max > n_positions)
        return gol_fail(err, GOL_EINVAL,
                        "a context of %d is asked for; the model knows %d positions", n_ctx_max,
                        n_positions);
    gol_forward *fwd = gol_try_calloc(1, sizeof *fwd);
    if (!fwd)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the forward pass");
    fwd->model = model;
    fwd->be = model->be;
    fwd->n_tokens_max = n_tokens_max;
    fwd->n_outputs_max = n_outputs_max;
    fwd->n_ctx_max = n_ctx_max;
    const int rc = alloc_buffers(fwd, err);
    if (rc < 0) {
        gol_forward_destroy(&fwd);
        return rc;
    }
    *out = fwd;
    return 0;
}

void gol_forward_destroy(gol_forward **fwd)
{
    gol_forward *f = *fwd;
    if (!f)
        return;
    float *const buffers[] = {f->x,    f->h,  f->q,     f->k,        f->v,      f->attn,
                              f->gate, f->up, f->x_out, f->attn_out, f->logits, f->angles};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        f->be->ops->free(f->be, buffers[i]);
    gol_aligned_free(f->host_logits);
    gol_free(f);
    *fwd = NULL;
}

/* h[n_rows][n_embd] = norm of x. */
static void normalize(gol_forward *fwd, const float *x, const float *w, const float *b,
                      int32_t n_rows)
{
    const gol_config *c = &fwd->model->config;
    if (c->norm_kind == GOL_NORM_RMS)
        fwd->be->ops->rms_norm(fwd->be, fwd->h, x, w, c->norm_eps, n_rows, c->n_embd);
    else
        fwd->be->ops->layer_norm(fwd->be, fwd->h, x, w, b, c->norm_eps, n_rows, c->n_embd);
}

static void embed(gol_forward *fwd, const gol_batch *batch)
{
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n = (size_t)batch->n_tokens * (size_t)fwd->model->config.n_embd;
    ops->embed(fwd->be, fwd->x, &w->token_embd, batch->tokens, batch->n_tokens);
    if (w->position_embd.n_out > 0) {
        ops->embed(fwd->be, fwd->h, &w->position_embd, batch->positions, batch->n_tokens);
        ops->add(fwd->be, fwd->x, fwd->x, fwd->h, n);
    }
}

/* q, and K and V into the cache. */
static void project(gol_forward *fwd, gol_kv *kv, const gol_batch *batch, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_config *l = &c->layers[il];
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_rope *rope = &fwd->model->rope;
    const gol_backend_ops *ops = fwd->be->ops;
    const int32_t n = batch->n_tokens;
    normalize(fwd, fwd->x, w->attn_norm, w->attn_norm_bias, n);
    ops->matmul(fwd->be, fwd->q, fwd->h, &w->attn_q, w->attn_q_bias, n);
    ops->matmul(fwd->be, fwd->k, fwd->h, &w->attn_k, w->attn_k_bias, n);
    ops->matmul(fwd->be, fwd->v, fwd->h, &w->attn_v, w->attn_v_bias, n);
    ops->rope(fwd->be, fwd->q, rope, fwd->angles, n, l->n_heads, c->head_dim_k);
    ops->rope(fwd->be, fwd->k, rope, fwd->angles, n, l->n_kv_heads, c->head_dim_k);
    ops->kv_write(fwd->be, kv, il, fwd->k, fwd->v, w->attn_k.n_out, w->attn_v.n_out, batch);
}

static void attend(gol_forward *fwd, const gol_kv *kv, const gol_batch *batch, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_attention a = {
        .layer = il,
        .n_heads = c->layers[il].n_heads,
        .scale = c->attn_scale,
        .window = c->layers[il].window,
    };
    const uint64_t begin_ns = gol_clock_ns();
    fwd->be->ops->attention(fwd->be, fwd->attn, fwd->q, fwd->model->weights.layers[il].attn_q.n_out,
                            kv, &a, batch);
    fwd->attention_ns += gol_clock_ns() - begin_ns;
}

/* The rest of a layer on n_rows rows: x[n_rows][n_embd] += output projection of attn[n_rows][], then += feed-forward. */
static void finish_layer(gol_forward *fwd, float *x, const float *attn, int32_t n_rows, int32_t il)
{
    const gol_config *c = &fwd->model->config;
    const gol_layer_weights *w = &fwd->model->weights.layers[il];
    const gol_backend_ops *ops = fwd->be->ops;
    const size_t n_x = (size_t)n_rows * (size_t)c->n_embd;
    const size_t n_ff = (size_t)n_rows * (size_t)c->layers[il].n_ff;
    ops->matmul(fwd->be, fwd->h, attn, &w->attn_output, w->attn_output_bias, n_rows);
    ops->add(fwd->be, x, x, fwd->h, n_x);

    normalize(fwd, x, w->ffn_norm, w->ffn_norm_bias, n_rows);
    ops->matmul(fwd->be, fwd->up, fwd->h, &w->ffn_up, w->ffn_up_bias, n_rows);
    float *act = fwd->up;
    if (c->is_gated) {
        act = fwd->gate;
        ops->matmul(fwd->be, act, fwd->h, &w->ffn_gate, w->ffn_gate_bias, n_rows);
        ops->glu(fwd->be, act, act, fwd->up, c->act, n_ff);
    } else {
        ops->act(fwd->be, act, act, c->act, n_ff);
    }
    ops->matmul(fwd->be, fwd->h, act, &w->ffn_down, w->ffn_down_bias, n_rows);
    ops->add(fwd->be, x, x, fwd->h, n_x);
}

static void check_batch(const gol_forward *fwd, const gol_batch *batch)
{
    const gol_config *c = &fwd->model->config;
    assert(batch->n_tokens >= 1 && batch->n_tokens <= fwd->n_tokens_max);
    assert(batch->n_outputs >= 0 && batch->n_outputs <= batch->n_tokens);
    assert(batch->n_outputs == 0 || fwd->n_outputs_max > 0);
    for (int32_t i = 0; i < batch->n_tokens; i++) {
        assert(batch->tokens[i] >= 0 && batch->tokens[i] < c->n_vocab);
        assert(batch->positions[i] >= 0 && batch->positions[i] < fwd->n_ctx_max);
    }
    for (int32_t i = 0; i < batch->n_outputs; i++)
        assert(batch->output_rows[i] >= 0 && batch->output_rows[i] < batch->n_tokens);
}

const float *gol_forward_run(gol_forward *fwd, gol_kv *kv, const gol_batch *batch)
{
    const gol_config *c = &fwd->model->config;
    const int32_t last = c->n_layers - 1;
    check_batch(fwd, batch);
    fwd->attention_ns = 0;

    embed(fwd, batch);
    fwd->be->ops->rope_angles(fwd->be, fwd->angles, &fwd->model->rope, batch->positions,
                              batch->n_tokens);
    for (int32_t il = 0; il < last; il++) {
        project(fwd, kv, batch, il);
        attend(fwd, kv, batch, il);
        finish_layer(fwd, fwd->x, fwd->attn, batch->n_tokens, il);
    }
    project(fwd, kv, batch, last);
    if (batch->n_outputs == 0)
        return fwd->host_logits;
    attend(fwd, kv, batch, last);
    return gol_forward_logits(fwd, batch, 0);
}

int32_t gol_forward_n_logits(const gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    const int32_t n_left = batch->n_outputs - first;
    return n_left < fwd->n_outputs_max ? n_left : fwd->n_outputs_max;
}

/* What it reads, x and attn of all rows, stays as it is, so it can be asked for one slice after the other. */
const float *gol_forward_logits(gol_forward *fwd, const gol_batch *batch, int32_t first)
{
    const gol_config *c = &fwd->model->config;
    const gol_weights *w = &fwd->model->weights;
    const gol_backend_ops *ops = fwd->be->ops;
    const int32_t last = c->n_layers - 1;
    assert(first >= 0 && first < batch->n_outputs);
    const int32_t n_out = gol_forward_n_logits(fwd, batch, first);
    const int32_t *rows = batch->output_rows + first;
    ops->gather_rows(fwd->be, fwd->attn_out, fwd->attn, rows, n_out,
                     (int32_t)w->layers[last].attn_output.n_in);
    ops->gather_rows(fwd->be, fwd->x_out, fwd->x, rows, n_out, c->n_embd);
    finish_layer(fwd, fwd->x_out, fwd->attn_out, n_out, last);
    normalize(fwd, fwd->x_out, w->output_norm, w->output_norm_bias, n_out);
    ops->matmul(fwd->be, fwd->logits, fwd->h, w->logits, NULL, n_out);
    ops->read(fwd->be, fwd->host_logits, fwd->logits, (size_t)n_out * (size_t)c->n_vocab);
    return fwd->host_logits;
}

uint64_t gol_forward_attention_ns(const gol_forward *fwd)
{
    return fwd->attention_ns;
}
