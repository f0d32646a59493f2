/* What tokenizer_config.json and special_tokens_map.json say about tokens that begin and end a text. */
#ifndef GOL_TEXT_HF_HF_SPECIAL_IDS_H
#define GOL_TEXT_HF_HF_SPECIAL_IDS_H

#include "text/hf/hf_files.h"
#include "text/hf/hf_json.h"
#include "text/vocab.h"

typedef struct gol_hftok_config {
    json_t *config; /* tokenizer_config.json; NULL: none */
    json_t *map;    /* special_tokens_map.json */
} gol_hftok_config;

int gol_hftok_config_init(gol_hftok_config *config, const gol_hftok_files *files, gol_err *err);
void gol_hftok_config_deinit(gol_hftok_config *config); /* zeroed is fine */

/* "bos_token" and its like: the text, of either file; len 0: none. */
gol_str gol_hftok_config_token(const gol_hftok_config *config, const char *key);
gol_str
gol_hftok_config_class(const gol_hftok_config *config); /* "tokenizer_class"; len 0: not said */

/* bos, eos into vocab; CLS and SEP where there are none. */
void gol_hftok_config_set_ids(const gol_hftok_config *config, gol_vocab *vocab);

/* add_bos_token and add_eos_token into the ids around a text, where these are none, the tokenizer's class heeds the two, or
 * heeds_flags is set. */
int gol_hftok_config_set_around(const gol_hftok_config *config, const gol_vocab *vocab,
                                bool heeds_flags, gol_ids *prefix, gol_ids *suffix, gol_err *err);

#endif
