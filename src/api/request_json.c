/*
 * From bytes to a jansson tree. The scan counts brackets and commas outside of strings; it need not be exact about anything
 * else, because whatever it lets pass that is not JSON is refused by jansson.
 *
 * jansson allocates through base/mem.h, so that its failures are tested like ours.
 */
#include "api/request_json.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/json_memory.h"
#include "base/mem.h"

static void use_own_memory(void)
{
    json_set_alloc_funcs(gol_json_alloc, gol_free);
}

/* Position after the string that starts at body.data[pos]. */
static size_t skip_string(gol_str body, size_t pos)
{
    for (pos++; pos < body.len && body.data[pos] != '"'; pos++)
        if (body.data[pos] == '\\')
            pos++;
    return pos + 1;
}

static int check_limits(gol_str body, gol_api_error *error)
{
    size_t depth = 0;
    size_t n_nodes = 1;
    for (size_t pos = 0; pos < body.len;) {
        const char c = body.data[pos];
        if (c == '"') {
            pos = skip_string(body, pos);
            continue;
        }
        if (c == '[' || c == '{') {
            depth++;
            n_nodes++;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            n_nodes++;
        }
        if (depth > GOL_REQUEST_JSON_DEPTH_MAX)
            return gol_api_refuse(error, 400, "invalid_json", NULL,
                                  "the body's JSON is nested deeper than %d levels",
                                  GOL_REQUEST_JSON_DEPTH_MAX);
        if (n_nodes > GOL_REQUEST_JSON_NODES_MAX)
            return gol_api_refuse(error, 400, "invalid_json", NULL,
                                  "the body's JSON has more than %d values",
                                  GOL_REQUEST_JSON_NODES_MAX);
        pos++;
    }
    return 0;
}

int gol_request_json_parse(json_t **out, gol_str body, gol_api_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_own_memory);
    *out = NULL;
    if (body.len == 0)
        return gol_api_refuse(error, 400, "invalid_json", NULL,
                              "the body is empty; a JSON object is expected");
    const int rc = check_limits(body, error);
    if (rc != 0)
        return rc;

    json_error_t info;
    gol_json_clear_failure();
    json_t *root = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &info);
    if (gol_json_has_failed()) { /* also with a tree: its buffer for strings may have stopped growing unnoticed */
        json_decref(root);
        return gol_api_refuse(error, 503, "out_of_memory", NULL,
                              "out of memory while reading the body");
    }
    if (!root) {
        char quoted[200];
        gol_quote(quoted, sizeof quoted, gol_str_from(info.text));
        return gol_api_refuse(error, 400, "invalid_json", NULL,
                              "the body is not valid JSON: line %d, column %d: %s", info.line,
                              info.column, quoted);
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return gol_api_refuse(error, 400, "invalid_json", NULL,
                              "the body is a JSON array; an object is expected");
    }
    *out = root;
    return 0;
}

const char *gol_request_json_describe(char *buf, size_t size, const json_t *value)
{
    char quoted[48];
    switch (json_typeof(value)) {
    case JSON_STRING:
        gol_quote(quoted, sizeof quoted, gol_request_json_str(value));
        snprintf(buf, size, "the string \"%s\"", quoted);
        break;
    case JSON_INTEGER:
        snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(buf, size, "%.9g", json_real_value(value));
        break;
    case JSON_OBJECT:
        snprintf(buf, size, json_object_size(value) == 0 ? "an empty object" : "an object");
        break;
    case JSON_ARRAY:
        snprintf(buf, size, json_array_size(value) == 0 ? "an empty array" : "an array");
        break;
    case JSON_TRUE:
        snprintf(buf, size, "true");
        break;
    case JSON_FALSE:
        snprintf(buf, size, "false");
        break;
    case JSON_NULL:
        snprintf(buf, size, "null");
        break;
    }
    return buf;
}
