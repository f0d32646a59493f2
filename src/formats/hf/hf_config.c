/*
 * Reading config.json and writing metadata, for the families. The first failure sticks: a family reads and puts what it wants,
 * and whoever called it asks hf->rc once.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/hf/hf_model.h"

enum { KEY_MAX = 128 };

void gol_hf_refuse(gol_hf *hf, int code, const char *format, ...)
{
    if (hf->rc != 0)
        return;
    char message[GOL_ERR_MESSAGE_MAX];
    char path[GOL_ERR_MESSAGE_MAX / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    gol_quote(path, sizeof path, gol_str_from(hf->file->path));
    hf->rc = gol_fail(hf->err, code, "%s: config.json: %s", path, message);
}

static void fail_memory(gol_hf *hf)
{
    gol_hf_refuse(hf, GOL_ENOMEM, "out of memory");
}

const json_t *gol_hf_find(gol_hf *hf, const char *key)
{
    const json_t *value = hf->config;
    for (const char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
        char object[KEY_MAX];
        snprintf(object, sizeof object, "%.*s", (int)(dot - key), key);
        value = json_object_get(value, object);
        key = dot + 1;
    }
    value = json_object_get(value, key);
    return json_is_null(value) ? NULL : value;
}

bool gol_hf_has(gol_hf *hf, const char *key)
{
    return gol_hf_find(hf, key) != NULL;
}

const char *gol_hf_key(gol_hf *hf, const char *a, const char *b)
{
    if (gol_hf_has(hf, a))
        return a;
    return gol_hf_has(hf, b) ? b : NULL;
}

static const json_t *require(gol_hf *hf, const char *key)
{
    const json_t *value = gol_hf_find(hf, key);
    if (!value)
        gol_hf_refuse(hf, GOL_EMODEL, "%s is missing", key);
    return value;
}

static uint32_t to_u32(gol_hf *hf, const char *key, const json_t *value)
{
    if (!json_is_integer(value)) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %s; a whole number is expected", key,
                      gol_json_type_name(value));
        return 0;
    }
    const json_int_t v = json_integer_value(value);
    if (v < 0 || v > INT32_MAX) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %" JSON_INTEGER_FORMAT "; 0 to %d is accepted", key, v,
                      INT32_MAX);
        return 0;
    }
    return (uint32_t)v;
}

uint32_t gol_hf_u32(gol_hf *hf, const char *key)
{
    const json_t *value = hf->rc == 0 ? require(hf, key) : NULL;
    return value ? to_u32(hf, key, value) : 0;
}

uint32_t gol_hf_u32_or(gol_hf *hf, const char *key, uint32_t otherwise)
{
    const json_t *value = hf->rc == 0 ? gol_hf_find(hf, key) : NULL;
    return value ? to_u32(hf, key, value) : otherwise;
}

static double to_real(gol_hf *hf, const char *key, const json_t *value)
{
    if (!json_is_number(value)) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %s; a number is expected", key,
                      gol_json_type_name(value));
        return 0;
    }
    const double v = json_number_value(value);
    if (!(fabs(v) <= 3e38)) { /* what a GGUF float holds */
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %g, which is too large", key, v);
        return 0;
    }
    return v;
}

double gol_hf_real(gol_hf *hf, const char *key)
{
    const json_t *value = hf->rc == 0 ? require(hf, key) : NULL;
    return value ? to_real(hf, key, value) : 0;
}

double gol_hf_real_or(gol_hf *hf, const char *key, double otherwise)
{
    const json_t *value = hf->rc == 0 ? gol_hf_find(hf, key) : NULL;
    return value ? to_real(hf, key, value) : otherwise;
}

bool gol_hf_bool_or(gol_hf *hf, const char *key, bool otherwise)
{
    const json_t *value = hf->rc == 0 ? gol_hf_find(hf, key) : NULL;
    if (!value)
        return otherwise;
    if (!json_is_boolean(value)) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %s; true or false is expected", key,
                      gol_json_type_name(value));
        return otherwise;
    }
    return json_is_true(value);
}

gol_str gol_hf_text_or(gol_hf *hf, const char *key, const char *otherwise)
{
    const json_t *value = hf->rc == 0 ? gol_hf_find(hf, key) : NULL;
    if (!value)
        return gol_str_from(otherwise);
    if (!json_is_string(value)) {
        gol_hf_refuse(hf, GOL_EMODEL, "%s is %s; a string is expected", key,
                      gol_json_type_name(value));
        return gol_str_from(otherwise);
    }
    return gol_json_str(value);
}

/* ------------------------------------------------------------------ metadata ---- */

void gol_hf_put_meta(gol_hf *hf, const char *key, const gol_value *value)
{
    if (hf->rc != 0)
        return;
    for (size_t i = 0; i < hf->n_meta; i++) {
        if (gol_str_is(hf->meta[i].key, key)) {
            hf->meta[i].value = *value;
            return;
        }
    }
    const char *copy = gol_arena_try_strdup(hf->arena, gol_str_from(key));
    if (!copy) {
        fail_memory(hf);
        return;
    }
    if (hf->n_meta == GOL_HF_META_MAX) {
        gol_hf_refuse(hf, GOL_EMODEL, "gives more than %d metadata keys", (int)GOL_HF_META_MAX);
        return;
    }
    hf->meta[hf->n_meta++] = (gol_meta){.key = gol_str_from(copy), .value = *value};
}

static void put(gol_hf *hf, const char *name, const gol_value *value)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "%s.%s", hf->family->arch, name);
    gol_hf_put_meta(hf, key, value);
}

void gol_hf_put_u32(gol_hf *hf, const char *name, uint32_t v)
{
    put(hf, name, &(gol_value){.type = GOL_VALUE_U32, .u = v});
}

void gol_hf_put_f32(gol_hf *hf, const char *name, double v)
{
    put(hf, name, &(gol_value){.type = GOL_VALUE_F32, .f = (double)(float)v});
}

void gol_hf_put_bool(gol_hf *hf, const char *name, bool v)
{
    put(hf, name, &(gol_value){.type = GOL_VALUE_BOOL, .u = v});
}

void gol_hf_put_str(gol_hf *hf, const char *name, gol_str v)
{
    const char *copy = hf->rc == 0 ? gol_arena_try_strdup(hf->arena, v) : NULL;
    if (copy)
        put(hf, name, &(gol_value){.type = GOL_VALUE_STRING, .str = {copy, v.len}});
    else
        fail_memory(hf);
}

static void put_array(gol_hf *hf, const char *name, gol_value_type type, const void *data, size_t n)
{
    if (hf->rc != 0)
        return;
    const size_t size = gol_value_type_size(type);
    void *copy = gol_arena_try_array(hf->arena, n, size);
    if (!copy) {
        fail_memory(hf);
        return;
    }
    memcpy(copy, data, n * size); /* little-endian, as all machines that we build for */
    put(hf, name,
        &(gol_value){.type = GOL_VALUE_ARRAY, .array = {.type = type, .n = n, .data = copy}});
}

void gol_hf_put_u32s(gol_hf *hf, const char *name, const uint32_t *v, size_t n)
{
    put_array(hf, name, GOL_VALUE_U32, v, n);
}

void gol_hf_put_bools(gol_hf *hf, const char *name, const bool *v, size_t n)
{
    static_assert(sizeof *v == 1, "a bool is a byte of the array");
    put_array(hf, name, GOL_VALUE_BOOL, v, n);
}

void gol_hf_put_strs(gol_hf *hf, const char *name, const char *const *v, size_t n)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < n; i++)
        n_bytes += sizeof(uint64_t) + strlen(v[i]);
    if (hf->rc != 0)
        return;
    uint8_t *data = gol_arena_try_array(hf->arena, n_bytes, 1);
    uint64_t *offsets = gol_arena_try_array(hf->arena, n, sizeof *offsets);
    if (!data || !offsets) {
        fail_memory(hf);
        return;
    }
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t len = strlen(v[i]);
        offsets[i] = at;
        memcpy(data + at, &len, sizeof len);
        memcpy(data + at + sizeof len, v[i], len);
        at += sizeof len + len;
    }
    put(hf, name,
        &(gol_value){
            .type = GOL_VALUE_ARRAY,
            .array = {.type = GOL_VALUE_STRING, .n = n, .data = data, .offsets = offsets}});
}

void gol_hf_put_floats(gol_hf *hf, const char *name, const float *v, size_t n)
{
    if (hf->rc != 0)
        return;
    float *copy = gol_arena_try_array(hf->arena, n, sizeof *copy);
    gol_hf_recipe *recipe = gol_arena_try_calloc(hf->arena, 1, sizeof *recipe);
    const char *name_copy = gol_arena_try_strdup(hf->arena, gol_str_from(name));
    if (!copy || !recipe || !name_copy) {
        fail_memory(hf);
        return;
    }
    memcpy(copy, v, n * sizeof *v);
    gol_tensor *t = gol_hf_add_tensor(hf);
    if (!t)
        return;
    *t = (gol_tensor){.name = gol_str_from(name_copy),
                      .type = GOL_TYPE_F32,
                      .n_dims = 1,
                      .shape = {n, 1, 1, 1},
                      .n_elements = n,
                      .data = (const uint8_t *)copy,
                      .n_bytes = n * sizeof *copy,
                      .recipe = recipe};
}

gol_tensor *gol_hf_add_tensor(gol_hf *hf)
{
    if (hf->n_tensors == hf->tensors_cap) {
        const size_t cap = hf->tensors_cap ? 2 * hf->tensors_cap : 256;
        gol_tensor *tensors = gol_arena_try_calloc(hf->arena, cap, sizeof *tensors);
        if (!tensors) {
            fail_memory(hf);
            return NULL;
        }
        if (hf->n_tensors > 0)
            memcpy(tensors, hf->tensors, hf->n_tensors * sizeof *tensors);
        hf->tensors = tensors;
        hf->tensors_cap = cap;
    }
    return &hf->tensors[hf->n_tensors++];
}
