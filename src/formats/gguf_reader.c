/*
 * GGUF: the fixed header and what the readers of metadata (gguf_meta.c) and tensors (gguf_tensors.c) share.
 *
 * Nothing of a size that the file states is allocated before the file was found long enough to justify it, and all of it
 * together is at most the file's size plus GGUF_MEMORY_SLACK (string arrays: 8 bytes for a record of at least 8).
 */
#include "formats/gguf_reader.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

enum {
    GGUF_MEMORY_SLACK = 30 << 20,
    GGUF_KV_BYTES_MIN = 8 + 1 + 4 + 1,             /* key, type, value */
    GGUF_TENSOR_BYTES_MIN = 8 + 1 + 4 + 8 + 4 + 8, /* name, n_dims, one dim, type, offset */
};

int gol_gguf_fail_end(gol_gguf_reader *r)
{
    return gol_fail(
        r->err, GOL_EMODEL,
        "the file ends too early: at byte %zu more is needed than the %zu bytes of the file",
        r->cursor.fail_pos, r->cursor.size);
}

void *gol_gguf_alloc(gol_gguf_reader *r, uint64_t n, size_t size)
{
    gol_arena *arena = r->out->arena;
    void *p = gol_arena_try_array(arena, (size_t)n, size);
    if (!p && n * size + 64 > arena->n_bytes_max - arena->n_bytes) /* 64: the arena's own */
        gol_fail(r->err, GOL_EMODEL,
                 "its description needs over %zu MiB of memory, far more than its data is worth",
                 arena->n_bytes_max >> 20);
    else if (!p)
        gol_fail(r->err, GOL_ENOMEM, "out of memory for %" PRIu64 " items of %zu bytes", n, size);
    return p;
}

int gol_gguf_read_str(gol_gguf_reader *r, uint64_t len_max, gol_str *out)
{
    const size_t start = r->cursor.pos;
    const uint64_t len = gol_cursor_u64(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (len > len_max)
        return gol_fail(r->err, GOL_EMODEL,
                        "a length of %" PRIu64 " bytes at byte %zu; at most %" PRIu64
                        " are accepted",
                        len, start, len_max);
    const char *data = gol_cursor_bytes(&r->cursor, len);
    if (!data)
        return gol_gguf_fail_end(r);
    *out = (gol_str){data, (size_t)len};
    return 0;
}

static int read_version(gol_gguf_reader *r)
{
    const uint32_t magic = gol_cursor_u32(&r->cursor);
    const uint32_t version = gol_cursor_u32(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    if (magic != GOL_GGUF_MAGIC)
        return gol_fail(r->err, GOL_EMODEL,
                        "starts with 0x%08" PRIx32 ", a GGUF file starts with 0x%08x ('GGUF')",
                        magic, GOL_GGUF_MAGIC);
    if (version == 1)
        return gol_fail(
            r->err, GOL_EUNSUPPORTED,
            "GGUF version 1 (of August 2023); versions 2 and 3 are read, convert the model anew");
    if (version != 0 && (version & 0xffffu) == 0)
        return gol_fail(r->err, GOL_EUNSUPPORTED,
                        "a big-endian GGUF file (version field 0x%08" PRIx32
                        "); only little-endian files are read",
                        version);
    if (version != 2 && version != 3)
        return gol_fail(r->err, GOL_EUNSUPPORTED,
                        "GGUF version %" PRIu32 "; versions 2 and 3 are read", version);
    r->out->version = version;
    return 0;
}

/* A count of the header against its limit and against what the rest of the file could hold. */
static int check_count(gol_gguf_reader *r, const char *what, uint64_t n, uint64_t n_max,
                       size_t bytes_min)
{
    if (n > n_max)
        return gol_fail(r->err, GOL_EMODEL,
                        "header: %" PRIu64 " %s; at most %" PRIu64 " are accepted", n, what, n_max);
    const size_t left = gol_cursor_left(&r->cursor);
    if (n > left / bytes_min)
        return gol_fail(r->err, GOL_EMODEL,
                        "header: %" PRIu64
                        " %s do not fit into the remaining %zu bytes of the file",
                        n, what, left);
    return 0;
}

static int read_file(gol_gguf_reader *r)
{
    int rc = read_version(r);
    if (rc != 0)
        return rc;
    const uint64_t n_tensors = gol_cursor_u64(&r->cursor);
    const uint64_t n_kv = gol_cursor_u64(&r->cursor);
    if (r->cursor.failed)
        return gol_gguf_fail_end(r);
    rc = check_count(r, "tensors", n_tensors, GOL_GGUF_TENSORS_MAX, GGUF_TENSOR_BYTES_MIN);
    if (rc != 0)
        return rc;
    rc = check_count(r, "metadata keys", n_kv, GOL_GGUF_KV_MAX, GGUF_KV_BYTES_MIN);
    if (rc != 0)
        return rc;
    rc = gol_gguf_read_meta(r, n_kv);
    if (rc != 0)
        return rc;
    return gol_gguf_read_tensors(r, n_tensors);
}

int gol_gguf_parse(gol_gguf *out, const void *data, size_t size, const char *name, gol_err *err)
{
    gol_err own_err;
    gol_gguf_reader r = {gol_cursor_from(data, size), out, err ? err : &own_err};
    *out = (gol_gguf){.alignment = GOL_GGUF_ALIGNMENT_DEFAULT};
    gol_arena *arena = gol_try_alloc(sizeof *arena);
    if (!arena)
        return gol_fail(r.err, GOL_ENOMEM, "%s: out of memory", name);
    size_t limit;
    if (!gol_add_size(&limit, size, GGUF_MEMORY_SLACK))
        limit = SIZE_MAX;
    gol_arena_init(arena, limit);
    out->arena = arena;

    const int rc = read_file(&r);
    if (rc != 0) {
        gol_gguf_deinit(out);
        char quoted[GOL_ERR_MESSAGE_MAX / 2];
        gol_fail_prefix(r.err, "%s", gol_quote(quoted, sizeof quoted, gol_str_from(name)));
    }
    return rc;
}

void gol_gguf_deinit(gol_gguf *gguf)
{
    if (gguf->arena)
        gol_arena_deinit(gguf->arena);
    gol_free(gguf->arena);
    *gguf = (gol_gguf){0};
}
