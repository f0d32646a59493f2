/*
 * JSON nodes with paths: see the header. Unlike formats/json_doc.h this takes keys that stand twice, the last one as in Hugging Face's
 * readers.
 */
#include "text/hf/hf_json.h"

#include <stdarg.h>
#include <stdio.h>

#include "formats/json_doc.h"
#include "text/hf/hf_nul_keys.h"

enum { PATH_MAX_LEN = 200 };

int gol_hftok_json_parse(json_t **out, gol_str bytes, const char *name, gol_err *err)
{
    const gol_json_limits limits = {.depth_max = GOL_HFTOK_JSON_DEPTH_MAX,
                                    .n_values_max = GOL_HFTOK_JSON_VALUES_MAX};
    *out = NULL;
    if (bytes.len > GOL_HFTOK_JSON_LEN_MAX)
        return gol_fail(err, GOL_ETOOLARGE, "%s: %zu bytes, at most %d are accepted", name,
                        bytes.len, GOL_HFTOK_JSON_LEN_MAX);
    if (gol_json_check_limits(bytes, &limits, err) != 0) {
        gol_fail_prefix(err, "%s", name);
        return GOL_EMODEL;
    }
    json_error_t error;
    const bool may_have_nul = memmem(bytes.data, bytes.len, "\\u0000", 6) != NULL;
    const int rc = may_have_nul ? gol_hftok_load_nul_keys(out, bytes, &error)
                                : gol_json_load(out, bytes, JSON_ALLOW_NUL, &error);
    if (rc == 0)
        return 0;
    char quoted[JSON_ERROR_TEXT_LENGTH];
    gol_quote(quoted, sizeof quoted, gol_str_from(error.text));
    if (rc == GOL_ENOMEM)
        return gol_fail(err, GOL_ENOMEM, "%s: out of memory", name);
    return gol_fail(err, GOL_EMODEL, "%s: line %d, column %d: %s", name, error.line, error.column,
                    quoted);
}

gol_hftok_node gol_hftok_root(json_t *json, const char *name)
{
    return (gol_hftok_node){json, NULL, name, 0};
}

static json_t *present(json_t *json)
{
    return json_is_null(json) ? NULL : json;
}

gol_hftok_node gol_hftok_get(const gol_hftok_node *from, const char *key)
{
    return (gol_hftok_node){present(json_object_get(from->json, key)), from, key, 0};
}

gol_hftok_node gol_hftok_at(const gol_hftok_node *from, size_t i)
{
    return (gol_hftok_node){present(json_array_get(from->json, i)), from, NULL, i};
}

size_t gol_hftok_n(const gol_hftok_node *node)
{
    return json_array_size(node->json);
}

/* Writes the path from the root; a key may be a stranger's. */
static void write_path(char *path, size_t size, const gol_hftok_node *node)
{
    if (node->parent == NULL) {
        snprintf(path, size, "%s: ", node->key);
        return;
    }
    write_path(path, size, node->parent);
    const size_t n = strlen(path);
    if (node->key == NULL) {
        snprintf(path + n, size - n, "[%zu]", node->index);
        return;
    }
    char quoted[48];
    gol_quote(quoted, sizeof quoted, gol_str_from(node->key));
    snprintf(path + n, size - n, "%s%s", node->parent->parent == NULL ? "" : ".", quoted);
}

int gol_hftok_fail_at(const gol_hftok_node *node, gol_err *err, int code)
{
    char path[PATH_MAX_LEN];
    write_path(path, sizeof path, node);
    if (err != NULL)
        err->code = code;
    gol_fail_prefix(err, "%s", path);
    return code;
}

int gol_hftok_fail(const gol_hftok_node *node, gol_err *err, int code, const char *format, ...)
{
    char message[GOL_ERR_MESSAGE_MAX - PATH_MAX_LEN];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    gol_fail(err, code, "%s", message);
    return gol_hftok_fail_at(node, err, code);
}

static const char *type_name(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return names[json_typeof(json)];
}

int gol_hftok_str(const gol_hftok_node *from, const char *key, gol_str *out, gol_err *err)
{
    const gol_hftok_node node = gol_hftok_get(from, key);
    if (!gol_hftok_is_there(&node))
        return 0;
    if (!json_is_string(node.json))
        return gol_hftok_fail(&node, err, GOL_EMODEL, "%s, a string is accepted",
                              type_name(node.json));
    *out = gol_hftok_view(node.json);
    return 1;
}

int gol_hftok_bool(const gol_hftok_node *from, const char *key, bool *out, gol_err *err)
{
    const gol_hftok_node node = gol_hftok_get(from, key);
    if (!gol_hftok_is_there(&node))
        return 0;
    if (!json_is_boolean(node.json))
        return gol_hftok_fail(&node, err, GOL_EMODEL, "%s, true or false is accepted",
                              type_name(node.json));
    *out = json_is_true(node.json);
    return 1;
}

int gol_hftok_int(const gol_hftok_node *from, const char *key, int64_t min, int64_t max,
                  int64_t *out, gol_err *err)
{
    const gol_hftok_node node = gol_hftok_get(from, key);
    if (!gol_hftok_is_there(&node))
        return 0;
    if (!json_is_integer(node.json) || json_integer_value(node.json) < min ||
        json_integer_value(node.json) > max)
        return gol_hftok_fail(&node, err, GOL_EMODEL,
                              "%s, a whole number from %lld to %lld is accepted",
                              json_is_integer(node.json) ? "out of range" : type_name(node.json),
                              (long long)min, (long long)max);
    *out = json_integer_value(node.json);
    return 1;
}

int gol_hftok_need_str(const gol_hftok_node *from, const char *key, gol_str *out, gol_err *err)
{
    const int rc = gol_hftok_str(from, key, out, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    const gol_hftok_node node = gol_hftok_get(from, key);
    return gol_hftok_fail(&node, err, GOL_EMODEL, "missing, a string is needed");
}

int gol_hftok_type(const gol_hftok_node *node, gol_str *out, gol_err *err)
{
    if (!json_is_object(node->json))
        return gol_hftok_fail(node, err, GOL_EMODEL, "%s, an object is accepted",
                              gol_hftok_is_there(node) ? type_name(node->json) : "missing");
    return gol_hftok_need_str(node, "type", out, err);
}

int gol_hftok_unknown_type(const gol_hftok_node *node, gol_str type, const char *accepted,
                           gol_err *err)
{
    char quoted[64];
    return gol_hftok_fail(node, err, GOL_EUNSUPPORTED, "type '%s', accepted are %s",
                          gol_quote(quoted, sizeof quoted, type), accepted);
}
