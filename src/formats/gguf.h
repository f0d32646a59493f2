/*
 * GGUF, versions 2 and 3, little-endian. Source: ggml docs/gguf.md.
 *
 * Layout: magic "GGUF", u32 version, u64 n_tensors, u64 n_kv, the key-value pairs, the tensor descriptions, padding to
 * general.alignment (default 32), tensor data (offsets from there, each a multiple of the alignment).
 * Split models: "<prefix>-00001-of-0000N.gguf"; split.no / split.count / split.tensors.count in each part's metadata.
 *
 * Limits, all checked in O(1) per item before anything of that size is allocated or touched:
 */
#ifndef GOL_FORMATS_GGUF_H
#define GOL_FORMATS_GGUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "formats/model_file.h"

#define GOL_GGUF_MAGIC 0x46554747u /* "GGUF" */

enum {
    GOL_GGUF_KEY_MAX = 65535,       /* bytes of a key */
    GOL_GGUF_NAME_MAX = 255,        /* bytes of a tensor name */
    GOL_GGUF_STRING_MAX = 64 << 20, /* bytes of a string value */
    GOL_GGUF_ARRAY_MAX = 16 << 20,  /* elements of an array */
    GOL_GGUF_DEPTH_MAX = 4,         /* arrays in arrays */
    GOL_GGUF_KV_MAX = 64 << 10,     /* key-value pairs */
    GOL_GGUF_TENSORS_MAX = 1 << 20,
    GOL_GGUF_ALIGNMENT_DEFAULT = 32,
    GOL_GGUF_ALIGNMENT_MAX = 1 << 20, /* a power of two, a multiple of 8 */
    GOL_GGUF_PARTS_MAX = 999
};

/* One file's header, parsed from memory (the fuzzer's door; gol_model_file_open() uses it for each part). Views point into
 * data, which must outlive *out. */
typedef struct gol_gguf {
    uint32_t version;
    uint32_t alignment;
    uint64_t data_offset; /* of the tensor data section, from the file's start */
    size_t n_meta;
    gol_meta *meta;
    size_t n_tensors;
    gol_tensor *tensors;
    struct gol_arena *arena; /* owns the arrays above */
} gol_gguf;

/* name: for messages. Errors: GOL_EMODEL, GOL_EUNSUPPORTED, GOL_ENOMEM; *out is then zeroed. */
int gol_gguf_parse(gol_gguf *out, const void *data, size_t size, const char *name, gol_err *err);
void gol_gguf_deinit(gol_gguf *gguf);

/*
 * Writer. Add all metadata and tensors, then write: offsets, padding and counts are worked out here. Values are
 * copied; keys, tensor names and tensor data are viewed and must stay valid until gol_gguf_writer_write() returns.
 *
 *     gol_gguf_writer *w;
 *     gol_gguf_writer_create(&w, &err);
 *     gol_gguf_writer_add_str(w, "general.architecture", GOL_STR("llama"));
 *     gol_gguf_writer_add_tensor(w, &tensor);
 *     rc = gol_gguf_writer_write(w, path, &err);        // writes path.tmp, syncs, renames
 *     gol_gguf_writer_destroy(&w);
 *
 * add_… remember the first failure (out of memory, a limit above, a duplicate); write() reports it.
 */
typedef struct gol_gguf_writer gol_gguf_writer;

int gol_gguf_writer_create(gol_gguf_writer **out, gol_err *err);
void gol_gguf_writer_destroy(gol_gguf_writer **w);
/* Writes the key general.alignment; adding that key does the same. */
void gol_gguf_writer_set_alignment(gol_gguf_writer *w, uint32_t alignment);
void gol_gguf_writer_add_u32(gol_gguf_writer *w, const char *key, uint32_t v);
void gol_gguf_writer_add_i32(gol_gguf_writer *w, const char *key, int32_t v);
void gol_gguf_writer_add_u64(gol_gguf_writer *w, const char *key, uint64_t v);
void gol_gguf_writer_add_f32(gol_gguf_writer *w, const char *key, float v);
void gol_gguf_writer_add_bool(gol_gguf_writer *w, const char *key, bool v);
void gol_gguf_writer_add_str(gol_gguf_writer *w, const char *key, gol_str v);
void gol_gguf_writer_add_strs(gol_gguf_writer *w, const char *key, const gol_str *v, size_t n);
/* n packed little-endian numbers (or bools) of `type`. */
void gol_gguf_writer_add_array(gol_gguf_writer *w, const char *key, gol_value_type type,
                               const void *data, size_t n);
/* Any value, nested too: copies what was read. */
void gol_gguf_writer_add_value(gol_gguf_writer *w, gol_str key, const gol_value *v);
/* name, type, n_dims, shape and data are used; data may be NULL when the caller streams it (next function). */
void gol_gguf_writer_add_tensor(gol_gguf_writer *w, const gol_tensor *tensor);

int gol_gguf_writer_write(gol_gguf_writer *w, const char *path, gol_err *err);

/* The same, with tensors' bytes asked for one after another instead of held: fill() must write exactly n_bytes to out by
 * calls of emit(). For quantizing and converting models larger than memory. */
typedef int gol_gguf_emit(void *sink, const void *data, size_t n_bytes, gol_err *err);
typedef int gol_gguf_fill(void *user, size_t tensor_index, gol_gguf_emit *emit, void *sink,
                          gol_err *err);
int gol_gguf_writer_stream(gol_gguf_writer *w, const char *path, gol_gguf_fill *fill, void *user,
                           gol_err *err);

#endif
