/*
 * Reads a model's configuration: which architecture, sizes that all of them share, then the architecture's own part, then checks
 * of everything against limits and against each other. Nothing behind this file meets a size that was not checked here.
 */
#include "model/config_impl.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Where a per-layer number goes: a member of gol_layer_config. */
typedef int32_t *layer_field(gol_layer_config *layer);

static int32_t *n_heads_of(gol_layer_config *layer)
{
    return &layer->n_heads;
}

static int32_t *n_kv_heads_of(gol_layer_config *layer)
{
    return &layer->n_kv_heads;
}

static int32_t *n_ff_of(gol_layer_config *layer)
{
    return &layer->n_ff;
}

/* One number for all layers, or an array of one per layer, which may hold 0 for layers that have none. Returns 1 found, 0 absent, < 0 error. */
static int read_per_layer(gol_config *config, const gol_model_file *file, const char *suffix,
                          uint32_t max, layer_field *field, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, suffix);
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (!v)
        return 0;
    if (v->type != GOL_VALUE_ARRAY) {
        uint32_t n;
        const uint32_t min = config->ssm.d_conv > 0 ? 0 : 1; /* Mamba2 has no attention */
        const int rc = gol_meta_u32(file, key, min, max, &n, err);
        for (int32_t i = 0; rc == 1 && i < config->n_layers; i++)
            *field(&config->layers[i]) = (int32_t)n;
        return rc;
    }
    if (gol_value_n(v) != (uint64_t)config->n_layers)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "%s has %llu elements; one for each of the %d layers is expected",
                               key, (unsigned long long)gol_value_n(v), config->n_layers);
    for (int32_t i = 0; i < config->n_layers; i++) {
        uint64_t n;
        if (!gol_value_at_u64(v, (uint64_t)i, &n) || n > max)
            return gol_config_fail(file, err, GOL_EMODEL,
                                   "%s: element %d is not a whole number up to %u", key, i, max);
        *field(&config->layers[i]) = (int32_t)n;
    }
    return 1;
}

static int require_per_layer(gol_config *config, const gol_model_file *file, const char *suffix,
                             uint32_t max, layer_field *field, gol_err *err)
{
    const int rc = read_per_layer(config, file, suffix, max, field, err);
    return rc == 0 ? gol_config_fail_missing(config, file, suffix, err) : rc;
}

/* Of the first layer that has any; 0: none has. */
static int32_t first_n_heads(const gol_config *config)
{
    for (int32_t i = 0; i < config->n_layers; i++)
        if (config->layers[i].n_heads > 0)
            return config->layers[i].n_heads;
    return 0;
}

static int read_heads(gol_config *config, const gol_model_file *file, gol_err *err)
{
    int rc = require_per_layer(config, file, "attention.head_count", GOL_HEADS_MAX, n_heads_of,
                               err);
    if (rc < 0)
        return rc;
    for (int32_t i = 0; i < config->n_layers; i++)
        config->layers[i].n_kv_heads = config->layers[i].n_heads;
    rc = read_per_layer(config, file, "attention.head_count_kv", GOL_HEADS_MAX, n_kv_heads_of, err);
    if (rc < 0)
        return rc;
    const int has_k = gol_config_u32(config, file, "attention.key_length", 1, GOL_HEAD_DIM_MAX,
                                     &config->head_dim_k, err);
    if (has_k < 0)
        return has_k;
    const int has_v = gol_config_u32(config, file, "attention.value_length", 1, GOL_HEAD_DIM_MAX,
                                     &config->head_dim_v, err);
    if (has_v < 0)
        return has_v;
    if (has_k && has_v)
        return 0;
    const int32_t n_heads = first_n_heads(config);
    if (n_heads == 0 && config->ssm.d_conv > 0)
        return 0;
    if (n_heads == 0 || config->n_embd % n_heads != 0)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "%s.embedding_length %d is no multiple of the %d heads, and the "
                               "lengths of keys and values are not given",
                               config->arch, config->n_embd, n_heads);
    if (!has_k)
        config->head_dim_k = config->n_embd / n_heads;
    if (!has_v)
        config->head_dim_v = config->n_embd / n_heads;
    return 0;
}

/* The embedding table decides; the vocabulary, where there is one, must agree. The key vocab_size is not asked: converters
 * leave it at the size before tokens were added. */
static int read_vocabulary(gol_config *config, const gol_model_file *file, gol_err *err)
{
    const gol_tensor *embd = gol_model_file_find_tensor(file, GOL_STR("token_embd.weight"));
    if (!embd)
        return gol_config_fail(file, err, GOL_EMODEL, "tensor 'token_embd.weight' is missing");
    const uint64_t n_rows = embd->shape[1];
    if (n_rows < 1 || n_rows > GOL_VOCAB_MAX)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "token_embd.weight has %llu rows; 1 to %d is accepted",
                               (unsigned long long)n_rows, GOL_VOCAB_MAX);
    config->n_vocab = (int32_t)n_rows;
    const gol_value *tokens;
    const int rc = gol_meta_array(file, "tokenizer.ggml.tokens", 1u << GOL_VALUE_STRING, &tokens,
                                  err);
    if (rc == 1 && gol_value_n(tokens) != n_rows)
        return gol_config_fail(
            file, err, GOL_EMODEL,
            "tokenizer.ggml.tokens has %llu elements, token_embd.weight %llu rows",
            (unsigned long long)gol_value_n(tokens), (unsigned long long)n_rows);
    return rc < 0 ? rc : 0;
}

/* What most have, so that an architecture file only says what is special. */
static void set_usual(gol_config *config, const gol_model_file *file)
{
    config->is_causal = true;
    config->is_gated = true;
    config->has_output_norm = true;
    config->norm_kind = GOL_NORM_RMS;
    config->act = GOL_ACT_SILU;
    config->rope.kind = GOL_ROPE_NEOX;
    config->embd_scale = 1.0f;
    config->residual_scale = 1.0f;
    config->logit_scale = 1.0f;
    config->moe.norm_weights = true;
    config->moe.weights_scale = 1.0f;
    config->attn_scale = config->head_dim_k > 0 ? 1.0f / sqrtf((float)config->head_dim_k) : 1.0f;
    config->has_fused_qkv = gol_config_has_tensor(config, file, "attn_qkv.weight");
}

static int read_pooling(gol_config *config, const gol_model_file *file, gol_err *err)
{
    int32_t pooling = GOL_POOLING_NONE;
    const int rc = gol_config_u32(config, file, "pooling_type", 0, GOL_POOLING_RANK, &pooling, err);
    config->pooling = (gol_pooling)pooling;
    return rc < 0 ? rc : 0;
}

int gol_config_read_token_types(gol_config *config, const gol_model_file *file, gol_err *err)
{
    if (!gol_model_file_find_tensor(file, GOL_STR("token_types.weight")))
        return 0;
    const char *key = "tokenizer.ggml.token_type_count";
    uint32_t n = 0;
    const int rc = gol_meta_u32(file, key, 1, GOL_TOKEN_TYPES_MAX, &n, err);
    if (rc == 0)
        return gol_config_fail(file, err, GOL_EMODEL, "key %s is missing", key);
    config->n_token_types = (int32_t)n;
    return rc < 0 ? rc : 0;
}

/* What all architectures share. */
static int read_common(gol_config *config, const gol_model_file *file, gol_err *err)
{
    int rc = gol_config_require_u32(config, file, "block_count", 1, GOL_LAYERS_MAX,
                                    &config->n_layers, err);
    if (rc < 0)
        return rc;
    rc = gol_config_require_u32(config, file, "embedding_length", 1, GOL_EMBD_MAX, &config->n_embd,
                                err);
    if (rc < 0)
        return rc;
    rc = gol_config_require_u32(config, file, "context_length", 1, GOL_CTX_MAX,
                                &config->n_ctx_train, err);
    if (rc < 0)
        return rc;
    config->layers = gol_try_calloc((size_t)config->n_layers, sizeof *config->layers);
    if (!config->layers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the configuration");
    for (int32_t i = 0; i < config->n_layers; i++)
        config->layers[i].rope = GOL_LAYER_ROPE_GLOBAL;
    rc = gol_config_read_ssm(config, file, err);
    if (rc >= 0)
        rc = require_per_layer(config, file, "feed_forward_length", GOL_FF_MAX, n_ff_of, err);
    if (rc >= 0)
        rc = read_heads(config, file, err);
    if (rc >= 0)
        rc = gol_config_read_rope(config, file, err);
    if (rc >= 0)
        rc = read_vocabulary(config, file, err);
    if (rc >= 0)
        rc = read_pooling(config, file, err);
    if (rc >= 0)
        set_usual(config, file);
    return rc < 0 ? rc : 0;
}

static int check_heads(const gol_config *config, int32_t il, const gol_model_file *file,
                       gol_err *err)
{
    const gol_layer_config *l = &config->layers[il];
    if (l->n_heads < 1 || l->n_kv_heads < 1)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "layer %d: %d heads and %d key-value heads; attention has at least "
                               "one of each",
                               il, l->n_heads, l->n_kv_heads);
    if (l->n_heads % l->n_kv_heads != 0)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "layer %d: %d heads are no multiple of its %d key-value heads", il,
                               l->n_heads, l->n_kv_heads);
    const int32_t head_dim = config->head_dim_k > config->head_dim_v ? config->head_dim_k
                                                                     : config->head_dim_v;
    if ((int64_t)l->n_heads * head_dim > GOL_QKV_MAX)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "layer %d: %d heads of %d numbers; at most %d numbers are accepted",
                               il, l->n_heads, head_dim, GOL_QKV_MAX);
    return 0;
}

static int check_rope(gol_config *config, gol_rope_config *rope, const gol_model_file *file,
                      gol_err *err)
{
    if (rope->kind == GOL_ROPE_NONE) {
        rope->n_rot = 0;
        return 0;
    }
    const int32_t n_rot = rope->n_rot;
    if (n_rot < 2 || n_rot % 2 != 0 || n_rot > config->head_dim_k)
        return gol_config_fail(
            file, err, GOL_EMODEL,
            "%s.rope.dimension_count is %d; an even number up to the head's %d is accepted",
            config->arch, n_rot, config->head_dim_k);
    if (rope->freq_base <= 1.0f)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "%s.rope.freq_base is %g; more than 1 is accepted", config->arch,
                               (double)rope->freq_base);
    return 0;
}

/* Sizes against each other. */
static int check(gol_config *config, const gol_model_file *file, gol_err *err)
{
    for (int32_t i = 0; i < config->n_layers; i++) {
        gol_layer_config *l = &config->layers[i];
        const int rc = l->kind == GOL_LAYER_ATTENTION ? check_heads(config, i, file, err)
                                                      : gol_config_check_ssm(config, i, file, err);
        if (rc < 0)
            return rc;
        if (config->rope.kind == GOL_ROPE_NONE || l->kind != GOL_LAYER_ATTENTION)
            l->rope = GOL_LAYER_ROPE_NONE;
    }
    const int rc = check_rope(config, &config->rope, file, err);
    return rc < 0 ? rc : check_rope(config, &config->rope_local, file, err);
}

/* Architectures whose mixtures are known read their keys. */
static int check_experts(const gol_config *config, const gol_model_file *file, gol_err *err)
{
    int32_t n_experts = 0;
    const int rc = gol_config_u32(config, file, "expert_count", 0, UINT16_MAX, &n_experts, err);
    if (rc < 0)
        return rc;
    if (n_experts != config->moe.n_experts)
        return gol_config_fail(file, err, GOL_EUNSUPPORTED,
                               "%s.expert_count is %d; of this architecture only dense models are "
                               "supported",
                               config->arch, n_experts);
    return 0;
}

static int find_arch(gol_config *config, const gol_model_file *file, const gol_arch **arch,
                     gol_err *err)
{
    gol_str name;
    const int rc = gol_meta_str(file, "general.architecture", &name, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return gol_config_fail(file, err, GOL_EMODEL, "key general.architecture is missing");
    *arch = gol_arch_find(name);
    if (!*arch) {
        char quoted[64];
        char known[512];
        gol_arch_list(known, sizeof known);
        return gol_config_fail(file, err, GOL_EUNSUPPORTED,
                               "architecture '%s' is not supported; known are %s",
                               gol_quote(quoted, sizeof quoted, name), known);
    }
    snprintf(config->arch, sizeof config->arch, "%s", (*arch)->name);
    return 0;
}

int gol_config_read(gol_config *out, const gol_model_file *file, gol_err *err)
{
    *out = (gol_config){0};
    const gol_arch *arch = NULL;
    int rc = find_arch(out, file, &arch, err);
    if (rc < 0)
        return rc;
    assert(arch);
    rc = read_common(out, file, err);
    if (rc == 0)
        rc = arch->read(out, file, err);
    /* Decoders that were trained on to embed may see both ways. */
    if (rc == 0)
        rc = gol_config_bool(out, file, "attention.causal", &out->is_causal, err);
    if (rc >= 0)
        rc = gol_config_set_outputs(out, file, err);
    if (rc == 0)
        rc = check(out, file, err);
    if (rc == 0)
        rc = check_experts(out, file, err);
    if (rc < 0)
        gol_config_deinit(out);
    return rc;
}

void gol_config_deinit(gol_config *config)
{
    gol_free(config->layers);
    *config = (gol_config){0};
}
