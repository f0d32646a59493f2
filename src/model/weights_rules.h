/*
 * Which tensors a model has, as two tables of rules: name, field, shape, when. weights.c walks them; whoever adds an
 * architecture with tensors of its own adds rows here.
 */
#ifndef GOL_MODEL_WEIGHTS_RULES_H
#define GOL_MODEL_WEIGHTS_RULES_H

#include "model/weights.h"

typedef enum gol_weights_dim {
    GOL_DIM_NONE, /* the tensor is a vector */
    GOL_DIM_EMBD,
    GOL_DIM_VOCAB,
    GOL_DIM_POSITIONS,
    GOL_DIM_TOKEN_TYPES,
    GOL_DIM_Q,    /* n_heads * head_dim_k */
    GOL_DIM_K,    /* n_kv_heads * head_dim_k */
    GOL_DIM_V,    /* n_kv_heads * head_dim_v */
    GOL_DIM_ATTN, /* n_heads * head_dim_v */
    GOL_DIM_Q_NORM,
    GOL_DIM_K_NORM,
    GOL_DIM_FF,
    GOL_DIM_FF_EXP,
    GOL_DIM_FF_SHEXP,
    GOL_DIM_EXPERTS,
    GOL_DIM_HEADS,
    GOL_DIM_ONE, /* a matrix of one row */
    GOL_DIM_ROPE_PAIRS,
    GOL_DIM_SSM_CONV, /* taps */
    GOL_DIM_SSM_INNER,
    GOL_DIM_SSM_CHANNELS, /* x, B and C: what is convolved */
    GOL_DIM_SSM_HEADS,
    GOL_DIM_SSM_GROUPS,
    GOL_DIM_SSM_GROUP_WIDTH, /* of d_inner */
    GOL_DIM_DENSE,
    GOL_DIM_CLASSES,
} gol_weights_dim;

/* Conditions; a rule applies where all of its own hold. */
typedef enum gol_weights_when {
    GOL_IF_LAYER_NORM = 1u << 0,
    GOL_IF_POSITIONS = 1u << 1,
    GOL_IF_TOKEN_TYPES = 1u << 2,
    GOL_IF_EMBD_NORM = 1u << 3,
    GOL_IF_OUTPUT_NORM = 1u << 4,
    GOL_IF_ROPE = 1u << 5,
    GOL_IF_PRE_NORM = 1u << 6,  /* pre, sandwich */
    GOL_IF_POST_NORM = 1u << 7, /* sandwich, branch */
    GOL_IF_SUM_NORM = 1u << 8,
    GOL_IF_PARALLEL = 1u << 9,
    GOL_IF_SEQUENTIAL = 1u << 10,
    GOL_IF_DENSE_OUT = 1u << 11, /* linear layers behind the pooling */
    /* of the layer */
    GOL_IF_ATTENTION = 1u << 12,
    GOL_IF_SPLIT_QKV = 1u << 13, /* implies attention, as the next two */
    GOL_IF_FUSED_QKV = 1u << 14,
    GOL_IF_QK_NORM = 1u << 15,
    GOL_IF_FFN = 1u << 16, /* of any kind */
    GOL_IF_DENSE = 1u << 17,
    GOL_IF_SPLIT_GATE = 1u << 18, /* dense, gated, two tensors */
    GOL_IF_FUSED_GATE = 1u << 19, /* dense, gated, one tensor */
    GOL_IF_PLAIN_UP = 1u << 20,   /* dense, ffn_up holds nothing but up */
    GOL_IF_EXPERTS = 1u << 21,
    /* Experts, and the tensor has one matrix or vector for each of them; older files have a tensor for each. */
    GOL_IF_STACK = 1u << 22,
    GOL_IF_GATED_EXPERTS = 1u << 23,
    GOL_IF_SHARED_EXPERT = 1u << 24,
    GOL_IF_SINKS = 1u << 25,        /* attention, and its softmax has sinks */
    GOL_IF_FFN_NORM = 1u << 26,     /* of any kind, and its norm has the usual name */
    GOL_IF_FFN_NORM_ODD = 1u << 27, /* ..., and its norm is called post_attention_norm */
    GOL_IF_MAMBA2 = 1u << 28,
    /* No condition: the tensor has rows, but the field is a float *, */
    GOL_AS_VECTOR = 1u << 29,  /* [n_out][n_in], */
    GOL_AS_COLUMNS = 1u << 30, /* or [n_in][n_out] */
} gol_weights_when;

#define GOL_IF_CLASSIFIER (1u << 31) /* a condition like the others, but no int */

typedef struct gol_weights_rule {
    const char *name; /* for layers what follows "blk.N." */
    size_t field;     /* offset of a gol_weight, or of a float * for a vector */
    gol_weights_dim n_out;
    gol_weights_dim n_in; /* of a vector: its length */
    unsigned when;        /* gol_weights_when bits; 0: always, a matrix or vector as it is */
    bool is_required;
    gol_weights_dim before[3]; /* of a fused tensor: rows before this field's; NONE ends */
    gol_weights_dim total[4];  /* its rows in all; empty: the tensor is the field's own */
} gol_weights_rule;

extern const gol_weights_rule gol_weights_model_rules[];
extern const size_t gol_weights_n_model_rules;
extern const gol_weights_rule gol_weights_layer_rules[];
extern const size_t gol_weights_n_layer_rules;

/* il: layer, -1 outside of layers. */
int64_t gol_weights_size(const gol_config *config, gol_weights_dim dim, int32_t il);
/* The field is a float *. */
static inline bool gol_weights_is_vector(const gol_weights_rule *rule)
{
    return rule->n_out == GOL_DIM_NONE || (rule->when & (GOL_AS_VECTOR | GOL_AS_COLUMNS)) != 0;
}

bool gol_weights_applies(const gol_config *config, unsigned when, int32_t il);

#endif
