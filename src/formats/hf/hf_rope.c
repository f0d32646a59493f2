/*
 * The rotary embedding's keys in config.json, of which each age has its own form: rope_theta and rope_scaling at the top (older still:
 * rotary_emb_base and rotary_pct), since version 5 of the library all of it in rope_parameters, there for each type of layer where these
 * differ.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

static const double two_pi = 6.283185307179586;

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
    if (hf->rc == 0 && !(n_orig > 1 && n_orig <= INT32_MAX && n_ctx > 0))
        gol_hf_refuse(hf, GOL_EMODEL,
                      "original_max_position_embeddings is %g; over 1 to %d is accepted", n_orig,
                      INT32_MAX);
    if (hf->rc != 0)
        return;
    const double scale = n_ctx / n_orig;
    const double factor = scale <= 1 ? 1 : sqrt(1 + log(scale) / log(n_orig));
    gol_hf_put_f32(hf, "rope.scaling.attn_factor", rope_real_or(hf, "attention_factor", factor));
    gol_hf_put_u32(hf, "rope.scaling.original_context_length", (uint32_t)n_orig);
    put_factor_list(hf, "long_factor", "rope_factors_long.weight", n_rot);
    put_factor_list(hf, "short_factor", "rope_factors_short.weight", n_rot);
}

/* GGUF's factor of cos and sin comes on top of the one that YaRN itself gives (arXiv 2309.00071), the folder's instead of it. Two
 * numbers may stand in its place, whose quotient it is. */
static void put_yarn_factor(gol_hf *hf, double stretch)
{
    char key[64];
    const double growth = 0.1 * log(stretch);
    const double mscale = rope_real_or(hf, "mscale", 0.0);
    const double mscale_all = rope_real_or(hf, "mscale_all_dim", 0.0);
    const char *found = rope_key(hf, "attention_factor", key);
    double factor = 1.0 + growth;
    if (!(stretch >= 1))
        return;
    if (gol_hf_has(hf, found))
        factor = gol_hf_real(hf, found);
    else if (mscale != 0 && mscale_all != 0)
        factor = (1.0 + mscale * growth) / (1.0 + mscale_all * growth);
    if (factor != 1.0 + growth)
        gol_hf_put_f32(hf, "rope.scaling.attn_factor", factor / (1.0 + growth));
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

/* The first of these names that is there, or the number. */
static double old_name_or(gol_hf *hf, const char *const names[3], double otherwise)
{
    char key[64];
    for (int i = 0; i < 3 && names[i]; i++) {
        const char *found = rope_key(hf, names[i], key);
        if (gol_hf_has(hf, found))
            return gol_hf_real(hf, found);
    }
    return otherwise;
}

static gol_str rope_type(gol_hf *hf)
{
    char key[64];
    const char *type_key = rope_key(hf, "rope_type", key);
    if (!gol_hf_has(hf, type_key))
        type_key = rope_key(hf, "type", key);
    return strcmp(type_key, "type") == 0 ? GOL_STR("default")
                                         : gol_hf_text_or(hf, type_key, "default");
}

static void put_scaling(gol_hf *hf, gol_str type, uint32_t n_rot, double base)
{
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

void gol_hf_put_rope(gol_hf *hf)
{
    static const char *const base_names[3] = {"rope_theta", "rotary_emb_base"};
    static const char *const share_names[3] = {"partial_rotary_factor", "rotary_pct", "rope_pct"};
    char key[64];
    const double base = old_name_or(hf, base_names, 10000.0);
    const double share = old_name_or(hf, share_names, 1.0);
    if (hf->rc == 0 && !(share >= 0 && share <= 1 && base > 0))
        gol_hf_refuse(hf, GOL_EMODEL,
                      "rope_theta is %g, partial_rotary_factor %g; a positive number "
                      "and a share of 1 are expected",
                      base, share);
    if (rope_real_or(hf, "llama_4_scaling_beta", 0.0) != 0)
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "%s: only 0 is supported",
                      rope_key(hf, "llama_4_scaling_beta", key));
    if (hf->rc != 0)
        return;
    const uint32_t n_rot = (uint32_t)(share * hf->head_dim);
    gol_hf_put_u32(hf, "rope.dimension_count", n_rot);
    gol_hf_put_f32(hf, "rope.freq_base", base);
    put_scaling(hf, rope_type(hf), n_rot, base);
}

void gol_hf_put_local_rope(gol_hf *hf, double otherwise)
{
    static const char place[] = "rope_parameters.sliding_attention.";
    char type_key[64];
    char base_key[64];
    snprintf(type_key, sizeof type_key, "%srope_type", place);
    snprintf(base_key, sizeof base_key, "%srope_theta", place);
    if (!gol_str_is(gol_hf_text_or(hf, type_key, "default"), "default"))
        gol_hf_refuse(hf, GOL_EUNSUPPORTED, "%s: only default is supported", type_key);
    const char *key = gol_hf_key(hf, base_key, "rope_local_base_freq");
    if (key || otherwise > 0)
        gol_hf_put_f32(hf, "rope.freq_base_swa", key ? gol_hf_real(hf, key) : otherwise);
}
