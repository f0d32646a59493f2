/*
 * Loading a model: configuration, weights, the table of the rotary embedding. What is loaded is not changed any more.
 */
#include "model/model_impl.h"

#include <math.h>

#include "base/mem.h"
#include "model/config_impl.h"
#include "model/rope_freqs.h"

/* Llama 3's factors lie in the file as a tensor; they are folded into the table on the host. */
static int read_rope_factors(gol_model *model, const gol_model_file *file, float *factors,
                             gol_err *err)
{
    const int32_t n_pairs = model->config.rope.n_rot / 2;
    model->be->ops->read(model->be, factors, model->weights.rope_freqs, (size_t)n_pairs);
    for (int32_t i = 0; i < n_pairs; i++)
        if (!(factors[i] > 0.0f) || !isfinite(factors[i]))
            return gol_config_fail(
                file, err, GOL_EMODEL,
                "rope_freqs.weight: element %d is %g; a positive number is expected", i,
                (double)factors[i]);
    return 0;
}

static int create_rope(gol_model *model, const gol_model_file *file, gol_err *err)
{
    const gol_rope_config *rope = &model->config.rope;
    model->rope = (gol_rope){.kind = rope->kind, .n_rot = rope->n_rot, .scale = 1.0f};
    if (rope->kind == GOL_ROPE_NONE)
        return 0;
    const size_t n_pairs = (size_t)rope->n_rot / 2;
    float *host = gol_try_array(2 * n_pairs, sizeof *host); /* frequencies, factors */
    if (!host)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the rotary embedding");
    float *factors = model->weights.rope_freqs ? host + n_pairs : NULL;
    int rc = factors ? read_rope_factors(model, file, factors, err) : 0;
    if (rc == 0)
        rc = model->be->ops->alloc(model->be, &model->rope_inv_freq, n_pairs, err);
    if (rc == 0) {
        gol_rope_freqs_fill(host, rope, factors);
        model->be->ops->write(model->be, model->rope_inv_freq, host, n_pairs);
        model->rope.inv_freq = model->rope_inv_freq;
        model->rope.scale = gol_rope_freqs_scale(rope);
    }
    gol_free(host);
    return rc;
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
        rc = create_rope(model, file, err);
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
    m->be->ops->free(m->be, m->rope_inv_freq);
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
        layers[i] = (gol_kv_layer_shape){c->layers[i].n_kv_heads, c->head_dim_k, c->head_dim_v};
}
