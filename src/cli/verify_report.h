/* What `gollum verify` finds and prints. */
#ifndef GOL_CLI_VERIFY_REPORT_H
#define GOL_CLI_VERIFY_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/worker_pool.h"
#include "formats/model_file.h"

/* Scans all tensors and prints the result, text or JSON. Returns 0 when all is well, GOL_EMODEL when tensors hold NaN or
 * infinity (they are named in the report), GOL_EIO when out cannot be written. */
int gol_verify_print(FILE *out, const gol_model_file *file, gol_worker_pool *pool, bool as_json,
                     gol_err *err);

#endif
