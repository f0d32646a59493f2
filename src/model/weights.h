/*
 * The tensors of a model at their places. Fields carry the names of the file. A vector is float32 on the device, NULL where the
 * file has none; a matrix is a gol_weight, with n_out 0 where the file has none.
 */
#ifndef GOL_MODEL_WEIGHTS_H
#define GOL_MODEL_WEIGHTS_H

#include "backend/backend.h"
#include "model/config.h"
#include "model/model.h"

typedef struct gol_layer_weights {
    float *attn_norm; /* [n_embd], as all norms but those of q and k */
    float *attn_norm_bias;
    float *
        attn_norm_2; /* of attention's input; attn_norm is then that of the feed-forward (Falcon 40B) */
    float *attn_norm_2_bias;
    gol_weight attn_q;  /* [n_heads * head_dim_k][n_embd] */
    gol_weight attn_k;  /* [n_kv_heads * head_dim_k][n_embd] */
    gol_weight attn_v;  /* [n_kv_heads * head_dim_v][n_embd] */
    float *attn_q_bias; /* as many as rows, here and below */
    float *attn_k_bias;
    float *attn_v_bias;
    float *attn_q_norm; /* [head_dim_k], or [n_heads * head_dim_k] over the whole width */
    float *attn_k_norm;
    gol_weight attn_output; /* [n_embd][n_heads * head_dim_v] */
    float *attn_output_bias;
    float *attn_sinks;          /* [n_heads] */
    float *post_attention_norm; /* of attention's output, before it is added */
    float *attn_output_norm;    /* of the sum with it */
    float *attn_output_norm_bias;
    gol_weight ssm_in_z;    /* [d_inner][n_embd], the three of them rows of one tensor */
    gol_weight ssm_in_xbc;  /* [n_channels][n_embd] */
    gol_weight ssm_in_dt;   /* [ssm.n_heads][n_embd] */
    float *ssm_conv1d;      /* [d_conv][n_channels], columns of the file's tensor */
    float *ssm_conv1d_bias; /* [n_channels] */
    float *ssm_dt_bias;     /* [ssm.n_heads], as the next two */
    float *ssm_a;
    float *ssm_d;
    float *ssm_norm;    /* [n_groups][d_inner / n_groups] */
    gol_weight ssm_out; /* [n_embd][d_inner] */
    float *ffn_norm;
    float *ffn_norm_bias;
    gol_weight ffn_gate; /* [n_ff][n_embd] */
    gol_weight ffn_up;   /* [n_ff][n_embd] */
    gol_weight ffn_down; /* [n_embd][n_ff] */
    float *ffn_gate_bias;
    float *ffn_up_bias;
    float *ffn_down_bias;
    gol_weight ffn_gate_inp; /* [n_experts][n_embd] the router */
    float *ffn_gate_inp_bias;
    float *exp_probs_b;        /* [n_experts] added where experts are compared */
    gol_weight ffn_gate_exps;  /* n_experts times [n_ff_exp][n_embd] */
    gol_weight ffn_up_exps;    /* likewise */
    gol_weight ffn_down_exps;  /* n_experts times [n_embd][n_ff_exp] */
    float *ffn_gate_exps_bias; /* [n_experts][n_ff_exp] */
    float *ffn_up_exps_bias;
    float *ffn_down_exps_bias;     /* [n_experts][n_embd] */
    gol_weight ffn_gate_shexp;     /* [n_ff_shexp][n_embd] the shared expert */
    gol_weight ffn_up_shexp;       /* [n_ff_shexp][n_embd] */
    gol_weight ffn_down_shexp;     /* [n_embd][n_ff_shexp] */
    gol_weight ffn_gate_inp_shexp; /* [1][n_embd] how much of it; without: all */
    float *post_ffw_norm;          /* of the feed-forward's output */
    float *layer_output_norm;      /* of the sum with it */
    float *layer_output_norm_bias;
} gol_layer_weights;

typedef struct gol_weights {
    gol_weight token_embd;    /* [n_vocab][n_embd] */
    gol_weight position_embd; /* [n_positions][n_embd] */
    gol_weight token_types;   /* [n_token_types][n_embd] */
    gol_weight dense_2;       /* [n_dense][n_embd] */
    gol_weight dense_3;       /* [n_embd][n_dense] */
    gol_weight cls;           /* [n_embd][n_embd] with tanh behind it, before */
    gol_weight cls_output;    /* [n_classes][n_embd] */
    float *cls_bias;          /* as many as rows, as the next */
    float *cls_output_bias;
    float *token_embd_norm; /* [n_embd] */
    float *token_embd_norm_bias;
    float *output_norm;        /* [n_embd] */
    float *output_norm_bias;   /* [n_embd] */
    gol_weight output;         /* [n_vocab][n_embd] */
    const gol_weight *logits;  /* output, or token_embd when the file ties them */
    float *output_bias;        /* [n_vocab] */
    float *rope_freqs;         /* [n_rot / 2] divisors of frequencies */
    float *rope_factors_long;  /* the same for contexts longer than the original one, */
    float *rope_factors_short; /* and for others */
    gol_layer_weights *layers; /* [n_layers] */
    int32_t n_layers;
    uint64_t n_params;
    gol_weight_bytes bytes;
    gol_tensor_bytes *kept; /* [n_kept] tables that the file holds in another form */
    size_t n_kept;
} gol_weights;

/* Binds every tensor of the file; one that has no place is an error, because a model that ignores it would answer wrongly.
 * Errors: GOL_EMODEL, GOL_EUNSUPPORTED, GOL_ENOMEM; *out is then empty again. */
int gol_weights_load(gol_weights *out, const gol_config *config, const gol_model_file *file,
                     gol_backend *be, const gol_load_opts *opts, gol_err *err);
void gol_weights_deinit(gol_weights *weights, gol_backend *be);

#endif
