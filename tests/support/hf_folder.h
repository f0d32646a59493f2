/*
 * Writes a tiny Hugging Face folder into `dir` (support/test_dir.h): tensors, config.json, other files; opens it, and says what is
 * expected of it. For cmocka programs, which include that first.
 */
#ifndef TESTS_SUPPORT_HF_FOLDER_H
#define TESTS_SUPPORT_HF_FOLDER_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "formats/model_file.h"
#include "support/safetensors_bytes.h"
#include "support/test_dir.h"

/* One layer of one head of four numbers. */
static const char tiny_config[] =
    "{\"architectures\":[\"%s\"],\"hidden_size\":4,\"num_hidden_layers\":1,"
    "\"num_attention_heads\":1,\"intermediate_size\":8,\"max_position_embeddings\":16,"
    "\"rms_norm_eps\":1e-5%s}";

typedef struct weights {
    char header[4096];
    size_t n_header;
    gguf_bytes data;
} weights;

/* shape: as JSON; bytes: n of them, or NULL for 0, 1, 2, ... */
static inline void add(weights *w, const char *name, const char *dtype, const char *shape, size_t n,
                       const void *bytes)
{
    w->n_header += (size_t)snprintf(
        w->header + w->n_header, sizeof w->header - w->n_header,
        "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
        w->n_header ? "," : "{", name, dtype, shape, w->data.len, w->data.len + n);
    for (size_t i = 0; i < n; i++)
        bytes_put(&w->data, bytes ? (const uint8_t *)bytes + i : &(uint8_t){(uint8_t)i}, 1);
}

static inline void write_text(const char *name, const char *text)
{
    char path[256];
    temp_dir_file(&dir, name, path);
    temp_write_file(path, text, strlen(text));
}

static inline void write_weights(weights *w, const char *name)
{
    char path[256];
    gguf_bytes file = {0};
    const size_t n_header = w->n_header < sizeof w->header ? w->n_header : 0;
    assert_true(n_header > 0);
    bytes_put_u64(&file, n_header + 1);
    bytes_put(&file, w->header, n_header);
    bytes_put(&file, "}", 1);
    bytes_put(&file, w->data.data, w->data.len);
    temp_dir_file(&dir, name, path);
    temp_write_file(path, file.data, file.len);
    bytes_free(&file);
    bytes_free(&w->data);
    *w = (weights){0};
}

static inline void write_config_of(const char *class_name, const char *more)
{
    char text[2048];
    snprintf(text, sizeof text, tiny_config, class_name, more);
    write_text("config.json", text);
}

static inline void write_config(const char *more)
{
    write_config_of("LlamaForCausalLM", more);
}

static inline gol_model_file *open_folder(void)
{
    gol_err err = {0};
    gol_model_file *file;
    if (gol_model_file_open(&file, dir.path, &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

static inline void expect_refusal(int code, const char *message)
{
    gol_err err = {0};
    gol_model_file *file;
    const int rc = gol_model_file_open(&file, dir.path, &err);
    if (rc != code || !strstr(err.message, message) || !strstr(err.message, dir.path))
        fail_msg("%d, '%s'; expected '%s'", rc, err.message, message);
    assert_null(file);
}

static inline gol_tensor_bytes fetch(const gol_model_file *file, const char *name,
                                     const gol_tensor **t)
{
    gol_tensor_bytes bytes;
    *t = gol_model_file_find_tensor(file, gol_str_from(name));
    if (!*t)
        fail_msg("there is no %s", name);
    assert_int_equal(gol_model_file_fetch(file, *t, &bytes, NULL), 0);
    return bytes;
}

static inline void expect_bytes(const gol_model_file *file, const char *name, gol_type type,
                                const void *want, size_t n)
{
    const gol_tensor *t;
    gol_tensor_bytes bytes = fetch(file, name, &t);
    assert_int_equal(t->type, type);
    assert_int_equal(t->n_bytes, n);
    assert_memory_equal(bytes.data, want, n);
    gol_tensor_bytes_deinit(&bytes);
}

static inline void add_embeddings(weights *w)
{
    add(w, "model.embed_tokens.weight", "F16", "[3,4]", 24, NULL);
}

/* A folder in the folder: for what is written as "name/file". */
static inline void make_folder(const char *name)
{
    char path[256];
    temp_dir_file(&dir, name, path);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* Opening the folder with every allocation on the way failing, one after the other. Leaks are the sanitizer's to see. */
static inline void expect_no_leaks(void)
{
    int rc = -1;
    for (uint64_t n = 1; rc != 0; n++) {
        gol_err err = {0};
        gol_model_file *file;
        gol_mem_fail_nth(n, n % 2 == 0);
        rc = gol_model_file_open(&file, dir.path, &err);
        gol_mem_fail_nth(0, false);
        assert_true(rc == 0 || (rc == GOL_ENOMEM && !file));
        gol_model_file_close(&file);
    }
}

static inline void expect_u32(const gol_model_file *file, const char *key, uint32_t want)
{
    uint32_t v = 0;
    if (gol_meta_u32(file, key, 0, UINT32_MAX, &v, NULL) != 1 || v != want)
        fail_msg("%s is %u; %u is expected", key, v, want);
}

static inline void expect_f32(const gol_model_file *file, const char *key, double want)
{
    float v = 0;
    if (gol_meta_f32(file, key, -1e9f, 1e9f, &v, NULL) != 1 ||
        !(fabs((double)v - want) <= 1e-6 * fabs(want)))
        fail_msg("%s is %g; %g is expected", key, (double)v, want);
}

#endif
