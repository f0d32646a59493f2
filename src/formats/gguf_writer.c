/*
 * Collecting what a GGUF file shall hold. Metadata is encoded as it is added, into one buffer; tensors are remembered as
 * views. The first failure sticks and is reported when the file is written (gguf_emit.c).
 */
#include "formats/gguf.h"

#include <string.h>

#include "base/mem.h"
#include "formats/gguf_writer_impl.h"

enum { GGUF_META_BYTES_MAX = 1 << 30 };

int gol_gguf_writer_create(gol_gguf_writer **out, gol_err *err)
{
    gol_gguf_writer *w = gol_try_calloc(1, sizeof *w);
    *out = w;
    if (!w)
        return gol_fail(err, GOL_ENOMEM, "out of memory for writing a GGUF file");
    gol_buf_init(&w->meta, GGUF_META_BYTES_MAX);
    w->alignment = GOL_GGUF_ALIGNMENT_DEFAULT;
    return 0;
}

void gol_gguf_writer_destroy(gol_gguf_writer **w)
{
    if (!*w)
        return;
    gol_buf_deinit(&(*w)->meta);
    gol_free((*w)->keys);
    gol_free((*w)->tensors);
    gol_free(*w);
    *w = NULL;
}

static bool has_failed(const gol_gguf_writer *w)
{
    return w->failure.code != 0;
}

static void fail_key(gol_gguf_writer *w, int code, gol_str key, const char *what)
{
    char quoted[96];
    if (!has_failed(w))
        gol_fail(&w->failure, code, "metadata '%s': %s", gol_quote(quoted, sizeof quoted, key),
                 what);
}

void gol_gguf_put_u32(gol_buf *buf, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};
    gol_buf_put(buf, bytes, sizeof bytes);
}

void gol_gguf_put_u64(gol_buf *buf, uint64_t v)
{
    gol_gguf_put_u32(buf, (uint32_t)v);
    gol_gguf_put_u32(buf, (uint32_t)(v >> 32));
}

void gol_gguf_put_str(gol_buf *buf, gol_str s)
{
    gol_gguf_put_u64(buf, s.len);
    gol_buf_put_str(buf, s);
}

/* The array with room for one more element, by doubling; NULL: out of memory, the old one stays. */
static void *grow(void *array, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return array;
    const size_t new_cap = *cap ? 2 * *cap : 64;
    void *p = gol_try_realloc(array, new_cap, size);
    if (p)
        *cap = new_cap;
    return p;
}

/* Key and type of a pair; false when nothing may follow. */
static bool begin_pair(gol_gguf_writer *w, gol_str key, gol_value_type type)
{
    if (has_failed(w))
        return false;
    if (key.len == 0 || key.len > GOL_GGUF_KEY_MAX)
        fail_key(w, GOL_EINVAL, key, "a key has 1 to 65535 bytes");
    else if (w->n_meta >= GOL_GGUF_KV_MAX)
        fail_key(w, GOL_EINVAL, key, "too many keys");
    if (has_failed(w))
        return false;
    gol_str *keys = grow(w->keys, &w->keys_cap, w->n_meta, sizeof *keys);
    if (!keys) {
        fail_key(w, GOL_ENOMEM, key, "out of memory");
        return false;
    }
    w->keys = keys;
    keys[w->n_meta++] = key;
    gol_gguf_put_str(&w->meta, key);
    gol_gguf_put_u32(&w->meta, type);
    return true;
}

static void end_pair(gol_gguf_writer *w, gol_str key)
{
    if (w->meta.failed)
        fail_key(w, GOL_ENOMEM, key, "out of memory, or over 1 GiB of metadata");
}

static void put_number(gol_buf *buf, gol_value_type type, uint64_t bits)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    gol_buf_put(buf, bytes, gol_value_type_size(type));
}

static uint64_t number_bits(const gol_value *v)
{
    uint64_t bits = 0;
    if (v->type == GOL_VALUE_F32) {
        const float f = (float)v->f;
        /* Little-endian machines only, as everywhere in gollum's tensor code. */
        memcpy(&bits, &f, sizeof f);
    } else if (v->type == GOL_VALUE_F64) {
        memcpy(&bits, &v->f, sizeof v->f);
    } else {
        bits = v->u; /* signed ones share its bits */
    }
    return bits;
}

/* Returns what is wrong, or NULL. */
static const char *put_value(gol_buf *buf, const gol_value *v, int depth)
{
    if (v->type == GOL_VALUE_STRING) {
        if (v->str.len > GOL_GGUF_STRING_MAX)
            return "a string over 64 MiB";
        gol_gguf_put_str(buf, v->str);
        return NULL;
    }
    if (v->type != GOL_VALUE_ARRAY) {
        if (gol_value_type_size(v->type) == 0)
            return "an unknown value type";
        put_number(buf, v->type, number_bits(v));
        return NULL;
    }
    if (depth > GOL_GGUF_DEPTH_MAX)
        return "arrays nested too deep";
    if (v->array.n > GOL_GGUF_ARRAY_MAX)
        return "an array of too many elements";
    gol_gguf_put_u32(buf, v->array.type);
    gol_gguf_put_u64(buf, v->array.n);
    const size_t size = gol_value_type_size(v->array.type);
    if (size > 0) {
        gol_buf_put(buf, v->array.data, (size_t)v->array.n * size);
        return NULL;
    }
    const char *wrong = NULL;
    for (uint64_t i = 0; i < v->array.n && !wrong && !buf->failed; i++) {
        gol_value element;
        wrong = gol_value_at(v, i, &element) ? put_value(buf, &element, depth + 1)
                                             : "an unknown element type";
    }
    return wrong;
}

void gol_gguf_writer_set_alignment(gol_gguf_writer *w, uint32_t alignment)
{
    if (alignment < 8 || alignment > GOL_GGUF_ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0) {
        fail_key(w, GOL_EINVAL, GOL_STR("general.alignment"),
                 "must be a power of two from 8 to 1048576");
        return;
    }
    w->alignment = alignment;
    w->has_alignment = true;
}

void gol_gguf_writer_add_value(gol_gguf_writer *w, gol_str key, const gol_value *v)
{
    /* Must be true of the file that is written: write() adds it. */
    if (gol_str_is(key, "general.alignment")) {
        uint64_t alignment = 0;
        gol_value_as_u64(v, &alignment);
        gol_gguf_writer_set_alignment(w, alignment > UINT32_MAX ? 0 : (uint32_t)alignment);
        return;
    }
    if (!begin_pair(w, key, v->type))
        return;
    const char *wrong = put_value(&w->meta, v, 1);
    if (wrong)
        fail_key(w, GOL_EINVAL, key, wrong);
    end_pair(w, key);
}

void gol_gguf_writer_add_u32(gol_gguf_writer *w, const char *key, uint32_t v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key), &(gol_value){.type = GOL_VALUE_U32, .u = v});
}

void gol_gguf_writer_add_i32(gol_gguf_writer *w, const char *key, int32_t v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key), &(gol_value){.type = GOL_VALUE_I32, .i = v});
}

void gol_gguf_writer_add_u64(gol_gguf_writer *w, const char *key, uint64_t v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key), &(gol_value){.type = GOL_VALUE_U64, .u = v});
}

void gol_gguf_writer_add_f32(gol_gguf_writer *w, const char *key, float v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key),
                              &(gol_value){.type = GOL_VALUE_F32, .f = (double)v});
}

void gol_gguf_writer_add_bool(gol_gguf_writer *w, const char *key, bool v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key), &(gol_value){.type = GOL_VALUE_BOOL, .u = v});
}

void gol_gguf_writer_add_str(gol_gguf_writer *w, const char *key, gol_str v)
{
    gol_gguf_writer_add_value(w, gol_str_from(key),
                              &(gol_value){.type = GOL_VALUE_STRING, .str = v});
}

void gol_gguf_writer_add_strs(gol_gguf_writer *w, const char *key, const gol_str *v, size_t n)
{
    const gol_str k = gol_str_from(key);
    if (n > GOL_GGUF_ARRAY_MAX)
        fail_key(w, GOL_EINVAL, k, "an array of too many elements");
    if (!begin_pair(w, k, GOL_VALUE_ARRAY))
        return;
    gol_gguf_put_u32(&w->meta, GOL_VALUE_STRING);
    gol_gguf_put_u64(&w->meta, n);
    for (size_t i = 0; i < n && !w->meta.failed; i++) {
        if (v[i].len > GOL_GGUF_STRING_MAX)
            fail_key(w, GOL_EINVAL, k, "a string over 64 MiB");
        else
            gol_gguf_put_str(&w->meta, v[i]);
    }
    end_pair(w, k);
}

void gol_gguf_writer_add_array(gol_gguf_writer *w, const char *key, gol_value_type type,
                               const void *data, size_t n)
{
    if (gol_value_type_size(type) == 0) {
        fail_key(w, GOL_EINVAL, gol_str_from(key), "only numbers and bools come as packed arrays");
        return;
    }
    const gol_value v = {.type = GOL_VALUE_ARRAY, .array = {.type = type, .n = n, .data = data}};
    gol_gguf_writer_add_value(w, gol_str_from(key), &v);
}

/* Elements and bytes of a tensor from its type and shape; false: not one that the reader accepts. */
static bool measure_tensor(gol_tensor *t)
{
    if (t->name.len == 0 || t->name.len > GOL_GGUF_NAME_MAX || t->n_dims < 1 ||
        t->n_dims > GOL_DIMS_MAX || !gol_type_find((uint32_t)t->type))
        return false;
    for (int d = t->n_dims; d < GOL_DIMS_MAX; d++)
        t->shape[d] = 1;
    uint64_t n_rows;
    size_t row_bytes;
    return t->shape[0] != 0 && t->shape[1] != 0 && t->shape[2] != 0 && t->shape[3] != 0 &&
           !__builtin_mul_overflow(t->shape[1], t->shape[2], &n_rows) &&
           !__builtin_mul_overflow(n_rows, t->shape[3], &n_rows) &&
           !__builtin_mul_overflow(n_rows, t->shape[0], &t->n_elements) &&
           t->n_elements <= INT64_MAX && gol_type_row_bytes(&row_bytes, t->type, t->shape[0]) &&
           !__builtin_mul_overflow(n_rows, (uint64_t)row_bytes, &t->n_bytes) &&
           t->n_bytes <= INT64_MAX;
}

void gol_gguf_writer_add_tensor(gol_gguf_writer *w, const gol_tensor *tensor)
{
    if (has_failed(w))
        return;
    char name[96];
    gol_quote(name, sizeof name, tensor->name);
    gol_tensor t = *tensor;
    if (w->n_tensors >= GOL_GGUF_TENSORS_MAX) {
        gol_fail(&w->failure, GOL_EINVAL, "tensor '%s': too many tensors", name);
        return;
    }
    if (!measure_tensor(&t)) {
        gol_fail(&w->failure, GOL_EINVAL, "tensor '%s': name, type or shape cannot be written",
                 name);
        return;
    }
    gol_tensor *tensors = grow(w->tensors, &w->tensors_cap, w->n_tensors, sizeof *tensors);
    if (!tensors) {
        gol_fail(&w->failure, GOL_ENOMEM, "tensor '%s': out of memory", name);
        return;
    }
    w->tensors = tensors;
    tensors[w->n_tensors++] = t;
}
