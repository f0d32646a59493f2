/*
 * Reads the rotary embedding's keys. Formulas that use them are in rope_freqs.c.
 */
#include "model/config_impl.h"

#include <string.h>

/* Widest values that make sense of any published model, with room: a stretch of a million, bases up to 1e12. */
static const float factor_min = 1e-3f;
static const float factor_max = 1e6f;
static const float freq_base_max = 1e12f;

static int read_scaling_type(gol_config *config, const gol_model_file *file, gol_err *err)
{
    static const struct {
        const char *name;
        gol_rope_scaling scaling;
    } types[] = {
        {"none", GOL_ROPE_SCALING_NONE},
        {"linear", GOL_ROPE_SCALING_LINEAR},
        {"yarn", GOL_ROPE_SCALING_YARN},
        {"longrope", GOL_ROPE_SCALING_NONE}, /* the stretch lies in tensors of factors */
    };
    char key[128];
    gol_config_key(key, sizeof key, config, "rope.scaling.type");
    gol_str name;
    const int rc = gol_meta_str(file, key, &name, err);
    if (rc <= 0) { /* the key is younger than linear scaling, which only factor announces */
        config->rope.scaling = GOL_ROPE_SCALING_LINEAR;
        return rc;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (gol_str_is(name, types[i].name)) {
            config->rope.scaling = types[i].scaling;
            return 0;
        }
    }
    char quoted[64];
    return gol_config_fail(file, err, GOL_EUNSUPPORTED,
                           "%s is '%s'; none, linear, yarn and longrope are supported", key,
                           gol_quote(quoted, sizeof quoted, name));
}

static int read_factor(gol_config *config, const gol_model_file *file, gol_err *err)
{
    gol_rope_config *rope = &config->rope;
    float factor = 0.0f;
    int rc = gol_config_f32(config, file, "rope.scaling.factor", 0.0f, factor_max, &factor, err);
    if (rc == 0) /* the name before scaling types existed */
        rc = gol_config_f32(config, file, "rope.scale_linear", 0.0f, factor_max, &factor, err);
    if (rc < 0)
        return rc;
    if (factor > 0.0f && factor < factor_min)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "%s.rope.scaling.factor is %g; 0 or at least %g is accepted",
                               config->arch, (double)factor, (double)factor_min);
    rope->factor = factor > 0.0f ? factor : 1.0f; /* 0 says "not scaled" */
    if (rope->scaling == GOL_ROPE_SCALING_NONE ||
        (rope->scaling == GOL_ROPE_SCALING_LINEAR && rope->factor == 1.0f)) {
        rope->scaling = GOL_ROPE_SCALING_NONE;
        rope->factor = 1.0f;
    }
    return 0;
}

static int read_yarn(gol_config *config, const gol_model_file *file, gol_err *err)
{
    gol_rope_config *rope = &config->rope;
    const bool is_yarn = rope->scaling == GOL_ROPE_SCALING_YARN;
    float attn_factor = 1.0f;
    float yarn_attn_factor = 1.0f;
    float log_multiplier = 0.0f;
    rope->yarn_ext_factor = is_yarn ? 1.0f : 0.0f;
    rope->yarn_beta_fast = 32.0f;
    rope->yarn_beta_slow = 1.0f;
    const struct {
        const char *suffix;
        float min, max;
        float *out;
    } keys[] = {
        {"rope.scaling.attn_factor", 0.0f, 1e3f, &attn_factor},
        {"rope.scaling.yarn_attn_factor", 0.0f, 1e3f, &yarn_attn_factor},
        {"rope.scaling.yarn_ext_factor", 0.0f, 1.0f, &rope->yarn_ext_factor},
        {"rope.scaling.yarn_beta_fast", 1e-3f, 1e6f, &rope->yarn_beta_fast},
        {"rope.scaling.yarn_beta_slow", 1e-3f, 1e6f, &rope->yarn_beta_slow},
        {"rope.scaling.yarn_log_multiplier", 0.0f, 1e3f, &log_multiplier},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const int rc = gol_config_f32(config, file, keys[i].suffix, keys[i].min, keys[i].max,
                                      keys[i].out, err);
        if (rc < 0)
            return rc;
    }
    char key[128];
    bool truncates =
        true; /* no other reader knows this key: what a folder says must not be lost on the way */
    gol_config_key(key, sizeof key, config, "rope.scaling.yarn_truncate");
    const int rc = gol_meta_bool(file, key, &truncates, err);
    if (rc < 0)
        return rc;
    rope->yarn_has_fractions = !truncates;
    if (log_multiplier != 0.0f)
        return gol_config_fail(file, err, GOL_EUNSUPPORTED,
                               "%s.rope.scaling.yarn_log_multiplier is %g; only 0 is supported",
                               config->arch, (double)log_multiplier);
    rope->attn_factor = attn_factor * yarn_attn_factor;
    if (!is_yarn)
        rope->yarn_ext_factor = 0.0f;
    return 0;
}

int gol_config_read_rope(gol_config *config, const gol_model_file *file, gol_err *err)
{
    gol_rope_config *rope = &config->rope;
    rope->n_rot = config->head_dim_k;
    rope->freq_base = 10000.0f;
    rope->n_ctx_orig = config->n_ctx_train;
    int rc = gol_config_u32(config, file, "rope.dimension_count", 0, GOL_HEAD_DIM_MAX, &rope->n_rot,
                            err);
    if (rc >= 0)
        rc = gol_config_f32(config, file, "rope.freq_base", 1.0f, freq_base_max, &rope->freq_base,
                            err);
    if (rc >= 0)
        rc = gol_config_u32(config, file, "rope.scaling.original_context_length", 1, GOL_CTX_MAX,
                            &rope->n_ctx_orig, err);
    if (rc >= 0)
        rc = read_scaling_type(config, file, err);
    if (rc >= 0)
        rc = read_factor(config, file, err);
    if (rc >= 0)
        rc = read_yarn(config, file, err);
    return rc < 0 ? rc : 0;
}

int gol_config_read_local_rope(gol_config *config, const gol_model_file *file, float freq_base,
                               gol_err *err)
{
    gol_rope_config local = config->rope;
    local.scaling = GOL_ROPE_SCALING_NONE;
    local.freq_base = freq_base;
    local.factor = 1.0f;
    local.attn_factor = 1.0f;
    local.yarn_ext_factor = 0.0f;
    const int rc = gol_config_f32(config, file, "rope.freq_base_swa", 1.0f, freq_base_max,
                                  &local.freq_base, err);
    if (rc < 0)
        return rc;
    for (int32_t i = 0; i < config->n_layers; i++) {
        if (config->layers[i].window == 0)
            continue;
        config->layers[i].rope = GOL_LAYER_ROPE_LOCAL;
        config->rope_local = local;
    }
    return 0;
}
