/*
 * Metadata values: type names, conversions that lose nothing, element access, equality.
 * Assumes that arrays were checked by the reader that made them: data holds all n elements, string records lie inside.
 */
#include "formats/value.h"

#include <stddef.h>

#include "base/cursor.h"

static const char *const type_names[GOL_VALUE_N_TYPES] = {
    [GOL_VALUE_U8] = "u8",       [GOL_VALUE_I8] = "i8",     [GOL_VALUE_U16] = "u16",
    [GOL_VALUE_I16] = "i16",     [GOL_VALUE_U32] = "u32",   [GOL_VALUE_I32] = "i32",
    [GOL_VALUE_F32] = "f32",     [GOL_VALUE_BOOL] = "bool", [GOL_VALUE_STRING] = "string",
    [GOL_VALUE_ARRAY] = "array", [GOL_VALUE_U64] = "u64",   [GOL_VALUE_I64] = "i64",
    [GOL_VALUE_F64] = "f64",
};

static const uint8_t type_sizes[GOL_VALUE_N_TYPES] = {
    [GOL_VALUE_U8] = 1,  [GOL_VALUE_I8] = 1,  [GOL_VALUE_U16] = 2, [GOL_VALUE_I16] = 2,
    [GOL_VALUE_U32] = 4, [GOL_VALUE_I32] = 4, [GOL_VALUE_F32] = 4, [GOL_VALUE_BOOL] = 1,
    [GOL_VALUE_U64] = 8, [GOL_VALUE_I64] = 8, [GOL_VALUE_F64] = 8,
};

const char *gol_value_type_name(gol_value_type type)
{
    return (unsigned)type < GOL_VALUE_N_TYPES ? type_names[type] : "unknown";
}

size_t gol_value_type_size(gol_value_type type)
{
    return (unsigned)type < GOL_VALUE_N_TYPES ? type_sizes[type] : 0;
}

bool gol_value_load(gol_value *out, gol_value_type type, const void *p)
{
    *out = (gol_value){.type = type};
    switch (type) {
    case GOL_VALUE_U8:
    case GOL_VALUE_BOOL:
        out->u = *(const uint8_t *)p;
        return true;
    case GOL_VALUE_I8:
        out->i = *(const int8_t *)p;
        return true;
    case GOL_VALUE_U16:
        out->u = gol_load_u16(p);
        return true;
    case GOL_VALUE_I16:
        out->i = (int16_t)gol_load_u16(p);
        return true;
    case GOL_VALUE_U32:
        out->u = gol_load_u32(p);
        return true;
    case GOL_VALUE_I32:
        out->i = (int32_t)gol_load_u32(p);
        return true;
    case GOL_VALUE_U64:
        out->u = gol_load_u64(p);
        return true;
    case GOL_VALUE_I64:
        out->i = (int64_t)gol_load_u64(p);
        return true;
    case GOL_VALUE_F32:
        out->f = (double)gol_load_f32(p);
        return true;
    case GOL_VALUE_F64:
        out->f = gol_load_f64(p);
        return true;
    case GOL_VALUE_STRING:
    case GOL_VALUE_ARRAY:
    case GOL_VALUE_N_TYPES:
        break;
    }
    return false;
}

static bool is_unsigned(gol_value_type type)
{
    return type == GOL_VALUE_U8 || type == GOL_VALUE_U16 || type == GOL_VALUE_U32 ||
           type == GOL_VALUE_U64;
}

static bool is_signed(gol_value_type type)
{
    return type == GOL_VALUE_I8 || type == GOL_VALUE_I16 || type == GOL_VALUE_I32 ||
           type == GOL_VALUE_I64;
}

bool gol_value_as_u64(const gol_value *v, uint64_t *out)
{
    if (is_unsigned(v->type)) {
        *out = v->u;
        return true;
    }
    if (is_signed(v->type) && v->i >= 0) {
        *out = (uint64_t)v->i;
        return true;
    }
    return false;
}

bool gol_value_as_i64(const gol_value *v, int64_t *out)
{
    if (is_signed(v->type)) {
        *out = v->i;
        return true;
    }
    if (is_unsigned(v->type) && v->u <= INT64_MAX) {
        *out = (int64_t)v->u;
        return true;
    }
    return false;
}

/* Of the integers only those a double holds exactly: at most 53 significant bits. */
static bool fits_double(uint64_t magnitude)
{
    if (magnitude == 0)
        return true;
    return 64 - __builtin_clzll(magnitude) - __builtin_ctzll(magnitude) <= 53;
}

bool gol_value_as_f64(const gol_value *v, double *out)
{
    if (v->type == GOL_VALUE_F32 || v->type == GOL_VALUE_F64) {
        *out = v->f;
        return true;
    }
    if (is_unsigned(v->type) && fits_double(v->u)) {
        *out = (double)v->u;
        return true;
    }
    if (is_signed(v->type) && fits_double(v->i < 0 ? 0 - (uint64_t)v->i : (uint64_t)v->i)) {
        *out = (double)v->i;
        return true;
    }
    return false;
}

bool gol_value_as_bool(const gol_value *v, bool *out)
{
    if (v->type != GOL_VALUE_BOOL)
        return false;
    *out = v->u != 0;
    return true;
}

bool gol_value_as_str(const gol_value *v, gol_str *out)
{
    if (v->type != GOL_VALUE_STRING)
        return false;
    *out = v->str;
    return true;
}

uint64_t gol_value_n(const gol_value *v)
{
    return v->type == GOL_VALUE_ARRAY ? v->array.n : 0;
}

bool gol_value_at(const gol_value *v, uint64_t i, gol_value *out)
{
    if (i >= gol_value_n(v))
        return false;
    const gol_value_array *array = &v->array;
    if (array->type == GOL_VALUE_ARRAY) {
        *out = array->values[i];
        return true;
    }
    if (array->type == GOL_VALUE_STRING) {
        const uint8_t *record = array->data + array->offsets[i];
        *out = (gol_value){.type = GOL_VALUE_STRING,
                           .str = {(const char *)record + 8, (size_t)gol_load_u64(record)}};
        return true;
    }
    return gol_value_load(out, array->type, array->data + i * type_sizes[array->type]);
}

bool gol_value_at_u64(const gol_value *v, uint64_t i, uint64_t *out)
{
    gol_value element;
    return gol_value_at(v, i, &element) && gol_value_as_u64(&element, out);
}

bool gol_value_at_i64(const gol_value *v, uint64_t i, int64_t *out)
{
    gol_value element;
    return gol_value_at(v, i, &element) && gol_value_as_i64(&element, out);
}

bool gol_value_at_f64(const gol_value *v, uint64_t i, double *out)
{
    gol_value element;
    return gol_value_at(v, i, &element) && gol_value_as_f64(&element, out);
}

bool gol_value_at_bool(const gol_value *v, uint64_t i, bool *out)
{
    gol_value element;
    return gol_value_at(v, i, &element) && gol_value_as_bool(&element, out);
}

bool gol_value_at_str(const gol_value *v, uint64_t i, gol_str *out)
{
    gol_value element;
    return gol_value_at(v, i, &element) && gol_value_as_str(&element, out);
}

static bool array_eq(const gol_value_array *a, const gol_value_array *b)
{
    if (a->type != b->type || a->n != b->n)
        return false;
    const size_t size = gol_value_type_size(a->type);
    if (size > 0)
        return a->n == 0 || memcmp(a->data, b->data, (size_t)a->n * size) == 0;
    const gol_value va = {.type = GOL_VALUE_ARRAY, .array = *a};
    const gol_value vb = {.type = GOL_VALUE_ARRAY, .array = *b};
    for (uint64_t i = 0; i < a->n; i++) {
        gol_value ea;
        gol_value eb;
        if (!gol_value_at(&va, i, &ea) || !gol_value_at(&vb, i, &eb) || !gol_value_eq(&ea, &eb))
            return false;
    }
    return true;
}

bool gol_value_eq(const gol_value *a, const gol_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case GOL_VALUE_STRING:
        return gol_str_eq(a->str, b->str);
    case GOL_VALUE_ARRAY:
        return array_eq(&a->array, &b->array);
    case GOL_VALUE_F32:
    case GOL_VALUE_F64:
        return memcmp(&a->f, &b->f, sizeof a->f) == 0; /* a NaN equals itself, 0 and -0 differ */
    default:
        return a->u == b->u;
    }
}
