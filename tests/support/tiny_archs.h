/*
 * Tiny random models of many architectures, as GGUF files with float32 weights: for comparison with another implementation's
 * answers (tests/data/archs, made by tests/golden/make/arch_logits.sh), so the numbers that a name stands for never change.
 */
#ifndef TESTS_SUPPORT_TINY_ARCHS_H
#define TESTS_SUPPORT_TINY_ARCHS_H

#include "support/tiny_model.h"

/* What its file has, beyond or in place of what a llama's has. */
enum {
    ARCH_LAYER_NORM = 1 << 0, /* with biases, unless ARCH_NO_NORM_BIAS */
    ARCH_NO_NORM_BIAS = 1 << 1,
    ARCH_FUSED_QKV = 1 << 2,
    ARCH_QKV_BIAS = 1 << 3,
    ARCH_OUTPUT_BIAS = 1 << 4, /* of attention's output projection */
    ARCH_PLAIN_FFN = 1 << 5,   /* no gate */
    ARCH_FUSED_GATE = 1 << 6,
    ARCH_FFN_BIAS = 1 << 7,
    ARCH_NO_FFN_NORM = 1 << 8,
    ARCH_NO_PRE_NORM = 1 << 9,
    ARCH_POST_NORM = 1 << 10,
    ARCH_SUM_NORM = 1 << 11,
    ARCH_ATTN_NORM_2 = 1 << 12,
    ARCH_QK_HEAD = 1 << 13,
    ARCH_QK_WIDTH = 1 << 14,
    ARCH_QK_EACH = 1 << 15,
    ARCH_TIED = 1 << 16,
    ARCH_ROPE_FACTORS = 1 << 17,
    ARCH_ENCODER = 1 << 18, /* embedding norm, token types; no norm and no matrix at the end */
    ARCH_POSITIONS = 1 << 19,
    ARCH_CLS_DENSE = 1 << 20,  /* cls.weight before cls.output.weight, and biases of both */
    ARCH_LABEL_MORE = 1 << 21, /* than there are classes */
    ARCH_CLASSES_SHIFT =
        24, /* what is above: rows of cls.output.weight, which is not there for 0 */
};

typedef struct arch_key {
    const char *suffix;
    char type; /* 'u', 'f', 'b', or 'y': the text "yarn" */
    double value;
} arch_key;

enum { ARCH_KEYS_MAX = 8 };

typedef struct arch_case {
    const char *name;
    const char *arch;
    int n_layers;
    int n_kv_heads;
    unsigned traits;
    arch_key keys[ARCH_KEYS_MAX]; /* the first without suffix ends */
} arch_case;

static const arch_case arch_cases[] = {
    {"smollm3", "smollm3", 4, 2, ARCH_TIED, {{"rope.freq_base", 'f', 2e6}}},
    {"starcoder2",
     "starcoder2",
     2,
     2,
     ARCH_LAYER_NORM | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN | ARCH_FFN_BIAS |
         ARCH_TIED,
     {{"rope.freq_base", 'f', 1e5}}},
    {"gptneox-parallel",
     "gptneox",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_FUSED_QKV | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN |
         ARCH_FFN_BIAS,
     {{"use_parallel_residual", 'b', 1}, {"rope.dimension_count", 'u', 4}}},
    {"gptneox-serial",
     "gptneox",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_FUSED_QKV | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN |
         ARCH_FFN_BIAS,
     {{"use_parallel_residual", 'b', 0}, {"rope.dimension_count", 'u', 2}}},
    {"stablelm",
     "stablelm",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_QKV_BIAS,
     {{"rope.dimension_count", 'u', 2}}},
    {"stablelm-12b",
     "stablelm",
     2,
     2,
     ARCH_LAYER_NORM | ARCH_QK_EACH | ARCH_NO_FFN_NORM,
     {{"rope.dimension_count", 'u', 4}}},
    {"command-r",
     "command-r",
     2,
     2,
     ARCH_LAYER_NORM | ARCH_NO_NORM_BIAS | ARCH_NO_FFN_NORM | ARCH_TIED,
     {{"logit_scale", 'f', 0.0625}}},
    {"cohere2",
     "cohere2",
     5,
     2,
     ARCH_LAYER_NORM | ARCH_NO_NORM_BIAS | ARCH_NO_FFN_NORM | ARCH_TIED,
     {{"attention.sliding_window", 'u', 6},
      {"logit_scale", 'f', 0.25},
      {"rope.freq_base", 'f', 5e4}}},
    {"falcon-40b",
     "falcon",
     2,
     2,
     ARCH_LAYER_NORM | ARCH_FUSED_QKV | ARCH_PLAIN_FFN | ARCH_NO_FFN_NORM | ARCH_ATTN_NORM_2,
     {{0}}},
    {"phi3-short",
     "phi3",
     2,
     4,
     ARCH_FUSED_QKV | ARCH_FUSED_GATE | ARCH_ROPE_FACTORS,
     {{"rope.scaling.original_context_length", 'u', 512}, {"rope.scaling.attn_factor", 'f', 1.19}}},
    {"phi3-long",
     "phi3",
     2,
     2,
     ARCH_FUSED_QKV | ARCH_FUSED_GATE | ARCH_ROPE_FACTORS,
     {{"rope.scaling.original_context_length", 'u', 64}, {"rope.scaling.attn_factor", 'f', 1.19}}},
    {"olmo3",
     "olmo2",
     4,
     4,
     ARCH_NO_PRE_NORM | ARCH_POST_NORM | ARCH_QK_WIDTH,
     {{"attention.sliding_window", 'u', 6},
      {"rope.scaling.factor", 'f', 8},
      {"rope.freq_base", 'f', 5e5}}},
    {"olmo3-yarn",
     "olmo2",
     4,
     4,
     ARCH_NO_PRE_NORM | ARCH_POST_NORM | ARCH_QK_WIDTH,
     {{"attention.sliding_window", 'u', 6},
      {"rope.scaling.type", 'y', 0},
      {"rope.scaling.factor", 'f', 8},
      {"rope.scaling.original_context_length", 'u', 32},
      {"rope.freq_base", 'f', 5e5}}},
    {"gemma", "gemma", 2, 1, ARCH_TIED, {{"rope.freq_base", 'f', 1e4}}},
    {"gemma3-linear",
     "gemma3",
     7,
     1,
     ARCH_POST_NORM | ARCH_QK_HEAD | ARCH_TIED,
     {{"attention.sliding_window", 'u', 5},
      {"rope.freq_base", 'f', 1e6},
      {"rope.scaling.factor", 'f', 8},
      {"final_logit_softcapping", 'f', 3}}},
    {"granite-nope",
     "granite",
     2,
     2,
     ARCH_TIED,
     {{"embedding_scale", 'f', 12},
      {"residual_scale", 'f', 0.22},
      {"attention.scale", 'f', 0.0078125},
      {"logit_scale", 'f', 8},
      {"rope.scaling.finetuned", 'b', 0}}},
    {"nomic-bert",
     "nomic-bert",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_ENCODER | ARCH_SUM_NORM | ARCH_NO_PRE_NORM | ARCH_NO_FFN_NORM |
         ARCH_FUSED_QKV,
     {{"attention.causal", 'b', 0}, {"pooling_type", 'u', 1}, {"rope.freq_base", 'f', 1000}}},
    {"bert-cls",
     "bert",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_ENCODER | ARCH_POSITIONS | ARCH_SUM_NORM | ARCH_NO_PRE_NORM |
         ARCH_NO_FFN_NORM | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN | ARCH_FFN_BIAS,
     {{"attention.causal", 'b', 0}, {"pooling_type", 'u', 2}}},
    {"bert-rank",
     "bert",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_ENCODER | ARCH_POSITIONS | ARCH_SUM_NORM | ARCH_NO_PRE_NORM |
         ARCH_NO_FFN_NORM | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN | ARCH_FFN_BIAS |
         ARCH_CLS_DENSE | 1 << ARCH_CLASSES_SHIFT,
     {{"attention.causal", 'b', 0}, {"pooling_type", 'u', 4}}},
    {"bert-classes", /* its file names no pooling */
     "bert",
     2,
     4,
     ARCH_LAYER_NORM | ARCH_ENCODER | ARCH_POSITIONS | ARCH_SUM_NORM | ARCH_NO_PRE_NORM |
         ARCH_NO_FFN_NORM | ARCH_QKV_BIAS | ARCH_OUTPUT_BIAS | ARCH_PLAIN_FFN | ARCH_FFN_BIAS |
         3 << ARCH_CLASSES_SHIFT,
     {{"attention.causal", 'b', 0}}},
    {"qwen3-rank",
     "qwen3",
     2,
     2,
     ARCH_QK_HEAD | ARCH_TIED | 2 << ARCH_CLASSES_SHIFT,
     {{"pooling_type", 'u', 4}, {"rope.freq_base", 'f', 1e6}}},
};
enum { N_ARCH_CASES = sizeof arch_cases / sizeof arch_cases[0] };

static inline int arch_n_classes(const arch_case *a)
{
    return (int)(a->traits >> ARCH_CLASSES_SHIFT);
}

static inline void arch_norm(tiny_writer *t, const arch_case *a, int il, const char *name)
{
    char full[64];
    char prefix[32] = "";
    if (il >= 0)
        snprintf(prefix, sizeof prefix, "blk.%d.", il);
    snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    tiny_tensor(t, full, 0, TINY_EMBD);
    snprintf(full, sizeof full, "%s%s.bias", prefix, name);
    if ((a->traits & ARCH_LAYER_NORM) && !(a->traits & ARCH_NO_NORM_BIAS))
        tiny_tensor(t, full, 0, TINY_EMBD);
}

static inline void arch_matrix(tiny_writer *t, int il, const char *name, uint64_t n_out,
                               uint64_t n_in, bool has_bias)
{
    char full[32];
    snprintf(full, sizeof full, "%s.weight", name);
    tiny_layer_tensor(t, il, full, n_out, n_in);
    snprintf(full, sizeof full, "%s.bias", name);
    if (has_bias)
        tiny_layer_tensor(t, il, full, 0, n_out);
}

/* attn_q_norm of n_heads heads, or attn_k_norm. */
static inline void arch_qk_norm(tiny_writer *t, const arch_case *a, int il, const char *name,
                                uint64_t n_heads)
{
    if (a->traits & ARCH_QK_EACH)
        tiny_layer_tensor(t, il, name, n_heads, TINY_HEAD_DIM);
    else if (a->traits & ARCH_QK_WIDTH)
        tiny_layer_tensor(t, il, name, 0, n_heads * TINY_HEAD_DIM);
    else if (a->traits & ARCH_QK_HEAD)
        tiny_layer_tensor(t, il, name, 0, TINY_HEAD_DIM);
}

static inline void arch_attention(tiny_writer *t, const arch_case *a, int il)
{
    const uint64_t q = TINY_EMBD;
    const uint64_t kv = (uint64_t)a->n_kv_heads * TINY_HEAD_DIM;
    const bool has_bias = a->traits & ARCH_QKV_BIAS;
    if (a->traits & ARCH_FUSED_QKV) {
        arch_matrix(t, il, "attn_qkv", q + 2 * kv, TINY_EMBD, has_bias);
    } else {
        arch_matrix(t, il, "attn_q", q, TINY_EMBD, has_bias);
        arch_matrix(t, il, "attn_k", kv, TINY_EMBD, has_bias);
        arch_matrix(t, il, "attn_v", kv, TINY_EMBD, has_bias);
    }
    arch_qk_norm(t, a, il, "attn_q_norm.weight", TINY_HEADS);
    arch_qk_norm(t, a, il, "attn_k_norm.weight", (uint64_t)a->n_kv_heads);
    arch_matrix(t, il, "attn_output", TINY_EMBD, q, a->traits & ARCH_OUTPUT_BIAS);
}

static inline void arch_ffn(tiny_writer *t, const arch_case *a, int il)
{
    const bool has_bias = a->traits & ARCH_FFN_BIAS;
    const bool is_fused = a->traits & ARCH_FUSED_GATE;
    if (!is_fused && !(a->traits & ARCH_PLAIN_FFN))
        arch_matrix(t, il, "ffn_gate", TINY_FF, TINY_EMBD, has_bias);
    arch_matrix(t, il, "ffn_up", is_fused ? 2 * TINY_FF : TINY_FF, TINY_EMBD, has_bias);
    arch_matrix(t, il, "ffn_down", TINY_EMBD, TINY_FF, has_bias);
}

static inline void arch_layer(tiny_writer *t, const arch_case *a, int il)
{
    if (!(a->traits & ARCH_NO_PRE_NORM))
        arch_norm(t, a, il, "attn_norm");
    if (a->traits & ARCH_ATTN_NORM_2)
        arch_norm(t, a, il, "attn_norm_2");
    arch_attention(t, a, il);
    if (a->traits & ARCH_POST_NORM)
        arch_norm(t, a, il, "post_attention_norm");
    if (a->traits & ARCH_SUM_NORM)
        arch_norm(t, a, il, "attn_output_norm");
    if (!(a->traits & (ARCH_NO_PRE_NORM | ARCH_NO_FFN_NORM)))
        arch_norm(t, a, il, "ffn_norm");
    arch_ffn(t, a, il);
    if (a->traits & ARCH_POST_NORM)
        arch_norm(t, a, il, "post_ffw_norm");
    if (a->traits & ARCH_SUM_NORM)
        arch_norm(t, a, il, "layer_output_norm");
}

static inline void arch_keys(tiny_writer *t, const arch_case *a)
{
    gol_gguf_writer_add_str(t->w, "general.architecture", gol_str_from(a->arch));
    gol_gguf_writer_add_str(t->w, "tokenizer.ggml.model", GOL_STR("none"));
    tiny_key_u32(t, "vocab_size", TINY_VOCAB);
    tiny_key_u32(t, "block_count", (uint32_t)a->n_layers);
    tiny_key_u32(t, "embedding_length", TINY_EMBD);
    tiny_key_u32(t, "context_length", TINY_CTX);
    tiny_key_u32(t, "feed_forward_length", TINY_FF);
    tiny_key_u32(t, "attention.head_count", TINY_HEADS);
    tiny_key_u32(t, "attention.head_count_kv", (uint32_t)a->n_kv_heads);
    tiny_key_f32(t,
                 a->traits & ARCH_LAYER_NORM ? "attention.layer_norm_epsilon"
                                             : "attention.layer_norm_rms_epsilon",
                 1e-5f);
    if (a->traits & ARCH_ENCODER)
        gol_gguf_writer_add_u32(t->w, "tokenizer.ggml.token_type_count", 2);
    static const gol_str labels[] = {{"yes", 3}, {"no", 2}, {"perhaps", 7}, {"never", 5}};
    if (arch_n_classes(a) > 1)
        gol_gguf_writer_add_strs(t->w, tiny_key(t, "classifier.output_labels"), labels,
                                 (size_t)arch_n_classes(a) + !!(a->traits & ARCH_LABEL_MORE));
    for (const arch_key *k = a->keys; k->suffix; k++) {
        if (k->type == 'u')
            tiny_key_u32(t, k->suffix, (uint32_t)k->value);
        else if (k->type == 'f')
            tiny_key_f32(t, k->suffix, (float)k->value);
        else if (k->type == 'b')
            gol_gguf_writer_add_bool(t->w, tiny_key(t, k->suffix), k->value != 0);
        else
            gol_gguf_writer_add_str(t->w, tiny_key(t, k->suffix), GOL_STR("yarn"));
    }
}

static inline void arch_tensors(tiny_writer *t, const arch_case *a)
{
    tiny_tensor(t, "token_embd.weight", TINY_VOCAB, TINY_EMBD);
    if (a->traits & ARCH_POSITIONS)
        tiny_tensor(t, "position_embd.weight", TINY_CTX, TINY_EMBD);
    if (a->traits & ARCH_ENCODER) {
        tiny_tensor(t, "token_types.weight", 2, TINY_EMBD);
        arch_norm(t, a, -1, "token_embd_norm");
    } else {
        arch_norm(t, a, -1, "output_norm");
        if (!(a->traits & ARCH_TIED))
            tiny_tensor(t, "output.weight", TINY_VOCAB, TINY_EMBD);
    }
    if (a->traits & ARCH_CLS_DENSE) {
        tiny_tensor(t, "cls.weight", TINY_EMBD, TINY_EMBD);
        tiny_tensor(t, "cls.bias", 0, TINY_EMBD);
        tiny_tensor(t, "cls.output.bias", 0, (uint64_t)arch_n_classes(a));
    }
    if (arch_n_classes(a) > 0)
        tiny_tensor(t, "cls.output.weight", (uint64_t)arch_n_classes(a), TINY_EMBD);
    if (a->traits & ARCH_ROPE_FACTORS) {
        tiny_tensor(t, "rope_factors_long.weight", 0, TINY_HEAD_DIM / 2);
        tiny_tensor(t, "rope_factors_short.weight", 0, TINY_HEAD_DIM / 2);
        for (int k = 1; k <= 2; k++) /* all positive, and not the same */
            for (int i = 0; i < TINY_HEAD_DIM / 2; i++)
                ((float *)t->data[t->n_tensors - k])[i] = 1.0f + (float)(k * i) * 0.75f;
    }
    for (int il = 0; il < a->n_layers; il++)
        arch_layer(t, a, il);
}

/* 0, or what the writer says. */
static inline int arch_case_write(const arch_case *a, const char *path, gol_err *err)
{
    const tiny_model m = {.arch = a->arch, .type = GOL_TYPE_F32};
    tiny_writer t = {.m = &m, .rng = {.key = 7}};
    int rc = gol_gguf_writer_create(&t.w, err);
    if (rc < 0)
        return rc;
    arch_keys(&t, a);
    arch_tensors(&t, a);
    rc = gol_gguf_writer_write(t.w, path, err);
    gol_gguf_writer_destroy(&t.w);
    for (int i = 0; i < t.n_tensors; i++)
        free(t.data[i]);
    for (int i = 0; i < t.n_names; i++)
        free(t.names[i]);
    return rc;
}

#endif
