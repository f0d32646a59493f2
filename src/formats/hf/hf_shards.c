/*
 * The files of the weights: model.safetensors, or those that model.safetensors.index.json names, each beside it. All tensors go into
 * one table of sources; one that comes twice, or that is not where the index says, is an error.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "formats/hf/hf_model.h"

enum { INDEX_DEPTH_MAX = 8, INDEX_VALUES_MAX = 1 << 20 };

static const char index_name[] = "model.safetensors.index.json";
static const char single_name[] = "model.safetensors";

static void fail(gol_hf *hf, int code, const char *name, const char *what)
{
    char path[GOL_ERR_MESSAGE_MAX / 3];
    char quoted[96];
    if (hf->rc == 0)
        hf->rc = gol_fail(hf->err, code, "%s: %s: %s",
                          gol_quote(path, sizeof path, gol_str_from(hf->file->path)),
                          gol_quote(quoted, sizeof quoted, gol_str_from(name)), what);
}

/* A file beside the index, and nothing else. */
static bool is_plain_name(gol_str name)
{
    static const char end[] = ".safetensors";
    const size_t n_end = sizeof end - 1;
    return name.len > n_end && name.len < 256 && name.data[0] != '.' &&
           !memchr(name.data, '/', name.len) && !memchr(name.data, '\\', name.len) &&
           !memchr(name.data, '\0', name.len) &&
           memcmp(name.data + name.len - n_end, end, n_end) == 0;
}

static bool add_part(gol_hf *hf, const char *name)
{
    gol_model_file *file = hf->file;
    char path[GOL_HF_PATH_MAX];
    if (!gol_hf_path(hf, path, name)) {
        fail(hf, GOL_ENOTFOUND, name, "the path is too long");
        return false;
    }
    gol_file_part *parts = gol_try_realloc(file->parts, (size_t)file->n_parts + 1, sizeof *parts);
    if (!parts) {
        fail(hf, GOL_ENOMEM, name, "out of memory");
        return false;
    }
    file->parts = parts;
    gol_file_part *part = &parts[file->n_parts];
    *part = (gol_file_part){0};
    hf->rc = gol_file_part_open(part, path, hf->err);
    file->n_parts += hf->rc == 0;
    return hf->rc == 0;
}

/* Parts of all files that the index names, in the order of their first mention. names: file -> part. */
static void add_indexed_parts(gol_hf *hf, json_t *map, gol_str_table *names)
{
    const char *tensor;
    json_t *value;
    json_object_foreach(map, tensor, value)
    {
        if (!json_is_string(value) || !is_plain_name(gol_json_str(value))) {
            fail(hf, GOL_EMODEL, index_name,
                 "weight_map: a name ending in .safetensors, of a file beside it, is expected");
            return;
        }
        int32_t found;
        const int32_t next = hf->file->n_parts;
        if (gol_str_table_add(names, gol_json_str(value), next, &found) != 0) {
            fail(hf, GOL_ENOMEM, index_name, "out of memory");
            return;
        }
        if (found != next)
            continue;
        if (next == GOL_HF_SHARDS_MAX) {
            fail(hf, GOL_EMODEL, index_name, "names more than 999 files");
            return;
        }
        if (!add_part(hf, json_string_value(value)))
            return;
    }
    if (hf->file->n_parts == 0)
        fail(hf, GOL_EMODEL, index_name, "weight_map is empty");
}

/* ------------------------------------------------------------------ sources ---- */

/* The files of linear layers behind the model's own. */
static void add_modules(gol_hf *hf)
{
    hf->n_shards = hf->file->n_parts;
    for (int i = 0; i < hf->n_modules && hf->rc == 0; i++) {
        char name[GOL_HF_MODULE_NAME_MAX + sizeof single_name + 1];
        snprintf(name, sizeof name, "%s/%s", hf->modules[i], single_name);
        add_part(hf, name);
    }
}

/* A copy of the tensor's name; in the file of a module its folder stands before it. */
static bool copy_name(gol_hf *hf, gol_str *name, int part)
{
    if (part < hf->n_shards) {
        name->data = gol_arena_try_strdup(hf->arena, *name);
        return name->data != NULL;
    }
    const size_t size = GOL_HF_MODULE_NAME_MAX + name->len + 2;
    char *copy = gol_arena_try_array(hf->arena, size, 1);
    if (!copy)
        return false;
    snprintf(copy, size, "%s/%.*s", hf->modules[part - hf->n_shards], (int)name->len, name->data);
    *name = gol_str_from(copy);
    return true;
}

/* The headers of all parts, whose arenas become the parts'. */
static void parse_parts(gol_hf *hf, gol_safetensors *files)
{
    for (int i = 0; i < hf->file->n_parts && hf->rc == 0; i++) {
        gol_file_part *part = &hf->file->parts[i];
        hf->rc = gol_safetensors_parse(&files[i], part->data, part->n_bytes, part->map.path,
                                       hf->err);
        if (hf->rc == 0)
            hf->n_sources += files[i].n;
    }
    if (hf->rc == 0 && hf->n_sources > GOL_FILE_TENSORS_MAX)
        fail(hf, GOL_EMODEL, index_name, "over a million tensors in all files together");
}

static void list_sources(gol_hf *hf, const gol_safetensors *files)
{
    hf->sources = gol_arena_try_calloc(hf->arena, hf->n_sources, sizeof *hf->sources);
    if (!hf->sources || gol_str_table_init(&hf->source_names, hf->n_sources) != 0) {
        fail(hf, GOL_ENOMEM, single_name, "out of memory");
        return;
    }
    int32_t n = 0;
    for (int p = 0; p < hf->file->n_parts; p++) {
        const size_t n_here = files[p].n;
        gol_safetensor *tensors = gol_arena_try_array(hf->arena, n_here, sizeof *tensors);
        if (!tensors) {
            fail(hf, GOL_ENOMEM, single_name, "out of memory");
            return;
        }
        for (size_t i = 0; i < n_here; i++, n++) {
            tensors[i] = files[p].tensors[i];
            int32_t found = n;
            if (!copy_name(hf, &tensors[i].name, p) ||
                gol_str_table_add(&hf->source_names, tensors[i].name, n, &found) != 0) {
                fail(hf, GOL_ENOMEM, single_name, "out of memory");
                return;
            }
            if (found != n) {
                fail(hf, GOL_EMODEL, tensors[i].name.data, "this tensor comes twice");
                return;
            }
            hf->sources[n] = (gol_hf_source){.tensor = &tensors[i],
                                             .part = p,
                                             .data = hf->file->parts[p].data + tensors[i].offset};
        }
    }
}

static void check_index(gol_hf *hf, json_t *map, const gol_str_table *names)
{
    const char *tensor;
    json_t *value;
    json_object_foreach(map, tensor, value)
    {
        const gol_hf_source *source = gol_hf_find_source(hf, gol_str_from(tensor));
        if (!source || source->part != gol_str_table_find(names, gol_json_str(value))) {
            fail(hf, GOL_EMODEL, tensor, "this tensor is not in the file that the index names");
            return;
        }
    }
}

static void read_sources(gol_hf *hf, json_t *map, const gol_str_table *names)
{
    gol_safetensors *files = gol_try_calloc((size_t)hf->file->n_parts, sizeof *files);
    if (!files) {
        fail(hf, GOL_ENOMEM, single_name, "out of memory");
        return;
    }
    parse_parts(hf, files);
    if (hf->rc == 0)
        list_sources(hf, files);
    if (hf->rc == 0 && map)
        check_index(hf, map, names);
    for (int i = 0; i < hf->file->n_parts; i++)
        gol_safetensors_deinit(&files[i]);
    gol_free(files);
}

/* ------------------------------------------------------------------ which files ---- */

/* The index, when there is one and it is about the file that was named (if one was). */
static json_t *read_index(gol_hf *hf)
{
    json_t *index = NULL;
    gol_str text;
    const gol_json_limits limits = {INDEX_DEPTH_MAX, INDEX_VALUES_MAX};
    if (gol_hf_read_text(hf, index_name, &text) != 1)
        return NULL;
    hf->rc = gol_json_doc_parse(&index, text, &limits, index_name, hf->err);
    if (hf->rc != 0) {
        char path[GOL_ERR_MESSAGE_MAX / 2];
        gol_fail_prefix(hf->err, "%s", gol_quote(path, sizeof path, gol_str_from(hf->file->path)));
        return NULL;
    }
    if (!json_is_object(json_object_get(index, "weight_map"))) {
        fail(hf, GOL_EMODEL, index_name, "weight_map is no object");
        json_decref(index);
        return NULL;
    }
    return index;
}

static bool names_file(json_t *map, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *tensor;
    json_t *value;
    json_object_foreach(map, tensor, value)
    {
        if (json_is_string(value) &&
            strcmp(json_string_value(value), slash ? slash + 1 : path) == 0)
            return true;
    }
    return false;
}

void gol_hf_open_shards(gol_hf *hf)
{
    gol_model_file *file = hf->file;
    const bool is_file = file->n_parts > 0;
    json_t *index = read_index(hf);
    json_t *map = json_object_get(index, "weight_map");
    gol_str_table names = {0};
    if (hf->rc != 0)
        return;
    if (is_file && !names_file(map, file->path))
        map = NULL;
    if (gol_str_table_init(&names, 16) != 0) {
        fail(hf, GOL_ENOMEM, index_name, "out of memory");
    } else if (map) {
        if (is_file) { /* comes again, in its place */
            gol_mapped_file_close(&file->parts[0].map);
            file->n_parts = 0;
        }
        add_indexed_parts(hf, map, &names);
    } else if (!is_file) {
        add_part(hf, single_name);
    }
    if (hf->rc == 0)
        add_modules(hf);
    if (hf->rc == 0)
        read_sources(hf, map, &names);
    gol_str_table_deinit(&names);
    json_decref(index);
}
