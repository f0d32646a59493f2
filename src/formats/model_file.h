/*
 * A model on disk as the rest of gollum sees it: metadata by key, tensors by name, viewed in the mapped file(s) or worked out
 * from them when asked for. Which format it is stays below this header; keys and names are GGUF's, whatever the format.
 * Plug-ins are const structs in one array.
 *
 *     gol_model_file *file;
 *     if (gol_model_file_open(&file, path, &err))
 *         ...err.message names the file, the field, what was found and what is accepted
 *     const gol_tensor *t = gol_model_file_find_tensor(file, GOL_STR("token_embd.weight"));
 *     gol_model_file_close(&file);
 *
 * Everything pointed to lives until close. Open files are immutable and may be read by any thread. Every tensor's bytes have
 * been checked to lie inside its file; its type is known and its rows are whole blocks.
 */
#ifndef GOL_FORMATS_MODEL_FILE_H
#define GOL_FORMATS_MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "formats/value.h"
#include "quant/types.h"

enum { GOL_DIMS_MAX = 4 };

typedef struct gol_tensor {
    gol_str name;
    gol_type type;
    int n_dims;                   /* 1 to 4 */
    uint64_t shape[GOL_DIMS_MAX]; /* as in GGUF: shape[0] is the fastest, a row; unused are 1 */
    uint64_t n_elements;
    /* n_bytes bytes, aligned as the file says (GGUF: general.alignment). NULL: the file holds them in another form, only
     * gol_model_file_fetch() has them. */
    const uint8_t *data;
    uint64_t n_bytes;
    int file_index;       /* which file of a split model */
    uint64_t file_offset; /* of data, from that file's start */
    const struct gol_hf_recipe
        *recipe; /* how to make the bytes where data is NULL; the format's own */
} gol_tensor;

/* A tensor's bytes, wherever they are. */
typedef struct gol_tensor_bytes {
    const uint8_t *data;
    void *owned; /* NULL: data is the file's */
} gol_tensor_bytes;

typedef struct gol_meta {
    gol_str key;
    gol_value value;
} gol_meta;

typedef struct gol_model_file gol_model_file;

/* What whoever opens a model knows of it. */
typedef enum gol_model_use {
    GOL_MODEL_USE_ANY,     /* it is what it says it is */
    GOL_MODEL_USE_RERANKER /* also one that does not say it is: a folder of Qwen3ForCausalLM */
} gol_model_use;

/* path: a .gguf file, of a split model any part (the others are found beside it); or a Hugging Face folder, or a .safetensors
 * file in one (formats/hf/).
 * Errors: GOL_ENOTFOUND, GOL_EIO, GOL_EMODEL (malformed), GOL_EUNSUPPORTED (a format or version we do not read), GOL_ENOMEM. */
int gol_model_file_open(gol_model_file **out, const char *path, gol_err *err);
int gol_model_file_open_as(gol_model_file **out, const char *path, gol_model_use use, gol_err *err);

/* The same for a whole file that is already in memory (a built-in model, a fuzzer); data must outlive *out and should be
 * aligned to 64. name: for messages. No part of a split model. */
int gol_model_file_open_memory(gol_model_file **out, const void *data, size_t size,
                               const char *name, gol_err *err);
void gol_model_file_close(gol_model_file **file);

const char *gol_model_file_path(const gol_model_file *file);   /* as given to open */
const char *gol_model_file_format(const gol_model_file *file); /* "GGUF v3" */
uint64_t gol_model_file_n_bytes(const gol_model_file *file);   /* of all parts */
int gol_model_file_n_parts(const gol_model_file *file);
/* Where part i was opened; NULL when it is in memory. */
const char *gol_model_file_part_path(const gol_model_file *file, int i);

size_t gol_model_file_n_tensors(const gol_model_file *file);
/* In file order; i must be valid. */
const gol_tensor *gol_model_file_get_tensor(const gol_model_file *file, size_t i);
/* In constant time; NULL: none. */
const gol_tensor *gol_model_file_find_tensor(const gol_model_file *file, gol_str name);

/* Of a split model: the keys of all parts, each once, without the split.* keys of later parts. */
size_t gol_model_file_n_meta(const gol_model_file *file);
const gol_meta *gol_model_file_get_meta(const gol_model_file *file, size_t i);
const gol_value *gol_model_file_find_meta(const gol_model_file *file, const char *key);

/* Typed look-ups. Return 1 found, 0 absent (*out untouched), or GOL_EMODEL when the value has the wrong type or does not fit
 * into [min, max] (a float must be finite, too); err then names key, found and accepted. */
int gol_meta_u32(const gol_model_file *file, const char *key, uint32_t min, uint32_t max,
                 uint32_t *out, gol_err *err);
int gol_meta_f32(const gol_model_file *file, const char *key, float min, float max, float *out,
                 gol_err *err);
int gol_meta_bool(const gol_model_file *file, const char *key, bool *out, gol_err *err);
int gol_meta_str(const gol_model_file *file, const char *key, gol_str *out, gol_err *err);
/* An array whose elements are of one of the accepted types: type_mask has bit (1u << GOL_VALUE_…) for each. */
int gol_meta_array(const gol_model_file *file, const char *key, uint32_t type_mask,
                   const gol_value **out, gol_err *err);

/* The tensor's bytes: those of the file, or new ones that are worked out now, so hold few at a time. Any thread.
 * Errors: GOL_ENOMEM. */
int gol_model_file_fetch(const gol_model_file *file, const gol_tensor *tensor,
                         gol_tensor_bytes *out, gol_err *err);
void gol_tensor_bytes_deinit(gol_tensor_bytes *bytes); /* zeroed is fine */

/* The file's pages of a tensor are no longer needed (its weights were repacked), or will be soon. Hints. */
void gol_model_file_drop_tensor(const gol_model_file *file, const gol_tensor *tensor);

#endif
