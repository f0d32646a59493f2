/*
 * Uses everything of an open model file, as the rest of gollum would: every value through the accessors, every tensor by
 * name, its first row dequantized. Ends the process when a promise of model_file.h does not hold.
 */
#ifndef TESTS_FUZZ_FORMATS_WALK_MODEL_H
#define TESTS_FUZZ_FORMATS_WALK_MODEL_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_expect.h"
#include "formats/model_file.h"

enum { WALK_ROW_MAX = 1024, WALK_ELEMENTS_MAX = 1 << 16 };

/* Where reads end, so that no compiler leaves them out. */
static volatile uint8_t walk_sink;

static inline void walk_bytes(const void *data, uint64_t n)
{
    const uint8_t *bytes = data;
    if (n > 0)
        walk_sink ^= (uint8_t)(bytes[0] ^ bytes[n / 2] ^ bytes[n - 1]);
}

static inline void walk_value(const gol_value *v)
{
    uint64_t u = 0;
    int64_t i = 0;
    double d = 0;
    bool b = false;
    gol_str s = {0};
    const bool is_u = gol_value_as_u64(v, &u);
    const bool is_i = gol_value_as_i64(v, &i);
    const bool is_f = gol_value_as_f64(v, &d);
    FUZZ_EXPECT(!(is_u && is_i) || u == (uint64_t)i);
    FUZZ_EXPECT(!(gol_value_as_bool(v, &b) && (is_u || is_i || is_f)));
    if (gol_value_as_str(v, &s))
        walk_bytes(s.data, s.len);
    FUZZ_EXPECT(gol_value_eq(v, v));
    gol_value element;
    for (uint64_t k = 0; k < gol_value_n(v) && k < WALK_ELEMENTS_MAX; k++) {
        FUZZ_EXPECT(gol_value_at(v, k, &element));
        FUZZ_EXPECT(element.type == v->array.type);
        walk_value(&element);
    }
    if (gol_value_n(v) > 0 && gol_value_at(v, gol_value_n(v) - 1, &element))
        walk_value(&element);
    FUZZ_EXPECT(!gol_value_at(v, gol_value_n(v), &element));
}

static inline void walk_tensor(const gol_model_file *file, const gol_tensor *t)
{
    FUZZ_EXPECT(gol_model_file_find_tensor(file, t->name) == t);
    FUZZ_EXPECT(t->n_dims >= 1 && t->n_dims <= GOL_DIMS_MAX);
    uint64_t n = 1;
    for (int d = 0; d < GOL_DIMS_MAX; d++)
        n *= t->shape[d];
    FUZZ_EXPECT(n == t->n_elements && n > 0);
    FUZZ_EXPECT(t->n_bytes > 0 && t->file_offset + t->n_bytes <= gol_model_file_n_bytes(file));
    walk_bytes(t->data, t->n_bytes);
    const gol_type_info *info = gol_type_get(t->type);
    size_t n_row = t->shape[0] < WALK_ROW_MAX ? (size_t)t->shape[0] : WALK_ROW_MAX;
    n_row -= n_row % (size_t)info->block_size;
    static float row[WALK_ROW_MAX];
    if (info->dequant) {
        info->dequant(row, t->data, n_row);
        walk_bytes(row, n_row * sizeof *row);
        info->dequant(row, t->data + t->n_bytes - info->type_size, (size_t)info->block_size);
    }
    gol_model_file_drop_tensor(file, t);
}

static inline void walk_model(const gol_model_file *file)
{
    static const char *const keys[] = {"general.architecture", "general.alignment", "split.count",
                                       "tokenizer.ggml.tokens"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        uint32_t u;
        float f;
        bool b;
        gol_str s;
        const gol_value *array;
        gol_err err;
        (void)gol_meta_u32(file, keys[k], 1, 100, &u, &err);
        (void)gol_meta_f32(file, keys[k], -1.0f, 1.0f, &f, &err);
        (void)gol_meta_bool(file, keys[k], &b, &err);
        (void)gol_meta_str(file, keys[k], &s, &err);
        (void)gol_meta_array(file, keys[k], 1u << GOL_VALUE_STRING, &array, &err);
    }
    for (size_t i = 0; i < gol_model_file_n_meta(file); i++) {
        const gol_meta *meta = gol_model_file_get_meta(file, i);
        walk_value(&meta->value);
        char key[64];
        if (meta->key.len >= sizeof key || memchr(meta->key.data, '\0', meta->key.len))
            continue; /* no C string */
        memcpy(key, meta->key.data, meta->key.len);
        key[meta->key.len] = '\0';
        FUZZ_EXPECT(gol_model_file_find_meta(file, key) == &meta->value);
    }
    for (size_t i = 0; i < gol_model_file_n_tensors(file); i++)
        walk_tensor(file, gol_model_file_get_tensor(file, i));
}

#endif
