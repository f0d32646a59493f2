/*
 * GGUF metadata: key (u64 length + bytes), u32 type, value. Arrays are u32 element type, u64 count, elements; they nest.
 * Numbers are checked and viewed in place; string arrays get 8 bytes per string, nested arrays a gol_value per inner array.
 */
#include "formats/gguf_reader.h"

#include <inttypes.h>

static int read_value(gol_gguf_reader *r, gol_value_type type, int depth, gol_value *out);

static int read_type(gol_gguf_reader *r, const char *what, gol_value_type *out)
{
    const uint32_t id = gol_cursor_u32(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (id >= GOL_VALUE_N_TYPES)
        return gol_fail(r->err, GOL_EMODEL, "%s %" PRIu32 " at byte %zu; known are 0 to %d", what,
                        id, r->cursor.pos - 4, GOL_VALUE_N_TYPES - 1);
    *out = (gol_value_type)id;
    return 0;
}

static int check_bools(gol_gguf_reader *r, const uint8_t *data, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (data[i] > 1)
            return gol_fail(r->err, GOL_EMODEL,
                            "a bool with the value %u at byte %zu; accepted are 0 and 1", data[i],
                            (size_t)(data + i - r->cursor.data));
    }
    return 0;
}

static int read_numbers(gol_gguf_reader *r, gol_value_array *array)
{
    array->data = gol_cursor_array(&r->cursor, array->n, gol_value_type_size(array->type));
    if (!array->data)
        return gol_gguf_fail_end(r);
    return array->type == GOL_VALUE_BOOL ? check_bools(r, array->data, array->n) : 0;
}

static int read_strings(gol_gguf_reader *r, gol_value_array *array)
{
    if (array->n > gol_cursor_left(&r->cursor) / 8) /* a length each */
        return gol_fail(r->err, GOL_EMODEL,
                        "%" PRIu64 " strings do not fit into the remaining %zu bytes of the file",
                        array->n, gol_cursor_left(&r->cursor));
    uint64_t *offsets = gol_gguf_alloc(r, array->n, sizeof *offsets);
    if (!offsets)
        return r->err->code;
    const size_t start = r->cursor.pos;
    for (uint64_t i = 0; i < array->n; i++) {
        offsets[i] = r->cursor.pos - start;
        gol_str s;
        const int rc = gol_gguf_read_str(r, GOL_GGUF_STRING_MAX, &s);
        if (rc != 0)
            return gol_fail_prefix(r->err, "string %" PRIu64, i);
    }
    array->data = r->cursor.data + start;
    array->offsets = offsets;
    return 0;
}

static int read_arrays(gol_gguf_reader *r, gol_value_array *array, int depth)
{
    if (array->n > gol_cursor_left(&r->cursor) / 12) /* type and count each */
        return gol_fail(r->err, GOL_EMODEL,
                        "%" PRIu64 " arrays do not fit into the remaining %zu bytes of the file",
                        array->n, gol_cursor_left(&r->cursor));
    gol_value *values = gol_gguf_alloc(r, array->n, sizeof *values);
    if (!values)
        return r->err->code;
    for (uint64_t i = 0; i < array->n; i++) {
        const int rc = read_value(r, GOL_VALUE_ARRAY, depth + 1, &values[i]);
        if (rc != 0)
            return gol_fail_prefix(r->err, "array %" PRIu64, i);
    }
    array->values = values;
    return 0;
}

/* depth: 1 for an array that is a key's value. Bounds the recursion. */
static int read_array(gol_gguf_reader *r, int depth, gol_value_array *array)
{
    if (depth > GOL_GGUF_DEPTH_MAX)
        return gol_fail(r->err, GOL_EMODEL, "arrays nested deeper than %d at byte %zu",
                        GOL_GGUF_DEPTH_MAX, r->cursor.pos);
    *array = (gol_value_array){0};
    const int rc = read_type(r, "array element type", &array->type);
    if (rc != 0)
        return rc;
    array->n = gol_cursor_u64(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (array->n > GOL_GGUF_ARRAY_MAX)
        return gol_fail(r->err, GOL_EMODEL,
                        "an array of %" PRIu64 " elements at byte %zu; at most %d are accepted",
                        array->n, r->cursor.pos - 8, GOL_GGUF_ARRAY_MAX);
    if (array->type == GOL_VALUE_STRING)
        return read_strings(r, array);
    if (array->type == GOL_VALUE_ARRAY)
        return read_arrays(r, array, depth);
    return read_numbers(r, array);
}

static int read_value(gol_gguf_reader *r, gol_value_type type, int depth, gol_value *out)
{
    *out = (gol_value){.type = type};
    if (type == GOL_VALUE_STRING)
        return gol_gguf_read_str(r, GOL_GGUF_STRING_MAX, &out->str);
    if (type == GOL_VALUE_ARRAY)
        return read_array(r, depth, &out->array);
    const uint8_t *p = gol_cursor_bytes(&r->cursor, gol_value_type_size(type));
    if (!p)
        return gol_gguf_fail_end(r);
    gol_value_load(out, type, p);
    return type == GOL_VALUE_BOOL ? check_bools(r, p, 1) : 0;
}

static int read_pair(gol_gguf_reader *r, gol_meta *meta)
{
    int rc = gol_gguf_read_str(r, GOL_GGUF_KEY_MAX, &meta->key);
    if (rc != 0)
        return rc;
    if (meta->key.len == 0)
        return gol_fail(r->err, GOL_EMODEL, "an empty key at byte %zu", r->cursor.pos - 8);
    gol_value_type type = GOL_VALUE_U8;
    rc = read_type(r, "value type", &type);
    return rc != 0 ? rc : read_value(r, type, 1, &meta->value);
}

static int take_alignment(gol_gguf_reader *r, const gol_value *v)
{
    if (v->type != GOL_VALUE_U32)
        return gol_fail(r->err, GOL_EMODEL, "has type %s; u32 is accepted",
                        gol_value_type_name(v->type));
    const uint64_t a = v->u;
    if (a < 8 || a > GOL_GGUF_ALIGNMENT_MAX || (a & (a - 1)) != 0)
        return gol_fail(r->err, GOL_EMODEL,
                        "is %" PRIu64 "; a power of two from 8 to %d is accepted", a,
                        GOL_GGUF_ALIGNMENT_MAX);
    r->out->alignment = (uint32_t)a;
    return 0;
}

int gol_gguf_read_meta(gol_gguf_reader *r, uint64_t n_kv)
{
    gol_meta *meta = gol_gguf_alloc(r, n_kv, sizeof *meta);
    if (!meta)
        return r->err->code;
    for (uint64_t i = 0; i < n_kv; i++) {
        meta[i] = (gol_meta){0};
        int rc = read_pair(r, &meta[i]);
        if (rc == 0 && gol_str_is(meta[i].key, "general.alignment"))
            rc = take_alignment(r, &meta[i].value);
        if (rc != 0) {
            char key[96];
            return gol_fail_prefix(r->err, "metadata %" PRIu64 " '%s'", i,
                                   gol_quote(key, sizeof key, meta[i].key));
        }
    }
    r->out->meta = meta;
    r->out->n_meta = (size_t)n_kv;
    return 0;
}
