/* The files of a folder that mutations start from, in the order of their names. For cmocka programs. */
#ifndef TESTS_FUZZ_SEED_FILES_H
#define TESTS_FUZZ_SEED_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { SEED_FILES_MAX = 64, SEED_BYTES_MAX = 1 << 15 };

typedef struct seed_files {
    gol_str files[SEED_FILES_MAX]; /* less than SEED_BYTES_MAX bytes each, and one at least */
    size_t n;
} seed_files;

static inline gol_str seed_file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *data = malloc(SEED_BYTES_MAX);
    assert_non_null(data);
    const size_t len = fread(data, 1, SEED_BYTES_MAX, f);
    assert_in_range(len, 1, SEED_BYTES_MAX - 1);
    fclose(f);
    return (gol_str){data, len};
}

/* suffix: ".json" */
static inline void seed_files_load(seed_files *seeds, const char *folder, const char *suffix)
{
    struct dirent **names;
    const int n = scandir(folder, &names, NULL, alphasort);
    assert_true(n > 0);
    seeds->n = 0;
    for (int i = 0; i < n; i++) {
        const size_t len = strlen(names[i]->d_name);
        if (len > strlen(suffix) && strcmp(names[i]->d_name + len - strlen(suffix), suffix) == 0) {
            char path[1024];
            assert_true(seeds->n < SEED_FILES_MAX);
            snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
            seeds->files[seeds->n++] = seed_file_read(path);
        }
        free(names[i]);
    }
    free(names);
}

static inline void seed_files_free(seed_files *seeds)
{
    for (size_t i = 0; i < seeds->n; i++)
        free((char *)(uintptr_t)seeds->files[i].data);
    seeds->n = 0;
}

#endif
