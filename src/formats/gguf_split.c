/*
 * GGUF as a plug-in of model_file.c, and split models: "<prefix>-00001-of-0000N.gguf". The parts are looked for beside the
 * one that was named; nothing a file says becomes part of a path, only its count is compared with the name's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/file_format.h"
#include "formats/gguf.h"

/* "-00001-of-00003.gguf"; room for any two u64, so that no number needs a check here. */
enum { PART_TAIL_SIZE = 64 };

/* What a part says about the split. n_parts 1: not split. */
typedef struct split_info {
    uint64_t n_parts;
    uint64_t number; /* from 0 */
    bool has_n_tensors;
    uint64_t n_tensors; /* of all parts */
} split_info;

static int fail_at(const char *path, gol_err *err)
{
    char name[GOL_ERR_MESSAGE_MAX / 2];
    return gol_fail_prefix(err, "%s", gol_quote(name, sizeof name, gol_str_from(path)));
}

static bool probe_gguf(const uint8_t *data, uint64_t n_bytes)
{
    return n_bytes >= 4 && memcmp(data, "GGUF", 4) == 0;
}

/* Reads the part's bytes. index: its place among the parts. */
static int read_part(gol_file_part *part, int index, const char *path, uint32_t *version,
                     gol_err *err)
{
    gol_gguf gguf;
    const int rc = gol_gguf_parse(&gguf, part->data, (size_t)part->n_bytes, path, err);
    if (rc != 0)
        return rc;
    part->arena = gguf.arena;
    part->n_meta = gguf.n_meta;
    part->meta = gguf.meta;
    part->n_tensors = gguf.n_tensors;
    part->tensors = gguf.tensors;
    for (size_t i = 0; i < part->n_tensors; i++)
        part->tensors[i].file_index = index;
    *version = gguf.version;
    return 0;
}

/* One split.* number: 1 found, 0 absent, or GOL_EMODEL. The part is not indexed yet, so this walks. */
static int find_split_number(const gol_file_part *part, const char *key, uint64_t max,
                             uint64_t *out, gol_err *err)
{
    for (size_t i = 0; i < part->n_meta; i++) {
        if (!gol_str_is(part->meta[i].key, key))
            continue;
        uint64_t v;
        if (!gol_value_as_u64(&part->meta[i].value, &v))
            return gol_fail(err, GOL_EMODEL, "%s: has type %s; an integer of 0 or more is accepted",
                            key, gol_value_type_name(part->meta[i].value.type));
        if (v > max)
            return gol_fail(err, GOL_EMODEL, "%s: is %" PRIu64 "; at most %" PRIu64 " is accepted",
                            key, v, max);
        *out = v;
        return 1;
    }
    return 0;
}

static int read_split_info(const gol_file_part *part, split_info *out, gol_err *err)
{
    *out = (split_info){.n_parts = 1};
    uint64_t n_parts = 0; /* absent, 0 (what merging tools leave) and 1 all mean: not split */
    int rc = find_split_number(part, "split.count", GOL_GGUF_PARTS_MAX, &n_parts, err);
    if (rc < 0 || n_parts <= 1)
        return rc < 0 ? rc : 0;
    out->n_parts = n_parts;
    rc = find_split_number(part, "split.no", n_parts - 1, &out->number, err);
    if (rc <= 0)
        return rc < 0 ? rc
                      : gol_fail(err, GOL_EMODEL,
                                 "split.count is %" PRIu64 " but split.no is absent", n_parts);
    rc = find_split_number(part, "split.tensors.count", GOL_FILE_TENSORS_MAX, &out->n_tensors, err);
    out->has_n_tensors = rc == 1;
    return rc < 0 ? rc : 0;
}

/* How the name of part `number` (from 0) ends. */
static void make_tail(char tail[static PART_TAIL_SIZE], uint64_t number, uint64_t n_parts)
{
    snprintf(tail, PART_TAIL_SIZE, "-%05" PRIu64 "-of-%05" PRIu64 ".gguf", number + 1, n_parts);
}

/* Path of part `number` (from 0), from the path of the part that was opened: only its tail changes. NULL: out of memory. */
static char *make_part_path(const char *path, size_t prefix_len, uint64_t number, uint64_t n_parts)
{
    char tail[PART_TAIL_SIZE];
    make_tail(tail, number, n_parts);
    const size_t tail_len = strlen(tail);
    char *out = gol_try_alloc(prefix_len + tail_len + 1);
    if (!out)
        return NULL;
    memcpy(out, path, prefix_len);
    memcpy(out + prefix_len, tail, tail_len + 1);
    return out;
}

/* The named file is part `number` of n_parts: does its name say so? Then *prefix_len is what all parts' paths share. */
static int check_part_name(const char *path, const split_info *info, size_t *prefix_len,
                           gol_err *err)
{
    char tail[PART_TAIL_SIZE];
    make_tail(tail, info->number, info->n_parts);
    const size_t len = strlen(path);
    const size_t tail_len = strlen(tail);
    if (len >= tail_len && strcmp(path + len - tail_len, tail) == 0) {
        *prefix_len = len - tail_len;
        return 0;
    }
    gol_fail(err, GOL_EMODEL,
             "is part %" PRIu64 " of %" PRIu64
             " of a split model, so its name must end in '%s' for the others to be found",
             info->number + 1, info->n_parts, tail);
    return fail_at(path, err);
}

static int check_part_info(const split_info *info, const split_info *first, uint64_t number,
                           gol_err *err)
{
    if (info->n_parts != first->n_parts)
        return gol_fail(err, GOL_EMODEL,
                        "split.count is %" PRIu64 ", in the part that was named it is %" PRIu64,
                        info->n_parts, first->n_parts);
    if (info->number != number)
        return gol_fail(err, GOL_EMODEL,
                        "split.no is %" PRIu64 "; by its name it should be %" PRIu64, info->number,
                        number);
    if (info->has_n_tensors != first->has_n_tensors || info->n_tensors != first->n_tensors)
        return gol_fail(err, GOL_EMODEL,
                        "split.tensors.count is %" PRIu64
                        ", in the part that was named it is %" PRIu64,
                        info->n_tensors, first->n_tensors);
    return 0;
}

/* Opens and reads part `number`, which is not the one that was named. */
static int open_part(gol_file_part *part, const char *path, const split_info *first,
                     uint64_t number, gol_err *err)
{
    int rc = gol_file_part_open(part, path, err);
    if (rc != 0)
        return gol_fail_prefix(err, "part %" PRIu64 " of %" PRIu64, number + 1, first->n_parts);
    uint32_t version;
    rc = read_part(part, (int)number, path, &version, err);
    if (rc != 0)
        return rc;
    split_info info;
    rc = read_split_info(part, &info, err);
    if (rc == 0)
        rc = check_part_info(&info, first, number, err);
    return rc != 0 ? fail_at(path, err) : 0;
}

static int open_other_parts(gol_model_file *file, const split_info *info, gol_err *err)
{
    size_t prefix_len = 0;
    int rc = check_part_name(file->path, info, &prefix_len, err);
    if (rc != 0)
        return rc;
    gol_file_part *parts = gol_try_calloc((size_t)info->n_parts, sizeof *parts);
    if (!parts)
        return gol_fail(err, GOL_ENOMEM, "%s: out of memory for %" PRIu64 " parts", file->path,
                        info->n_parts);
    parts[info->number] = file->parts[0];
    gol_free(file->parts);
    file->parts = parts;
    file->n_parts = (int)info->n_parts;

    uint64_t n_tensors = 0;
    for (uint64_t i = 0; i < info->n_parts; i++) {
        if (i != info->number) {
            char *path = make_part_path(file->path, prefix_len, i, info->n_parts);
            if (!path)
                return gol_fail(err, GOL_ENOMEM, "%s: out of memory", file->path);
            rc = open_part(&parts[i], path, info, i, err);
            gol_free(path);
            if (rc != 0)
                return rc;
        }
        n_tensors += parts[i].n_tensors;
    }
    if (info->has_n_tensors && n_tensors != info->n_tensors) {
        gol_fail(err, GOL_EMODEL,
                 "the parts hold %" PRIu64 " tensors together, split.tensors.count says %" PRIu64,
                 n_tensors, info->n_tensors);
        return fail_at(file->path, err);
    }
    return 0;
}

static int open_gguf(gol_model_file *file, gol_err *err)
{
    gol_file_part *part = &file->parts[0];
    uint32_t version;
    int rc = read_part(part, 0, file->path, &version, err);
    if (rc != 0)
        return rc;
    snprintf(file->format_name, sizeof file->format_name, "GGUF v%" PRIu32, version);
    split_info info;
    rc = read_split_info(part, &info, err);
    if (rc != 0)
        return fail_at(file->path, err);
    if (info.n_parts == 1)
        return 0;
    if (!part->map.data) {
        gol_fail(err, GOL_EUNSUPPORTED,
                 "is part %" PRIu64 " of %" PRIu64
                 " of a split model; in memory only whole models work",
                 info.number + 1, info.n_parts);
        return fail_at(file->path, err);
    }
    for (size_t i = 0; i < part->n_tensors; i++)
        part->tensors[i].file_index = (int)info.number;
    return open_other_parts(file, &info, err);
}

const gol_file_format gol_file_format_gguf = {
    .name = "GGUF", .probe = probe_gguf, .open = open_gguf};
