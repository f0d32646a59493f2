/* A memory plan for people and for programs: `gollum plan` prints it, `gollum serve` logs it at start. */
#ifndef GOL_CLI_MEMORY_REPORT_H
#define GOL_CLI_MEMORY_REPORT_H

#include <stdio.h>

#include "base/error.h"
#include "engine/engine.h"

/* Some lines at level info. */
void gol_memory_report_log(const gol_engine_limits *limits, const gol_memory_plan *plan);

/* n_ctx: the model's own context; refusal: why this plan cannot be, NULL: it can. Errors: GOL_EIO, GOL_ENOMEM. */
int gol_memory_report_text(FILE *out, const gol_engine_limits *limits, const gol_memory_plan *plan,
                           int32_t n_ctx, const char *refusal, gol_err *err);
int gol_memory_report_json(FILE *out, const gol_engine_limits *limits, const gol_memory_plan *plan,
                           int32_t n_ctx, const char *refusal, gol_err *err);

#endif
