/* Request fields that are lists: token ids, biases, words. Their memory is the call's arena. */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "api/param_reader.h"
#include "api/request_json.h"

int gol_param_refuse_value(const gol_param_reader *r, const char *code, const char *param,
                           const json_t *value, const char *accepted)
{
    char found[80];
    gol_request_json_describe(found, sizeof found, value);
    return gol_api_refuse(r->error, 400, code, param, "%s is %s; accepted: %s", param, found,
                          accepted);
}

int gol_param_refuse_type(const gol_param_reader *r, const char *param, const json_t *value,
                          const char *accepted)
{
    return gol_param_refuse_value(r, "invalid_type", param, value, accepted);
}

static int refuse_count(const gol_param_reader *r, const char *name, size_t n, const char *what,
                        size_t n_max)
{
    return gol_api_refuse(r->error, 400, "invalid_value", name,
                          "%s has %zu %s; accepted: at most %zu", name, n, what, n_max);
}

static void *try_array(const gol_param_reader *r, size_t n, size_t size)
{
    void *array = gol_arena_try_array(r->limits->arena, n, size);
    if (!array)
        gol_api_refuse(r->error, 503, "out_of_memory", NULL, "out of memory");
    return array;
}

static int refuse_id(const gol_param_reader *r, const char *param, const json_t *value)
{
    char accepted[64];
    snprintf(accepted, sizeof accepted, "a token id from 0 to %d", r->limits->n_vocab - 1);
    return gol_param_refuse_value(r, "invalid_value", param, value, accepted);
}

int gol_param_read_ids(const gol_param_reader *r, const char *name, const json_t *value,
                       int32_t *ids, size_t n_max)
{
    if (!json_is_array(value))
        return gol_param_refuse_type(r, name, value, "an array of token ids");
    const size_t n = json_array_size(value);
    if (n > n_max)
        return refuse_count(r, name, n, "ids", n_max);
    assert(n == 0 || ids != NULL);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        const int64_t id = gol_request_json_id(item);
        if (id < 0 || id >= r->limits->n_vocab) {
            char param[GOL_API_PARAM_MAX];
            snprintf(param, sizeof param, "%s[%zu]", name, i);
            return refuse_id(r, param, item);
        }
        ids[i] = (int32_t)id;
    }
    return (int)n;
}

/* An empty list would allow nothing; as in other servers it means that nothing is asked for. */
int gol_param_read_allowed(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    int32_t *ids = NULL;
    const size_t n_max = (size_t)r->limits->n_vocab;
    const size_t n_room = json_array_size(value) < n_max ? json_array_size(value) : n_max;
    if (n_room > 0) {
        ids = try_array(r, n_room, sizeof *ids);
        if (!ids)
            return GOL_ENOMEM;
    }
    const int n = gol_param_read_ids(r, row->name, value, ids, n_max);
    if (n < 0)
        return n;
    r->params->extras.allowed = ids;
    r->params->extras.n_allowed = n;
    return 0;
}

/* ---- logit_bias ---- */

static int read_bias(const gol_param_reader *r, const char *param, const json_t *value, float *out)
{
    *out = -INFINITY;
    if (json_is_false(value))
        return 0;
    const double v = json_number_value(value);
    if (!json_is_number(value) || !(v >= -100 && v <= 100))
        return gol_param_refuse_value(r, json_is_number(value) ? "invalid_value" : "invalid_type",
                                      param, value,
                                      "a number from -100 to 100, or false, which bans the token");
    *out = (float)v;
    return 0;
}

/* OpenAI's form: {"50256": -100}. */
static int read_bias_object(const gol_param_reader *r, const json_t *value, gol_logit_bias *out)
{
    size_t n = 0;
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const char *key = json_object_iter_key(it);
        int64_t id = key[0] == '\0' ? -1 : 0;
        for (const char *p = key; *p != '\0' && id >= 0; p++)
            id = *p >= '0' && *p <= '9' && id <= INT32_MAX ? id * 10 + (*p - '0') : -1;
        if (id < 0 || id >= r->limits->n_vocab) {
            char quoted[48];
            gol_quote(quoted, sizeof quoted, gol_str_from(key));
            return gol_api_refuse(
                r->error, 400, "invalid_value", "logit_bias",
                "logit_bias has the key \"%s\"; accepted: a token id from 0 to %d", quoted,
                r->limits->n_vocab - 1);
        }
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "logit_bias[\"%d\"]", (int)id);
        out[n].token = (int32_t)id;
        const int rc = read_bias(r, param, json_object_iter_value(it), &out[n++].bias);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* llama.cpp's: [[50256, -100], [11, false]]. */
static int read_bias_array(const gol_param_reader *r, const json_t *value, gol_logit_bias *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "logit_bias[%zu]", i);
        const json_t *item = json_array_get(value, i);
        if (!json_is_array(item) || json_array_size(item) != 2)
            return gol_param_refuse_type(r, param, item, "an array of a token id and its bias");
        const int64_t id = gol_request_json_id(json_array_get(item, 0));
        if (id < 0 || id >= r->limits->n_vocab)
            return refuse_id(r, param, json_array_get(item, 0));
        out[i].token = (int32_t)id;
        const int rc = read_bias(r, param, json_array_get(item, 1), &out[i].bias);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int gol_param_read_logit_bias(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    const bool is_object = json_is_object(value);
    if (!is_object && !json_is_array(value))
        return gol_param_refuse_type(r, row->name, value,
                                     "an object of token ids and biases, or an array of pairs");
    const size_t n = is_object ? json_object_size(value) : json_array_size(value);
    if (n > GOL_LOGIT_BIAS_MAX)
        return refuse_count(r, row->name, n, "entries", GOL_LOGIT_BIAS_MAX);
    if (n == 0)
        return 0;
    gol_logit_bias *biases = try_array(r, n, sizeof *biases);
    if (!biases)
        return GOL_ENOMEM;
    const int rc = is_object ? read_bias_object(r, value, biases)
                             : read_bias_array(r, value, biases);
    if (rc != 0)
        return rc;
    r->params->extras.logit_bias = biases;
    r->params->extras.n_logit_bias = (int32_t)n;
    return 0;
}

/* ---- words ---- */

int gol_param_read_words(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (!json_is_array(value))
        return gol_param_refuse_type(r, row->name, value, "an array of strings");
    const size_t n = json_array_size(value);
    if (n > (size_t)row->max)
        return refuse_count(r, row->name, n, "strings", (size_t)row->max);
    for (size_t i = 0; i < n; i++) {
        static const char accepted[] = "a string of 1 to 256 bytes";
        const json_t *item = json_array_get(value, i);
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "%s[%zu]", row->name, i);
        if (!json_is_string(item))
            return gol_param_refuse_type(r, param, item, accepted);
        const size_t len = json_string_length(item);
        if (len == 0 || len > GOL_PARAM_WORD_LEN_MAX)
            return gol_api_refuse(r->error, 400, "invalid_value", param,
                                  "%s has %zu bytes; accepted: %s", param, len, accepted);
    }
    *(const json_t **)gol_param_field(r, row) = value;
    return 0;
}
