/*
 * Opening a model: map the file, ask the formats whose it is, let that one read it, index names and keys.
 * Owns every part's mapping and arena. All views handed out point into these.
 */
#include "formats/model_file.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/mem.h"
#include "formats/file_format.h"

static const gol_file_format *const formats[] = {
    &gol_file_format_gguf,
    &gol_file_format_hf,
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

/* Files that users take for a model and that we can name. */
static const struct {
    const char *magic;
    const char *is;
} strangers[] = {
    {"lmgg", "a GGML file from before August 2023; convert the model anew to GGUF"},
    {"tjgg", "a GGJT file from before August 2023; convert the model anew to GGUF"},
    {"fmgg", "a GGMF file from before August 2023; convert the model anew to GGUF"},
    {"FUGG", "a GGUF file with its bytes swapped; only little-endian files are read"},
    {"PK\x03\x04", "a ZIP archive (a PyTorch checkpoint?); convert the model to GGUF"},
    {"version https://git-lfs",
     "a Git LFS pointer, not the model itself; fetch it with 'git lfs pull'"},
    {"<!DOCTYPE", "an HTML page; the download went wrong"},
    {"<html", "an HTML page; the download went wrong"},
};

static int fail_stranger(const uint8_t *data, uint64_t n_bytes, const char *name, gol_err *err)
{
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        const size_t len = strlen(strangers[i].magic);
        if (n_bytes >= len && memcmp(data, strangers[i].magic, len) == 0)
            return gol_fail(err, GOL_EUNSUPPORTED, "%s: this is %s", name, strangers[i].is);
    }
    if (n_bytes == 0)
        return gol_fail(err, GOL_EMODEL, "%s: the file is empty", name);
    if (n_bytes > 9 && data[8] == '{')
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "%s: this looks like safetensors whose header goes on behind the file's "
                        "end (cut short?)",
                        name);
    char quoted[32];
    const gol_str start = {(const char *)data, n_bytes < 4 ? (size_t)n_bytes : 4};
    return gol_fail(err, GOL_EUNSUPPORTED,
                    "%s: no model file: starts with '%s', a GGUF file starts with 'GGUF'", name,
                    gol_quote(quoted, sizeof quoted, start));
}

int gol_file_part_open(gol_file_part *part, const char *path, gol_err *err)
{
    const int rc = gol_mapped_file_open(&part->map, path, err);
    if (rc != 0)
        return rc;
    part->data = part->map.data;
    part->n_bytes = part->map.size;
    return 0;
}

static void close_part(gol_file_part *part)
{
    if (part->arena)
        gol_arena_deinit(part->arena);
    gol_free(part->arena);
    gol_mapped_file_close(&part->map);
    *part = (gol_file_part){0};
}

static int read_parts(gol_model_file *file, gol_err *err)
{
    const gol_file_part *first = &file->parts[0];
    for (int i = 0; i < N_FORMATS; i++) {
        if (formats[i]->probe(first->data, first->n_bytes)) {
            file->format = formats[i];
            const int rc = formats[i]->open(file, err);
            return rc != 0 ? rc : gol_model_file_index(file, err);
        }
    }
    char name[GOL_ERR_MESSAGE_MAX / 2];
    return fail_stranger(first->data, first->n_bytes,
                         gol_quote(name, sizeof name, gol_str_from(file->path)), err);
}

static int read_folder(gol_model_file *file, gol_err *err)
{
    for (int i = 0; i < N_FORMATS; i++) {
        if (!formats[i]->open_folder)
            continue;
        file->format = formats[i];
        file->n_parts = 0;
        const int rc = formats[i]->open_folder(file, err);
        return rc != 0 ? rc : gol_model_file_index(file, err);
    }
    return gol_fail(err, GOL_EUNSUPPORTED, "no format is a folder");
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A file with one part and nothing in it. */
static gol_model_file *create_file(const char *path)
{
    gol_model_file *file = gol_try_calloc(1, sizeof *file);
    if (!file)
        return NULL;
    file->path = gol_try_strndup(gol_str_from(path));
    file->parts = gol_try_calloc(1, sizeof *file->parts);
    file->n_parts = file->parts ? 1 : 0;
    if (!file->path || !file->parts)
        gol_model_file_close(&file);
    return file;
}

int gol_model_file_open(gol_model_file **out, const char *path, gol_err *err)
{
    return gol_model_file_open_as(out, path, GOL_MODEL_USE_ANY, err);
}

int gol_model_file_open_as(gol_model_file **out, const char *path, gol_model_use use, gol_err *err)
{
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    *out = NULL;
    gol_model_file *file = create_file(path);
    if (!file)
        return gol_fail(e, GOL_ENOMEM, "%s: out of memory", path);
    file->use = use;
    int rc;
    if (is_folder(path)) {
        rc = read_folder(file, e);
    } else {
        rc = gol_file_part_open(&file->parts[0], path, e);
        if (rc == 0)
            rc = read_parts(file, e);
    }
    if (rc != 0)
        gol_model_file_close(&file);
    *out = file;
    return rc;
}

int gol_model_file_open_memory(gol_model_file **out, const void *data, size_t size,
                               const char *name, gol_err *err)
{
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    *out = NULL;
    gol_model_file *file = create_file(name);
    if (!file)
        return gol_fail(e, GOL_ENOMEM, "%s: out of memory", name);
    file->parts[0].data = data;
    file->parts[0].n_bytes = size;
    const int rc = read_parts(file, e);
    if (rc != 0)
        gol_model_file_close(&file);
    *out = file;
    return rc;
}

void gol_model_file_close(gol_model_file **file)
{
    gol_model_file *f = *file;
    if (!f)
        return;
    gol_str_table_deinit(&f->tensor_names);
    gol_str_table_deinit(&f->meta_keys);
    gol_free(f->meta);
    for (int i = 0; i < f->n_parts; i++)
        close_part(&f->parts[i]);
    gol_free(f->parts);
    gol_free(f->path);
    gol_free(f);
    *file = NULL;
}

const char *gol_model_file_path(const gol_model_file *file)
{
    return file->path;
}

const char *gol_model_file_format(const gol_model_file *file)
{
    return file->format_name;
}

uint64_t gol_model_file_n_bytes(const gol_model_file *file)
{
    uint64_t n_bytes = 0;
    for (int i = 0; i < file->n_parts; i++)
        n_bytes += file->parts[i].n_bytes;
    return n_bytes;
}

int gol_model_file_n_parts(const gol_model_file *file)
{
    return file->n_parts;
}

const char *gol_model_file_part_path(const gol_model_file *file, int i)
{
    assert(i >= 0 && i < file->n_parts);
    return file->parts[i].map.path;
}

int gol_model_file_fetch(const gol_model_file *file, const gol_tensor *tensor,
                         gol_tensor_bytes *out, gol_err *err)
{
    *out = (gol_tensor_bytes){.data = tensor->data};
    if (tensor->data)
        return 0;
    assert(file->format->make);
    char name[96];
    gol_quote(name, sizeof name, tensor->name);
    uint8_t *bytes = gol_try_aligned((size_t)tensor->n_bytes);
    if (!bytes)
        return gol_fail(err, GOL_ENOMEM, "tensor '%s': out of memory for %llu bytes", name,
                        (unsigned long long)tensor->n_bytes);
    const int rc = file->format->make(file, tensor, bytes, err);
    if (rc != 0) {
        gol_aligned_free(bytes);
        gol_fail_prefix(err, "tensor '%s'", name);
        return rc;
    }
    *out = (gol_tensor_bytes){.data = bytes, .owned = bytes};
    return 0;
}

void gol_tensor_bytes_deinit(gol_tensor_bytes *bytes)
{
    gol_aligned_free(bytes->owned);
    *bytes = (gol_tensor_bytes){0};
}

void gol_model_file_drop_tensor(const gol_model_file *file, const gol_tensor *tensor)
{
    assert(tensor->file_index >= 0 && tensor->file_index < file->n_parts);
    const gol_file_part *part = &file->parts[tensor->file_index];
    if (!tensor->data)
        file->format->drop(file, tensor);
    else if (part->map.data)
        gol_mapped_file_drop_pages(&part->map, (size_t)tensor->file_offset,
                                   (size_t)tensor->n_bytes);
}
