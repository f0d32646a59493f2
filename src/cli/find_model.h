/*
 * Which model a command uses. A named one: by path, or as the caches of other programs name it. Without a name the first of
 *
 *     1. what lies in ./models           GGUF files and folders of models, in name order
 *     2. what lies beside the built-in model (the source tree's models/, PREFIX/share/gollum/models)
 *     3. the built-in model
 */
#ifndef GOL_CLI_FIND_MODEL_H
#define GOL_CLI_FIND_MODEL_H

#include "cli/common.h"

typedef enum gol_model_origin {
    GOL_MODEL_GIVEN,   /* the path is what the user typed */
    GOL_MODEL_FOUND,   /* it stands for what the user typed: a folder's file, a cache's */
    GOL_MODEL_SCANNED, /* nothing was named: from a folder of models */
    GOL_MODEL_BUILTIN, /* nothing was named, and no folder had one */
} gol_model_origin;

typedef struct gol_found_model {
    char path[GOL_PATH_MAX];
    gol_model_origin origin;
    int n_models; /* SCANNED: in that folder */
} gol_found_model;

/* What the settings name, or else what lies there. Says nothing on stderr. Errors: those below. */
int gol_find_model(gol_found_model *out, const gol_settings *settings, gol_err *err);

/* name: what the user typed. Errors: GOL_EUSAGE, or what model_caches.h says. */
int gol_find_named_model(gol_found_model *out, const char *name, gol_err *err);

/* program: as in builtin_model.h. Errors: GOL_ENOTFOUND lists the places; GOL_EIO: a folder of models cannot be read, and passing it
 * over would use another model than the user's; GOL_EUSAGE: the chosen folder holds several models. */
int gol_find_unnamed_model(gol_found_model *out, const char *program, gol_err *err);

#endif
