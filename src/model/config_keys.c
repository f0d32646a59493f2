/*
 * Looks up keys and tensors of the file for the configuration, with the messages for what is missing or wrong.
 */
#include "model/config_impl.h"

#include <stdarg.h>
#include <stdio.h>

int gol_config_fail(const gol_model_file *file, gol_err *err, int code, const char *format, ...)
{
    char message[GOL_ERR_MESSAGE_MAX];
    char path[GOL_ERR_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return gol_fail(err, code, "%s: %s",
                    gol_quote(path, sizeof path, gol_str_from(gol_model_file_path(file))), message);
}

void gol_config_key(char *buf, size_t size, const gol_config *config, const char *suffix)
{
    snprintf(buf, size, "%s.%s", config->arch, suffix);
}

int gol_config_u32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   uint32_t min, uint32_t max, int32_t *out, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, suffix);
    uint32_t u;
    const int rc = gol_meta_u32(file, key, min, max, &u, err);
    if (rc == 1)
        *out = (int32_t)u;
    return rc;
}

int gol_config_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                   float min, float max, float *out, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, suffix);
    return gol_meta_f32(file, key, min, max, out, err);
}

int gol_config_bool(const gol_config *config, const gol_model_file *file, const char *suffix,
                    bool *out, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, suffix);
    return gol_meta_bool(file, key, out, err);
}

bool gol_config_has_tensor(const gol_config *config, const gol_model_file *file, const char *suffix)
{
    for (int32_t i = 0; i < config->n_layers; i++) {
        char name[128];
        snprintf(name, sizeof name, "blk.%d.%s", i, suffix);
        if (gol_model_file_find_tensor(file, gol_str_from(name)))
            return true;
    }
    return false;
}

int gol_config_fail_missing(const gol_config *config, const gol_model_file *file,
                            const char *suffix, gol_err *err)
{
    return gol_config_fail(file, err, GOL_EMODEL, "key %s.%s is missing", config->arch, suffix);
}

int gol_config_require_u32(const gol_config *config, const gol_model_file *file, const char *suffix,
                           uint32_t min, uint32_t max, int32_t *out, gol_err *err)
{
    const int rc = gol_config_u32(config, file, suffix, min, max, out, err);
    if (rc == 0)
        return gol_config_fail_missing(config, file, suffix, err);
    return rc < 0 ? rc : 0;
}

int gol_config_require_f32(const gol_config *config, const gol_model_file *file, const char *suffix,
                           float min, float max, float *out, gol_err *err)
{
    const int rc = gol_config_f32(config, file, suffix, min, max, out, err);
    if (rc == 0)
        return gol_config_fail_missing(config, file, suffix, err);
    return rc < 0 ? rc : 0;
}

int gol_config_require_eps(gol_config *config, const gol_model_file *file, gol_err *err)
{
    const char *suffix = config->norm_kind == GOL_NORM_RMS ? "attention.layer_norm_rms_epsilon"
                                                           : "attention.layer_norm_epsilon";
    return gol_config_require_f32(config, file, suffix, 0.0f, 1.0f, &config->norm_eps, err);
}
