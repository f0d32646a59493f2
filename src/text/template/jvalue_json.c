/*
 * Values as JSON text, as Python's json.dumps() writes them with the options that Hugging Face's tojson filter passes on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/template/jchar.h"
#include "text/template/jvalue.h"

typedef struct json_writer {
    gol_jinja *j;
    gol_buf *out;
    const gol_jjson_opts *opts;
} json_writer;

static void put_ascii_escape(gol_buf *out, uint32_t cp)
{
    if (cp < 0x10000) {
        gol_buf_printf(out, "\\u%04x", cp);
        return;
    }
    cp -= 0x10000;
    gol_buf_printf(out, "\\u%04x\\u%04x", 0xd800 | cp >> 10, 0xdc00 | (cp & 0x3ff));
}

static int put_string(const json_writer *w, gol_str s)
{
    static const char named[] = "\b\f\n\r\t\"\\";
    static const char names[] = "bfnrt\"\\";
    gol_buf_putc(w->out, '"');
    for (size_t pos = 0; pos < s.len;) {
        const size_t from = pos;
        const uint32_t cp = gol_jchar_next(s, &pos);
        const char *name = cp > 0 && cp < 0x80 ? strchr(named, (int)cp) : NULL;
        if (name) {
            gol_buf_putc(w->out, '\\');
            gol_buf_putc(w->out, names[name - named]);
        } else if (cp < 0x20 || (w->opts->ensure_ascii && cp > 0x7e)) {
            put_ascii_escape(w->out, cp);
        } else {
            gol_buf_put(w->out, s.data + from, pos - from);
        }
    }
    gol_buf_putc(w->out, '"');
    return gol_jinja_charge_bytes(w->j, s.len);
}

static void put_float(gol_buf *out, double f)
{
    char number[GOL_JFLOAT_SIZE];
    if (!isfinite(f)) { /* Python's extension of JSON */
        gol_buf_puts(out, isnan(f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity");
        return;
    }
    gol_jvalue_format_float(number, f);
    gol_buf_puts(out, number);
}

static void put_newline(const json_writer *w, int depth)
{
    if (!w->opts->has_indent)
        return;
    gol_buf_putc(w->out, '\n');
    for (int i = 0; i < depth; i++)
        gol_buf_put_str(w->out, w->opts->indent);
}

static int put_value(const json_writer *w, const gol_jvalue *v, int depth);

static int put_key(const json_writer *w, const gol_jvalue *key)
{
    switch (key->type) {
    case GOL_J_STRING:
        return put_string(w, key->str);
    case GOL_J_NONE:
    case GOL_J_BOOL:
    case GOL_J_INT:
    case GOL_J_FLOAT: {
        gol_buf_putc(w->out, '"');
        const int rc = put_value(w, key, 0);
        gol_buf_putc(w->out, '"');
        return rc;
    }
    default:
        return gol_jinja_fail(w->j, "keys must be str, int, float, bool or None, not %s",
                              gol_jvalue_type_name(key));
    }
}

static int put_list(const json_writer *w, const gol_jlist *list, int depth)
{
    gol_buf_putc(w->out, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            gol_buf_put_str(w->out, w->opts->item_separator);
        put_newline(w, depth + 1);
        const int rc = put_value(w, &list->items[i], depth + 1);
        if (rc != 0)
            return rc;
    }
    if (list->n > 0)
        put_newline(w, depth);
    gol_buf_putc(w->out, ']');
    return 0;
}

/* The entries' places in the order of their keys; NULL with the error told. */
static size_t *sort_keys(gol_jinja *j, const gol_jdict *dict)
{
    size_t *places = gol_jinja_alloc(j, dict->n, sizeof *places);
    for (size_t i = 0; places && i < dict->n; i++) {
        size_t at = i;
        for (; at > 0; at--) {
            int cmp;
            if (gol_jinja_charge(j, 1) != 0 ||
                gol_jvalue_compare(j, &cmp, &dict->entries[places[at - 1]].key,
                                   &dict->entries[i].key, "<") != 0)
                return NULL;
            if (cmp <= 0)
                break;
            places[at] = places[at - 1];
        }
        places[at] = i;
    }
    return places;
}

static int put_dict(const json_writer *w, const gol_jdict *dict, int depth)
{
    const size_t *places = NULL;
    if (w->opts->sort_keys && dict->n > 0) {
        places = sort_keys(w->j, dict);
        if (!places)
            return w->j->err.code;
    }
    gol_buf_putc(w->out, '{');
    for (size_t i = 0; i < dict->n; i++) {
        const gol_jentry *entry = &dict->entries[places ? places[i] : i];
        if (i > 0)
            gol_buf_put_str(w->out, w->opts->item_separator);
        put_newline(w, depth + 1);
        int rc = put_key(w, &entry->key);
        gol_buf_put_str(w->out, w->opts->key_separator);
        if (rc == 0)
            rc = put_value(w, &entry->value, depth + 1);
        if (rc != 0)
            return rc;
    }
    if (dict->n > 0)
        put_newline(w, depth);
    gol_buf_putc(w->out, '}');
    return 0;
}

static int put_value(const json_writer *w, const gol_jvalue *v, int depth)
{
    const int rc = gol_jinja_charge(w->j, 1 + (w->opts->has_indent ? (uint64_t)depth / 8 : 0));
    if (rc != 0)
        return rc;
    if (depth > GOL_JINJA_VALUE_DEPTH_MAX)
        return gol_jinja_fail(w->j, "values nested more than %d deep", GOL_JINJA_VALUE_DEPTH_MAX);
    switch (v->type) {
    case GOL_J_NONE:
        gol_buf_puts(w->out, "null");
        return 0;
    case GOL_J_BOOL:
        gol_buf_puts(w->out, v->b ? "true" : "false");
        return 0;
    case GOL_J_INT:
        gol_buf_printf(w->out, "%" PRId64, v->i);
        return 0;
    case GOL_J_FLOAT:
        put_float(w->out, v->f);
        return 0;
    case GOL_J_STRING:
        return put_string(w, v->str);
    case GOL_J_LIST:
    case GOL_J_TUPLE:
        return put_list(w, v->list, depth);
    case GOL_J_DICT:
        return put_dict(w, v->dict, depth);
    default:
        return gol_jinja_fail(w->j, "Object of type %s is not JSON serializable",
                              gol_jvalue_type_name(v));
    }
}

int gol_jvalue_put_json(gol_jinja *j, gol_buf *out, const gol_jvalue *v, const gol_jjson_opts *opts)
{
    const json_writer w = {j, out, opts};
    return put_value(&w, v, 0);
}
