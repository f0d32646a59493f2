/*
 * JSON as values for chat templates: keys keep their order, integers stay integers. The depth is limited where JSON is parsed.
 */
#include "api/template_json.h"

#include "api/request_json.h"

static int convert_array(gol_jinja *j, gol_jvalue *out, const json_t *json)
{
    const size_t n = json_array_size(json);
    int rc = gol_jlist_create(j, out, GOL_J_LIST, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        gol_jvalue item;
        rc = gol_template_json_value(j, &item, json_array_get(json, i));
        if (rc == 0)
            rc = gol_jlist_push(j, out->list, item);
    }
    return rc;
}

static int convert_object(gol_jinja *j, gol_jvalue *out, const json_t *json)
{
    int rc = gol_jdict_create(j, out);
    const char *key;
    size_t n_key;
    json_t *value;
    json_object_keylen_foreach((json_t *)json, key, n_key, value)
    {
        gol_jvalue item;
        if (rc == 0)
            rc = gol_template_json_value(j, &item, value);
        if (rc == 0)
            rc = gol_jdict_set_str(j, out->dict, (gol_str){key, n_key}, item);
    }
    return rc;
}

int gol_template_json_value(gol_jinja *j, gol_jvalue *out, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_object(j, out, json);
    case JSON_ARRAY:
        return convert_array(j, out, json);
    case JSON_STRING:
        *out = gol_jvalue_str(gol_request_json_str(json));
        return 0;
    case JSON_INTEGER:
        *out = gol_jvalue_int(json_integer_value(json));
        return 0;
    case JSON_REAL:
        *out = gol_jvalue_float(json_real_value(json));
        return 0;
    case JSON_TRUE:
        *out = gol_jvalue_bool(true);
        return 0;
    case JSON_FALSE:
        *out = gol_jvalue_bool(false);
        return 0;
    case JSON_NULL:
        break;
    }
    *out = gol_jvalue_none();
    return 0;
}

/* Texts are viewed in the JSON tree, which goes away: they become copies. */
static int own_texts(gol_jinja *j, gol_jvalue *v)
{
    int rc = 0;
    if (v->type == GOL_J_STRING)
        return gol_jvalue_copy_str(j, v, v->str);
    if (v->type == GOL_J_LIST) {
        for (size_t i = 0; i < v->list->n && rc == 0; i++)
            rc = own_texts(j, &v->list->items[i]);
    } else if (v->type == GOL_J_DICT) {
        for (size_t i = 0; i < v->dict->n && rc == 0; i++) {
            rc = own_texts(j, &v->dict->entries[i].key);
            if (rc == 0)
                rc = own_texts(j, &v->dict->entries[i].value);
        }
    }
    return rc;
}

int gol_template_json_parse(gol_jinja *j, gol_jvalue *out, gol_str text, gol_err *err)
{
    json_t *root;
    gol_api_error error = {0};
    int rc = gol_request_json_parse(&root, text, &error);
    if (rc != 0)
        return gol_fail(err, error.status == 503 ? GOL_ENOMEM : rc, "%s", error.message);
    rc = gol_template_json_value(j, out, root);
    if (rc == 0)
        rc = own_texts(j, out);
    json_decref(root);
    return rc == 0 ? 0 : gol_fail(err, rc, "%s", j->err.message);
}
