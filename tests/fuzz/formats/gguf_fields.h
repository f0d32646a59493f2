/*
 * Where the fields of a valid GGUF file lie: a reader of its own, so that the mutations do not depend on the code that they
 * test. Trusts its input, which the writer has just made.
 */
#ifndef TESTS_FUZZ_FORMATS_GGUF_FIELDS_H
#define TESTS_FUZZ_FORMATS_GGUF_FIELDS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FIELDS_MAX = 8192, RECORDS_MAX = 256 };

typedef struct gguf_field {
    size_t pos;
    size_t size; /* 4 or 8: a number of the format's own; otherwise payload */
} gguf_field;

typedef struct gguf_record { /* a key-value pair or a tensor description */
    size_t begin;
    size_t end;
} gguf_record;

typedef struct gguf_fields {
    size_t n_fields;
    gguf_field fields[FIELDS_MAX];
    size_t n_pairs;
    gguf_record pairs[RECORDS_MAX];
    size_t n_tensors;
    gguf_record tensors[RECORDS_MAX];
    const uint8_t *data;
    size_t pos;
} gguf_fields;

static inline uint64_t fields_take(gguf_fields *f, size_t size)
{
    uint64_t v = 0;
    assert(f->n_fields < FIELDS_MAX);
    memcpy(&v, f->data + f->pos, size < 8 ? size : 8);
    f->fields[f->n_fields++] = (gguf_field){f->pos, size};
    f->pos += size;
    return v;
}

static inline void fields_take_str(gguf_fields *f)
{
    const uint64_t len = fields_take(f, 8);
    if (len > 0)
        fields_take(f, (size_t)len);
}

static inline void fields_take_value(gguf_fields *f, uint64_t type)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == 8) {
        fields_take_str(f);
    } else if (type == 9) {
        const uint64_t element = fields_take(f, 4);
        const uint64_t n = fields_take(f, 8);
        if (element == 8 || element == 9) {
            for (uint64_t i = 0; i < n; i++)
                fields_take_value(f, element);
        } else if (n > 0) {
            fields_take(f, (size_t)n * sizes[element]);
        }
    } else {
        fields_take(f, sizes[type]);
    }
}

static inline void fields_find(gguf_fields *f, const uint8_t *data)
{
    memset(f, 0, sizeof *f);
    f->data = data;
    fields_take(f, 4);
    fields_take(f, 4);
    f->n_tensors = (size_t)fields_take(f, 8);
    f->n_pairs = (size_t)fields_take(f, 8);
    assert(f->n_tensors <= RECORDS_MAX && f->n_pairs <= RECORDS_MAX);
    for (size_t i = 0; i < f->n_pairs; i++) {
        f->pairs[i].begin = f->pos;
        fields_take_str(f);
        fields_take_value(f, fields_take(f, 4));
        f->pairs[i].end = f->pos;
    }
    for (size_t i = 0; i < f->n_tensors; i++) {
        f->tensors[i].begin = f->pos;
        fields_take_str(f);
        const uint64_t n_dims = fields_take(f, 4);
        for (uint64_t d = 0; d < n_dims; d++)
            fields_take(f, 8);
        fields_take(f, 4);
        fields_take(f, 8);
        f->tensors[i].end = f->pos;
    }
}

#endif
