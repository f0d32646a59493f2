/*
 * GGUF tensor descriptions: name (u64 length + bytes), u32 n_dims, u64 dims[n_dims] (fastest first), u32 type, u64 offset in
 * the data section, which begins at the next multiple of the alignment. Tensors may lie in any order and with gaps, never
 * over each other.
 */
#include "formats/gguf_reader.h"

#include <inttypes.h>

#include "quant/types.h"

/* Elements and bytes of a tensor whose type and shape are set. Fewer than 2^63 elements, so that counts fit signed types. */
static int measure_tensor(gol_gguf_reader *r, gol_tensor *t)
{
    uint64_t n_rows = 1;
    for (int d = 1; d < t->n_dims; d++) {
        if (__builtin_mul_overflow(n_rows, t->shape[d], &n_rows))
            n_rows = UINT64_MAX;
    }
    if (__builtin_mul_overflow(n_rows, t->shape[0], &t->n_elements) || t->n_elements > INT64_MAX)
        return gol_fail(r->err, GOL_EMODEL,
                        "shape %" PRIu64 "x%" PRIu64 "x%" PRIu64 "x%" PRIu64
                        " has too many elements",
                        t->shape[0], t->shape[1], t->shape[2], t->shape[3]);
    const gol_type_info *info = gol_type_get(t->type);
    if (t->shape[0] % (uint64_t)info->block_size != 0)
        return gol_fail(r->err, GOL_EMODEL,
                        "a row of %" PRIu64 " elements is no multiple of %s's block of %d",
                        t->shape[0], info->name, info->block_size);
    size_t row_bytes;
    if (!gol_type_row_bytes(&row_bytes, t->type, t->shape[0]) ||
        __builtin_mul_overflow((uint64_t)row_bytes, n_rows, &t->n_bytes))
        return gol_fail(r->err, GOL_EMODEL, "%" PRIu64 " elements of type %s are too many bytes",
                        t->n_elements, info->name);
    return 0;
}

static int read_shape(gol_gguf_reader *r, gol_tensor *t)
{
    const uint32_t n_dims = gol_cursor_u32(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (n_dims < 1 || n_dims > GOL_DIMS_MAX)
        return gol_fail(r->err, GOL_EMODEL, "has %" PRIu32 " dimensions; 1 to %d are accepted",
                        n_dims, GOL_DIMS_MAX);
    t->n_dims = (int)n_dims;
    for (int d = 0; d < GOL_DIMS_MAX; d++)
        t->shape[d] = d < t->n_dims ? gol_cursor_u64(&r->cursor) : 1;
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    for (int d = 0; d < t->n_dims; d++) {
        if (t->shape[d] == 0)
            return gol_fail(r->err, GOL_EMODEL,
                            "dimension %d is 0; a tensor needs at least one element", d);
    }
    return 0;
}

/* Leaves the offset inside the data section in file_offset: where the section begins is not known yet. */
static int read_tensor(gol_gguf_reader *r, gol_tensor *t)
{
    int rc = gol_gguf_read_str(r, GOL_GGUF_NAME_MAX, &t->name);
    if (rc != 0)
        return rc;
    if (t->name.len == 0)
        return gol_fail(r->err, GOL_EMODEL, "an empty name at byte %zu", r->cursor.pos - 8);
    rc = read_shape(r, t);
    if (rc != 0)
        return rc;
    const uint32_t type = gol_cursor_u32(&r->cursor);
    t->file_offset = gol_cursor_u64(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (!gol_type_find(type))
        return gol_fail(r->err, GOL_EUNSUPPORTED,
                        "has type id %" PRIu32 ", which no known tensor type has", type);
    t->type = (gol_type)type;
    return measure_tensor(r, t);
}

/* From an offset inside the data section to bytes inside the file. */
static int place_tensor(gol_gguf_reader *r, gol_tensor *t)
{
    const uint64_t section = r->cursor.size - r->out->data_offset; /* bytes; the caller checked */
    const uint64_t offset = t->file_offset;
    if (offset % r->out->alignment != 0)
        return gol_fail(r->err, GOL_EMODEL,
                        "offset %" PRIu64 " is no multiple of the alignment %" PRIu32, offset,
                        r->out->alignment);
    if (offset > section || t->n_bytes > section - offset)
        return gol_fail(r->err, GOL_EMODEL,
                        "offset %" PRIu64 " and size %" PRIu64 " reach beyond the %" PRIu64
                        " bytes of tensor data in the file (cut short?)",
                        offset, t->n_bytes, section);
    t->file_offset = r->out->data_offset + offset;
    t->data = r->cursor.data + t->file_offset;
    return 0;
}

static int fail_tensor(gol_gguf_reader *r, uint64_t i, gol_str name)
{
    char quoted[96];
    return gol_fail_prefix(r->err, "tensor %" PRIu64 " '%s'", i,
                           gol_quote(quoted, sizeof quoted, name));
}

static void sift_down(uint32_t *order, size_t root, size_t n, const gol_tensor *tensors)
{
    for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n &&
            tensors[order[child + 1]].file_offset > tensors[order[child]].file_offset)
            child++;
        if (tensors[order[root]].file_offset >= tensors[order[child]].file_offset)
            return;
        const uint32_t tmp = order[root];
        order[root] = order[child];
        order[child] = tmp;
        root = child;
    }
}

/* Heapsort: no more memory, and no order of the input makes it slow. */
static void sort_by_offset(uint32_t *order, size_t n, const gol_tensor *tensors)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(order, i, n, tensors);
    for (size_t end = n; end-- > 1;) {
        const uint32_t tmp = order[0];
        order[0] = order[end];
        order[end] = tmp;
        sift_down(order, 0, end, tensors);
    }
}

static bool is_ascending(const gol_tensor *tensors, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (tensors[i].file_offset < tensors[i - 1].file_offset)
            return false;
    }
    return true;
}

static int check_overlap(gol_gguf_reader *r)
{
    const gol_tensor *tensors = r->out->tensors;
    const size_t n = r->out->n_tensors;
    uint32_t *order = NULL; /* NULL: as they come */
    if (!is_ascending(tensors, n)) {
        order = gol_gguf_alloc(r, n, sizeof *order);
        if (!order)
            return r->err->code;
        for (size_t i = 0; i < n; i++)
            order[i] = (uint32_t)i;
        sort_by_offset(order, n, tensors);
    }
    for (size_t i = 1; i < n; i++) {
        const gol_tensor *a = &tensors[order ? order[i - 1] : i - 1];
        const gol_tensor *b = &tensors[order ? order[i] : i];
        if (a->n_bytes > b->file_offset - a->file_offset) {
            char name_a[96];
            char name_b[96];
            return gol_fail(r->err, GOL_EMODEL, "tensors '%s' and '%s' overlap at byte %" PRIu64,
                            gol_quote(name_a, sizeof name_a, a->name),
                            gol_quote(name_b, sizeof name_b, b->name), b->file_offset);
        }
    }
    return 0;
}

int gol_gguf_read_tensors(gol_gguf_reader *r, uint64_t n_tensors)
{
    gol_tensor *tensors = gol_gguf_alloc(r, n_tensors, sizeof *tensors);
    if (!tensors)
        return r->err->code;
    for (uint64_t i = 0; i < n_tensors; i++) {
        tensors[i] = (gol_tensor){0};
        if (read_tensor(r, &tensors[i]) != 0)
            return fail_tensor(r, i, tensors[i].name);
    }
    if (n_tensors == 0) { /* a vocabulary only: the padding may be missing */
        r->out->data_offset = r->cursor.pos;
        return 0;
    }
    gol_cursor_align(&r->cursor, r->out->alignment);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    r->out->data_offset = r->cursor.pos;
    for (uint64_t i = 0; i < n_tensors; i++) {
        if (place_tensor(r, &tensors[i]) != 0)
            return fail_tensor(r, i, tensors[i].name);
    }
    r->out->tensors = tensors;
    r->out->n_tensors = (size_t)n_tensors;
    return check_overlap(r);
}
