/*
 * Mapping files, and hints about their pages. What happens when a mapped file shrinks is in map_fault.c.
 */
#include "base/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map_fault.h"
#include "base/mem.h"

enum { PATH_TEXT_MAX = 300 }; /* leaves room for the rest of a message */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes of the mapping: an empty file still gets a page, so that data is a pointer. */
static size_t map_size(size_t file_size)
{
    return file_size == 0 ? 1 : file_size;
}

static int code_of_errno(int number)
{
    if (number == ENOENT || number == ENOTDIR)
        return GOL_ENOTFOUND;
    return number == ENOMEM ? GOL_ENOMEM : GOL_EIO;
}

static int fail_errno(gol_err *err, const char *path, const char *what)
{
    const int number = errno;
    char text[PATH_TEXT_MAX];
    return gol_fail(err, code_of_errno(number), "%s: cannot %s: %s",
                    gol_quote(text, sizeof text, gol_str_from(path)), what, strerror(number));
}

/* Opens path and tells its size; only regular files have one that means something. Returns the descriptor or an error. */
static int open_regular(size_t *size, const char *path, gol_err *err)
{
    /* O_NONBLOCK: a FIFO must be refused, not waited for. It means nothing for regular files. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, path, "open");
    struct stat info;
    if (fstat(fd, &info) != 0) {
        const int code = fail_errno(err, path, "ask for the size");
        close(fd);
        return code;
    }
    if (!S_ISREG(info.st_mode) || (uintmax_t)info.st_size > PTRDIFF_MAX) {
        char text[PATH_TEXT_MAX];
        close(fd);
        return gol_fail(err, GOL_EIO, "%s: is %s, a regular file is wanted",
                        gol_quote(text, sizeof text, gol_str_from(path)),
                        S_ISDIR(info.st_mode)   ? "a folder"
                        : S_ISREG(info.st_mode) ? "too large to map"
                                                : "a device, pipe or socket");
    }
    *size = (size_t)info.st_size;
    return fd;
}

int gol_mapped_file_open(gol_mapped_file *file, const char *path, gol_err *err)
{
    *file = (gol_mapped_file){.slot = -1};
    size_t size = 0;
    int code = 0;
    const int fd = open_regular(&size, path, err);
    if (fd < 0) {
        code = fd;
        goto fail;
    }
    file->path = gol_try_strndup(gol_str_from(path));
    if (!file->path) {
        code = gol_fail(err, GOL_ENOMEM, "out of memory for a file's name");
        goto fail;
    }
    const int flags = size == 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *data = mmap(NULL, map_size(size), PROT_READ, flags, size == 0 ? -1 : fd, 0);
    if (data == MAP_FAILED) {
        code = fail_errno(err, path, "map");
        goto fail;
    }
    file->data = data;
    file->size = size;
    file->slot = gol_map_fault_add(data, map_size(size), file->path);
    if (file->slot < 0) {
        code = gol_fail(err, GOL_EIO, "cannot map more than %d files at a time",
                        (int)GOL_MAPPED_FILES_MAX);
        goto fail;
    }
    close(fd);
    return 0;

fail:
    if (fd >= 0)
        close(fd);
    gol_mapped_file_close(file);
    return code;
}

void gol_mapped_file_close(gol_mapped_file *file)
{
    if (file->data) {
        if (file->slot >= 0)
            gol_map_fault_remove(file->slot);
        (void)munmap((void *)(uintptr_t)file->data, map_size(file->size));
    }
    gol_free(file->path);
    *file = (gol_mapped_file){0};
}

static void advise(const gol_mapped_file *file, size_t begin, size_t end, int advice)
{
    if (begin < end)
        (void)madvise((void *)(uintptr_t)(file->data + begin), end - begin, advice);
}

void gol_mapped_file_will_need(const gol_mapped_file *file, size_t offset, size_t n_bytes)
{
    if (offset >= file->size)
        return;
    const size_t n_left = file->size - offset;
    const size_t end = offset + (n_bytes < n_left ? n_bytes : n_left);
    advise(file, offset - offset % page_size(), end, MADV_WILLNEED);
}

void gol_mapped_file_drop_pages(const gol_mapped_file *file, size_t offset, size_t n_bytes)
{
    if (offset >= file->size)
        return;
    /* Whole pages only: a neighbour may still be reading the rest of the first and the last. */
    const size_t page = page_size();
    const size_t n_left = file->size - offset;
    const size_t begin = (offset + page - 1) / page * page;
    const size_t end = n_bytes < n_left ? (offset + n_bytes) / page * page : file->size;
    advise(file, begin, end, MADV_DONTNEED);
}
