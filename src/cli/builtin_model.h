/*
 * The model that comes with gollum: one small file, found from where the program itself lies, so that an installation, an unpacked
 * archive and a build tree can be moved. It is for trying gollum out: every other model goes before it.
 */
#ifndef GOL_CLI_BUILTIN_MODEL_H
#define GOL_CLI_BUILTIN_MODEL_H

#include <stdbool.h>

#include "cli/common.h"

enum { GOL_BUILTIN_FOLDERS_MAX = 6 };

/* "gollum-demo.gguf": a file of this name in a folder of models is no model of the user's. */
extern const char gol_builtin_name[];

/* Where the built-in model may lie, in the order in which it is looked for. */
typedef struct gol_builtin_places {
    char folders[GOL_BUILTIN_FOLDERS_MAX][GOL_PATH_MAX];
    int n;
} gol_builtin_places;

/* program: the path of the program's file, with all links followed; NULL: unknown, which leaves those places out that depend on it. */
void gol_builtin_places_init(gol_builtin_places *places, const char *program);

/* The folder that holds the built-in model; NULL: none does. */
const char *gol_builtin_find_folder(const gol_builtin_places *places);

/* The path of the running program, with all links followed. False: the system does not say. */
bool gol_program_path(char path[GOL_PATH_MAX]);

#endif
