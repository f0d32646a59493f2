/*
 * Loading a model: configuration, weights, the table of the rotary embedding. What is loaded is not changed any more.
 */
#include "model/model_impl.h"

#include <math.h>

#include "base/mem.h"
#include "model/config_impl.h"
#include "model/rope_freqs.h"

/* Factors lie in the file as a tensor; they are folded into the table on the host. */
static int read_rope_factors(gol_model *model, const gol_model_file *file, const float *weights,
                             const char *name, float *factors, gol_err *err)
{
    const int32_t n_pairs = model->config.rope.n_rot / 2;
    model->be->ops->read(model->be, factors, weights, (size_t)n_pairs);
    for (int32_t i = 0; i < n_pairs; i++)
        if (!(factors[i] > 0.0f) || !isfinite(factors[i]))
            return gol_config_fail(file, err, GOL_EMODEL,
                                   "%s: element %d is %g; a positive number is expected", name, i,
                                   (double)factors[i]);
    return 0;
}

/* A table with its inverse frequencies in *inv_freq. weights: [n_rot / 2] factors on the device, called `name` in the file, or NULL. */
static int create_rope(gol_model *model, gol_rope *out, float **inv_freq,
                       const gol_rope_config *rope, const gol_model_file *file,
                       const float *weights, const char *name, gol_err *err)
{
    *out = (gol_rope){.kind = rope->kind, .n_rot = rope->n_rot, .scale = 1.0f};
    if (rope->kind == GOL_ROPE_NONE)
        return 0;
    const size_t n_pairs = (size_t)rope->n_rot / 2;
    float *host = gol_try_array(2 * n_pairs, sizeof *host); /* frequencies, factors */
    if (!host)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the rotary embedding");
    float *factors = weights ? host + n_pairs : NULL;
    int rc = factors ? read_rope_factors(model, file, weights, name, factors, err) : 0;
    if (rc == 0)
        rc = model->be->ops->alloc(model->be, inv_freq, n_pairs, err);
    if (rc == 0) {
        gol_rope_freqs_fill(host, rope, factors);
        model->be->ops->write(model->be, *inv_freq, host, n_pairs);
        out->inv_freq = *inv_freq;
        out->scale = gol_rope_freqs_scale(rope);
    }
    gol_free(host);
    return rc;
}

static int create_ropes(gol_model *model, const gol_model_file *file, gol_err *err)
{
    const gol_weights *w = &model->weights;
    const gol_config *c = &model->config;
    const float *usual = w->rope_freqs ? w->rope_freqs : w->rope_factors_short;
    int rc = create_rope(model, &model->rope, &model->inv_freq[0], &c->rope, file, usual,
                         w->rope_freqs ? "rope_freqs.weight" : "rope_factors_short.weight", err);
    if (rc == 0 && w->rope_factors_long && !w->rope_freqs)
        rc = create_rope(model, &model->rope_long, &model->inv_freq[1], &c->rope, file,
                         w->rope_factors_long, "rope_factors_long.weight", err);
    if (rc == 0)
        rc = create_rope(model, &model->rope_local, &model->inv_freq[2], &c->rope_local, file, NULL,
                         NULL, err);
    return rc;
}

const gol_rope *gol_model_rope(const gol_model *model, int32_t n_ctx)
{
    const bool is_long = model->rope_long.kind != GOL_ROPE_NONE &&
                         n_ctx > model->config.rope.n_ctx_orig;
    return is_long ? &model->rope_long : &model->rope;
}

int gol_model_load(gol_model **out, const gol_model_file *file, gol_backend *be,
                   const gol_load_opts *opts, gol_err *err)
{
    *out = NULL;
    gol_model *model = gol_try_calloc(1, sizeof *model);
    if (!model)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the model");
    model->be = be;
    int rc = gol_config_read(&model->config, file, err);
    if (rc == 0)
        rc = gol_weights_load(&model->weights, &model->config, file, be, opts, err);
    if (rc == 0)
        rc = create_ropes(model, file, err);
    if (rc < 0) {
        gol_model_destroy(&model);
        return rc;
    }
    *out = model;
    return 0;
}

void gol_model_destroy(gol_model **model)
{
    gol_model *m = *model;
    if (!m)
        return;
    for (size_t i = 0; i < sizeof m->inv_freq / sizeof m->inv_freq[0]; i++)
        m->be->ops->free(m->be, m->inv_freq[i]);
    gol_weights_deinit(&m->weights, m->be);
    gol_config_deinit(&m->config);
    gol_free(m);
    *model = NULL;
}

const gol_config *gol_model_config(const gol_model *model)
{
    return &model->config;
}

gol_backend *gol_model_backend(const gol_model *model)
{
    return model->be;
}

uint64_t gol_model_n_params(const gol_model *model)
{
    return model->weights.n_params;
}

uint64_t gol_model_n_bytes(const gol_model *model)
{
    return model->weights.bytes.owned + model->weights.bytes.mapped;
}

void gol_model_weight_bytes(const gol_model *model, gol_weight_bytes *out)
{
    *out = model->weights.bytes;
}

void gol_model_kv_layers(const gol_model *model, gol_kv_layer_shape *layers)
{
    gol_config_kv_layers(&model->config, layers);
}

void gol_config_kv_layers(const gol_config *c, gol_kv_layer_shape *layers)
{
    for (int32_t i = 0; i < c->n_layers; i++)
        layers[i] = (gol_kv_layer_shape){.n_kv_heads = c->layers[i].n_kv_heads,
                                         .head_dim_k = c->head_dim_k,
                                         .head_dim_v = c->head_dim_v};
}
