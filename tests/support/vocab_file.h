/*
 * Small vocabularies as model files, made in the test. A spec with NULL fields leaves those keys out, so that a test can add
 * its own, broken ones to the writer.
 */
#ifndef TESTS_SUPPORT_VOCAB_FILE_H
#define TESTS_SUPPORT_VOCAB_FILE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/gguf.h"
#include "text/byte_map.h"

enum { VOCAB_TOKENS_MAX = 1024, VOCAB_MERGES_MAX = 1024, VOCAB_TEXT_MAX = 64 };

typedef struct vocab_spec {
    const char *model;
    const char *pre;
    gol_str tokens[VOCAB_TOKENS_MAX];
    int32_t types[VOCAB_TOKENS_MAX];
    float scores[VOCAB_TOKENS_MAX];
    size_t n;
    gol_str merges[VOCAB_MERGES_MAX];
    size_t n_merges;
    bool no_tokens, no_types, no_scores, no_merges;
    char names[256][8]; /* of byte tokens */
} vocab_spec;

static inline int32_t vocab_add(vocab_spec *v, const char *text, int32_t type, float score)
{
    assert(v->n < VOCAB_TOKENS_MAX);
    v->tokens[v->n] = gol_str_from(text);
    v->types[v->n] = type;
    v->scores[v->n] = score;
    return (int32_t)v->n++;
}

static inline void vocab_add_merge(vocab_spec *v, const char *merge)
{
    assert(v->n_merges < VOCAB_MERGES_MAX);
    v->merges[v->n_merges++] = gol_str_from(merge);
}

/* "gpt2": ids 0 to 255 are the bytes. */
static inline void vocab_init_bytes(vocab_spec *v, const char *pre)
{
    *v = (vocab_spec){.model = "gpt2", .pre = pre, .no_scores = true};
    for (int byte = 0; byte < 256; byte++) {
        const int len = gol_byte_map_write(v->names[byte], (uint8_t)byte);
        v->names[byte][len] = '\0';
        vocab_add(v, v->names[byte], 1, 0);
    }
}

/* "llama": <unk>, <s>, </s>, and 3 to 258 are the bytes. */
static inline void vocab_init_spm(vocab_spec *v)
{
    *v = (vocab_spec){.model = "llama", .no_merges = true};
    vocab_add(v, "<unk>", 2, 0);
    vocab_add(v, "<s>", 3, 0);
    vocab_add(v, "</s>", 3, 0);
    for (int byte = 0; byte < 256; byte++) {
        snprintf(v->names[byte], sizeof v->names[byte], "<0x%02X>", byte);
        vocab_add(v, v->names[byte], 6, 0);
    }
}

static inline gol_gguf_writer *vocab_begin(const vocab_spec *v)
{
    gol_err err;
    gol_gguf_writer *w = NULL;
    const int rc = gol_gguf_writer_create(&w, &err);
    assert(rc == 0);
    (void)rc;
    gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
    if (v->model)
        gol_gguf_writer_add_str(w, "tokenizer.ggml.model", gol_str_from(v->model));
    if (v->pre)
        gol_gguf_writer_add_str(w, "tokenizer.ggml.pre", gol_str_from(v->pre));
    if (!v->no_tokens)
        gol_gguf_writer_add_strs(w, "tokenizer.ggml.tokens", v->tokens, v->n);
    if (!v->no_types)
        gol_gguf_writer_add_array(w, "tokenizer.ggml.token_type", GOL_VALUE_I32, v->types, v->n);
    if (!v->no_scores)
        gol_gguf_writer_add_array(w, "tokenizer.ggml.scores", GOL_VALUE_F32, v->scores, v->n);
    if (!v->no_merges)
        gol_gguf_writer_add_strs(w, "tokenizer.ggml.merges", v->merges, v->n_merges);
    return w;
}

/* Writes, opens and removes the file; it stays mapped. */
static inline gol_model_file *vocab_finish(gol_gguf_writer *w)
{
    char path[] = "/tmp/gollum-vocab-XXXXXX";
    gol_err err = {0};
    gol_model_file *file = NULL;
    const int fd = mkstemp(path);
    assert(fd >= 0);
    close(fd);
    int rc = gol_gguf_writer_write(w, path, &err);
    if (rc == 0)
        rc = gol_model_file_open(&file, path, &err);
    if (rc != 0)
        fprintf(stderr, "vocab_file: %s\n", err.message);
    assert(rc == 0);
    gol_gguf_writer_destroy(&w);
    unlink(path);
    return file;
}

static inline gol_model_file *vocab_file(const vocab_spec *v)
{
    return vocab_finish(vocab_begin(v));
}

#endif
