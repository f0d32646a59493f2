/* gollum verify: is a model file whole and are its weights numbers? Exit code 65 when not. */
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/verify_report.h"
#include "formats/model_file.h"

int gol_cmd_verify(const gol_settings *settings)
{
    gol_err err = {0};
    char path[GOL_PATH_MAX];
    gol_model_file *file = NULL;
    gol_worker_pool *pool = NULL;
    int rc = gol_cli_find_model(settings, path, &err);
    if (rc == 0)
        rc = gol_model_file_open(&file, path, &err);
    if (rc == 0)
        rc = gol_worker_pool_create(&pool, (int)settings->threads, &err);
    if (rc == 0)
        rc = gol_verify_print(stdout, file, pool, settings->json, &err);
    gol_worker_pool_destroy(&pool);
    gol_model_file_close(&file);
    return rc == 0 ? 0 : gol_cli_fail(&err);
}
