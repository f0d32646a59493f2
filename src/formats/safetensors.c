/*
 * The header of one safetensors file (rules in safetensors.h). Works on the JSON tree, copies what is kept into an arena, then
 * checks the spans in the order of their offsets.
 */
#include "formats/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "formats/json_doc.h"

enum {
    ARENA_BYTES_MAX = 1 << 28, /* all names at their longest, and the table */
    HEADER_DEPTH_MAX = 8,      /* three are needed */
};

static const gol_dtype_info dtypes[GOL_DTYPE_N] = {
    [GOL_DTYPE_BOOL] = {"BOOL", 8, false, 0},
    [GOL_DTYPE_F4] = {"F4", 4, false, 0},
    [GOL_DTYPE_F6_E2M3] = {"F6_E2M3", 6, false, 0},
    [GOL_DTYPE_F6_E3M2] = {"F6_E3M2", 6, false, 0},
    [GOL_DTYPE_U8] = {"U8", 8, false, 0},
    [GOL_DTYPE_I8] = {"I8", 8, true, GOL_TYPE_I8},
    [GOL_DTYPE_F8_E5M2] = {"F8_E5M2", 8, false, 0},
    [GOL_DTYPE_F8_E4M3] = {"F8_E4M3", 8, false, 0},
    [GOL_DTYPE_F8_E8M0] = {"F8_E8M0", 8, false, 0},
    [GOL_DTYPE_I16] = {"I16", 16, true, GOL_TYPE_I16},
    [GOL_DTYPE_U16] = {"U16", 16, false, 0},
    [GOL_DTYPE_F16] = {"F16", 16, true, GOL_TYPE_F16},
    [GOL_DTYPE_BF16] = {"BF16", 16, true, GOL_TYPE_BF16},
    [GOL_DTYPE_I32] = {"I32", 32, true, GOL_TYPE_I32},
    [GOL_DTYPE_U32] = {"U32", 32, false, 0},
    [GOL_DTYPE_F32] = {"F32", 32, true, GOL_TYPE_F32},
    [GOL_DTYPE_C64] = {"C64", 64, false, 0},
    [GOL_DTYPE_F64] = {"F64", 64, true, GOL_TYPE_F64},
    [GOL_DTYPE_I64] = {"I64", 64, true, GOL_TYPE_I64},
    [GOL_DTYPE_U64] = {"U64", 64, false, 0},
};

const gol_dtype_info *gol_dtype_get(gol_dtype dtype)
{
    return &dtypes[dtype];
}

bool gol_safetensors_probe(const uint8_t *data, uint64_t size)
{
    return size > 8 && data[8] == '{' && gol_load_u64(data) <= size - 8;
}

static int read_dtype(gol_safetensor *t, const json_t *value, gol_err *err)
{
    if (!json_is_string(value))
        return gol_fail(err, GOL_EMODEL, "dtype is %s; a string is expected",
                        value ? gol_json_type_name(value) : "missing");
    const gol_str name = gol_json_str(value);
    for (int i = 0; i < GOL_DTYPE_N; i++) {
        if (gol_str_is(name, dtypes[i].name)) {
            t->dtype = (gol_dtype)i;
            return 0;
        }
    }
    char quoted[48];
    return gol_fail(err, GOL_EUNSUPPORTED, "dtype '%s' is none that safetensors has",
                    gol_quote(quoted, sizeof quoted, name));
}

static int read_shape(gol_safetensor *t, const json_t *value, gol_err *err)
{
    if (!json_is_array(value))
        return gol_fail(err, GOL_EMODEL, "shape is %s; an array is expected",
                        value ? gol_json_type_name(value) : "missing");
    const size_t n_dims = json_array_size(value);
    if (n_dims > GOL_SAFETENSORS_DIMS_MAX)
        return gol_fail(err, GOL_EUNSUPPORTED, "has %zu dimensions; at most %d are accepted",
                        n_dims, GOL_SAFETENSORS_DIMS_MAX);
    t->n_dims = (int)n_dims;
    t->n_elements = 1;
    bool has_overflow = false;
    for (size_t i = 0; i < n_dims; i++) {
        const json_t *dim = json_array_get(value, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return gol_fail(err, GOL_EMODEL, "dimension %zu is no whole number of 0 or more", i);
        t->shape[i] = (uint64_t)json_integer_value(dim);
        has_overflow |= __builtin_mul_overflow(t->n_elements, t->shape[i], &t->n_elements);
    }
    if (has_overflow || t->n_elements > INT64_MAX)
        return gol_fail(err, GOL_EMODEL, "the shape has too many elements");
    return 0;
}

/* Leaves the beginning in the data in offset: the caller adds where these begin. */
static int read_offsets(gol_safetensor *t, const json_t *value, uint64_t n_data, gol_err *err)
{
    const json_t *begin = json_array_get(value, 0);
    const json_t *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return gol_fail(err, GOL_EMODEL,
                        "data_offsets is no pair of whole numbers, the second not the smaller one");
    t->offset = (uint64_t)json_integer_value(begin);
    const uint64_t end_offset = (uint64_t)json_integer_value(end);
    if (end_offset > n_data)
        return gol_fail(err, GOL_EMODEL,
                        "data_offsets end at %" PRIu64 ", the file has %" PRIu64
                        " bytes of tensors (cut short?)",
                        end_offset, n_data);
    t->n_bytes = end_offset - t->offset;
    return 0;
}

/* The span must be what dtype and shape say. */
static int check_span(const gol_safetensor *t, gol_err *err)
{
    const gol_dtype_info *info = &dtypes[t->dtype];
    uint64_t n_bits;
    if (__builtin_mul_overflow(t->n_elements, (uint64_t)info->n_bits, &n_bits))
        return gol_fail(err, GOL_EMODEL, "%" PRIu64 " elements of %s are too many bytes",
                        t->n_elements, info->name);
    if (n_bits % 8 != 0)
        return gol_fail(err, GOL_EMODEL, "%" PRIu64 " elements of %s are no whole number of bytes",
                        t->n_elements, info->name);
    if (n_bits / 8 != t->n_bytes)
        return gol_fail(err, GOL_EMODEL,
                        "data_offsets span %" PRIu64 " bytes; %" PRIu64
                        " elements of %s are %" PRIu64,
                        t->n_bytes, t->n_elements, info->name, n_bits / 8);
    return 0;
}

static int read_tensor(gol_safetensor *t, const json_t *value, uint64_t n_data, gol_err *err)
{
    if (!json_is_object(value))
        return gol_fail(err, GOL_EMODEL, "is %s; an object is expected", gol_json_type_name(value));
    int rc = read_dtype(t, json_object_get(value, "dtype"), err);
    if (rc == 0)
        rc = read_shape(t, json_object_get(value, "shape"), err);
    if (rc == 0)
        rc = read_offsets(t, json_object_get(value, "data_offsets"), n_data, err);
    return rc != 0 ? rc : check_span(t, err);
}

/* __metadata__: texts by name, nothing that we need. */
static int check_metadata(json_t *value, gol_err *err)
{
    if (!json_is_object(value))
        return gol_fail(err, GOL_EMODEL, "__metadata__ is %s; an object is expected",
                        gol_json_type_name(value));
    const char *key;
    json_t *text;
    json_object_foreach(value, key, text)
    {
        if (!json_is_string(text))
            return gol_fail(err, GOL_EMODEL, "__metadata__ holds %s; only strings are accepted",
                            gol_json_type_name(text));
    }
    return 0;
}

static int fail_tensor(const gol_safetensor *t, gol_err *err)
{
    char quoted[128];
    return gol_fail_prefix(err, "tensor '%s'", gol_quote(quoted, sizeof quoted, t->name));
}

static int copy_name(gol_safetensors *out, gol_safetensor *t, const char *key, size_t key_len,
                     gol_err *err)
{
    if (key_len == 0 || key_len > GOL_SAFETENSORS_NAME_MAX)
        return gol_fail(err, GOL_EMODEL, "a name of %zu bytes; 1 to %d are accepted", key_len,
                        GOL_SAFETENSORS_NAME_MAX);
    const char *copy = gol_arena_try_strdup(out->arena, (gol_str){key, key_len});
    if (!copy)
        return gol_fail(err, GOL_ENOMEM, "out of memory");
    t->name = (gol_str){copy, key_len};
    return 0;
}

static int read_header(gol_safetensors *out, json_t *header, uint64_t n_data, gol_err *err)
{
    const size_t n_keys = json_object_size(header);
    if (n_keys > GOL_SAFETENSORS_TENSORS_MAX)
        return gol_fail(err, GOL_EMODEL, "has %zu tensors; at most %d are accepted", n_keys,
                        GOL_SAFETENSORS_TENSORS_MAX);
    out->tensors = gol_arena_try_calloc(out->arena, n_keys, sizeof *out->tensors);
    if (!out->tensors)
        return gol_fail(err, GOL_ENOMEM, "out of memory");
    const char *key;
    json_t *value;
    json_object_foreach(header, key, value)
    {
        if (strcmp(key, "__metadata__") == 0) {
            const int rc = check_metadata(value, err);
            if (rc != 0)
                return rc;
            continue;
        }
        gol_safetensor *t = &out->tensors[out->n];
        int rc = copy_name(out, t, key, strlen(key), err);
        if (rc != 0)
            return rc;
        rc = read_tensor(t, value, n_data, err);
        if (rc != 0)
            return fail_tensor(t, err);
        out->n++;
    }
    return 0;
}

static int compare_spans(const void *a, const void *b)
{
    const gol_safetensor *x = a;
    const gol_safetensor *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes); /* an empty one before the next */
}

/* One after the other, from the first byte to the last. */
static int check_order(gol_safetensors *out, uint64_t data_offset, uint64_t n_data, gol_err *err)
{
    if (out->n > 1)
        qsort(out->tensors, out->n, sizeof *out->tensors, compare_spans);
    uint64_t end = 0;
    for (size_t i = 0; i < out->n; i++) {
        gol_safetensor *t = &out->tensors[i];
        if (t->offset != end) {
            gol_fail(err, GOL_EMODEL, "begins at byte %" PRIu64 " of the tensors, %s %" PRIu64,
                     t->offset,
                     t->offset > end ? "behind a hole: the one before it ends at"
                                     : "inside another one, which ends at",
                     end);
            return fail_tensor(t, err);
        }
        end += t->n_bytes;
        t->offset += data_offset;
    }
    if (end != n_data)
        return gol_fail(err, GOL_EMODEL,
                        "the tensors end at byte %" PRIu64 " of %" PRIu64 " (bytes without a use)",
                        end, n_data);
    return 0;
}

static int parse(gol_safetensors *out, const uint8_t *data, uint64_t size, gol_err *err)
{
    if (size < 8)
        return gol_fail(err, GOL_EMODEL, "has %" PRIu64 " bytes; a safetensors file has 8 and more",
                        size);
    const uint64_t n_header = gol_load_u64(data);
    if (n_header > GOL_SAFETENSORS_HEADER_MAX)
        return gol_fail(err, GOL_EMODEL,
                        "the header's length is %" PRIu64 "; at most %d bytes are accepted",
                        n_header, GOL_SAFETENSORS_HEADER_MAX);
    if (n_header > size - 8)
        return gol_fail(err, GOL_EMODEL,
                        "the header's length is %" PRIu64 ", the file goes on for %" PRIu64
                        " bytes (cut short?)",
                        n_header, size - 8);
    if (n_header == 0 || data[8] != '{')
        return gol_fail(err, GOL_EMODEL, "the header does not begin with '{'");
    const gol_json_limits limits = {HEADER_DEPTH_MAX, GOL_SAFETENSORS_VALUES_MAX};
    json_t *header;
    int rc = gol_json_doc_parse(&header, (gol_str){(const char *)data + 8, (size_t)n_header},
                                &limits, "header", err);
    if (rc != 0)
        return rc;
    out->arena = gol_try_calloc(1, sizeof *out->arena);
    if (out->arena) {
        gol_arena_init(out->arena, ARENA_BYTES_MAX);
        rc = read_header(out, header, size - 8 - n_header, err);
    } else {
        rc = gol_fail(err, GOL_ENOMEM, "out of memory");
    }
    json_decref(header);
    return rc != 0 ? rc : check_order(out, 8 + n_header, size - 8 - n_header, err);
}

int gol_safetensors_parse(gol_safetensors *out, const uint8_t *data, uint64_t size,
                          const char *name, gol_err *err)
{
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    *out = (gol_safetensors){0};
    const int rc = parse(out, data, size, e);
    if (rc != 0) {
        char quoted[GOL_ERR_MESSAGE_MAX / 2];
        gol_fail_prefix(e, "%s", gol_quote(quoted, sizeof quoted, gol_str_from(name)));
        gol_safetensors_deinit(out);
    }
    return rc;
}

void gol_safetensors_deinit(gol_safetensors *file)
{
    if (file->arena)
        gol_arena_deinit(file->arena);
    gol_free(file->arena);
    *file = (gol_safetensors){0};
}
