/* See instance.h. */
#include "lib/instance.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sysmem.h"
#include "engine/engine_limits.h"

/* What a process takes besides the parts that are planned exactly; measured with margin (docs/memory.md). */
enum {
    /* Program, libraries, stacks of threads: 12 MiB; 1000 connections with their buffers of 32 KiB; requests being read. */
    PROCESS_BYTES = 48 << 20,
    TOKENIZER_TOKEN_BYTES =
        256, /* texts, merges and their indexes, of one token of the vocabulary */
};

int gol_instance_open_model(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    *out = (gol_instance){0};
    const gol_cpu_opts cpu_opts = {.n_threads = opts->n_threads};
    int rc = gol_model_file_open_as(&out->file, opts->model_path, opts->use, err);
    if (rc == 0)
        rc = gol_backend_cpu_create(&out->backend, &cpu_opts, err);
    if (rc == 0)
        rc = gol_model_load(&out->model, out->file, out->backend, &opts->load, err);
    if (rc != 0)
        gol_instance_close(out);
    return rc;
}

/* The options with what prepare() measured, or is about to use. */
static gol_engine_opts planned_opts(const gol_instance_opts *opts, const gol_config *config,
                                    uint64_t available)
{
    gol_engine_opts o = opts->engine;
    if (o.mem_available == 0)
        o.mem_available = available;
    if (o.other_bytes == 0)
        o.other_bytes = PROCESS_BYTES + (uint64_t)config->n_vocab * TOKENIZER_TOKEN_BYTES;
    return o;
}

static int plan(gol_instance *instance, const gol_instance_opts *opts, const gol_config *config,
                gol_err *err)
{
    const gol_engine_opts o = planned_opts(opts, config, gol_sysmem_available());
    gol_kv_layer_shape *layers = gol_try_array((size_t)config->n_layers, sizeof *layers);
    if (!layers)
        return gol_fail(err, GOL_ENOMEM, "out of memory for the shapes of %d layers",
                        config->n_layers);
    gol_kv_groups groups;
    gol_config_kv_groups(&groups, config, gol_engine_ctx_asked(&o, config), layers);
    gol_memory_basis basis = {
        .be = instance->backend,
        .config = config,
        .layers = layers,
        .groups = groups,
        .other_bytes = o.other_bytes,
        .available = o.mem_available,
    };
    int rc = gol_model_plan_weights(&basis.weights, config, instance->file, instance->backend, err);
    if (rc == 0)
        rc = gol_engine_limits_init(&instance->limits, &instance->memory, &o, &basis, err);
    gol_free(layers);
    return rc;
}

int gol_instance_prepare(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    *out = (gol_instance){0};
    const gol_cpu_opts cpu_opts = {.n_threads = opts->n_threads};
    gol_config config = {0};
    int rc = gol_model_file_open_as(&out->file, opts->model_path, opts->use, err);
    if (rc == 0)
        rc = gol_config_read(&config, out->file, err);
    if (rc == 0)
        rc = gol_backend_cpu_create(&out->backend, &cpu_opts, err);
    if (rc == 0)
        rc = plan(out, opts, &config, err);
    gol_config_deinit(&config);
    if (rc != 0)
        gol_instance_close(out);
    return rc;
}

/* What generates nothing needs no end. */
static void warn_about_ends(const gol_instance *instance)
{
    size_t n = 0;
    (void)gol_tokenizer_eog_ids(instance->tok, &n);
    if (n == 0 && gol_model_config(instance->model)->has_logits)
        gol_log_warn("text", "the vocabulary names no token that ends a generation");
}

int gol_instance_load(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    int rc = gol_tokenizer_load(&out->tok, out->file, err);
    if (rc == 0)
        rc = gol_model_load(&out->model, out->file, out->backend, &opts->load, err);
    if (rc == 0) {
        const gol_engine_opts o = planned_opts(opts, gol_model_config(out->model),
                                               out->memory.available);
        rc = gol_engine_create(&out->engine, out->model, &o, err);
    }
    if (rc == 0)
        warn_about_ends(out);
    else
        gol_instance_close(out);
    return rc;
}

int gol_instance_open(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    const int rc = gol_instance_prepare(out, opts, err);
    return rc != 0 ? rc : gol_instance_load(out, opts, err);
}

void gol_instance_close(gol_instance *instance)
{
    gol_engine_destroy(&instance->engine);
    gol_model_destroy(&instance->model);
    gol_backend_destroy(&instance->backend);
    gol_tokenizer_destroy(&instance->tok);
    gol_model_file_close(&instance->file);
}

void gol_instance_set_stop_ids(const gol_instance *instance, gol_request *request, int32_t *ids,
                               bool ignore_eos)
{
    size_t n = 0;
    const int32_t *eog = gol_tokenizer_eog_ids(instance->tok, &n);
    if (ignore_eos)
        n = 0;
    static_assert((int)GOL_EOG_IDS_MAX <= (int)GOL_STOP_IDS_MAX, "a request takes every end token");
    if (n > 0)
        memcpy(ids, eog, n * sizeof *ids);
    request->stop_ids = ids;
    request->n_stop_ids = (int32_t)n;
}
