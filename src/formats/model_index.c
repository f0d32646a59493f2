/*
 * Names and keys of all parts of a model: counted, entered into hash tables, refused when they come twice; and the look-ups
 * that use the tables. Tensors are numbered through the parts: part p holds first_tensor to first_tensor + n_tensors - 1.
 */
#include "formats/file_format.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

size_t gol_model_file_n_tensors(const gol_model_file *file)
{
    return file->n_tensors;
}

const gol_tensor *gol_model_file_get_tensor(const gol_model_file *file, size_t i)
{
    assert(i < file->n_tensors);
    int low = 0; /* the last part whose first tensor is not after i */
    for (int high = file->n_parts; high - low > 1;) {
        const int middle = low + (high - low) / 2;
        if (file->parts[middle].first_tensor <= i)
            low = middle;
        else
            high = middle;
    }
    return &file->parts[low].tensors[i - file->parts[low].first_tensor];
}

const gol_tensor *gol_model_file_find_tensor(const gol_model_file *file, gol_str name)
{
    const int32_t i = gol_str_table_find(&file->tensor_names, name);
    return i < 0 ? NULL : gol_model_file_get_tensor(file, (size_t)i);
}

size_t gol_model_file_n_meta(const gol_model_file *file)
{
    return file->n_meta;
}

const gol_meta *gol_model_file_get_meta(const gol_model_file *file, size_t i)
{
    assert(i < file->n_meta);
    return file->meta[i];
}

const gol_value *gol_model_file_find_meta(const gol_model_file *file, const char *key)
{
    const int32_t i = gol_str_table_find(&file->meta_keys, gol_str_from(key));
    return i < 0 ? NULL : &file->meta[i]->value;
}

static int fail_in_part(const gol_model_file *file, int part, gol_err *err)
{
    char name[GOL_ERR_MESSAGE_MAX / 2];
    const char *path = file->parts[part].map.path ? file->parts[part].map.path : file->path;
    return gol_fail_prefix(err, "%s", gol_quote(name, sizeof name, gol_str_from(path)));
}

static int fail_memory(const gol_model_file *file, gol_err *err)
{
    gol_fail(err, GOL_ENOMEM, "out of memory for its index");
    return fail_in_part(file, 0, err);
}

static int index_tensors(gol_model_file *file, gol_err *err)
{
    size_t n = 0;
    for (int p = 0; p < file->n_parts; p++) {
        file->parts[p].first_tensor = n;
        n += file->parts[p].n_tensors;
        if (n > GOL_FILE_TENSORS_MAX) {
            gol_fail(err, GOL_EMODEL, "over %d tensors in all parts together",
                     GOL_FILE_TENSORS_MAX);
            return fail_in_part(file, p, err);
        }
    }
    file->n_tensors = n;
    if (gol_str_table_init(&file->tensor_names, n) != 0)
        return fail_memory(file, err);
    for (int32_t i = 0; i < (int32_t)n; i++) {
        const gol_tensor *tensor = gol_model_file_get_tensor(file, (size_t)i);
        int32_t first;
        if (gol_str_table_add(&file->tensor_names, tensor->name, i, &first) != 0)
            return fail_memory(file, err);
        if (first != i) {
            char name[96];
            gol_fail(err, GOL_EMODEL, "tensor '%s' comes twice: as number %d and number %d",
                     gol_quote(name, sizeof name, tensor->name), first, i);
            return fail_in_part(file, tensor->file_index, err);
        }
    }
    return 0;
}

/* The keys that describe one part, not the model. */
static bool is_part_key(gol_str key)
{
    return (key.len >= 6 && memcmp(key.data, "split.", 6) == 0) ||
           gol_str_is(key, "general.alignment");
}

/* Enters one part's keys. A later part may repeat a key with the same value; the split.* keys are each part's own. */
static int index_keys(gol_model_file *file, int p, gol_err *err)
{
    const gol_file_part *part = &file->parts[p];
    const size_t n_earlier = file->n_meta; /* keys of earlier parts */
    for (size_t i = 0; i < part->n_meta; i++) {
        const gol_meta *meta = &part->meta[i];
        if (p > 0 && is_part_key(meta->key))
            continue;
        const int32_t number = (int32_t)file->n_meta;
        int32_t first;
        if (gol_str_table_add(&file->meta_keys, meta->key, number, &first) != 0)
            return fail_memory(file, err);
        if (first == number) {
            file->meta[file->n_meta++] = meta;
            continue;
        }
        const bool is_earlier = (size_t)first < n_earlier;
        if (is_earlier && gol_value_eq(&meta->value, &file->meta[first]->value))
            continue;
        char key[96];
        gol_quote(key, sizeof key, meta->key);
        if (is_earlier)
            gol_fail(err, GOL_EMODEL, "metadata key '%s' has another value than in an earlier part",
                     key);
        else
            gol_fail(err, GOL_EMODEL, "metadata key '%s' comes twice", key);
        return fail_in_part(file, p, err);
    }
    return 0;
}

static int index_meta(gol_model_file *file, gol_err *err)
{
    size_t n = 0;
    for (int p = 0; p < file->n_parts; p++)
        n += file->parts[p].n_meta;
    if (n > GOL_FILE_META_MAX) {
        gol_fail(err, GOL_EMODEL, "over %d metadata keys in all parts together", GOL_FILE_META_MAX);
        return fail_in_part(file, 0, err);
    }
    file->meta = gol_try_array(n, sizeof *file->meta);
    if (!file->meta || gol_str_table_init(&file->meta_keys, n) != 0)
        return fail_memory(file, err);
    int rc = 0;
    for (int p = 0; p < file->n_parts && rc == 0; p++)
        rc = index_keys(file, p, err);
    return rc;
}

int gol_model_file_index(gol_model_file *file, gol_err *err)
{
    const int rc = index_meta(file, err);
    return rc != 0 ? rc : index_tensors(file, err);
}
