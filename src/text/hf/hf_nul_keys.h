/*
 * JSON whose objects have the character U+0000 in a key, which the JSON library does not parse: vocabularies that were made from
 * SentencePiece models have a token for every character of their texts, that one, too.
 */
#ifndef GOL_TEXT_HF_HF_NUL_KEYS_H
#define GOL_TEXT_HF_HF_NUL_KEYS_H

#include <jansson.h>

#include "base/str.h"

/* As gol_json_load() with JSON_ALLOW_NUL, for bytes within the limits of hf_json.h. */
int gol_hftok_load_nul_keys(json_t **out, gol_str bytes, json_error_t *error);

#endif
