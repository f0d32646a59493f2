/* See instance.h. */
#include "lib/instance.h"

#include <assert.h>
#include <string.h>

int gol_instance_open_model(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    *out = (gol_instance){0};
    const gol_cpu_opts cpu_opts = {.n_threads = opts->n_threads};
    int rc = gol_model_file_open(&out->file, opts->model_path, err);
    if (rc == 0)
        rc = gol_tokenizer_load(&out->tok, out->file, err);
    if (rc == 0)
        rc = gol_backend_cpu_create(&out->backend, &cpu_opts, err);
    if (rc == 0)
        rc = gol_model_load(&out->model, out->file, out->backend, &opts->load, err);
    if (rc != 0)
        gol_instance_close(out);
    return rc;
}

int gol_instance_open(gol_instance *out, const gol_instance_opts *opts, gol_err *err)
{
    int rc = gol_instance_open_model(out, opts, err);
    if (rc == 0)
        rc = gol_engine_create(&out->engine, out->model, &opts->engine, err);
    if (rc != 0)
        gol_instance_close(out);
    return rc;
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
