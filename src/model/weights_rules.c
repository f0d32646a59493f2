/*
 * The tables of tensors, and what their sizes and conditions mean for a configuration.
 */
#include "model/weights_rules.h"

#define MODEL_FIELD(f) offsetof(gol_weights, f)
#define LAYER_FIELD(f) offsetof(gol_layer_weights, f)
#define D(name)        GOL_DIM_##name
#define QKV                                                                                        \
    {                                                                                              \
        D(Q), D(K), D(V)                                                                           \
    }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define SSM_IN                                                                                     \
    {                                                                                              \
        D(SSM_INNER), D(SSM_CHANNELS), D(SSM_HEADS)                                                \
    }

enum {
    PRE_LN = GOL_IF_PRE_NORM | GOL_IF_LAYER_NORM,
    SUM_LN = GOL_IF_SUM_NORM | GOL_IF_LAYER_NORM,
};

/* clang-format off */
const gol_weights_rule gol_weights_model_rules[] = {
    {"token_embd.weight",         MODEL_FIELD(token_embd),           D(VOCAB),       D(EMBD),       0,                                      true,  {0}, {0}},
    {"position_embd.weight",      MODEL_FIELD(position_embd),        D(POSITIONS),   D(EMBD),       GOL_IF_POSITIONS,                       true,  {0}, {0}},
    {"token_types.weight",        MODEL_FIELD(token_types),          D(TOKEN_TYPES), D(EMBD),       GOL_IF_TOKEN_TYPES,                     true,  {0}, {0}},
    {"token_embd_norm.weight",    MODEL_FIELD(token_embd_norm),      D(NONE),        D(EMBD),       GOL_IF_EMBD_NORM,                       true,  {0}, {0}},
    {"token_embd_norm.bias",      MODEL_FIELD(token_embd_norm_bias), D(NONE),        D(EMBD),       GOL_IF_EMBD_NORM | GOL_IF_LAYER_NORM,   false, {0}, {0}},
    {"dense_2.weight",            MODEL_FIELD(dense_2),              D(DENSE),       D(EMBD),       GOL_IF_DENSE_OUT,                       true,  {0}, {0}},
    {"dense_3.weight",            MODEL_FIELD(dense_3),              D(EMBD),        D(DENSE),      GOL_IF_DENSE_OUT,                       true,  {0}, {0}},
    {"cls.weight",                MODEL_FIELD(cls),                  D(EMBD),        D(EMBD),       GOL_IF_CLASSIFIER,                      false, {0}, {0}},
    {"cls.bias",                  MODEL_FIELD(cls_bias),             D(NONE),        D(EMBD),       GOL_IF_CLASSIFIER,                      false, {0}, {0}},
    {"cls.output.weight",         MODEL_FIELD(cls_output),           D(CLASSES),     D(EMBD),       GOL_IF_CLASSIFIER,                      true,  {0}, {0}},
    {"cls.output.bias",           MODEL_FIELD(cls_output_bias),      D(NONE),        D(CLASSES),    GOL_IF_CLASSIFIER,                      false, {0}, {0}},
    {"output_norm.weight",        MODEL_FIELD(output_norm),          D(NONE),        D(EMBD),       GOL_IF_OUTPUT_NORM,                     true,  {0}, {0}},
    {"output_norm.bias",          MODEL_FIELD(output_norm_bias),     D(NONE),        D(EMBD),       GOL_IF_OUTPUT_NORM | GOL_IF_LAYER_NORM, false, {0}, {0}},
    {"output.weight",             MODEL_FIELD(output),               D(VOCAB),       D(EMBD),       0,                                      false, {0}, {0}},
    {"output.bias",               MODEL_FIELD(output_bias),          D(NONE),        D(VOCAB),      0,                                      false, {0}, {0}},
    {"rope_freqs.weight",         MODEL_FIELD(rope_freqs),           D(NONE),        D(ROPE_PAIRS), GOL_IF_ROPE,                            false, {0}, {0}},
    {"rope_factors_long.weight",  MODEL_FIELD(rope_factors_long),    D(NONE),        D(ROPE_PAIRS), GOL_IF_ROPE,                            false, {0}, {0}},
    {"rope_factors_short.weight", MODEL_FIELD(rope_factors_short),   D(NONE),        D(ROPE_PAIRS), GOL_IF_ROPE,                            false, {0}, {0}},
};

const gol_weights_rule gol_weights_layer_rules[] = {
    {"attn_norm.weight",           LAYER_FIELD(attn_norm),              D(NONE), D(EMBD),   GOL_IF_PRE_NORM,                                  true,  {0},          {0}},
    {"attn_norm.bias",             LAYER_FIELD(attn_norm_bias),         D(NONE), D(EMBD),   PRE_LN,                                           false, {0},          {0}},
    {"attn_norm_2.weight",         LAYER_FIELD(attn_norm_2),            D(NONE), D(EMBD),   GOL_IF_PRE_NORM | GOL_IF_PARALLEL,                false, {0},          {0}},
    {"attn_norm_2.bias",           LAYER_FIELD(attn_norm_2_bias),       D(NONE), D(EMBD),   PRE_LN | GOL_IF_PARALLEL,                         false, {0},          {0}},
    {"attn_q.weight",              LAYER_FIELD(attn_q),                 D(Q),    D(EMBD),   GOL_IF_SPLIT_QKV,                                 true,  {0},          {0}},
    {"attn_k.weight",              LAYER_FIELD(attn_k),                 D(K),    D(EMBD),   GOL_IF_SPLIT_QKV,                                 true,  {0},          {0}},
    {"attn_v.weight",              LAYER_FIELD(attn_v),                 D(V),    D(EMBD),   GOL_IF_SPLIT_QKV,                                 true,  {0},          {0}},
    {"attn_q.bias",                LAYER_FIELD(attn_q_bias),            D(NONE), D(Q),      GOL_IF_SPLIT_QKV,                                 false, {0},          {0}},
    {"attn_k.bias",                LAYER_FIELD(attn_k_bias),            D(NONE), D(K),      GOL_IF_SPLIT_QKV,                                 false, {0},          {0}},
    {"attn_v.bias",                LAYER_FIELD(attn_v_bias),            D(NONE), D(V),      GOL_IF_SPLIT_QKV,                                 false, {0},          {0}},
    {"attn_qkv.weight",            LAYER_FIELD(attn_q),                 D(Q),    D(EMBD),   GOL_IF_FUSED_QKV,                                 true,  {0},          QKV},
    {"attn_qkv.weight",            LAYER_FIELD(attn_k),                 D(K),    D(EMBD),   GOL_IF_FUSED_QKV,                                 true,  {D(Q)},       QKV},
    {"attn_qkv.weight",            LAYER_FIELD(attn_v),                 D(V),    D(EMBD),   GOL_IF_FUSED_QKV,                                 true,  {D(Q), D(K)}, QKV},
    {"attn_qkv.bias",              LAYER_FIELD(attn_q_bias),            D(NONE), D(Q),      GOL_IF_FUSED_QKV,                                 false, {0},          QKV},
    {"attn_qkv.bias",              LAYER_FIELD(attn_k_bias),            D(NONE), D(K),      GOL_IF_FUSED_QKV,                                 false, {D(Q)},       QKV},
    {"attn_qkv.bias",              LAYER_FIELD(attn_v_bias),            D(NONE), D(V),      GOL_IF_FUSED_QKV,                                 false, {D(Q), D(K)}, QKV},
    {"attn_q_norm.weight",         LAYER_FIELD(attn_q_norm),            D(NONE), D(Q_NORM), GOL_IF_QK_NORM,                                   true,  {0},          {0}},
    {"attn_k_norm.weight",         LAYER_FIELD(attn_k_norm),            D(NONE), D(K_NORM), GOL_IF_QK_NORM,                                   true,  {0},          {0}},
    {"attn_sinks.weight",          LAYER_FIELD(attn_sinks),             D(NONE), D(HEADS),  GOL_IF_SINKS,                                     true,  {0},          {0}},
    {"attn_output.weight",         LAYER_FIELD(attn_output),            D(EMBD), D(ATTN),   GOL_IF_ATTENTION,                                 true,  {0},          {0}},
    {"attn_output.bias",           LAYER_FIELD(attn_output_bias),       D(NONE), D(EMBD),   GOL_IF_ATTENTION,                                 false, {0},          {0}},
    {"post_attention_norm.weight", LAYER_FIELD(post_attention_norm),    D(NONE), D(EMBD),   GOL_IF_POST_NORM,                                 true,  {0},          {0}},
    {"attn_output_norm.weight",    LAYER_FIELD(attn_output_norm),       D(NONE), D(EMBD),   GOL_IF_SUM_NORM,                                  true,  {0},          {0}},
    {"attn_output_norm.bias",      LAYER_FIELD(attn_output_norm_bias),  D(NONE), D(EMBD),   SUM_LN,                                           false, {0},          {0}},
    {"ssm_in.weight",              LAYER_FIELD(ssm_in_z),               D(SSM_INNER),    D(EMBD),            GOL_IF_MAMBA2,                  true,  {0},                            SSM_IN},
    {"ssm_in.weight",              LAYER_FIELD(ssm_in_xbc),             D(SSM_CHANNELS), D(EMBD),            GOL_IF_MAMBA2,                  true,  {D(SSM_INNER)},                 SSM_IN},
    {"ssm_in.weight",              LAYER_FIELD(ssm_in_dt),              D(SSM_HEADS),    D(EMBD),            GOL_IF_MAMBA2,                  true,  {D(SSM_INNER), D(SSM_CHANNELS)}, SSM_IN},
    {"ssm_conv1d.weight",          LAYER_FIELD(ssm_conv1d),             D(SSM_CHANNELS), D(SSM_CONV),        GOL_IF_MAMBA2 | GOL_AS_COLUMNS, true,  {0},                            {0}},
    {"ssm_conv1d.bias",            LAYER_FIELD(ssm_conv1d_bias),        D(NONE),         D(SSM_CHANNELS),    GOL_IF_MAMBA2,                  true,  {0},                            {0}},
    {"ssm_dt.bias",                LAYER_FIELD(ssm_dt_bias),            D(NONE),         D(SSM_HEADS),       GOL_IF_MAMBA2,                  true,  {0},                            {0}},
    {"ssm_a",                      LAYER_FIELD(ssm_a),                  D(SSM_HEADS),    D(NONE),            GOL_IF_MAMBA2 | GOL_AS_VECTOR,  true,  {0},                            {0}},
    {"ssm_d",                      LAYER_FIELD(ssm_d),                  D(SSM_HEADS),    D(NONE),            GOL_IF_MAMBA2 | GOL_AS_VECTOR,  true,  {0},                            {0}},
    {"ssm_norm.weight",            LAYER_FIELD(ssm_norm),               D(SSM_GROUPS),   D(SSM_GROUP_WIDTH), GOL_IF_MAMBA2 | GOL_AS_VECTOR,  false, {0},                            {0}},
    {"ssm_out.weight",             LAYER_FIELD(ssm_out),                D(EMBD),         D(SSM_INNER),       GOL_IF_MAMBA2,                  true,  {0},                            {0}},
    {"post_attention_norm.weight", LAYER_FIELD(ffn_norm),               D(NONE), D(EMBD),   GOL_IF_FFN_NORM_ODD,                               true,  {0},          {0}},
    {"ffn_norm.weight",            LAYER_FIELD(ffn_norm),               D(NONE), D(EMBD),   GOL_IF_PRE_NORM | GOL_IF_FFN_NORM | GOL_IF_SEQUENTIAL, true,  {0},          {0}},
    {"ffn_norm.weight",            LAYER_FIELD(ffn_norm),               D(NONE), D(EMBD),   GOL_IF_PRE_NORM | GOL_IF_FFN | GOL_IF_PARALLEL,   false, {0},          {0}},
    {"ffn_norm.bias",              LAYER_FIELD(ffn_norm_bias),          D(NONE), D(EMBD),   PRE_LN | GOL_IF_FFN,                              false, {0},          {0}},
    {"ffn_gate.weight",            LAYER_FIELD(ffn_gate),               D(FF),   D(EMBD),   GOL_IF_SPLIT_GATE,                                true,  {0},          {0}},
    {"ffn_gate.bias",              LAYER_FIELD(ffn_gate_bias),          D(NONE), D(FF),     GOL_IF_SPLIT_GATE,                                false, {0},          {0}},
    {"ffn_up.weight",              LAYER_FIELD(ffn_gate),               D(FF),   D(EMBD),   GOL_IF_FUSED_GATE,                                true,  {0},          {D(FF), D(FF)}},
    {"ffn_up.weight",              LAYER_FIELD(ffn_up),                 D(FF),   D(EMBD),   GOL_IF_FUSED_GATE,                                true,  {D(FF)},      {D(FF), D(FF)}},
    {"ffn_up.weight",              LAYER_FIELD(ffn_up),                 D(FF),   D(EMBD),   GOL_IF_PLAIN_UP,                                  true,  {0},          {0}},
    {"ffn_up.bias",                LAYER_FIELD(ffn_up_bias),            D(NONE), D(FF),     GOL_IF_PLAIN_UP,                                  false, {0},          {0}},
    {"ffn_down.weight",            LAYER_FIELD(ffn_down),               D(EMBD), D(FF),     GOL_IF_DENSE,                                     true,  {0},          {0}},
    {"ffn_down.bias",              LAYER_FIELD(ffn_down_bias),          D(NONE), D(EMBD),   GOL_IF_DENSE,                                     false, {0},          {0}},
    {"ffn_gate_inp.weight",        LAYER_FIELD(ffn_gate_inp),           D(EXPERTS), D(EMBD), GOL_IF_EXPERTS, true, {0}, {0}},
    {"ffn_gate_inp.bias",          LAYER_FIELD(ffn_gate_inp_bias),      D(NONE), D(EXPERTS), GOL_IF_EXPERTS, false, {0}, {0}},
    {"exp_probs_b.bias",           LAYER_FIELD(exp_probs_b),            D(NONE), D(EXPERTS), GOL_IF_EXPERTS, false, {0}, {0}},
    {"ffn_gate_exps.weight",       LAYER_FIELD(ffn_gate_exps),          D(FF_EXP), D(EMBD), GOL_IF_STACK | GOL_IF_GATED_EXPERTS, true, {0}, {0}},
    {"ffn_gate_exps.bias",         LAYER_FIELD(ffn_gate_exps_bias),     D(NONE), D(FF_EXP), GOL_IF_STACK | GOL_IF_GATED_EXPERTS, false, {0}, {0}},
    {"ffn_up_exps.weight",         LAYER_FIELD(ffn_up_exps),            D(FF_EXP), D(EMBD), GOL_IF_STACK, true, {0}, {0}},
    {"ffn_up_exps.bias",           LAYER_FIELD(ffn_up_exps_bias),       D(NONE), D(FF_EXP), GOL_IF_STACK, false, {0}, {0}},
    {"ffn_down_exps.weight",       LAYER_FIELD(ffn_down_exps),          D(EMBD), D(FF_EXP), GOL_IF_STACK, true, {0}, {0}},
    {"ffn_down_exps.bias",         LAYER_FIELD(ffn_down_exps_bias),     D(NONE), D(EMBD), GOL_IF_STACK, false, {0}, {0}},
    {"ffn_gate_shexp.weight",      LAYER_FIELD(ffn_gate_shexp),         D(FF_SHEXP), D(EMBD), GOL_IF_SHARED_EXPERT | GOL_IF_GATED_EXPERTS, true, {0}, {0}},
    {"ffn_up_shexp.weight",        LAYER_FIELD(ffn_up_shexp),           D(FF_SHEXP), D(EMBD), GOL_IF_SHARED_EXPERT, true, {0}, {0}},
    {"ffn_down_shexp.weight",      LAYER_FIELD(ffn_down_shexp),         D(EMBD), D(FF_SHEXP), GOL_IF_SHARED_EXPERT, true, {0}, {0}},
    {"ffn_gate_inp_shexp.weight",  LAYER_FIELD(ffn_gate_inp_shexp),     D(ONE), D(EMBD), GOL_IF_SHARED_EXPERT, false, {0}, {0}},
    {"post_ffw_norm.weight",       LAYER_FIELD(post_ffw_norm),          D(NONE), D(EMBD),   GOL_IF_POST_NORM | GOL_IF_FFN,                    true,  {0},          {0}},
    {"layer_output_norm.weight",   LAYER_FIELD(layer_output_norm),      D(NONE), D(EMBD),   GOL_IF_SUM_NORM,                                  true,  {0},          {0}},
    {"layer_output_norm.bias",     LAYER_FIELD(layer_output_norm_bias), D(NONE), D(EMBD),   SUM_LN,                                           false, {0},          {0}},
};
/* clang-format on */

const size_t gol_weights_n_model_rules = COUNT(gol_weights_model_rules);
const size_t gol_weights_n_layer_rules = COUNT(gol_weights_layer_rules);

int64_t gol_weights_size(const gol_config *c, gol_weights_dim d, int32_t il)
{
    /* Sizes that differ from layer to layer are asked for with a layer only. */
    const gol_layer_config *l = &c->layers[il >= 0 ? il : 0];
    const bool is_wide = c->qk_norm == GOL_QK_NORM_WIDTH || c->qk_norm == GOL_QK_NORM_EACH;
    switch (d) {
    case GOL_DIM_NONE:
        return 1;
    case GOL_DIM_EMBD:
        return c->n_embd;
    case GOL_DIM_VOCAB:
        return c->n_vocab;
    case GOL_DIM_POSITIONS:
        return c->n_positions;
    case GOL_DIM_TOKEN_TYPES:
        return c->n_token_types;
    case GOL_DIM_Q:
        return (int64_t)l->n_heads * c->head_dim_k;
    case GOL_DIM_K:
        return (int64_t)l->n_kv_heads * c->head_dim_k;
    case GOL_DIM_V:
        return (int64_t)l->n_kv_heads * c->head_dim_v;
    case GOL_DIM_ATTN:
        return (int64_t)l->n_heads * c->head_dim_v;
    case GOL_DIM_Q_NORM:
        return (int64_t)(is_wide ? l->n_heads : 1) * c->head_dim_k;
    case GOL_DIM_K_NORM:
        return (int64_t)(is_wide ? l->n_kv_heads : 1) * c->head_dim_k;
    case GOL_DIM_FF:
        return l->n_ff;
    case GOL_DIM_FF_EXP:
        return c->moe.n_ff_exp;
    case GOL_DIM_FF_SHEXP:
        return c->moe.n_ff_shexp;
    case GOL_DIM_EXPERTS:
        return l->n_experts;
    case GOL_DIM_HEADS:
        return l->n_heads;
    case GOL_DIM_ONE:
        return 1;
    case GOL_DIM_ROPE_PAIRS:
        return c->rope.n_rot / 2;
    case GOL_DIM_SSM_CONV:
        return c->ssm.d_conv;
    case GOL_DIM_SSM_INNER:
        return c->ssm.d_inner;
    case GOL_DIM_SSM_CHANNELS:
        return gol_config_ssm_channels(c);
    case GOL_DIM_SSM_HEADS:
        return c->ssm.n_heads;
    case GOL_DIM_SSM_GROUPS:
        return c->ssm.n_groups;
    case GOL_DIM_SSM_GROUP_WIDTH:
        return c->ssm.d_inner / c->ssm.n_groups;
    case GOL_DIM_DENSE:
        return c->n_dense;
    case GOL_DIM_CLASSES:
        return c->classifier.n_classes;
    }
    return 0;
}

/* All conditions that hold, as bits. */
static unsigned conditions_of_model(const gol_config *c)
{
    const bool is_sandwich = c->norm_place == GOL_NORM_SANDWICH;
    unsigned holds = c->is_parallel ? GOL_IF_PARALLEL : GOL_IF_SEQUENTIAL;
    holds |= c->norm_kind == GOL_NORM_LAYER ? GOL_IF_LAYER_NORM : 0u;
    holds |= c->n_positions > 0 ? GOL_IF_POSITIONS : 0u;
    holds |= c->n_token_types > 0 ? GOL_IF_TOKEN_TYPES : 0u;
    holds |= c->has_embd_norm ? GOL_IF_EMBD_NORM : 0u;
    holds |= c->has_output_norm ? GOL_IF_OUTPUT_NORM : 0u;
    holds |= c->rope.kind != GOL_ROPE_NONE ? GOL_IF_ROPE : 0u;
    holds |= is_sandwich || c->norm_place == GOL_NORM_PRE ? GOL_IF_PRE_NORM : 0u;
    holds |= is_sandwich || c->norm_place == GOL_NORM_BRANCH ? GOL_IF_POST_NORM : 0u;
    holds |= c->norm_place == GOL_NORM_SUM ? GOL_IF_SUM_NORM : 0u;
    holds |= c->n_dense > 0 ? GOL_IF_DENSE_OUT : 0u;
    holds |= c->classifier.n_classes > 0 ? GOL_IF_CLASSIFIER : 0u;
    return holds;
}

static unsigned conditions_of_layer(const gol_config *c, const gol_layer_config *l)
{
    unsigned holds = 0;
    if (l->kind == GOL_LAYER_ATTENTION) {
        holds |= GOL_IF_ATTENTION | (c->has_fused_qkv ? GOL_IF_FUSED_QKV : GOL_IF_SPLIT_QKV);
        holds |= c->qk_norm != GOL_QK_NORM_NONE ? GOL_IF_QK_NORM : 0u;
        holds |= c->has_sinks ? GOL_IF_SINKS : 0u;
    }
    holds |= l->kind == GOL_LAYER_MAMBA2 ? GOL_IF_MAMBA2 : 0u;
    if (l->n_ff > 0 || l->n_experts > 0)
        holds |= GOL_IF_FFN | (c->has_odd_ffn_norm ? GOL_IF_FFN_NORM_ODD : GOL_IF_FFN_NORM);
    if (l->n_experts > 0) {
        holds |= GOL_IF_EXPERTS | GOL_IF_STACK;
        holds |= c->is_gated ? GOL_IF_GATED_EXPERTS : 0u;
        holds |= c->moe.n_ff_shexp > 0 ? GOL_IF_SHARED_EXPERT : 0u;
    }
    if (l->n_ff > 0 && l->n_experts == 0) {
        const bool is_fused = c->is_gated && c->has_fused_gate_up;
        holds |= GOL_IF_DENSE | (is_fused ? GOL_IF_FUSED_GATE : GOL_IF_PLAIN_UP);
        holds |= c->is_gated && !is_fused ? GOL_IF_SPLIT_GATE : 0u;
    }
    return holds;
}

bool gol_weights_applies(const gol_config *c, unsigned when, int32_t il)
{
    unsigned holds = conditions_of_model(c) | GOL_AS_VECTOR | GOL_AS_COLUMNS;
    if (il >= 0)
        holds |= conditions_of_layer(c, &c->layers[il]);
    return (when & ~holds) == 0;
}
