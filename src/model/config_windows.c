/*
 * Reads which layers see a sliding window only. Files give the window's size; the pattern is mostly the architecture's, newer
 * files write it down: as a number (each n-th layer is without a window) or as one truth value for each layer.
 */
#include "model/config_impl.h"

static int read_pattern_array(gol_config *config, const gol_model_file *file, const char *key,
                              const gol_value *v, int32_t window, gol_err *err)
{
    if (gol_value_n(v) != (uint64_t)config->n_layers)
        return gol_config_fail(file, err, GOL_EMODEL,
                               "%s has %llu elements; one for each of the %d layers is expected",
                               key, (unsigned long long)gol_value_n(v), config->n_layers);
    for (int32_t i = 0; i < config->n_layers; i++) {
        bool has_window;
        uint64_t n = 2;
        if (gol_value_at_u64(v, (uint64_t)i, &n))
            has_window = n == 1;
        else if (gol_value_at_bool(v, (uint64_t)i, &has_window))
            n = has_window;
        if (n > 1)
            return gol_config_fail(file, err, GOL_EMODEL, "%s: element %d is no truth value", key,
                                   i);
        config->layers[i].window = has_window ? window : 0;
    }
    return 0;
}

int gol_config_read_windows(gol_config *config, const gol_model_file *file, int32_t period,
                            gol_err *err)
{
    int32_t window = 0;
    int rc = gol_config_u32(config, file, "attention.sliding_window", 0, GOL_CTX_MAX, &window, err);
    if (rc < 0)
        return rc;
    char key[128];
    gol_config_key(key, sizeof key, config, "attention.sliding_window_pattern");
    const gol_value *v = gol_model_file_find_meta(file, key);
    if (v && v->type == GOL_VALUE_ARRAY)
        return read_pattern_array(config, file, key, v, window, err);
    rc = gol_config_u32(config, file, "attention.sliding_window_pattern", 0, GOL_LAYERS_MAX,
                        &period, err);
    if (rc < 0)
        return rc;
    for (int32_t i = 0; i < config->n_layers; i++)
        config->layers[i].window = period == 0 || (i + 1) % period != 0 ? window : 0;
    return 0;
}

int gol_config_read_written_windows(gol_config *config, const gol_model_file *file, gol_err *err)
{
    char key[128];
    gol_config_key(key, sizeof key, config, "attention.sliding_window_pattern");
    return gol_model_file_find_meta(file, key) ? gol_config_read_windows(config, file, 0, err) : 0;
}
