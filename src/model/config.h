/*
 * What distinguishes one transformer from another, as data: sizes and traits. An architecture file (arch_*.c) fills it from the
 * model file's metadata; forward.c obeys it and knows no architecture by name.
 */
#ifndef GOL_MODEL_CONFIG_H
#define GOL_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "formats/model_file.h"

enum {
    GOL_LAYERS_MAX = 1024,
    GOL_EMBD_MAX = 1 << 17,
    GOL_FF_MAX = 1 << 20,
    GOL_HEADS_MAX = 4096,
    GOL_HEAD_DIM_MAX = 4096,
    GOL_QKV_MAX = 1 << 20, /* heads * head_dim of a layer */
    GOL_CTX_MAX = 1 << 27,
    GOL_VOCAB_MAX = 1 << 24,
    GOL_TOKEN_TYPES_MAX = 1 << 10,
    GOL_CLASSES_MAX = 1 << 16,
    GOL_SSM_INNER_MAX = 1 << 18,
    GOL_SSM_STATE_MAX = 1 << 12,
};

/* What mixes the tokens of a sequence in a layer. */
typedef enum gol_layer_kind {
    GOL_LAYER_ATTENTION,
    GOL_LAYER_MAMBA2,
} gol_layer_kind;

/* Which table of angles a layer's q and k are rotated by. */
typedef enum gol_layer_rope {
    GOL_LAYER_ROPE_NONE,
    GOL_LAYER_ROPE_GLOBAL, /* config.rope */
    GOL_LAYER_ROPE_LOCAL, /* config.rope_local: layers with a window, where the model tells them apart */
} gol_layer_rope;

typedef enum gol_norm_kind {
    GOL_NORM_RMS,
    GOL_NORM_LAYER, /* mean removed, bias allowed */
} gol_norm_kind;

/* Where a block has its norms. */
typedef enum gol_norm_place {
    GOL_NORM_PRE,      /* x += f(norm(x)) */
    GOL_NORM_SANDWICH, /* x += post_norm(f(norm(x))) */
    GOL_NORM_BRANCH,   /* x += post_norm(f(x)) */
    GOL_NORM_SUM,      /* x = norm(x + f(x)) */
} gol_norm_place;

/* Norms of q and k before they are rotated. */
typedef enum gol_qk_norm {
    GOL_QK_NORM_NONE,
    GOL_QK_NORM_HEAD,  /* each head by itself, all with the same weights [head_dim_k] */
    GOL_QK_NORM_EACH,  /* each head by itself with weights of its own [heads][head_dim_k] */
    GOL_QK_NORM_WIDTH, /* all heads of a row as one vector, weights [heads * head_dim_k] */
} gol_qk_norm;

/* One vector for a whole sequence, made of its rows behind the last norm. Numbers as in the key pooling_type. */
typedef enum gol_pooling {
    GOL_POOLING_NONE = 0,
    GOL_POOLING_MEAN = 1,
    GOL_POOLING_CLS = 2, /* the first row */
    GOL_POOLING_LAST = 3,
    GOL_POOLING_RANK =
        4, /* what the classifier makes of the first row, without causal attention, or the last */
} gol_pooling;

typedef enum gol_rope_scaling {
    GOL_ROPE_SCALING_NONE,
    GOL_ROPE_SCALING_LINEAR,
    GOL_ROPE_SCALING_YARN,
} gol_rope_scaling;

typedef struct gol_rope_config {
    gol_rope_kind kind;
    gol_rope_scaling scaling;
    int32_t n_rot;
    float freq_base;
    float factor;            /* context stretch, 1 when not scaled */
    int32_t n_ctx_orig;      /* context before scaling */
    float attn_factor;       /* multiplies cos and sin */
    float yarn_ext_factor;   /* 1 with YaRN unless the file says otherwise */
    float yarn_beta_fast;    /* 32 */
    float yarn_beta_slow;    /* 1 */
    bool yarn_has_fractions; /* the ramp's ends are no whole pairs */
} gol_rope_config;

/* Mixtures of experts; all zero in a dense model. Which layers have experts, their n_experts tells. */
typedef struct gol_moe_config {
    int32_t n_experts;
    int32_t n_used;     /* experts per token */
    int32_t n_ff_exp;   /* of one expert */
    int32_t n_ff_shexp; /* of the shared expert that sees every token; 0: none */
    gol_gating gating;
    bool norm_weights;   /* the chosen experts' weights are divided by their sum */
    float weights_scale; /* and then multiplied by this */
} gol_moe_config;

/* Mamba2 layers; all zero without such. */
typedef struct gol_ssm_config {
    int32_t d_conv;  /* taps of the convolution */
    int32_t d_inner; /* n_heads * head_dim */
    int32_t d_state;
    int32_t n_heads; /* ssm.time_step_rank */
    int32_t n_groups;
} gol_ssm_config;

/* Scores of a whole sequence: softmax?(cls.output * tanh(cls * row)); all zero in a model without. */
typedef struct gol_classifier {
    int32_t n_classes;
    bool has_softmax; /* scores are probabilities */
} gol_classifier;

/* One layer; arrays in the metadata may make layers differ. */
typedef struct gol_layer_config {
    gol_layer_kind kind;
    int32_t n_heads; /* 0 in a layer without attention, as n_kv_heads */
    int32_t n_kv_heads;
    int32_t n_ff;      /* of the dense feed-forward; 0: none */
    int32_t n_experts; /* 0: the feed-forward is dense */
    gol_layer_rope rope;
    int32_t window; /* sliding window in tokens; 0: none */
} gol_layer_config;

typedef struct gol_config {
    char arch[64]; /* general.architecture */
    int32_t n_vocab;
    int32_t n_embd;
    int32_t n_layers;
    int32_t n_ctx_train;
    int32_t head_dim_k;
    int32_t head_dim_v;
    int32_t n_positions; /* rows of the learned position table; 0: none */
    int32_t
        n_token_types; /* rows of the table of token types, of which the first is added everywhere; 0: none */

    gol_norm_kind norm_kind;
    gol_norm_place norm_place;
    gol_qk_norm qk_norm;
    float norm_eps;
    gol_activation act;
    bool is_gated; /* ffn: act(gate) * up; otherwise act(up) */
    bool
        is_parallel; /* attention and feed-forward both read the layer's input, x += attn(x) + ffn(x) */
    bool is_causal;         /* false: a row sees the whole of its sequence */
    bool has_embd_norm;     /* of the sum of embeddings, before the first layer */
    bool has_output_norm;   /* behind the last layer */
    bool has_fused_qkv;     /* one attn_qkv tensor: rows of q, then k, then v */
    bool has_sinks;         /* of attention: attn_sinks */
    bool has_odd_ffn_norm;  /* the file calls ffn_norm post_attention_norm */
    bool has_fused_gate_up; /* one ffn_up tensor: rows of gate, then up */
    gol_rope_config rope;
    gol_rope_config rope_local; /* of layers that say so */
    float attn_scale;           /* of q·k, usually 1 / sqrt(head_dim_k) */
    float attn_softcap;         /* score = cap * tanh(score / cap); 0: none */
    float final_softcap;        /* of logits; 0: none */
    float embd_scale;           /* of token embeddings; 1: none, here and below */
    float residual_scale;       /* of what is added to the residual stream */
    float logit_scale;
    gol_pooling pooling; /* what the file asks for */
    int32_t n_dense;     /* width between two linear layers behind the pooling; 0: there are none */
    gol_classifier classifier;
    bool has_logits; /* it can continue a text: neither an encoder nor a reranker */
    gol_moe_config moe;
    gol_ssm_config ssm;

    gol_layer_config *layers; /* [n_layers], owned */
} gol_config;

/* An architecture: const struct in the array of arch.c. Adding one = one file + one golden test (model/README.md). */
typedef struct gol_arch {
    const char *name; /* general.architecture */
    /* Fills *config, whose common part (sizes, heads, rotary embedding, vocabulary) is already there. Errors: GOL_EMODEL, GOL_EUNSUPPORTED. */
    int (*read)(gol_config *config, const gol_model_file *file, gol_err *err);
} gol_arch;

/* Some layer is recurrent: sequences have a state. */
bool gol_config_has_state(const gol_config *config);
/* What a Mamba2 layer convolves: x [d_inner], B and C [n_groups][d_state]. */
static inline int32_t gol_config_ssm_channels(const gol_config *config)
{
    return config->ssm.d_inner + 2 * config->ssm.n_groups * config->ssm.d_state;
}

const gol_arch *gol_arch_find(gol_str name); /* NULL: unknown */
void gol_arch_list(char *buf, size_t size);  /* "falcon, gpt2, ...", for messages */

/* Reads and checks everything: architecture, sizes against the limits above and against each other. */
int gol_config_read(gol_config *out, const gol_model_file *file, gol_err *err);
void gol_config_deinit(gol_config *config);

/* <arch>.<suffix> look-ups for architecture files, as gol_meta_u32() and friends: 1 found, 0 absent, < 0 error. */
int gol_config_u32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   uint32_t min, uint32_t max, int32_t *out, gol_err *err);
int gol_config_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   float min, float max, float *out, gol_err *err);

int gol_config_bool(const gol_config *config, const gol_model_file *file, const char *suffix,
                    bool *out, gol_err *err);
/* Whether any layer has blk.N.<suffix>. */
bool gol_config_has_tensor(const gol_config *config, const gol_model_file *file,
                           const char *suffix);

/* The same for a key that must be there: 0 or an error. */
int gol_config_require_u32(const gol_config *config, const gol_model_file *file, const char *suffix,
                           uint32_t min, uint32_t max, int32_t *out, gol_err *err);
int gol_config_require_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                           float min, float max, float *out, gol_err *err);
/* attention.layer_norm_epsilon or attention.layer_norm_rms_epsilon, by the kind of norm; must be there. */
int gol_config_require_eps(gol_config *config, const gol_model_file *file, gol_err *err);
/* attention.sliding_window, which may be absent, into those layers that the file's attention.sliding_window_pattern names, or,
 * without that key, into all but each period-th (period 0: into all). */
int gol_config_read_windows(gol_config *config, const gol_model_file *file, int32_t period,
                            gol_err *err);
/* The same for models that have windows only where the pattern is written down: elsewhere the window is one that is off. */
int gol_config_read_written_windows(gol_config *config, const gol_model_file *file, gol_err *err);
/* Of BERT and its kin: tokenizer.ggml.token_type_count, where the file has the table. */
int gol_config_read_token_types(gol_config *config, const gol_model_file *file, gol_err *err);
/* For architectures whose files may have one: cls.output.weight and its kin. The scores of more than one class go through a softmax
 * if the architecture says so. Without the tensor: nothing. */
int gol_config_read_classifier(gol_config *config, const gol_model_file *file, bool has_softmax,
                               gol_err *err);
/* The keys of experts, whose layers have no dense feed-forward then; n_layers and n_ff are known, and moe's gating, norm_weights and
 * weights_scale are the architecture's for files that do not tell. Without the key expert_count: nothing. */
int gol_config_read_moe(gol_config *config, const gol_model_file *file, gol_err *err);
/* rope.freq_base_swa into a table of those layers that have a window: the global one, whose kind is set, unstretched, with that
 * base or, without the key, the given one. */
int gol_config_read_local_rope(gol_config *config, const gol_model_file *file, float freq_base,
                               gol_err *err);
/* "<arch>.<suffix>" into buf, cut to its size. */
void gol_config_key(char *buf, size_t size, const gol_config *config, const char *suffix);

#endif
