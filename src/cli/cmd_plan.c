/*
 * gollum plan: what `gollum serve` with the same options would take in memory, and what fits, from the file's header alone. A plan
 * that cannot be is shown too; the reason goes to stderr and into the exit code, as serve would give them.
 */
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/memory_report.h"
#include "cli/model_facts.h"

/* The model's own context, for comparison; 0: the file cannot be read. */
static int32_t read_context(const char *path)
{
    gol_err err = {0};
    gol_model_file *file;
    gol_config config;
    int32_t n_ctx = 0;
    if (gol_model_file_open(&file, path, &err) != 0)
        return 0;
    if (gol_config_read(&config, file, &err) == 0) {
        n_ctx = config.n_ctx_train;
        gol_config_deinit(&config);
    }
    gol_model_file_close(&file);
    return n_ctx;
}

int gol_cmd_plan(const gol_settings *settings)
{
    gol_err refusal = {0};
    gol_err err = {0};
    char path[GOL_PATH_MAX];
    gol_instance instance = {0};
    int rc = gol_cli_find_model(settings, path, &refusal);
    if (rc == 0) {
        const gol_instance_opts opts = gol_cli_instance_opts(settings, path);
        rc = gol_instance_prepare(&instance, &opts, &refusal);
    }
    const bool has_plan = instance.memory.total > 0;
    if (has_plan) {
        const char *why = rc != 0 ? refusal.message : NULL;
        const int32_t n_ctx = read_context(path);
        const int write_rc = settings->json
                                 ? gol_memory_report_json(stdout, &instance.limits,
                                                          &instance.memory, n_ctx, why, &err)
                                 : gol_memory_report_text(stdout, &instance.limits,
                                                          &instance.memory, n_ctx, why, &err);
        if (rc == 0 && write_rc != 0) {
            rc = write_rc;
            refusal = err;
        }
    }
    gol_instance_close(&instance);
    return rc == 0 ? 0 : gol_cli_fail(&refusal);
}
