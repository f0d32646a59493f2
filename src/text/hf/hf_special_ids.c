/*
 * Special tokens of a Hugging Face folder: see the header. Tokens are written as a text or as an object with its "content".
 */
#include "text/hf/hf_special_ids.h"

int gol_hftok_config_init(gol_hftok_config *config, const gol_hftok_files *files, gol_err *err)
{
    *config = (gol_hftok_config){NULL, NULL};
    int rc = 0;
    if (files->tokenizer_config_json.data != NULL)
        rc = gol_hftok_json_parse(&config->config, files->tokenizer_config_json,
                                  "tokenizer_config.json", err);
    if (rc == 0 && files->special_tokens_map_json.data != NULL)
        rc = gol_hftok_json_parse(&config->map, files->special_tokens_map_json,
                                  "special_tokens_map.json", err);
    if (rc != 0)
        gol_hftok_config_deinit(config);
    return rc;
}

void gol_hftok_config_deinit(gol_hftok_config *config)
{
    json_decref(config->config);
    json_decref(config->map);
    *config = (gol_hftok_config){NULL, NULL};
}

static gol_str token_of(const json_t *json)
{
    if (json_is_object(json))
        json = json_object_get(json, "content");
    return json_is_string(json) ? gol_hftok_view(json) : (gol_str){NULL, 0};
}

gol_str gol_hftok_config_token(const gol_hftok_config *config, const char *key)
{
    const gol_str token = token_of(json_object_get(config->config, key));
    return token.len > 0 ? token : token_of(json_object_get(config->map, key));
}

gol_str gol_hftok_config_class(const gol_hftok_config *config)
{
    return token_of(json_object_get(config->config, "tokenizer_class"));
}

static int32_t find(const gol_hftok_config *config, const gol_vocab *vocab, const char *key,
                    const char *other)
{
    const int32_t id = gol_str_table_find(&vocab->by_text, gol_hftok_config_token(config, key));
    return id >= 0 ? id
                   : gol_str_table_find(&vocab->by_text, gol_hftok_config_token(config, other));
}

void gol_hftok_config_set_ids(const gol_hftok_config *config, gol_vocab *vocab)
{
    const int32_t bos = find(config, vocab, "bos_token", "cls_token");
    const int32_t eos = find(config, vocab, "eos_token", "sep_token");
    if (bos >= 0)
        vocab->bos = bos;
    if (eos >= 0)
        vocab->eos = eos;
}

/* The classes of transformers that make their own post-processor of the two flags. */
static bool class_heeds_flags(gol_str class)
{
    static const char *const names[] = {"Llama", "CodeLlama", "Gemma", "Cohere", "Mistral"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const size_t n = strlen(names[i]);
        if (class.len > n && memcmp(class.data, names[i], n) == 0 &&
            memcmp(class.data + n, "Tokenizer", class.len - n < 9 ? class.len - n : 9) == 0)
            return true;
    }
    return false;
}

/* 1 says yes, 0 no, -1 nothing. */
static int flag(const gol_hftok_config *config, const char *key)
{
    const json_t *value = json_object_get(config->config, key);
    return json_is_boolean(value) ? json_is_true(value) : -1;
}

static int set_one(gol_ids *ids, int32_t id, int says)
{
    if (says < 0 || (says == 1 && id < 0))
        return 0;
    ids->n = 0;
    return says == 1 ? gol_ids_push(ids, id) : 0;
}

int gol_hftok_config_set_around(const gol_hftok_config *config, const gol_vocab *vocab,
                                bool heeds_flags, gol_ids *prefix, gol_ids *suffix, gol_err *err)
{
    const bool has_template = prefix->n + suffix->n > 0;
    if (has_template && !heeds_flags && !class_heeds_flags(gol_hftok_config_class(config)))
        return 0;
    int rc = set_one(prefix, vocab->bos, flag(config, "add_bos_token"));
    if (rc == 0)
        rc = set_one(suffix, vocab->eos, flag(config, "add_eos_token"));
    return rc == 0 ? 0 : gol_fail(err, rc, "tokenizer_config.json: out of memory");
}
