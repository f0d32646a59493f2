/*
 * Models that other programs have fetched: found by name, read-only, without a network.
 *
 *     org/name            Hugging Face cache: the only GGUF file of the model, or else its folder
 *     org/name:file       one of its files: "model-Q4_K_M.gguf", or a part of the name that only one has ("Q4_K_M")
 *     name[:tag]          Ollama's store; user/name[:tag] too
 */
#ifndef GOL_CLI_MODEL_CACHES_H
#define GOL_CLI_MODEL_CACHES_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/common.h"

/* Whether a cache could have it: owner/name, name:tag, ...; neither a path that begins elsewhere nor the name of a model's file. */
bool gol_is_cache_name(const char *text);

/* 1: path is the model's; 0: no cache has it; or an error that says what to choose from (GOL_EUSAGE), what is missing
 * (GOL_ENOTFOUND), what is broken (GOL_EMODEL). A text that is no name is found nowhere. */
int gol_find_cached_model(char path[GOL_PATH_MAX], const char *text, gol_err *err);

/* A folder that is no Hugging Face model: its only GGUF file. wanted: a file's name or a part of it, or NULL. As above. */
int gol_find_gguf_in(char path[GOL_PATH_MAX], const char *folder, const char *wanted, gol_err *err);

/* Is a file of this name a model: "x.gguf", not hidden, no later part of a split one? */
bool gol_is_gguf_name(const char *name);

#endif
