/*
 * The recurrent states that a model needs: from configuration to the backend's shapes.
 */
#include "model/model.h"

#include "base/mem.h"

bool gol_config_has_state(const gol_config *config)
{
    for (int32_t i = 0; i < config->n_layers; i++)
        if (config->layers[i].kind == GOL_LAYER_MAMBA2)
            return true;
    return false;
}

static void fill_layers(gol_state_layer_shape *layers, const gol_config *config)
{
    const gol_ssm_config *ssm = &config->ssm;
    for (int32_t i = 0; i < config->n_layers; i++) {
        layers[i] = (gol_state_layer_shape){0};
        if (config->layers[i].kind != GOL_LAYER_MAMBA2)
            continue;
        layers[i] = (gol_state_layer_shape){
            .d_conv = ssm->d_conv,
            .n_channels = gol_config_ssm_channels(config),
            .n_heads = ssm->n_heads,
            .head_dim = ssm->d_inner / ssm->n_heads,
            .d_state = ssm->d_state,
            .n_groups = ssm->n_groups,
        };
    }
}

int gol_model_state_create(gol_state **out, const gol_model *model, int32_t n_slots, gol_err *err)
{
    *out = NULL;
    const gol_config *config = gol_model_config(model);
    gol_backend *be = gol_model_backend(model);
    if (!gol_config_has_state(config))
        return 0;
    gol_state_layer_shape *layers = gol_try_array((size_t)config->n_layers, sizeof *layers);
    if (!layers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the shapes of %d layers",
                        config->n_layers);
    fill_layers(layers, config);
    const gol_state_shape shape = {
        .n_layers = config->n_layers, .n_slots = n_slots, .layers = layers};
    const int rc = be->ops->state_create(be, out, &shape, err);
    gol_free(layers);
    return rc;
}

uint64_t gol_config_state_bytes(const gol_config *config, gol_backend *be, int32_t n_slots)
{
    /* All recurrent layers are alike, so one stands for all: no memory is needed to plan memory. */
    int32_t n_recurrent = 0;
    gol_state_layer_shape layer = {0};
    for (int32_t i = 0; i < config->n_layers; i++) {
        if (config->layers[i].kind != GOL_LAYER_MAMBA2)
            continue;
        n_recurrent++;
        const gol_config one = {.n_layers = 1, .layers = &config->layers[i], .ssm = config->ssm};
        fill_layers(&layer, &one);
    }
    if (n_recurrent == 0)
        return 0;
    const gol_state_shape shape = {.n_layers = 1, .n_slots = n_slots, .layers = &layer};
    size_t n_bytes = be->ops->state_bytes(be, &shape);
    if (n_bytes == SIZE_MAX || !gol_mul_size(&n_bytes, n_bytes, (size_t)n_recurrent))
        return UINT64_MAX;
    return n_bytes;
}
