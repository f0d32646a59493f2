/* gollum info: what a bug report about speed needs to say. */
#include <stdio.h>

#include "backend/backend.h"
#include "base/cpu.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/find_model.h"

/* What another command would use that is told the same; origin says whether it is the built-in one. */
typedef struct used_model {
    gol_found_model found;
    bool is_found;
    gol_err err; /* why not */
} used_model;

static void find_used_model(used_model *model, const gol_settings *settings)
{
    *model = (used_model){0};
    model->is_found = gol_find_model(&model->found, settings, &model->err) == 0;
}

static void print_text(const gol_backend *be, const char *cpu_name, const used_model *model)
{
    printf("gollum     %s\n", gollum_version());
    printf("processor  %s\n", cpu_name);
    printf("level      %s (machine: %s)\n", gol_cpu_level_name(gol_cpu_get()),
           gol_cpu_level_name(gol_cpu_detect()));
    printf("threads    %d of %d usable\n", gol_backend_cpu_n_threads(be), gol_cpu_n_usable());
    if (model->is_found)
        printf("model      %s%s\n", model->found.path,
               model->found.origin == GOL_MODEL_BUILTIN ? " (built-in demonstration model)" : "");
    else
        printf("model      none: %s\n", model->err.message);
    printf("\n%-10s %-26s %s\n", "type", "product", "unpacked by");
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        const char *kernel = info ? gol_backend_cpu_kernel_name(be, (gol_type)id) : NULL;
        const char *unpack = info ? gol_backend_cpu_unpack_name(be, (gol_type)id) : NULL;
        if (kernel != NULL)
            printf("%-10s %-26s %s\n", info->name, kernel, unpack != NULL ? unpack : "-");
    }
}

/* "key": {"Q4_K": "name", ...} for the types that weights can have. */
static void put_names(gol_json *j, const char *key, const gol_backend *be,
                      const char *name_of(const gol_backend *, gol_type))
{
    gol_json_key(j, key);
    gol_json_begin_object(j);
    for (uint32_t id = 0; id < GOL_TYPE_N_IDS; id++) {
        const gol_type_info *info = gol_type_find(id);
        const char *kernel = info ? name_of(be, (gol_type)id) : NULL;
        if (kernel != NULL)
            gol_json_put_cstr(j, info->name, kernel);
    }
    gol_json_end_object(j);
}

static void print_json(const gol_backend *be, const char *cpu_name, const used_model *model)
{
    gol_buf buf;
    gol_json j;
    gol_buf_init(&buf, 1u << 20);
    gol_json_init(&j, &buf);
    gol_json_begin_object(&j);
    gol_json_put_cstr(&j, "version", gollum_version());
    gol_json_put_cstr(&j, "processor", cpu_name);
    gol_json_put_cstr(&j, "level", gol_cpu_level_name(gol_cpu_get()));
    gol_json_put_cstr(&j, "machine_level", gol_cpu_level_name(gol_cpu_detect()));
    gol_json_put_int(&j, "threads", gol_backend_cpu_n_threads(be));
    if (model->is_found) {
        gol_json_put_cstr(&j, "model", model->found.path);
        gol_json_put_bool(&j, "model_is_builtin", model->found.origin == GOL_MODEL_BUILTIN);
    }
    put_names(&j, "kernels", be, gol_backend_cpu_kernel_name);
    put_names(&j, "unpack_kernels", be, gol_backend_cpu_unpack_name);
    gol_json_end_object(&j);
    printf("%s\n", buf.data != NULL ? buf.data : "{}");
    gol_buf_deinit(&buf);
}

int gol_cmd_info(const gol_settings *settings)
{
    gol_err err = {0};
    gol_backend *be;
    const gol_cpu_opts opts = {.n_threads = (int)settings->threads};
    if (gol_backend_cpu_create(&be, &opts, &err) != 0)
        return gol_cli_fail(&err);
    char cpu_name[128];
    gol_cpu_model_name(cpu_name, sizeof cpu_name);
    used_model model;
    find_used_model(&model, settings);
    if (settings->json)
        print_json(be, cpu_name, &model);
    else
        print_text(be, cpu_name, &model);
    gol_backend_destroy(&be);
    return 0;
}
