/*
 * Writes tiny random models as GGUF files, for tests: a llama or a gpt2 of a few thousand parameters. A test may leave keys or
 * tensors out, change them or add some, to see what the loader says.
 */
#ifndef TESTS_SUPPORT_TINY_MODEL_H
#define TESTS_SUPPORT_TINY_MODEL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "formats/gguf.h"
#include "support/random_blocks.h"

enum {
    TINY_VOCAB = 40,
    TINY_EMBD = 32,
    TINY_LAYERS = 2,
    TINY_CTX = 128,
    TINY_FF = 64,
    TINY_HEADS = 4,
    TINY_KV_HEADS = 2,
    TINY_HEAD_DIM = TINY_EMBD / TINY_HEADS,
    TINY_USED = 2,
    TINY_TENSORS_MAX = 256,
    TINY_NAMES_MAX = 512,
};

typedef struct tiny_model {
    const char *arch;         /* "llama", "gpt2", "granitehybrid" or "mamba2" */
    const char *claimed_arch; /* general.architecture when it is not arch */
    gol_type type;            /* of matrices */
    bool is_tied;             /* no output.weight */
    bool has_qkv_bias;        /* llama: biases of attn_q, attn_k, attn_v */
    bool has_rope_freqs;
    int32_t n_experts;          /* llama: a mixture of so many, of which TINY_USED work; 0: dense */
    int32_t n_tokens;           /* of tokenizer.ggml.tokens; 0: TINY_VOCAB */
    const char *without_key;    /* suffix: is left out */
    const char *without_tensor; /* name: is left out */
    const char *extra_tensor;   /* name: is added, [TINY_EMBD] */
    const char *misshaped;      /* name: gets one row (or element, expert) more */
    void (*add_keys)(gol_gguf_writer *w, const char *arch); /* after the others; NULL: none */
    uint64_t seed;
} tiny_model;

typedef struct tiny_writer {
    const tiny_model *m;
    gol_gguf_writer *w;
    gol_rng rng;
    void *data[TINY_TENSORS_MAX];
    int n_tensors;
    char *names[TINY_NAMES_MAX]; /* of keys and tensors: the writer keeps views */
    int n_names;
} tiny_writer;

static inline const char *tiny_keep(tiny_writer *t, const char *prefix, const char *name)
{
    const size_t size = strlen(prefix) + strlen(name) + 1;
    char *kept = malloc(size);
    assert(kept && t->n_names < TINY_NAMES_MAX);
    snprintf(kept, size, "%s%s", prefix, name);
    t->names[t->n_names++] = kept;
    return kept;
}

/* "<arch>.<suffix>", or NULL for the key that is to be left out. */
static inline const char *tiny_key(tiny_writer *t, const char *suffix)
{
    if (t->m->without_key && strcmp(t->m->without_key, suffix) == 0)
        return NULL;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s.", t->m->arch);
    return tiny_keep(t, prefix, suffix);
}

static inline void tiny_key_u32(tiny_writer *t, const char *suffix, uint32_t v)
{
    const char *key = tiny_key(t, suffix);
    if (key)
        gol_gguf_writer_add_u32(t->w, key, v);
}

static inline void tiny_key_f32(tiny_writer *t, const char *suffix, float v)
{
    const char *key = tiny_key(t, suffix);
    if (key)
        gol_gguf_writer_add_f32(t->w, key, v);
}

/* n_out 0: a vector of n_in. Matrices are scaled so that activations keep their size. */
static inline void tiny_tensor(tiny_writer *t, const char *name, uint64_t n_out, uint64_t n_in)
{
    if (t->m->without_tensor && strcmp(t->m->without_tensor, name) == 0)
        return;
    if (t->m->misshaped && strcmp(t->m->misshaped, name) == 0) {
        n_in += n_out == 0;
        n_out += n_out > 0;
    }
    const bool is_small = strstr(name, ".ssm_") && !strstr(name, "ssm_in") &&
                          !strstr(name, "ssm_out");
    const gol_type type = n_out && !is_small ? t->m->type : GOL_TYPE_F32;
    const uint64_t n = n_in * (n_out ? n_out : 1);
    size_t n_bytes = 0;
    gol_type_row_bytes(&n_bytes, type, n);
    assert(t->n_tensors < TINY_TENSORS_MAX);
    void *data = malloc(n_bytes);
    random_blocks(&t->rng, type, data, n);
    if (type == GOL_TYPE_F32)
        for (uint64_t i = 0; i < n; i++)
            ((float *)data)[i] *= n_out ? 0.2f : 0.5f;
    if (strstr(name, ".ssm_a"))
        for (uint64_t i = 0; i < n; i++)
            ((float *)data)[i] = -0.05f - 0.3f * (float)i;
    if (strcmp(name, "rope_freqs.weight") == 0)
        for (uint64_t i = 0; i < n; i++)
            ((float *)data)[i] = 1.0f + (float)i;
    t->data[t->n_tensors++] = data;
    const gol_tensor tensor = {.name = gol_str_from(tiny_keep(t, "", name)),
                               .type = type,
                               .n_dims = n_out ? 2 : 1,
                               .shape = {n_in, n_out ? n_out : 1, 1, 1},
                               .n_elements = n,
                               .data = data,
                               .n_bytes = n_bytes};
    gol_gguf_writer_add_tensor(t->w, &tensor);
}

static inline void tiny_layer_tensor(tiny_writer *t, int il, const char *name, uint64_t n_out,
                                     uint64_t n_in)
{
    char full[64];
    snprintf(full, sizeof full, "blk.%d.%s", il, name);
    tiny_tensor(t, full, n_out, n_in);
}

/* A matrix of n_out rows for each expert, in one tensor of three dimensions. */
static inline void tiny_stack(tiny_writer *t, int il, const char *name, uint64_t n_out,
                              uint64_t n_in)
{
    char full[64];
    snprintf(full, sizeof full, "blk.%d.%s", il, name);
    if (t->m->without_tensor && strcmp(t->m->without_tensor, full) == 0)
        return;
    const bool is_misshaped = t->m->misshaped && strcmp(t->m->misshaped, full) == 0;
    const uint64_t n = (uint64_t)t->m->n_experts + is_misshaped;
    size_t n_bytes = 0;
    gol_type_row_bytes(&n_bytes, t->m->type, n_in * n_out * n);
    assert(t->n_tensors < TINY_TENSORS_MAX);
    void *data = malloc(n_bytes);
    random_blocks(&t->rng, t->m->type, data, n_in * n_out * n);
    if (t->m->type == GOL_TYPE_F32)
        for (uint64_t i = 0; i < n_in * n_out * n; i++)
            ((float *)data)[i] *= 0.2f;
    t->data[t->n_tensors++] = data;
    const gol_tensor tensor = {.name = gol_str_from(tiny_keep(t, "", full)),
                               .type = t->m->type,
                               .n_dims = 3,
                               .shape = {n_in, n_out, n, 1},
                               .n_elements = n_in * n_out * n,
                               .data = data,
                               .n_bytes = n_bytes};
    gol_gguf_writer_add_tensor(t->w, &tensor);
}

static inline void tiny_feed_forward(tiny_writer *t, int il)
{
    if (t->m->n_experts == 0) {
        tiny_layer_tensor(t, il, "ffn_gate.weight", TINY_FF, TINY_EMBD);
        tiny_layer_tensor(t, il, "ffn_up.weight", TINY_FF, TINY_EMBD);
        tiny_layer_tensor(t, il, "ffn_down.weight", TINY_EMBD, TINY_FF);
        return;
    }
    tiny_layer_tensor(t, il, "ffn_gate_inp.weight", (uint64_t)t->m->n_experts, TINY_EMBD);
    tiny_stack(t, il, "ffn_gate_exps.weight", TINY_FF, TINY_EMBD);
    tiny_stack(t, il, "ffn_up_exps.weight", TINY_FF, TINY_EMBD);
    tiny_stack(t, il, "ffn_down_exps.weight", TINY_EMBD, TINY_FF);
}

static inline void tiny_add_llama(tiny_writer *t)
{
    enum { Q = TINY_EMBD, KV = TINY_KV_HEADS * TINY_HEAD_DIM };
    tiny_key_u32(t, "attention.head_count_kv", TINY_KV_HEADS);
    tiny_key_f32(t, "attention.layer_norm_rms_epsilon", 1e-5f);
    if (t->m->n_experts > 0) {
        tiny_key_u32(t, "expert_count", (uint32_t)t->m->n_experts);
        tiny_key_u32(t, "expert_used_count", TINY_USED);
    }
    if (t->m->has_rope_freqs)
        tiny_tensor(t, "rope_freqs.weight", 0, TINY_HEAD_DIM / 2);
    for (int il = 0; il < TINY_LAYERS; il++) {
        tiny_layer_tensor(t, il, "attn_norm.weight", 0, TINY_EMBD);
        tiny_layer_tensor(t, il, "attn_q.weight", Q, TINY_EMBD);
        tiny_layer_tensor(t, il, "attn_k.weight", KV, TINY_EMBD);
        tiny_layer_tensor(t, il, "attn_v.weight", KV, TINY_EMBD);
        if (t->m->has_qkv_bias) {
            tiny_layer_tensor(t, il, "attn_q.bias", 0, Q);
            tiny_layer_tensor(t, il, "attn_k.bias", 0, KV);
            tiny_layer_tensor(t, il, "attn_v.bias", 0, KV);
        }
        tiny_layer_tensor(t, il, "attn_output.weight", TINY_EMBD, Q);
        tiny_layer_tensor(t, il, "ffn_norm.weight", 0, TINY_EMBD);
        tiny_feed_forward(t, il);
    }
}

static inline void tiny_add_gpt2(tiny_writer *t)
{
    static const struct {
        const char *name;
        int n_out, n_in;
    } tensors[] = {
        {"attn_norm.weight", 0, TINY_EMBD},
        {"attn_norm.bias", 0, TINY_EMBD},
        {"attn_qkv.weight", 3 * TINY_EMBD, TINY_EMBD},
        {"attn_qkv.bias", 0, 3 * TINY_EMBD},
        {"attn_output.weight", TINY_EMBD, TINY_EMBD},
        {"attn_output.bias", 0, TINY_EMBD},
        {"ffn_norm.weight", 0, TINY_EMBD},
        {"ffn_norm.bias", 0, TINY_EMBD},
        {"ffn_up.weight", TINY_FF, TINY_EMBD},
        {"ffn_up.bias", 0, TINY_FF},
        {"ffn_down.weight", TINY_EMBD, TINY_FF},
        {"ffn_down.bias", 0, TINY_EMBD},
    };
    tiny_key_f32(t, "attention.layer_norm_epsilon", 1e-5f);
    tiny_tensor(t, "position_embd.weight", TINY_CTX, TINY_EMBD);
    tiny_tensor(t, "output_norm.bias", 0, TINY_EMBD);
    for (int il = 0; il < TINY_LAYERS; il++)
        for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
            tiny_layer_tensor(t, il, tensors[i].name, (uint64_t)tensors[i].n_out,
                              (uint64_t)tensors[i].n_in);
}

enum {
    TINY_SSM_CONV = 4,
    TINY_SSM_INNER = 2 * TINY_EMBD,
    TINY_SSM_HEADS = 4,
    TINY_SSM_GROUPS = 2,
    TINY_SSM_STATE = 8,
    TINY_SSM_CHANNELS = TINY_SSM_INNER + 2 * TINY_SSM_GROUPS * TINY_SSM_STATE,
};

static inline void tiny_ssm_keys(tiny_writer *t)
{
    tiny_key_u32(t, "ssm.conv_kernel", TINY_SSM_CONV);
    tiny_key_u32(t, "ssm.inner_size", TINY_SSM_INNER);
    tiny_key_u32(t, "ssm.state_size", TINY_SSM_STATE);
    tiny_key_u32(t, "ssm.time_step_rank", TINY_SSM_HEADS);
    tiny_key_u32(t, "ssm.group_count", TINY_SSM_GROUPS);
    tiny_key_f32(t, "attention.layer_norm_rms_epsilon", 1e-5f);
}

static inline void tiny_ssm_layer(tiny_writer *t, int il)
{
    tiny_layer_tensor(t, il, "attn_norm.weight", 0, TINY_EMBD);
    tiny_layer_tensor(t, il, "ssm_in.weight", TINY_SSM_INNER + TINY_SSM_CHANNELS + TINY_SSM_HEADS,
                      TINY_EMBD);
    tiny_layer_tensor(t, il, "ssm_conv1d.weight", TINY_SSM_CHANNELS, TINY_SSM_CONV);
    tiny_layer_tensor(t, il, "ssm_conv1d.bias", 0, TINY_SSM_CHANNELS);
    tiny_layer_tensor(t, il, "ssm_dt.bias", 0, TINY_SSM_HEADS);
    tiny_layer_tensor(t, il, "ssm_a", TINY_SSM_HEADS, 1);
    tiny_layer_tensor(t, il, "ssm_d", TINY_SSM_HEADS, 1);
    tiny_layer_tensor(t, il, "ssm_norm.weight", TINY_SSM_GROUPS, TINY_SSM_INNER / TINY_SSM_GROUPS);
    tiny_layer_tensor(t, il, "ssm_out.weight", TINY_EMBD, TINY_SSM_INNER);
}

static inline void tiny_ffn(tiny_writer *t, int il)
{
    tiny_layer_tensor(t, il, "ffn_norm.weight", 0, TINY_EMBD);
    tiny_layer_tensor(t, il, "ffn_gate.weight", TINY_FF, TINY_EMBD);
    tiny_layer_tensor(t, il, "ffn_up.weight", TINY_FF, TINY_EMBD);
    tiny_layer_tensor(t, il, "ffn_down.weight", TINY_EMBD, TINY_FF);
}

/* The first layer is recurrent, the others have attention. */
static inline void tiny_add_granitehybrid(tiny_writer *t)
{
    enum { Q = TINY_EMBD, KV = TINY_KV_HEADS * TINY_HEAD_DIM };
    uint32_t n_kv_heads[TINY_LAYERS];
    for (int il = 0; il < TINY_LAYERS; il++)
        n_kv_heads[il] = il == 0 ? 0 : TINY_KV_HEADS;
    gol_gguf_writer_add_array(t->w, tiny_key(t, "attention.head_count_kv"), GOL_VALUE_U32,
                              n_kv_heads, TINY_LAYERS);
    tiny_ssm_keys(t);
    for (int il = 0; il < TINY_LAYERS; il++) {
        if (il == 0) {
            tiny_ssm_layer(t, il);
        } else {
            tiny_layer_tensor(t, il, "attn_norm.weight", 0, TINY_EMBD);
            tiny_layer_tensor(t, il, "attn_q.weight", Q, TINY_EMBD);
            tiny_layer_tensor(t, il, "attn_k.weight", KV, TINY_EMBD);
            tiny_layer_tensor(t, il, "attn_v.weight", KV, TINY_EMBD);
            tiny_layer_tensor(t, il, "attn_output.weight", TINY_EMBD, Q);
        }
        tiny_ffn(t, il);
    }
}

static inline void tiny_add_mamba2(tiny_writer *t)
{
    tiny_ssm_keys(t);
    for (int il = 0; il < TINY_LAYERS; il++)
        tiny_ssm_layer(t, il);
}

/* 0, or what the writer says. */
static inline int tiny_model_write(const tiny_model *m, const char *path, gol_err *err)
{
    tiny_writer t = {.m = m, .rng = {.key = m->seed + 1}};
    int rc = gol_gguf_writer_create(&t.w, err);
    if (rc < 0)
        return rc;
    gol_str tokens[2 * TINY_VOCAB];
    for (int i = 0; i < 2 * TINY_VOCAB; i++)
        tokens[i] = GOL_STR("x");
    gol_gguf_writer_add_str(t.w, "general.architecture",
                            gol_str_from(m->claimed_arch ? m->claimed_arch : m->arch));
    gol_gguf_writer_add_strs(t.w, "tokenizer.ggml.tokens", tokens,
                             (size_t)(m->n_tokens ? m->n_tokens : TINY_VOCAB));
    tiny_key_u32(&t, "block_count", TINY_LAYERS);
    tiny_key_u32(&t, "embedding_length", TINY_EMBD);
    tiny_key_u32(&t, "context_length", TINY_CTX);
    const bool is_mamba = strcmp(m->arch, "mamba2") == 0;
    tiny_key_u32(&t, "feed_forward_length", is_mamba ? 0 : TINY_FF);
    tiny_key_u32(&t, "attention.head_count", is_mamba ? 0 : TINY_HEADS);
    tiny_tensor(&t, "token_embd.weight", TINY_VOCAB, TINY_EMBD);
    tiny_tensor(&t, "output_norm.weight", 0, TINY_EMBD);
    if (!m->is_tied)
        tiny_tensor(&t, "output.weight", TINY_VOCAB, TINY_EMBD);
    if (strcmp(m->arch, "gpt2") == 0)
        tiny_add_gpt2(&t);
    else if (is_mamba)
        tiny_add_mamba2(&t);
    else if (strcmp(m->arch, "granitehybrid") == 0)
        tiny_add_granitehybrid(&t);
    else
        tiny_add_llama(&t);
    if (m->extra_tensor)
        tiny_tensor(&t, m->extra_tensor, 0, TINY_EMBD);
    if (m->add_keys)
        m->add_keys(t.w, m->arch);
    rc = gol_gguf_writer_write(t.w, path, err);
    gol_gguf_writer_destroy(&t.w);
    for (int i = 0; i < t.n_tensors; i++)
        free(t.data[i]);
    for (int i = 0; i < t.n_names; i++)
        free(t.names[i]);
    return rc;
}

#endif
