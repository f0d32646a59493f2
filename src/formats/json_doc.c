/*
 * From bytes to a jansson tree. The scan before it counts brackets and commas outside of strings; it need not be exact about
 * anything else, because whatever it lets pass that is not JSON is refused by jansson.
 */
#include "formats/json_doc.h"

#include <pthread.h>

#include "base/json_memory.h"
#include "base/mem.h"

static void use_own_memory(void)
{
    json_set_alloc_funcs(gol_json_alloc, gol_free);
}

/* Position after the string that starts at text.data[pos]. */
static size_t skip_string(gol_str text, size_t pos)
{
    for (pos++; pos < text.len && text.data[pos] != '"'; pos++)
        if (text.data[pos] == '\\')
            pos++;
    return pos + 1;
}

int gol_json_check_limits(gol_str text, const gol_json_limits *limits, gol_err *err)
{
    size_t depth = 0;
    size_t n_values = 1;
    for (size_t pos = 0; pos < text.len;) {
        const char c = text.data[pos];
        if (c == '"') {
            pos = skip_string(text, pos);
            continue;
        }
        if (c == '[' || c == '{') {
            depth++;
            n_values++;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            n_values++;
        }
        if (depth > limits->depth_max)
            return gol_fail(err, GOL_EMODEL,
                            "the JSON is nested deeper than %zu levels, at byte %zu",
                            limits->depth_max, pos);
        if (n_values > limits->n_values_max)
            return gol_fail(err, GOL_EMODEL, "the JSON has more than %zu values",
                            limits->n_values_max);
        pos++;
    }
    return 0;
}

static int parse(json_t **out, gol_str text, const gol_json_limits *limits, gol_err *err)
{
    if (text.len == 0)
        return gol_fail(err, GOL_EMODEL, "is empty; a JSON object is expected");
    const int rc = gol_json_check_limits(text, limits, err);
    if (rc != 0)
        return rc;
    json_error_t info;
    gol_json_clear_failure();
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &info);
    if (gol_json_has_failed()) { /* also with a tree: a string in it may have been cut unnoticed */
        json_decref(root);
        return gol_fail(err, GOL_ENOMEM, "out of memory");
    }
    if (!root) {
        char quoted[160];
        return gol_fail(err, GOL_EMODEL, "is not valid JSON: line %d, column %d: %s", info.line,
                        info.column, gol_quote(quoted, sizeof quoted, gol_str_from(info.text)));
    }
    if (!json_is_object(root)) {
        json_decref(root);
        return gol_fail(err, GOL_EMODEL, "is a JSON array; an object is expected");
    }
    *out = root;
    return 0;
}

int gol_json_doc_parse(json_t **out, gol_str text, const gol_json_limits *limits, const char *name,
                       gol_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_own_memory);
    *out = NULL;
    const int rc = parse(out, text, limits, err);
    if (rc != 0) {
        char quoted[GOL_ERR_MESSAGE_MAX / 2];
        gol_fail_prefix(err, "%s", gol_quote(quoted, sizeof quoted, gol_str_from(name)));
    }
    return rc;
}

const char *gol_json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        break;
    }
    return "null";
}
