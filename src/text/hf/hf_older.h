/* The tokenizer of a folder as the JSON of a tokenizer.json: that file itself, or made of the older ones. */
#ifndef GOL_TEXT_HF_HF_OLDER_H
#define GOL_TEXT_HF_HF_OLDER_H

#include "text/hf/hf_files.h"
#include "text/hf/hf_parts.h"
#include "text/hf/hf_special_ids.h"

/* *out is to be released by json_decref(). Errors: as of gol_hftok_create(). */
int gol_hftok_json_find(json_t **out, const gol_hftok_files *files, gol_err *err);

/* What to call that JSON in a message. */
const char *gol_hftok_json_name(const gol_hftok_files *files);

/* The tokenizer of such JSON; facts is initialized, and the caller's. */
int gol_hftok_build(gol_tokenizer **out, json_t *json, const gol_hftok_files *files,
                    gol_hftok_facts *facts, gol_err *err);

/* A tokenizer.model (hf_spm.c). */
int gol_hftok_spm_create(gol_tokenizer **out, const gol_hftok_files *files, gol_err *err);

/* The added tokens that the files beside it name, as in "added_tokens"; vocab: {"TEXT": id}, or NULL. *out is to be released. */
int gol_hftok_added_list(json_t **out, const gol_hftok_files *files, const json_t *vocab,
                         const gol_hftok_config *config, gol_err *err);

/* Ids of the config into a tokenizer whose vocabulary and ids around a text are there. */
int gol_hftok_read_config(gol_tokenizer *tok, const gol_hftok_config *config, bool heeds_flags,
                          gol_err *err);

#endif
