/*
 * What a model file format implements, and what it fills in. One const gol_file_format per format, listed in model_file.c.
 *
 * open() finds parts[0] with its bytes in place (data, n_bytes) and nothing read yet. It reads that part, adds the others of
 * a split model by gol_file_part_open(), and sets format_name. Names and keys of all parts are indexed, and checked for
 * duplicates, by model_file.c afterwards. On failure model_file.c cleans up.
 *
 * A format that is a folder has open_folder() instead, which finds no part; a part that it adds may be a file of the folder.
 */
#ifndef GOL_FORMATS_FILE_FORMAT_H
#define GOL_FORMATS_FILE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/str_table.h"
#include "formats/model_file.h"

/* Of all parts together. */
enum { GOL_FILE_META_MAX = 64 << 10, GOL_FILE_TENSORS_MAX = 1 << 20 };

/* One file of the model. */
typedef struct gol_file_part {
    gol_mapped_file map; /* zeroed when the bytes are the caller's */
    const uint8_t *data;
    uint64_t n_bytes;
    struct gol_arena *arena; /* heap object that owns meta and tensors */
    size_t n_meta;
    gol_meta *meta;
    size_t n_tensors;
    gol_tensor *tensors;
    size_t first_tensor; /* index of tensors[0] among all tensors of the model */
} gol_file_part;

typedef struct gol_file_format {
    const char *name;
    bool (*probe)(const uint8_t *data, uint64_t n_bytes); /* by the first bytes, if any */
    int (*open)(gol_model_file *file, gol_err *err);
    int (*open_folder)(gol_model_file *file, gol_err *err); /* NULL: the format is no folder */
    /* Works out a tensor without data: n_bytes of it into out. NULL: there are none. */
    int (*make)(const gol_model_file *file, const gol_tensor *tensor, uint8_t *out, gol_err *err);
    /* gol_model_file_drop_tensor() of such a one. */
    void (*drop)(const gol_model_file *file, const gol_tensor *tensor);
} gol_file_format;

extern const gol_file_format gol_file_format_gguf;
extern const gol_file_format gol_file_format_hf;

struct gol_model_file {
    const gol_file_format *format;
    gol_model_use use;
    char *path;
    char format_name[24];
    int n_parts;
    gol_file_part *parts;
    size_t n_tensors;
    size_t n_meta;
    const gol_meta **meta; /* views of the parts' meta */
    gol_str_table tensor_names;
    gol_str_table meta_keys;
};

/* Maps path as this part's bytes. */
int gol_file_part_open(gol_file_part *part, const char *path, gol_err *err);

/* Fills the indices of a file whose parts have all been read (model_index.c). */
int gol_model_file_index(gol_model_file *file, gol_err *err);

#endif
