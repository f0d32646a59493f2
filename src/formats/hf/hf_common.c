/* What the configurations of many model classes have in common, and its names in GGUF. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

static const double two_pi = 6.283185307179586;

void gol_hf_put_sizes(gol_hf *hf)
{
    hf->n_layers = gol_hf_u32(hf, "num_hidden_layers");
    hf->n_embd = gol_hf_u32(hf, "hidden_size");
    hf->n_heads = gol_hf_u32(hf, "num_attention_heads");
    hf->n_kv_heads = gol_hf_u32_or(hf, "num_key_value_heads", hf->n_heads);
    if (hf->rc != 0)
        return;
    if (hf->n_layers < 1 || hf->n_layers > GOL_HF_LAYERS_MAX)
        gol_hf_refuse(hf, GOL_EMODEL, "num_hidden_layers is %u; 1 to %d is accepted", hf->n_layers,
                      (int)GOL_HF_LAYERS_MAX);
    if (hf->n_heads < 1 || hf->n_kv_heads < 1 || hf->n_heads % hf->n_kv_heads != 0)
        gol_hf_refuse(hf, GOL_EMODEL,
                      "num_attention_heads is %u, num_key_value_heads %u; a multiple of it is "
                      "expected",
                      hf->n_heads, hf->n_kv_heads);
    if (hf->rc != 0)
        return;
    hf->head_dim = gol_hf_u32_or(hf, "head_dim", hf->n_embd / hf->n_heads);
    gol_hf_put_u32(hf, "block_count", hf->n_layers);
    gol_hf_put_u32(hf, "embedding_length", hf->n_embd);
    gol_hf_put_u32(hf, "context_length", gol_hf_u32(hf, "max_position_embeddings"));
    gol_hf_put_u32(hf, "attention.head_count", hf->n_heads);
    gol_hf_put_u32(hf, "attention.head_count_kv", hf->n_kv_heads);
    gol_hf_put_u32(hf, "attention.key_length", hf->head_dim);
    gol_hf_put_u32(hf, "attention.value_length", hf->head_dim);
    if (gol_hf_has(hf, "vocab_size"))
        gol_hf_put_u32(hf, "vocab_size", gol_hf_u32(hf, "vocab_size"));
}

void gol_hf_put_ffn(gol_hf *hf, const char *key)
{
    gol_hf_put_u32(hf, "feed_forward_length", gol_hf_u32(hf, key));
}

void gol_hf_put_rms_eps(gol_hf *hf)
{
    gol_hf_put_f32(hf, "attention.layer_norm_rms_epsilon",
                   gol_hf_real_or(hf, "rms_norm_eps", 1e-6));
}

void gol_hf_put_layer_eps(gol_hf *hf, const char *key)
{
    gol_hf_put_f32(hf, "attention.layer_norm_epsilon", gol_hf_real_or(hf, key, 1e-5));
}

/* One thing has two names, by the age of the class. */
void gol_hf_put_experts(gol_hf *hf)
{
    const char *key = gol_hf_key(hf, "num_local_experts", "num_experts");
    hf->n_experts = key ? gol_hf_u32(hf, key) : 0;
    if (hf->n_experts > GOL_HF_EXPERTS_MAX)
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %u; at most %d is accepted", key, hf->n_experts,
                      (int)GOL_HF_EXPERTS_MAX);
    if (hf->n_experts == 0)
        return;
    gol_hf_put_u32(hf, "expert_count", hf->n_experts);
    gol_hf_put_u32(hf, "expert_used_count", gol_hf_u32(hf, "num_experts_per_tok"));
}

static bool is_one_of(gol_str word, const char *words)
{
    while (*words) {
        const size_t len = strcspn(words, "|");
        if (gol_str_eq(word, (gol_str){words, len}))
            return true;
        words += len + (words[len] == '|');
    }
    return false;
}

bool gol_hf_layer_types(gol_hf *hf, const char *words, bool out[static GOL_HF_LAYERS_MAX])
{
    const char *key = gol_hf_key(hf, "layer_types", "layers_block_type");
    const json_t *types = key ? gol_hf_find(hf, key) : NULL;
    if (!types || hf->rc != 0)
        return false;
    if (json_array_size(types) < hf->n_layers) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s has %zu elements; one for each of %u layers is expected",
                      key, json_array_size(types), hf->n_layers);
        return false;
    }
    for (uint32_t i = 0; i < hf->n_layers; i++) {
        const json_t *type = json_array_get(types, i);
        out[i] = json_is_string(type) && is_one_of(gol_json_str(type), words);
    }
    return true;
}

/* Each n-th layer is without a window, or a truth value for each. */
static void put_window_pattern(gol_hf *hf)
{
    bool has_window[GOL_HF_LAYERS_MAX];
    if (!gol_hf_layer_types(hf, "sliding_attention", has_window))
        return;
    for (uint32_t period = 0; period <= hf->n_layers; period++) {
        uint32_t i = 0;
        while (i < hf->n_layers && has_window[i] == (period == 0 || (i + 1) % period != 0))
            i++;
        if (i == hf->n_layers) {
            gol_hf_put_u32(hf, "attention.sliding_window_pattern", period);
            return;
        }
    }
    gol_hf_put_bools(hf, "attention.sliding_window_pattern", has_window, hf->n_layers);
}

void gol_hf_put_window(gol_hf *hf)
{
    if (!gol_hf_has(hf, "sliding_window"))
        return;
    gol_hf_put_u32(hf, "attention.sliding_window", gol_hf_u32(hf, "sliding_window"));
    put_window_pattern(hf);
}

void gol_hf_require_act(gol_hf *hf, const char *key, const char *accepted)
{
    const gol_str act = gol_hf_text_or(hf, key, "");
    if (hf->rc != 0 ||
        act.len == 0) /* absent: the class's default, which is what the family means */
        return;
    if (is_one_of(act, accepted))
        return;
    char quoted[48];
    gol_hf_refuse(hf, GOL_EUNSUPPORTED, "%s is '%s'; %s is supported", key,
                  gol_quote(quoted, sizeof quoted, act), accepted);
}

/* Numbers of GGUF's pooling_type. */
void gol_hf_put_pooling(gol_hf *hf)
{
    static const struct {
        const char *key;
        uint32_t type;
    } modes[] = {
        {"pooling_mode_mean_tokens", 1},
        {"pooling_mode_cls_token", 2},
        {"pooling_mode_lasttoken", 3},
    };
    json_t *root = NULL;
    if (gol_hf_read_json(hf, "1_Pooling/config.json", &root) != 1)
        return;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (json_is_true(json_object_get(root, modes[i].key))) {
            gol_hf_put_u32(hf, "pooling_type", modes[i].type);
            break;
        }
    }
    json_decref(root);
}

/* ------------------------------------------------------------------ rotary embedding ---- */

/* Older configurations have rope_theta and rope_scaling, newer ones all of it in rope_parameters. */
static const char *rope_key(gol_hf *hf, const char *name, char buf[static 64])
{
    static const char *const places[] = {"rope_parameters.full_attention", "rope_parameters",
                                         "rope_scaling"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(buf, 64, "%s.%s", places[i], name);
        if (gol_hf_has(hf, buf))
            return buf;
    }
    return name; /* at the top, or nowhere */
}

static double rope_real_or(gol_hf *hf, const char *name, double otherwise)
{
    char key[64];
    return gol_hf_real_or(hf, rope_key(hf, name, key), otherwise);
}

static double rope_real(gol_hf *hf, const char *name)
{
    char key[64];
    return gol_hf_real(hf, rope_key(hf, name, key));
}

static void put_optional(gol_hf *hf, const char *from, const char *to)
{
    char key[64];
    const char *found = rope_key(hf, from, key);
    if (gol_hf_has(hf, found))
        gol_hf_put_f32(hf, to, gol_hf_real(hf, found));
}

/* The stretch by wavelength of Llama 3.1, as a table of what each frequency is divided by. */
static void put_llama3_factors(gol_hf *hf, uint32_t n_rot, double base)
{
    const double factor = rope_real(hf, "factor");
    const double low = rope_real_or(hf, "low_freq_factor", 1.0);
    const double high = rope_real_or(hf, "high_freq_factor", 4.0);
    const double n_ctx = rope_real_or(hf, "original_max_position_embeddings", 8192);
    if (hf->rc == 0 && !(factor > 0 && low > 0 && high > low && n_ctx > 0 && n_rot <= 8192))
        gol_hf_refuse(hf, GOL_EMODEL,
                      "rope_scaling: factors of llama3 are no positive numbers in "
                      "their order");
    if (hf->rc != 0)
        return;
    float factors[4096];
    for (uint32_t i = 0; i < n_rot / 2; i++) {
        const double wavelength = two_pi * pow(base, 2.0 * i / n_rot);
        if (wavelength < n_ctx / high) {
            factors[i] = 1.0f;
        } else if (wavelength > n_ctx / low) {
            factors[i] = (float)factor;
        } else {
            const double smooth = (n_ctx / wavelength - low) / (high - low);
            factors[i] = (float)(1.0 / ((1.0 - smooth) / factor + smooth));
        }
    }
    gol_hf_put_floats(hf, "rope_freqs.weight", factors, n_rot / 2);
}

static void put_factor_list(gol_hf *hf, const char *from, const char *to, uint32_t n_rot)
{
    char key[64];
    const json_t *list = gol_hf_find(hf, rope_key(hf, from, key));
    float factors[4096];
    if (json_array_size(list) != n_rot / 2 || n_rot > 8192) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s has %zu elements; %u are expected", from,
                      json_array_size(list), n_rot / 2);
        return;
    }
    for (uint32_t i = 0; i < n_rot / 2; i++) {
        const double v = json_number_value(json_array_get(list, i));
        if (!(v > 0 && v < 1e9))
            gol_hf_refuse(hf, GOL_EMODEL, "%s: element %u is no positive number", from, i);
        factors[i] = (float)v;
    }
    gol_hf_put_floats(hf, to, factors, n_rot / 2);
}

/* LongRoPE: two tables, and a factor for cos and sin that grows with the stretch (arXiv 2402.13753 as Phi-3 has it). */
static void put_longrope(gol_hf *hf, uint32_t n_rot)
{
    const double n_ctx = gol_hf_real(hf, "max_position_embeddings");
    const double n_orig = rope_real(hf, "original_max_position_embeddings");
    if (hf->rc == 0 && !(n_orig > 1 && n_ctx > 0))
        gol_hf_refuse(hf, GOL_EMODEL, "original_max_position_embeddings is no number over 1");
    if (hf->rc != 0)
        return;
    const double scale = n_ctx / n_orig;
    const double factor = scale <= 1 ? 1 : sqrt(1 + log(scale) / log(n_orig));
    gol_hf_put_f32(hf, "rope.scaling.attn_factor", rope_real_or(hf, "attention_factor", factor));
    gol_hf_put_u32(hf, "rope.scaling.original_context_length", (uint32_t)n_orig);
    put_factor_list(hf, "long_factor", "rope_factors_long.weight", n_rot);
    put_factor_list(hf, "short_factor", "rope_factors_short.weight", n_rot);
}

/* GGUF's factor of cos and sin comes on top of the one that YaRN itself gives (arXiv 2309.00071), the folder's instead of it. */
static void put_yarn_factor(gol_hf *hf, double stretch)
{
    char key[64];
    const char *found = rope_key(hf, "attention_factor", key);
    if (!gol_hf_has(hf, found) || !(stretch >= 1))
        return;
    gol_hf_put_f32(hf, "rope.scaling.attn_factor",
                   gol_hf_real(hf, found) / (1.0 + 0.1 * log(stretch)));
}

static void put_yarn(gol_hf *hf)
{
    char key[64];
    const double stretch = rope_real(hf, "factor");
    const char *orig = rope_key(hf, "original_max_position_embeddings", key);
    gol_hf_put_str(hf, "rope.scaling.type", GOL_STR("yarn"));
    gol_hf_put_f32(hf, "rope.scaling.factor", stretch);
    gol_hf_put_u32(hf, "rope.scaling.original_context_length",
                   gol_hf_has(hf, orig) ? gol_hf_u32(hf, orig)
                                        : gol_hf_u32(hf, "max_position_embeddings"));
    put_yarn_factor(hf, stretch);
    if (json_is_false(gol_hf_find(hf, rope_key(hf, "truncate", key))))
        gol_hf_put_bool(hf, "rope.scaling.yarn_truncate", false);
    put_optional(hf, "beta_fast", "rope.scaling.yarn_beta_fast");
    put_optional(hf, "beta_slow", "rope.scaling.yarn_beta_slow");
}

void gol_hf_put_rope(gol_hf *hf)
{
    char key[64];
    const double base = rope_real_or(hf, "rope_theta", 10000.0);
    const double share = rope_real_or(hf, "partial_rotary_factor", 1.0);
    if (hf->rc == 0 && !(share >= 0 && share <= 1 && base > 0))
        gol_hf_refuse(hf, GOL_EMODEL,
                      "rope_theta is %g, partial_rotary_factor %g; a positive number "
                      "and a share of 1 are expected",
                      base, share);
    if (hf->rc != 0)
        return;
    const uint32_t n_rot = (uint32_t)(share * hf->head_dim);
    gol_hf_put_u32(hf, "rope.dimension_count", n_rot);
    gol_hf_put_f32(hf, "rope.freq_base", base);
    const char *type_key = rope_key(hf, "rope_type", key);
    if (!gol_hf_has(hf, type_key))
        type_key = rope_key(hf, "type", key);
    const gol_str type = strcmp(type_key, "type") == 0 ? GOL_STR("default")
                                                       : gol_hf_text_or(hf, type_key, "default");
    if (gol_str_is(type, "default") || gol_str_is(type, "dynamic") || gol_str_is(type, "none"))
        return; /* dynamic: nothing is stretched before the model's own context ends */
    if (gol_str_is(type, "linear")) {
        gol_hf_put_str(hf, "rope.scaling.type", type);
        gol_hf_put_f32(hf, "rope.scaling.factor", rope_real(hf, "factor"));
    } else if (gol_str_is(type, "llama3")) {
        put_llama3_factors(hf, n_rot, base);
    } else if (gol_str_is(type, "yarn")) {
        put_yarn(hf);
    } else if (gol_str_is(type, "longrope") || gol_str_is(type, "su")) {
        put_longrope(hf, n_rot);
    } else {
        char quoted[48];
        gol_hf_refuse(hf, GOL_EUNSUPPORTED,
                      "rope type '%s' is not supported; default, dynamic, linear, llama3, yarn and "
                      "longrope are",
                      gol_quote(quoted, sizeof quoted, type));
    }
}
