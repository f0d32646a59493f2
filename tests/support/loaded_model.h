/*
 * A tiny Llama model of real shape, written to a file of the test's own and loaded through the whole path. It speaks no
 * language, but the engine sees what it would see with a large one. The embedding of one token is not a number: a sequence
 * that holds it fails, as a damaged computation would.
 */
#ifndef TESTS_SUPPORT_LOADED_MODEL_H
#define TESTS_SUPPORT_LOADED_MODEL_H

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/model_file.h"
#include "model/model.h"
#include "support/temp_dir.h"
#include "support/tiny_model.h"

enum { POISON_TOKEN = TINY_VOCAB - 1 };

typedef struct loaded_model {
    temp_dir dir;
    gol_model_file *file;
    gol_backend *be;
    gol_model *model;
} loaded_model;

static inline void loaded_check(int rc, const gol_err *err)
{
    if (rc != 0) {
        fprintf(stderr, "tiny model: %s\n", err->message);
        abort();
    }
}

/* Overwrites the first number of the token's row in the file, whose matrices are F32. */
static inline void poison_file(const char *path)
{
    gol_err err = {0};
    gol_model_file *file;
    loaded_check(gol_model_file_open(&file, path, &err), &err);
    const gol_tensor *embd = gol_model_file_find_tensor(file, GOL_STR("token_embd.weight"));
    const uint64_t offset = embd->file_offset + POISON_TOKEN * TINY_EMBD * sizeof(float);
    gol_model_file_close(&file);
    FILE *f = fopen(path, "r+b");
    assert(f);
    const float nan = NAN;
    const bool ok = fseek(f, (long)offset, SEEK_SET) == 0 && fwrite(&nan, sizeof nan, 1, f) == 1;
    assert(ok);
    (void)ok;
    fclose(f);
}

static inline void loaded_model_create_of(loaded_model *m, const tiny_model *tiny, bool is_poisoned,
                                          int n_threads)
{
    gol_err err = {0};
    char path[256];
    m->dir = temp_dir_create();
    temp_dir_file(&m->dir, "tiny.gguf", path);
    loaded_check(tiny_model_write(tiny, path, &err), &err);
    if (is_poisoned)
        poison_file(path);
    loaded_check(gol_model_file_open(&m->file, path, &err), &err);
    loaded_check(gol_backend_cpu_create(&m->be, &(gol_cpu_opts){.n_threads = n_threads}, &err),
                 &err);
    loaded_check(gol_model_load(&m->model, m->file, m->be, NULL, &err), &err);
}

static inline void loaded_model_create(loaded_model *m, int n_threads)
{
    const tiny_model tiny = {.arch = "llama", .type = GOL_TYPE_F32, .seed = 1};
    loaded_model_create_of(m, &tiny, true, n_threads);
}

static inline void loaded_model_destroy(loaded_model *m)
{
    gol_model_destroy(&m->model);
    gol_backend_destroy(&m->be);
    gol_model_file_close(&m->file);
    temp_dir_destroy(&m->dir);
}

/* Bytes of a KV cache of n_blocks blocks: what makes an engine have exactly these. */
static inline uint64_t loaded_kv_bytes(const loaded_model *m, int32_t n_blocks, int32_t block_size)
{
    gol_kv_layer_shape layers[TINY_LAYERS];
    gol_model_kv_layers(m->model, layers);
    const gol_kv_shape shape = {
        .type = GOL_KV_F16,
        .n_layers = TINY_LAYERS,
        .n_blocks = n_blocks,
        .block_size = block_size,
        .layers = layers,
    };
    return m->be->ops->kv_bytes(m->be, &shape);
}

#endif
