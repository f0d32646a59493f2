/*
 * The parts of a running model, assembled in the one right order and taken apart in the reverse: file, tokenizer, backend,
 * model, engine. The command line and the public library both stand on it.
 */
#ifndef GOL_LIB_INSTANCE_H
#define GOL_LIB_INSTANCE_H

#include <stdbool.h>

#include "backend/backend.h"
#include "base/error.h"
#include "engine/engine.h"
#include "formats/model_file.h"
#include "model/model.h"
#include "text/tokenizer.h"

typedef struct gol_instance_opts {
    const char *model_path;
    gol_model_use use;
    int n_threads; /* 0: all usable processors */
    gol_load_opts load;
    gol_engine_opts engine;
} gol_instance_opts;

typedef struct gol_instance {
    gol_model_file *file;
    gol_tokenizer *tok; /* NULL after open_model() */
    gol_backend *backend;
    gol_model *model;
    gol_engine *engine; /* NULL after open_model() */

    /* What prepare() found: the engine will have exactly these. */
    gol_engine_limits limits;
    gol_memory_plan memory;
} gol_instance;

/* The model without tokenizer and engine, for commands that drive the forward pass themselves: a file without a tokenizer will do.
 * On failure *out is all NULL. */
int gol_instance_open_model(gol_instance *out, const gol_instance_opts *opts, gol_err *err);

/* With the engine, in two steps; what lies between them is the caller's chance to show the plan. prepare() reads the file's
 * header and decides all sizes: weights are not touched, nothing big is allocated. When the model does not fit (GOL_ENOMEM), limits
 * and memory say how it was tried. load() does the rest. On failure *out is closed. Errors: those of the parts. */
int gol_instance_prepare(gol_instance *out, const gol_instance_opts *opts, gol_err *err);
int gol_instance_load(gol_instance *out, const gol_instance_opts *opts, gol_err *err);
int gol_instance_open(gol_instance *out, const gol_instance_opts *opts, gol_err *err);
void gol_instance_close(gol_instance *instance); /* zeroed and half-open ones are fine */

/* Fills request->stop_ids with the model's end tokens, unless ignore_eos. ids[GOL_STOP_IDS_MAX] must live until submit. */
void gol_instance_set_stop_ids(const gol_instance *instance, gol_request *request, int32_t *ids,
                               bool ignore_eos);

#endif
