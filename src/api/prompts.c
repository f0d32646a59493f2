/*
 * Prompts of /v1/completions. Every id is checked against the vocabulary and every length against the context here, before
 * the engine sees anything.
 */
#include "api/prompts.h"

#include <stdio.h>
#include <string.h>

#include "api/request_json.h"

static int refuse_form(const json_t *value, const char *param, gol_api_error *error)
{
    char found[80];
    gol_request_json_describe(found, sizeof found, value);
    return gol_api_refuse(error, 400, "invalid_type", param,
                          "%s is %s; accepted: a string, an array of strings, an array of token "
                          "ids or an array of arrays of token ids",
                          param, found);
}

static int check_length(size_t n_ids, const gol_prompt_reader *r, const char *param,
                        gol_api_error *error)
{
    if (n_ids == 0)
        return gol_api_refuse(error, 400, "invalid_value", param,
                              "%s has no tokens; at least one is needed", param);
    const int32_t n_max = r->max_model_len - r->n_answer_min;
    if (n_ids <= (size_t)n_max)
        return 0;
    return gol_api_refuse(error, 400, "context_length_exceeded", param,
                          "This model's maximum context length is %d tokens, but %s has %zu "
                          "tokens; it may have at most %d%s",
                          r->max_model_len, param, n_ids, n_max,
                          r->n_answer_min > 0 ? ", so that one can be generated" : "");
}

/* How many tokens at the front are left out. */
static size_t n_dropped(size_t n_ids, const gol_prompt_reader *r)
{
    return r->n_keep > 0 && n_ids > (size_t)r->n_keep ? n_ids - (size_t)r->n_keep : 0;
}

static int no_memory(gol_api_error *error)
{
    gol_api_refuse(error, 503, "out_of_memory", NULL, "out of memory while reading the prompt");
    return GOL_ENOMEM;
}

static int copy_ids(gol_prompt *out, const gol_prompt_reader *r, const int32_t *ids, size_t n,
                    gol_api_error *error)
{
    int32_t *copy = gol_arena_try_array(r->arena, n, sizeof *copy);
    if (!copy)
        return no_memory(error);
    memcpy(copy, ids, n * sizeof *copy);
    out->ids = copy;
    out->n_ids = (int32_t)n;
    return 0;
}

int gol_prompts_encode(gol_prompt *out, const gol_prompt_reader *r, gol_str text,
                       bool parse_special, const char *param, gol_api_error *error)
{
    gol_ids ids = {0};
    gol_err err = {0};
    const unsigned flags = (r->add_special ? GOL_ENCODE_ADD_SPECIAL : 0u) |
                           (parse_special ? GOL_ENCODE_PARSE_SPECIAL : 0u);
    int rc = gol_tokenizer_encode(r->tok, &ids, text, flags, &err);
    const size_t n_cut = n_dropped(ids.n, r);
    if (rc != 0)
        rc = gol_api_refuse_err(error, param, &err);
    else
        rc = check_length(ids.n - n_cut, r, param, error);
    if (rc == 0)
        rc = copy_ids(out, r, ids.data + n_cut, ids.n - n_cut, error);
    out->text = n_cut > 0 ? (gol_str){NULL, 0} : text;
    gol_ids_deinit(&ids);
    return rc;
}

static int read_ids(gol_prompt *out, const gol_prompt_reader *r, const json_t *array,
                    const char *param, gol_api_error *error)
{
    const size_t n = json_array_size(array);
    const size_t n_cut = n_dropped(n, r);
    const int rc = check_length(n - n_cut, r, param, error);
    if (rc != 0)
        return rc;
    int32_t *ids = gol_arena_try_array(r->arena, n, sizeof *ids);
    if (!ids)
        return no_memory(error);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        const int64_t id = gol_request_json_id(item);
        if (id < 0 || id >= r->n_vocab) {
            char found[80];
            gol_request_json_describe(found, sizeof found, item);
            return gol_api_refuse(error, 400, "invalid_value", param,
                                  "%s[%zu] is %s; accepted: a token id from 0 to %d", param, i,
                                  found, r->n_vocab - 1);
        }
        ids[i] = (int32_t)id;
    }
    out->ids = ids + n_cut;
    out->n_ids = (int32_t)(n - n_cut);
    return 0;
}

static int read_one(gol_prompt *out, const gol_prompt_reader *r, const json_t *value,
                    const char *param, gol_api_error *error)
{
    if (json_is_string(value))
        return gol_prompts_encode(out, r, gol_request_json_str(value), true, param, error);
    if (json_is_array(value))
        return read_ids(out, r, value, param, error);
    return refuse_form(value, param, error);
}

/* Numbers are one prompt; strings and arrays are one prompt each. */
static bool is_one_prompt(const json_t *value)
{
    return !json_is_array(value) || json_is_number(json_array_get(value, 0));
}

int gol_prompts_parse(gol_prompts *out, const gol_prompt_reader *r, const json_t *value,
                      gol_api_error *error)
{
    *out = (gol_prompts){0};
    if (!value || json_is_null(value))
        return gol_api_refuse(error, 400, "missing_required_parameter", "prompt",
                              "prompt is missing");
    if (json_is_array(value) && json_array_size(value) == 0)
        return refuse_form(value, "prompt", error);
    const bool is_one = is_one_prompt(value);
    const size_t n = is_one ? 1 : json_array_size(value);
    if (n > (size_t)r->max_prompts)
        return gol_api_refuse(error, 400, "invalid_value", "prompt",
                              "prompt has %zu prompts; accepted: at most %d", n, r->max_prompts);
    out->items = gol_arena_try_calloc(r->arena, n, sizeof *out->items);
    if (!out->items)
        return no_memory(error);
    out->n = (int32_t)n;
    if (is_one)
        return read_one(&out->items[0], r, value, "prompt", error);
    for (size_t i = 0; i < n; i++) {
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "prompt[%zu]", i);
        const int rc = read_one(&out->items[i], r, json_array_get(value, i), param, error);
        if (rc != 0)
            return rc;
    }
    return 0;
}
