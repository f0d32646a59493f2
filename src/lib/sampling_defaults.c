/* See sampling_defaults.h. The ranges are those of gol_sampling_params. */
#include "lib/sampling_defaults.h"

#include "base/log.h"

static int note(int rc, const gol_err *err)
{
    if (rc < 0)
        gol_log_warn("model", "%s; this sampling default is not used", err->message);
    return rc == 1;
}

static int read_f32(float *field, const gol_model_file *file, const char *key, float min, float max)
{
    gol_err err = {0};
    return note(gol_meta_f32(file, key, min, max, field, &err), &err);
}

int gol_sampling_defaults_read(gol_sampling_params *params, const gol_model_file *file)
{
    static const float least = 1e-6f; /* of what must be above 0 */
    static const uint32_t top_k_max = 1u << 24;
    gol_err err = {0};
    uint32_t top_k = (uint32_t)params->top_k;
    int n = note(gol_meta_u32(file, "general.sampling.top_k", 0, top_k_max, &top_k, &err), &err);
    params->top_k = (int32_t)top_k;
    n += read_f32(&params->temperature, file, "general.sampling.temp", 0.0f, 100.0f);
    n += read_f32(&params->top_p, file, "general.sampling.top_p", least, 1.0f);
    n += read_f32(&params->min_p, file, "general.sampling.min_p", 0.0f, 1.0f);
    n += read_f32(&params->repetition_penalty, file, "general.sampling.penalty_repeat", least,
                  1e6f);
    return n;
}
