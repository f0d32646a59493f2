/*
 * From bytes to a jansson tree. The scan before it counts brackets and commas outside of strings; it need not be exact about
 * anything else, because whatever it lets pass that is not JSON is refused by jansson.
 */
#include "formats/json_doc.h"

#include <pthread.h>
#include <string.h>

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

/* Whole numbers with so many digits may not fit into 64 bits. Of these the last three become an exponent: a real of the same size. */
static void shorten_integers(char *text, size_t len)
{
    enum { LONG_DIGITS = 19, EXPONENT_BYTES = 3 };
    const gol_str view = {text, len};
    for (size_t pos = 0; pos < len;) {
        if (text[pos] == '"') {
            pos = skip_string(view, pos);
            continue;
        }
        size_t end = pos;
        size_t n_digits = 0;
        while (end < len && text[end] != '\0' && strchr("0123456789+-.eE", text[end])) {
            n_digits += text[end] >= '0' && text[end] <= '9';
            end++;
        }
        const bool is_whole = n_digits > 0 && n_digits + (text[pos] == '-') == end - pos;
        if (is_whole && n_digits >= LONG_DIGITS)
            memcpy(text + end - EXPONENT_BYTES, "e03", EXPONENT_BYTES);
        pos = end > pos ? end : pos + 1;
    }
}

/* Python's numbers have any length, and its libraries write 10^30 for "no limit". */
static json_t *load_longer(gol_str text, size_t flags, json_error_t *info)
{
    char *copy = gol_json_alloc(text.len);
    if (!copy)
        return NULL;
    memcpy(copy, text.data, text.len);
    shorten_integers(copy, text.len);
    json_t *root = json_loadb(copy, text.len, flags, info);
    gol_free(copy);
    return root;
}

int gol_json_load(json_t **out, gol_str text, size_t flags, json_error_t *info)
{
    gol_json_clear_failure();
    *out = json_loadb(text.data, text.len, flags, info);
    if (!*out && json_error_code(info) == json_error_numeric_overflow)
        *out = load_longer(text, flags, info);
    const bool lacks_memory = !*out && json_error_code(info) == json_error_out_of_memory;
    if (!gol_json_has_failed() && !lacks_memory)
        return *out ? 0 : GOL_EMODEL;
    json_decref(*out); /* a string in it may have been cut unnoticed */
    *out = NULL;
    return GOL_ENOMEM;
}

static int parse(json_t **out, gol_str text, const gol_json_limits *limits, gol_err *err)
{
    if (text.len == 0)
        return gol_fail(err, GOL_EMODEL, "is empty; a JSON object is expected");
    int rc = gol_json_check_limits(text, limits, err);
    if (rc != 0)
        return rc;
    json_error_t info;
    json_t *root;
    rc = gol_json_load(&root, text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &info);
    if (rc == GOL_ENOMEM)
        return gol_fail(err, rc, "out of memory");
    if (rc != 0) {
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
