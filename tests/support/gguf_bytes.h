/*
 * GGUF files put together byte by byte, without the writer: for files that no writer would make. A spec describes a small
 * valid file (one key, two F32 tensors of eight elements); a test changes fields and builds.
 */
#ifndef TESTS_SUPPORT_GGUF_BYTES_H
#define TESTS_SUPPORT_GGUF_BYTES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct gguf_bytes {
    uint8_t *data;
    size_t len;
    size_t cap;
} gguf_bytes;

static inline void bytes_put(gguf_bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->cap) {
        b->cap = 2 * (b->len + len);
        b->data = realloc(b->data, b->cap);
        assert(b->data);
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

static inline void bytes_put_u32(gguf_bytes *b, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};
    bytes_put(b, bytes, sizeof bytes);
}

static inline void bytes_put_u64(gguf_bytes *b, uint64_t v)
{
    bytes_put_u32(b, (uint32_t)v);
    bytes_put_u32(b, (uint32_t)(v >> 32));
}

static inline void bytes_put_zeros(gguf_bytes *b, size_t n)
{
    static const uint8_t zeros[4096];
    for (; n > sizeof zeros; n -= sizeof zeros)
        bytes_put(b, zeros, sizeof zeros);
    bytes_put(b, zeros, n);
}

static inline void bytes_put_str(gguf_bytes *b, const char *s)
{
    bytes_put_u64(b, strlen(s));
    bytes_put(b, s, strlen(s));
}

static inline void bytes_free(gguf_bytes *b)
{
    free(b->data);
    *b = (gguf_bytes){0};
}

typedef struct gguf_spec {
    uint32_t magic;
    uint32_t version;
    uint64_t n_tensors;
    uint64_t n_kv;
    const char *key;
    uint64_t key_len;
    uint32_t value_type;
    gguf_bytes value; /* as encoded */
    const char *names[2];
    uint64_t name_len; /* of the first; the second's is right */
    uint32_t n_dims;   /* of the first */
    uint64_t dims[5];  /* of the first; those from n_dims on are not written */
    uint32_t type;     /* of the first */
    uint64_t offsets[2];
    size_t alignment; /* of the data section */
    size_t n_data;
} gguf_spec;

static inline gguf_spec spec_valid(void)
{
    gguf_spec s = {.magic = 0x46554747,
                   .version = 3,
                   .n_tensors = 2,
                   .n_kv = 1,
                   .key = "some.key",
                   .key_len = 8,
                   .value_type = 4,
                   .names = {"first", "second"},
                   .name_len = 5,
                   .n_dims = 1,
                   .dims = {8, 1, 1, 1, 1},
                   .type = 0,
                   .offsets = {0, 32},
                   .alignment = 32,
                   .n_data = 64};
    bytes_put_u32(&s.value, 7);
    return s;
}

/* Sets the key's value; what was there is dropped. */
static inline void spec_set_value(gguf_spec *s, uint32_t type, const void *data, size_t len)
{
    s->value_type = type;
    s->value.len = 0;
    bytes_put(&s->value, data, len);
}

static inline void spec_begin_array(gguf_spec *s, uint32_t element_type, uint64_t n)
{
    s->value_type = 9;
    s->value.len = 0;
    bytes_put_u32(&s->value, element_type);
    bytes_put_u64(&s->value, n);
}

static inline void spec_set_key(gguf_spec *s, const char *key)
{
    s->key = key;
    s->key_len = strlen(key);
}

/* The file; the spec's own memory is released. */
static inline gguf_bytes spec_build(gguf_spec *s)
{
    gguf_bytes b = {0};
    bytes_put_u32(&b, s->magic);
    bytes_put_u32(&b, s->version);
    bytes_put_u64(&b, s->n_tensors);
    bytes_put_u64(&b, s->n_kv);
    bytes_put_u64(&b, s->key_len);
    bytes_put(&b, s->key, strlen(s->key));
    bytes_put_u32(&b, s->value_type);
    bytes_put(&b, s->value.data, s->value.len);
    bytes_put_u64(&b, s->name_len);
    bytes_put(&b, s->names[0], strlen(s->names[0]));
    bytes_put_u32(&b, s->n_dims);
    for (uint32_t d = 0; d < s->n_dims && d < 5; d++)
        bytes_put_u64(&b, s->dims[d]);
    bytes_put_u32(&b, s->type);
    bytes_put_u64(&b, s->offsets[0]);
    bytes_put_str(&b, s->names[1]);
    bytes_put_u32(&b, 1);
    bytes_put_u64(&b, 8);
    bytes_put_u32(&b, 0);
    bytes_put_u64(&b, s->offsets[1]);
    bytes_put_zeros(&b, (s->alignment - b.len % s->alignment) % s->alignment);
    bytes_put_zeros(&b, s->n_data);
    bytes_free(&s->value);
    return b;
}

#endif
