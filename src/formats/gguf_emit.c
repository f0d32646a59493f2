/*
 * Writing GGUF version 3. With everything collected (gguf_writer.c) the offsets are worked out and
 *
 *     header | key-value pairs | tensor descriptions | padding | data, padding | data, padding | ...
 *
 * streams to "<path>.tmp", which takes the place of path only when it is complete and on the disk.
 */
#include "formats/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str_table.h"
#include "formats/gguf_writer_impl.h"

enum { GGUF_VERSION = 3 };

typedef gol_str name_at_fn(const gol_gguf_writer *w, size_t i);

static gol_str key_at(const gol_gguf_writer *w, size_t i)
{
    return w->keys[i];
}

static gol_str tensor_name_at(const gol_gguf_writer *w, size_t i)
{
    return w->tensors[i].name;
}

/* The writer takes at most GOL_GGUF_KV_MAX and GOL_GGUF_TENSORS_MAX of them. */
static int check_unique(const gol_gguf_writer *w, name_at_fn *name_at, size_t n, const char *what,
                        gol_err *err)
{
    gol_str_table table;
    int rc = gol_str_table_init(&table, n);
    for (int32_t i = 0; i < (int32_t)n && rc == 0; i++) {
        int32_t first;
        rc = gol_str_table_add(&table, name_at(w, (size_t)i), i, &first);
        if (rc == 0 && first != i) {
            char name[96];
            rc = gol_fail(err, GOL_EINVAL, "%s '%s' was added twice", what,
                          gol_quote(name, sizeof name, name_at(w, (size_t)i)));
        }
    }
    gol_str_table_deinit(&table);
    return rc == GOL_ENOMEM ? gol_fail(err, rc, "out of memory for checking names") : rc;
}

static uint64_t align_up(uint64_t n, uint32_t alignment)
{
    return (n + alignment - 1) & ~(uint64_t)(alignment - 1);
}

/* Everything before the tensor data, padding included. */
static int encode_header(gol_gguf_writer *w, gol_buf *out, gol_err *err)
{
    const size_t n_meta = w->n_meta + (w->has_alignment ? 1 : 0);
    if (n_meta > GOL_GGUF_KV_MAX)
        return gol_fail(err, GOL_EINVAL, "%zu metadata keys; at most %d can be written", n_meta,
                        GOL_GGUF_KV_MAX);
    gol_gguf_put_u32(out, GOL_GGUF_MAGIC);
    gol_gguf_put_u32(out, GGUF_VERSION);
    gol_gguf_put_u64(out, w->n_tensors);
    gol_gguf_put_u64(out, n_meta);
    if (w->has_alignment) {
        gol_gguf_put_str(out, GOL_STR("general.alignment"));
        gol_gguf_put_u32(out, GOL_VALUE_U32);
        gol_gguf_put_u32(out, w->alignment);
    }
    gol_buf_put_str(out, gol_buf_view(&w->meta));
    uint64_t offset = 0;
    for (size_t i = 0; i < w->n_tensors; i++) {
        gol_tensor *t = &w->tensors[i];
        t->file_offset = offset;
        gol_gguf_put_str(out, t->name);
        gol_gguf_put_u32(out, (uint32_t)t->n_dims);
        for (int d = 0; d < t->n_dims; d++)
            gol_gguf_put_u64(out, t->shape[d]);
        gol_gguf_put_u32(out, t->type);
        gol_gguf_put_u64(out, offset);
        if (offset > INT64_MAX - t->n_bytes - w->alignment)
            return gol_fail(err, GOL_EINVAL, "the tensors together are too large");
        offset = align_up(offset + t->n_bytes, w->alignment);
    }
    const size_t n_padding = (size_t)(align_up(out->len, w->alignment) - out->len);
    if (gol_buf_reserve(out, n_padding)) {
        for (size_t i = 0; i < n_padding; i++)
            gol_buf_putc(out, '\0');
    }
    return out->failed ? gol_fail(err, GOL_ENOMEM, "out of memory for the header") : 0;
}

/* Where the bytes of one tensor go. */
typedef struct tensor_sink {
    FILE *file;
    uint64_t n_left;
} tensor_sink;

static int put_bytes(FILE *file, const void *data, size_t n_bytes, gol_err *err)
{
    if (n_bytes != 0 && fwrite(data, 1, n_bytes, file) != n_bytes)
        return gol_fail(err, GOL_EIO, "cannot write: %s", strerror(errno));
    return 0;
}

static int emit(void *sink, const void *data, size_t n_bytes, gol_err *err)
{
    tensor_sink *s = sink;
    if (n_bytes > s->n_left)
        return gol_fail(err, GOL_EINVAL,
                        "%zu bytes are more than the %" PRIu64 " that its type and shape leave",
                        n_bytes, s->n_left);
    s->n_left -= n_bytes;
    return put_bytes(s->file, data, n_bytes, err);
}

static int write_tensor(const gol_gguf_writer *w, FILE *file, size_t i, gol_gguf_fill *fill,
                        void *user, gol_err *err)
{
    const gol_tensor *t = &w->tensors[i];
    tensor_sink sink = {file, t->n_bytes};
    int rc;
    if (t->data)
        rc = emit(&sink, t->data, (size_t)t->n_bytes, err);
    else if (fill)
        rc = fill(user, i, emit, &sink, err);
    else
        rc = gol_fail(err, GOL_EINVAL, "has no data");
    if (rc == 0 && sink.n_left != 0)
        rc = gol_fail(err, GOL_EINVAL, "%" PRIu64 " of its bytes were not given", sink.n_left);
    if (rc != 0) {
        char name[96];
        return gol_fail_prefix(err, "tensor '%s'", gol_quote(name, sizeof name, t->name));
    }
    static const char zeros[4096];
    for (uint64_t n = align_up(t->n_bytes, w->alignment) - t->n_bytes; n > 0 && rc == 0;) {
        const size_t n_now = n < sizeof zeros ? (size_t)n : sizeof zeros;
        rc = put_bytes(file, zeros, n_now, err);
        n -= n_now;
    }
    return rc;
}

static int write_all(gol_gguf_writer *w, FILE *file, gol_gguf_fill *fill, void *user, gol_err *err)
{
    gol_buf header;
    gol_buf_init(&header, SIZE_MAX);
    int rc = encode_header(w, &header, err);
    if (rc == 0)
        rc = put_bytes(file, header.data, header.len, err);
    gol_buf_deinit(&header);
    for (size_t i = 0; i < w->n_tensors && rc == 0; i++)
        rc = write_tensor(w, file, i, fill, user, err);
    if (rc == 0 && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        rc = gol_fail(err, GOL_EIO, "cannot write: %s", strerror(errno));
    return rc;
}

/* Makes the rename itself durable. A file system that cannot do it is no failure: the data is there. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = gol_try_strndup(slash ? (gol_str){path, (size_t)(slash - path) + 1}
                                         : GOL_STR("."));
    if (!folder)
        return;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    gol_free(folder);
}

/* The rename would put a regular file in the place of anything else: for the superuser that includes the system's /dev/null. */
static int check_replaceable(const char *path, gol_err *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode))
        return 0;
    return gol_fail(err, GOL_EIO, "%s: is %s, which is not replaced by a file", path,
                    S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
}

static int write_file(gol_gguf_writer *w, const char *path, const char *tmp_path,
                      gol_gguf_fill *fill, void *user, gol_err *err)
{
    FILE *file = fopen(tmp_path, "wbe");
    if (!file)
        return gol_fail(err, GOL_EIO, "%s: cannot create: %s", tmp_path, strerror(errno));
    int rc = write_all(w, file, fill, user, err);
    if (fclose(file) != 0 && rc == 0)
        rc = gol_fail(err, GOL_EIO, "cannot write: %s", strerror(errno));
    if (rc == 0 && rename(tmp_path, path) != 0)
        rc = gol_fail(err, GOL_EIO, "cannot rename '%s' to it: %s", tmp_path, strerror(errno));
    if (rc != 0) {
        (void)unlink(tmp_path);
        return gol_fail_prefix(err, "%s", path);
    }
    sync_folder(path);
    return 0;
}

int gol_gguf_writer_stream(gol_gguf_writer *w, const char *path, gol_gguf_fill *fill, void *user,
                           gol_err *err)
{
    gol_err own_err;
    gol_err *e = err ? err : &own_err;
    if (w->failure.code != 0)
        return gol_fail(e, w->failure.code, "%s: %s", path, w->failure.message);
    int rc = check_unique(w, key_at, w->n_meta, "metadata key", e);
    if (rc == 0)
        rc = check_unique(w, tensor_name_at, w->n_tensors, "tensor", e);
    if (rc != 0)
        return gol_fail_prefix(e, "%s", path);
    rc = check_replaceable(path, e);
    if (rc != 0)
        return rc;
    char *tmp_path = gol_try_alloc(strlen(path) + sizeof ".tmp");
    if (!tmp_path)
        return gol_fail(e, GOL_ENOMEM, "%s: out of memory", path);
    memcpy(tmp_path, path, strlen(path));
    memcpy(tmp_path + strlen(path), ".tmp", sizeof ".tmp");
    rc = write_file(w, path, tmp_path, fill, user, e);
    gol_free(tmp_path);
    return rc;
}

int gol_gguf_writer_write(gol_gguf_writer *w, const char *path, gol_err *err)
{
    return gol_gguf_writer_stream(w, path, NULL, NULL, err);
}
