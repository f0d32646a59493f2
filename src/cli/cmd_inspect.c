/* gollum inspect: what is in a model file. */
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/inspect_report.h"
#include "formats/model_file.h"

int gol_cmd_inspect(const gol_settings *settings)
{
    gol_err err = {0};
    char path[GOL_PATH_MAX];
    gol_model_file *file = NULL;
    int rc = gol_cli_find_model(settings, path, &err);
    if (rc == 0)
        rc = gol_model_file_open(&file, path, &err);
    if (rc == 0)
        rc = settings->json ? gol_inspect_print_json(stdout, file, &err)
                            : gol_inspect_print_text(stdout, file, settings->tensors, &err);
    gol_model_file_close(&file);
    return rc == 0 ? 0 : gol_cli_fail(&err);
}
