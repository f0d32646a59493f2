/*
 * Inside of the forward pass, across its files: forward.c has the way of a batch through the layers, forward_attention.c,
 * forward_ffn.c and forward_moe.c what a layer does, forward_classifier.c what comes behind the last, forward_buffers.c the memory.
 */
#ifndef GOL_MODEL_FORWARD_IMPL_H
#define GOL_MODEL_FORWARD_IMPL_H

#include "model/model_impl.h"

struct gol_forward {
    const gol_model *model;
    gol_backend *be;
    int32_t n_tokens_max;
    int32_t n_outputs_max;
    int32_t n_ctx_max;
    const gol_rope *rope; /* the model's table for contexts up to n_ctx_max */
    float *x;             /* [n_tokens_max][n_embd] residual stream */
    float *h;             /* [n_tokens_max][n_embd] beside it: normed, then what is to be added */
    float *q;             /* [n_tokens_max][n_heads][head_dim_k], widest layer, here and below */
    float *k;             /* [n_tokens_max][n_kv_heads][head_dim_k] */
    float *v;             /* [n_tokens_max][n_kv_heads][head_dim_v] */
    float *attn;          /* [n_tokens_max][n_heads][head_dim_v], or [d_inner] of a Mamba2 layer */
    float *angles;        /* [n_tokens_max][n_rot] of this step's positions */
    float *angles_local;  /* the same by the local table; empty where the model has none */
    float *gate;          /* [n_tokens_max][n_ff]; only of gated models */
    float *up;            /* [n_tokens_max][n_ff] */
    float *ssm_z;     /* [n_tokens_max][d_inner]; only of models with Mamba2 layers, as the next */
    float *ssm_xbc;   /* [n_tokens_max][n_channels] before the convolution; then y [d_inner] */
    float *ssm_conv;  /* [n_tokens_max][n_channels] behind it */
    float *ssm_dt;    /* [n_tokens_max][ssm.n_heads] */
    float *ssm_decay; /* [n_tokens_max][ssm.n_heads] */
    float *
        expert_logits; /* [n_tokens_max][n_experts] of the router; only of mixtures, as the next two */
    float *expert_y;   /* [n_tokens_max * n_used][n_embd] what the experts say */
    float *expert_sum; /* [n_tokens_max][n_embd]; only where there is a shared expert */
    gol_moe *moe;      /* the routing of the layer at hand */
    float *x_out;      /* [n_outputs_max][n_embd] rows of x that give logits */
    float *attn_out;   /* [n_outputs_max][n_heads][head_dim_v] */
    float *logits;     /* [n_outputs_max][n_vocab] */
    float *
        dense; /* [1][n_dense], or n_embd or n_classes, between and behind the layers behind a pooling */
    float *host_states;    /* [n_outputs_max][n_embd], host memory */
    float *host_logits;    /* [n_outputs_max][n_vocab], host memory; NULL when logits is */
    int32_t *type_ids;     /* [n_tokens_max] zeros, host memory; NULL without token types */
    uint64_t attention_ns; /* of the last run */
    uint64_t logits_ns;    /* the same */
};

int gol_forward_alloc_buffers(gol_forward *fwd, gol_err *err);
void gol_forward_free_buffers(gol_forward *fwd); /* also after a failed alloc */

/* The norm of x[n_rows][n_embd] into fwd->h, which may be x: returns fwd->h; x itself where w is NULL, the model has no such norm. */
const float *gol_forward_norm(gol_forward *fwd, const float *x, const float *w, const float *b,
                              int32_t n_rows);

/* Attention of the batch's rows of fwd->x in two steps, because rows whose output nobody wants need the first alone: q, and K and V
 * into the cache; then fwd->attn[n_tokens][n_heads][head_dim_v]. */
void gol_forward_project(gol_forward *fwd, gol_kv *kv, const gol_batch *batch, int32_t il);
void gol_forward_attend(gol_forward *fwd, const gol_kv *kv, const gol_batch *batch, int32_t il);

/* A Mamba2 layer's rows of fwd->x, up to its output projection: fwd->attn[n_tokens][d_inner]. The state follows. */
void gol_forward_mamba(gol_forward *fwd, gol_state *state, const gol_batch *batch, int32_t il);

/* fwd->h[n_rows][n_embd] = feed-forward of in[n_rows][n_embd], which may be fwd->h. */
void gol_forward_ffn(gol_forward *fwd, const float *in, int32_t n_rows, int32_t il);
/* The same of a layer of experts: those that each row is routed to, and the shared one. */
void gol_forward_moe(gol_forward *fwd, const float *in, int32_t n_rows, int32_t il);

#endif
