/*
 * Walks the request's fields once, each through its row of the table, and then checks what involves two fields.
 *
 * A message names the field, what was found and what is accepted. null means "not given" everywhere.
 */
#include "api/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/param_reader.h"
#include "api/param_table.h"
#include "api/request_json.h"
#include "text/stop_match.h"

static int refuse_range(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    char accepted[96];
    const char *what = row->kind == GOL_PARAM_INT ? "an integer" : "a number";
    if (row->is_min_excluded)
        snprintf(accepted, sizeof accepted, "%s above %.10g, up to %.10g", what, row->min,
                 row->max);
    else
        snprintf(accepted, sizeof accepted, "%s from %.10g to %.10g", what, row->min, row->max);
    return gol_param_refuse_value(r, json_is_number(value) ? "invalid_value" : "invalid_type",
                                  row->name, value, accepted);
}

static int read_bool(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (!json_is_boolean(value))
        return gol_param_refuse_type(r, row->name, value, "true or false");
    *(bool *)gol_param_field(r, row) = json_is_true(value);
    return 0;
}

/* 16 and 16.0 are the same number in JSON. */
static int read_int(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    const double v = json_number_value(value); /* 0 for what is no number */
    if (!json_is_number(value) || !(v >= row->min && v <= row->max) || v != floor(v))
        return refuse_range(r, row, value);
    *(int32_t *)gol_param_field(r, row) = (int32_t)v;
    return 0;
}

static int read_float(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    const double v = json_number_value(value);
    if (!json_is_number(value) || !(v >= row->min && v <= row->max))
        return refuse_range(r, row, value);
    const float f = (float)v; /* a tiny double may become the excluded zero here */
    if (row->is_min_excluded && !((double)f > row->min))
        return refuse_range(r, row, value);
    *(float *)gol_param_field(r, row) = f;
    return 0;
}

/* -1 asks for a random seed, as in other servers. */
static int read_seed(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (!json_is_integer(value))
        return gol_param_refuse_type(r, row->name, value, "a 64-bit integer");
    r->params->seed = json_integer_value(value);
    r->params->has_seed = r->params->seed != -1;
    return 0;
}

static int read_one_stop(const gol_param_reader *r, const char *param, const json_t *value)
{
    static const char accepted[] = "a string of 1 to 256 bytes";
    if (!json_is_string(value))
        return gol_param_refuse_type(r, param, value, accepted);
    const gol_str s = gol_request_json_str(value);
    if (s.len == 0 || s.len > GOL_STOP_STRING_LEN_MAX)
        return gol_api_refuse(r->error, 400, "invalid_value", param,
                              "%s has %zu bytes; accepted: %s", param, s.len, accepted);
    r->params->stops[r->params->n_stops++] = s;
    return 0;
}

static int read_stop(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (json_is_string(value))
        return read_one_stop(r, row->name, value);
    if (!json_is_array(value))
        return gol_param_refuse_type(r, row->name, value, "a string or an array of strings");
    const size_t n = json_array_size(value);
    if (n > GOL_PARAM_STOPS_MAX)
        return gol_api_refuse(r->error, 400, "invalid_value", row->name,
                              "stop has %zu strings; accepted: at most %d", n, GOL_PARAM_STOPS_MAX);
    for (size_t i = 0; i < n; i++) {
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "stop[%zu]", i);
        const int rc = read_one_stop(r, param, json_array_get(value, i));
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_stop_ids(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    const int n = gol_param_read_ids(r, row->name, value, r->params->stop_ids,
                                     (size_t)r->limits->n_stop_ids_max);
    if (n < 0)
        return n;
    r->params->n_stop_ids = n;
    return 0;
}

static int read_cache_salt(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    char accepted[64];
    snprintf(accepted, sizeof accepted, "a string of 1 to %d bytes", GOL_CACHE_SALT_MAX);
    if (!json_is_string(value))
        return gol_param_refuse_type(r, row->name, value, accepted);
    const gol_str salt = gol_request_json_str(value);
    if (salt.len == 0 || salt.len > GOL_CACHE_SALT_MAX)
        return gol_api_refuse(r->error, 400, "invalid_value", row->name,
                              "%s has %zu bytes; accepted: %s", row->name, salt.len, accepted);
    r->params->cache_salt = salt;
    return 0;
}

/* Appends a field's name to the header's list, letters, digits and "_.-" only; a list that is full ends in "...". */
static void note_ignored(gol_params *params, const char *prefix, const char *name)
{
    enum { NAME_MAX_SHOWN = 64, ROOM_FOR_DOTS = 6 };
    char text[NAME_MAX_SHOWN + 1];
    snprintf(text, sizeof text, "%s%s", prefix, name);
    for (char *p = text; *p != '\0'; p++) {
        const char c = *p;
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        if (!is_plain)
            *p = '?';
    }
    const size_t len = strlen(params->ignored);
    if (len >= 3 && strcmp(params->ignored + len - 3, "...") == 0)
        return;
    const bool has_room = len + strlen(text) + 2 + ROOM_FOR_DOTS < sizeof params->ignored;
    snprintf(params->ignored + len, sizeof params->ignored - len, "%s%s", len > 0 ? ", " : "",
             has_room ? text : "...");
}

/* A field that nobody knows. */
static int pass_over(const gol_param_reader *r, const char *prefix, const char *name)
{
    if (!r->limits->is_strict) {
        note_ignored(r->params, prefix, name);
        return 0;
    }
    char quoted[GOL_API_PARAM_MAX];
    char param[GOL_API_PARAM_MAX];
    gol_quote(quoted, sizeof quoted, gol_str_from(name));
    snprintf(param, sizeof param, "%.20s%.40s", prefix, quoted);
    return gol_api_refuse(r->error, 400, "unknown_parameter", param,
                          "%s is not known; this server refuses unknown fields", param);
}

static int read_stream_options(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (!json_is_object(value))
        return gol_param_refuse_type(r, row->name, value, "an object");
    if (json_object_size(value) > GOL_PARAM_FIELDS_MAX)
        return gol_api_refuse(r->error, 400, "invalid_value", row->name,
                              "stream_options has more than %d fields", GOL_PARAM_FIELDS_MAX);
    if (!json_is_true(json_object_get(r->root, "stream")))
        return gol_api_refuse(r->error, 400, "invalid_value", row->name,
                              "stream_options is only accepted together with \"stream\": true");
    void *it = json_object_iter((json_t *)value);
    for (; it; it = json_object_iter_next((json_t *)value, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *item = json_object_iter_value(it);
        if (json_is_null(item))
            continue;
        if (strcmp(name, "include_usage") == 0) {
            if (!json_is_boolean(item))
                return gol_param_refuse_type(r, "stream_options.include_usage", item,
                                             "true or false");
            r->params->include_usage = json_is_true(item);
        } else if (strcmp(name, "continuous_usage_stats") == 0) {
            if (!json_is_false(item))
                return gol_api_refuse(r->error, 400, "unsupported_parameter",
                                      "stream_options.continuous_usage_stats",
                                      "stream_options.continuous_usage_stats is not supported");
        } else {
            const int rc = pass_over(r, "stream_options.", name);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static bool is_text_format(const json_t *value)
{
    if (json_is_object(value)) {
        const json_t *type = json_object_get(value, "type");
        return json_is_string(type) && gol_str_is(gol_request_json_str(type), "text");
    }
    if (!json_is_array(value) || json_array_size(value) != 1)
        return false;
    const json_t *item = json_array_get(value, 0);
    return json_is_string(item) && gol_str_is(gol_request_json_str(item), "text");
}

static bool is_empty(const json_t *value)
{
    return (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static bool is_word(const json_t *value, const char *word)
{
    return json_is_string(value) && gol_str_is(gol_request_json_str(value), word);
}

static bool is_neutral(const json_t *value, unsigned neutral, const json_t *root)
{
    if ((neutral & GOL_NEUTRAL_FALSE) && json_is_false(value))
        return true;
    if ((neutral & GOL_NEUTRAL_TRUE) && json_is_true(value))
        return true;
    if (json_is_number(value)) {
        const double v = json_number_value(value);
        const json_t *n = json_object_get(root, "n");
        return ((neutral & GOL_NEUTRAL_ZERO) && v == 0) ||
               ((neutral & GOL_NEUTRAL_ONE) && v == 1) ||
               ((neutral & GOL_NEUTRAL_NEGATIVE) && v < 0) ||
               ((neutral & GOL_NEUTRAL_SAME_AS_N) && json_is_number(n) &&
                v == json_number_value(n));
    }
    if ((neutral & GOL_NEUTRAL_EMPTY) && is_empty(value))
        return true;
    if ((neutral & GOL_NEUTRAL_NONE) && is_word(value, "none"))
        return true;
    if ((neutral & GOL_NEUTRAL_AUTO) && is_word(value, "auto"))
        return true;
    if ((neutral & GOL_NEUTRAL_TEXT) && is_text_format(value))
        return true;
    return (neutral & GOL_NEUTRAL_TOOLS_OFF) &&
           is_word(json_object_get(root, "tool_choice"), "none");
}

static int check_refused(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (is_neutral(value, row->neutral, r->root))
        return 0;
    char found[80];
    gol_request_json_describe(found, sizeof found, value);
    return gol_api_refuse(r->error, 400, "unsupported_parameter", row->name,
                          "%s is not supported (found %s)%s%s", row->name, found,
                          row->hint ? "; " : "", row->hint ? row->hint : "");
}

static int read_field(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    switch (row->kind) {
    case GOL_PARAM_ELSEWHERE:
        return 0;
    case GOL_PARAM_NO_EFFECT:
        note_ignored(r->params, "", row->name);
        return 0;
    case GOL_PARAM_BOOL:
        return read_bool(r, row, value);
    case GOL_PARAM_INT:
        return read_int(r, row, value);
    case GOL_PARAM_FLOAT:
        return read_float(r, row, value);
    case GOL_PARAM_SEED:
        return read_seed(r, row, value);
    case GOL_PARAM_STOP:
        return read_stop(r, row, value);
    case GOL_PARAM_STOP_IDS:
        return read_stop_ids(r, row, value);
    case GOL_PARAM_CACHE_SALT:
        return read_cache_salt(r, row, value);
    case GOL_PARAM_STREAM_OPTIONS:
        return read_stream_options(r, row, value);
    case GOL_PARAM_LOGIT_BIAS:
        return gol_param_read_logit_bias(r, row, value);
    case GOL_PARAM_ALLOWED_IDS:
        return gol_param_read_allowed(r, row, value);
    case GOL_PARAM_WORDS:
        return gol_param_read_words(r, row, value);
    case GOL_PARAM_SAMPLERS:
        return gol_param_read_samplers(r, row, value);
    case GOL_PARAM_REFUSED:
        return check_refused(r, row, value);
    }
    return GOL_EINTERNAL;
}

static int read_known(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (json_is_null(value))
        return 0;
    const json_t *other = row->alias_of ? json_object_get(r->root, row->alias_of) : NULL;
    if (other && !json_is_null(other))
        return gol_api_refuse(r->error, 400, "invalid_value", row->name,
                              "%s is another name for %s: only one of them is accepted", row->name,
                              row->alias_of);
    return read_field(r, row, value);
}

/* The same for fields about several answers and about the prompt. */
static int settle_answers(const gol_param_reader *r)
{
    const gol_params *p = r->params;
    if (p->best_of > 0 && p->best_of < p->n)
        return gol_api_refuse(r->error, 400, "invalid_value", "best_of",
                              "best_of is %d; accepted: at least n, which is %d", p->best_of, p->n);
    if (p->best_of > p->n && p->stream)
        return gol_api_refuse(
            r->error, 400, "invalid_value", "best_of",
            "best_of is %d with n = %d; with \"stream\": true it must be n: which "
            "answers are the best is known at their end",
            p->best_of, p->n);
    if (p->n_prompt_logprobs >= 0 && p->stream)
        return gol_api_refuse(r->error, 400, "invalid_value", "prompt_logprobs",
                              "prompt_logprobs is %d; accepted only without \"stream\": true",
                              p->n_prompt_logprobs);
    const json_t *keep = json_object_get(r->root, "truncate_prompt_tokens");
    if (keep && !json_is_null(keep) && p->n_prompt_keep == 0)
        return gol_api_refuse(r->error, 400, "invalid_value", "truncate_prompt_tokens",
                              "truncate_prompt_tokens is 0; accepted: -1, which is as many as fit, "
                              "or an integer from 1");
    return 0;
}

/* What the table cannot say: limits known at run time, and pairs of fields. */
static int settle(const gol_param_reader *r, unsigned route)
{
    gol_params *p = r->params;
    if (p->n > r->limits->max_n)
        return gol_api_refuse(r->error, 400, "invalid_value", "n",
                              "n is %d; accepted: an integer from 1 to %d", p->n, r->limits->max_n);
    if (p->sampling.top_k < 0)
        p->sampling.top_k = 0;
    if (p->extras.top_n_sigma < 0.0f)
        p->extras.top_n_sigma = 0.0f; /* llama.cpp's way to say off */
    gol_param_use_samplers(p);
    if (p->n_predict != INT32_MIN)
        p->max_tokens = p->n_predict >= 0 ? p->n_predict : INT32_MAX;
    if (p->max_completion_tokens >= 0)
        p->max_tokens = p->max_completion_tokens;
    if (p->max_tokens >= 0 && p->min_tokens > p->max_tokens)
        return gol_api_refuse(r->error, 400, "invalid_value", "min_tokens",
                              "min_tokens is %d; accepted: at most max_tokens, which is %d",
                              p->min_tokens, p->max_tokens);
    const int rc = settle_answers(r);
    if (rc != 0 || route != GOL_PARAM_CHAT)
        return rc;
    if (p->top_logprobs > 0 && !p->chat_logprobs)
        return gol_api_refuse(r->error, 400, "invalid_value", "top_logprobs",
                              "top_logprobs is %d; accepted only together with \"logprobs\": true",
                              p->top_logprobs);
    p->n_logprobs = p->chat_logprobs ? p->top_logprobs : -1;
    return 0;
}

int gol_params_parse(gol_params *out, const json_t *root, unsigned route,
                     const gol_params_limits *limits, gol_api_error *error)
{
    *out = (gol_params){
        .sampling = limits->sampling ? *limits->sampling : GOL_SAMPLING_DEFAULT,
        .extras = GOL_SAMPLING_EXTRAS_DEFAULT,
        .max_tokens = -1,
        .max_completion_tokens = -1,
        .n_predict = INT32_MIN,
        .n = 1,
        .n_logprobs = -1,
        .n_prompt_logprobs = -1,
        .skip_special = true,
        .add_special = true,
        .cache_prompt = true,
    };
    if (json_object_size(root) > GOL_PARAM_FIELDS_MAX)
        return gol_api_refuse(error, 400, "invalid_value", NULL,
                              "the request has %zu fields; accepted: at most %d",
                              json_object_size(root), GOL_PARAM_FIELDS_MAX);
    const gol_param_reader r = {out, root, limits, error};
    void *it = json_object_iter((json_t *)root);
    for (; it; it = json_object_iter_next((json_t *)root, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        const gol_param *row = gol_param_find(gol_str_from(name), route);
        const int rc = row ? read_known(&r, row, value) : pass_over(&r, "", name);
        if (rc != 0)
            return rc;
    }
    return settle(&r, route);
}
