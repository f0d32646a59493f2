/* A folder of one test program's own, removed with its files at the end. */
#ifndef TESTS_SUPPORT_TEMP_DIR_H
#define TESTS_SUPPORT_TEMP_DIR_H

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct temp_dir {
    char path[64];
} temp_dir;

static inline temp_dir temp_dir_create(void)
{
    temp_dir dir = {"/tmp/gollum-test-XXXXXX"};
    const char *made = mkdtemp(dir.path);
    assert(made);
    (void)made;
    return dir;
}

/* dir/name in buf. */
static inline const char *temp_dir_file(const temp_dir *dir, const char *name, char buf[static 256])
{
    const int n = snprintf(buf, 256, "%s/%s", dir->path, name);
    assert(n > 0 && n < 256);
    (void)n;
    return buf;
}

static inline int temp_dir_n_files(const temp_dir *dir)
{
    DIR *d = opendir(dir->path);
    assert(d);
    int n = 0;
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d))
        n += entry->d_name[0] != '.';
    closedir(d);
    return n;
}

/* The files of a folder, and it. */
static inline void temp_remove_folder(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        char buf[512];
        const int n = snprintf(buf, sizeof buf, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && n > 0 && (size_t)n < sizeof buf)
            (void)unlink(buf);
    }
    closedir(d);
    (void)rmdir(path);
}

/* With folders in it, but not in these. */
static inline void temp_dir_destroy(const temp_dir *dir)
{
    DIR *d = opendir(dir->path);
    assert(d);
    for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        char buf[512];
        snprintf(buf, sizeof buf, "%s/%s", dir->path, entry->d_name);
        if (entry->d_name[0] != '.' && unlink(buf) != 0)
            temp_remove_folder(buf);
    }
    closedir(d);
    (void)rmdir(dir->path);
}

static inline void temp_write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert(file);
    const size_t n = size ? fwrite(data, 1, size, file) : 0;
    assert(n == size);
    (void)n;
    fclose(file);
}

#endif
