/* What `gollum inspect` prints. Both return 0 or GOL_EIO, GOL_ENOMEM. */
#ifndef GOL_CLI_INSPECT_REPORT_H
#define GOL_CLI_INSPECT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "formats/model_file.h"

int gol_inspect_print_text(FILE *out, const gol_model_file *file, bool with_tensors, gol_err *err);
/* All there is, arrays whole. */
int gol_inspect_print_json(FILE *out, const gol_model_file *file, gol_err *err);

#endif
